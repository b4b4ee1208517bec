-- The tables of the Django XQueue (Django 5.2), for a database that has none.
-- On a database that Django made, every statement finds its work done.
CREATE TABLE IF NOT EXISTS django_content_type (
    id INT NOT NULL AUTO_INCREMENT,
    app_label VARCHAR(100) NOT NULL,
    model VARCHAR(100) NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY django_content_type_app_label_model_76bd3d3b_uniq (app_label, model)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS django_migrations (
    id INT NOT NULL AUTO_INCREMENT,
    app VARCHAR(255) NOT NULL,
    name VARCHAR(255) NOT NULL,
    applied DATETIME(6) NOT NULL,
    PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS django_session (
    session_key VARCHAR(40) NOT NULL,
    session_data LONGTEXT NOT NULL,
    expire_date DATETIME(6) NOT NULL,
    PRIMARY KEY (session_key),
    KEY django_session_expire_date_a5c62663 (expire_date)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS django_site (
    id INT NOT NULL AUTO_INCREMENT,
    domain VARCHAR(100) NOT NULL,
    name VARCHAR(50) NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY django_site_domain_a2e37b91_uniq (domain)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS auth_permission (
    id INT NOT NULL AUTO_INCREMENT,
    name VARCHAR(255) NOT NULL,
    content_type_id INT NOT NULL,
    codename VARCHAR(100) NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY auth_permission_content_type_id_codename_01ab375a_uniq (content_type_id, codename),
    CONSTRAINT auth_permission_content_type_id_2f476e4b_fk_django_co FOREIGN KEY (content_type_id) REFERENCES django_content_type (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS auth_group (
    id INT NOT NULL AUTO_INCREMENT,
    name VARCHAR(150) NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY name (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS auth_group_permissions (
    id INT NOT NULL AUTO_INCREMENT,
    group_id INT NOT NULL,
    permission_id INT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY auth_group_permissions_group_id_permission_id_0cd325b0_uniq (group_id, permission_id),
    KEY auth_group_permissio_permission_id_84c5c92e_fk_auth_perm (permission_id),
    CONSTRAINT auth_group_permissio_permission_id_84c5c92e_fk_auth_perm FOREIGN KEY (permission_id) REFERENCES auth_permission (id),
    CONSTRAINT auth_group_permissions_group_id_b120cbf9_fk_auth_group_id FOREIGN KEY (group_id) REFERENCES auth_group (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS auth_user (
    id INT NOT NULL AUTO_INCREMENT,
    password VARCHAR(128) NOT NULL,
    last_login DATETIME(6) DEFAULT NULL,
    is_superuser TINYINT(1) NOT NULL,
    username VARCHAR(150) NOT NULL,
    first_name VARCHAR(150) NOT NULL,
    last_name VARCHAR(150) NOT NULL,
    email VARCHAR(254) NOT NULL,
    is_staff TINYINT(1) NOT NULL,
    is_active TINYINT(1) NOT NULL,
    date_joined DATETIME(6) NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY username (username)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS auth_user_groups (
    id INT NOT NULL AUTO_INCREMENT,
    user_id INT NOT NULL,
    group_id INT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY auth_user_groups_user_id_group_id_94350c0c_uniq (user_id, group_id),
    KEY auth_user_groups_group_id_97559544_fk_auth_group_id (group_id),
    CONSTRAINT auth_user_groups_user_id_6a12ed8b_fk_auth_user_id FOREIGN KEY (user_id) REFERENCES auth_user (id),
    CONSTRAINT auth_user_groups_group_id_97559544_fk_auth_group_id FOREIGN KEY (group_id) REFERENCES auth_group (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS auth_user_user_permissions (
    id INT NOT NULL AUTO_INCREMENT,
    user_id INT NOT NULL,
    permission_id INT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY auth_user_user_permissions_user_id_permission_id_14a6b632_uniq (user_id, permission_id),
    KEY auth_user_user_permi_permission_id_1fbb5f2c_fk_auth_perm (permission_id),
    CONSTRAINT auth_user_user_permissions_user_id_a95ead1b_fk_auth_user_id FOREIGN KEY (user_id) REFERENCES auth_user (id),
    CONSTRAINT auth_user_user_permi_permission_id_1fbb5f2c_fk_auth_perm FOREIGN KEY (permission_id) REFERENCES auth_permission (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS queue_submission (
    id INT NOT NULL AUTO_INCREMENT,
    requester_id VARCHAR(128) NOT NULL,
    lms_callback_url VARCHAR(128) NOT NULL,
    queue_name VARCHAR(128) NOT NULL,
    xqueue_header VARCHAR(1024) NOT NULL,
    xqueue_body LONGTEXT NOT NULL,
    s3_keys VARCHAR(1024) NOT NULL,
    s3_urls VARCHAR(1024) NOT NULL,
    arrival_time DATETIME(6) NOT NULL,
    pull_time DATETIME(6) DEFAULT NULL,
    push_time DATETIME(6) DEFAULT NULL,
    return_time DATETIME(6) DEFAULT NULL,
    grader_id VARCHAR(128) NOT NULL,
    pullkey VARCHAR(128) NOT NULL,
    grader_reply LONGTEXT NOT NULL,
    num_failures INT NOT NULL,
    lms_ack TINYINT(1) NOT NULL,
    retired TINYINT(1) NOT NULL,
    PRIMARY KEY (id),
    KEY queue_submission_lms_callback_url_f8da8c20 (lms_callback_url),
    KEY queue_submission_retired_6195dcbb (retired),
    KEY queue_submi_queue_n_9fcfbd_idx (queue_name, retired, pull_time, arrival_time),
    KEY queue_submi_queue_n_4c6cd5_idx (queue_name, retired, push_time, arrival_time),
    KEY queue_submi_lms_cal_367510_idx (lms_callback_url, retired)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
