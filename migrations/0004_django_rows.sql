-- What Django's own `migrate` would have written into a database that has
-- none of it, so that a Django XQueue pointed here finds nothing to do. A
-- database with a Django history keeps the one it has. The history comes
-- last: without it, everything here may run again.
INSERT IGNORE INTO django_content_type (app_label, model)
SELECT model.app_label, model.model FROM (
    SELECT 'auth' AS app_label, 'permission' AS model
    UNION ALL SELECT 'auth', 'group'
    UNION ALL SELECT 'auth', 'user'
    UNION ALL SELECT 'contenttypes', 'contenttype'
    UNION ALL SELECT 'sessions', 'session'
    UNION ALL SELECT 'sites', 'site'
    UNION ALL SELECT 'submission_queue', 'submission'
) AS model WHERE NOT EXISTS (SELECT 1 FROM django_migrations);

INSERT IGNORE INTO auth_permission (name, content_type_id, codename)
SELECT CONCAT('Can ', verb.verb, ' ', IF(type.model = 'contenttype', 'content type', type.model)),
    type.id, CONCAT(verb.verb, '_', type.model)
FROM django_content_type AS type
JOIN (
    SELECT 1 AS place, 'add' AS verb
    UNION ALL SELECT 2, 'change'
    UNION ALL SELECT 3, 'delete'
    UNION ALL SELECT 4, 'view'
) AS verb
WHERE NOT EXISTS (SELECT 1 FROM django_migrations)
ORDER BY type.id, verb.place;

INSERT IGNORE INTO django_site (id, domain, name)
SELECT 1, 'example.com', 'example.com' FROM (SELECT 1 AS one) AS one
WHERE NOT EXISTS (SELECT 1 FROM django_migrations);

INSERT INTO django_migrations (app, name, applied)
SELECT step.app, step.name, UTC_TIMESTAMP(6) FROM (
    SELECT 1 AS place, 'contenttypes' AS app, '0001_initial' AS name
    UNION ALL SELECT 2, 'contenttypes', '0002_remove_content_type_name'
    UNION ALL SELECT 3, 'auth', '0001_initial'
    UNION ALL SELECT 4, 'auth', '0002_alter_permission_name_max_length'
    UNION ALL SELECT 5, 'auth', '0003_alter_user_email_max_length'
    UNION ALL SELECT 6, 'auth', '0004_alter_user_username_opts'
    UNION ALL SELECT 7, 'auth', '0005_alter_user_last_login_null'
    UNION ALL SELECT 8, 'auth', '0006_require_contenttypes_0002'
    UNION ALL SELECT 9, 'auth', '0007_alter_validators_add_error_messages'
    UNION ALL SELECT 10, 'auth', '0008_alter_user_username_max_length'
    UNION ALL SELECT 11, 'auth', '0009_alter_user_last_name_max_length'
    UNION ALL SELECT 12, 'auth', '0010_alter_group_name_max_length'
    UNION ALL SELECT 13, 'auth', '0011_update_proxy_permissions'
    UNION ALL SELECT 14, 'auth', '0012_alter_user_first_name_max_length'
    UNION ALL SELECT 15, 'sessions', '0001_initial'
    UNION ALL SELECT 16, 'sites', '0001_initial'
    UNION ALL SELECT 17, 'sites', '0002_alter_domain_unique'
    UNION ALL SELECT 18, 'queue', '0001_initial'
    UNION ALL SELECT 19, 'queue', '0002_stop_updating_arrival_time'
    UNION ALL SELECT 20, 'queue', '0003_compound_indexes'
    UNION ALL SELECT 21, 'submission_queue', '0004_remove_queue_name_index'
    UNION ALL SELECT 22, 'submission_queue', '0005_rename_submission_queue_name_retired_push_time_arrival_time_queue_submi_queue_n_4c6cd5_idx_and_more'
    UNION ALL SELECT 23, 'submission_queue', '0003_compound_indexes'
    UNION ALL SELECT 24, 'submission_queue', '0002_stop_updating_arrival_time'
    UNION ALL SELECT 25, 'submission_queue', '0001_initial'
) AS step WHERE NOT EXISTS (SELECT 1 FROM django_migrations)
ORDER BY step.place;
