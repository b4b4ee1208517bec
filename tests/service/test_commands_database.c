/*
 * What the commands do to a database: R40, R41, R45, R54, R55. A server
 * runs on it meanwhile.
 */
#include "tests/support/service_story.h"
#include "tests/support/sink.h"

#include <string.h>

static const struct service_settings settings = {
    .owns_database = true,
    .queues = "{test-pull: null, other: null, 'märchen': null, old: null,"
              " failed: null}",
};

static const char *const all_migrations =
    "0001_django.sql 0002_widen.sql 0003_hot_set.sql 0004_django_rows.sql"
    " 0005_push.sql 0006_files.sql 0007_one_url_index.sql"
    " 0008_arrival_day.sql";

static void expect_words(struct text output, const char *words)
{
    ck_assert_msg(strstr(arena_string(scratch, output), words) != NULL,
                  "no %s in:\n%.*s", words, TEXT_ARGUMENTS(output));
}

#define EXPECT_OUTPUT(exit_code, expected, ...)                                \
    do {                                                                       \
        struct text command_output;                                            \
        const char *expected_output = (expected);                              \
        int code =                                                             \
            service_command(service, &command_output, __VA_ARGS__, NULL);      \
                                                                               \
        expect_text(command_output, expected_output);                          \
        ck_assert_int_eq(code, (exit_code));                                   \
    } while (0)

/* Each migration's name in a line of this form. */
static const char *lines_of(const char *format_start, const char *format_end)
{
    struct text names = text_of(all_migrations);
    const char *lines = "";

    while (names.size > 0) {
        size_t size = strcspn(names.data, " ");

        lines = arena_printf(scratch, "%s%s%.*s%s\n", lines, format_start,
                             (int)size, names.data, format_end);
        size += size < names.size;
        names = (struct text){names.data + size, names.size - size};
    }
    return lines;
}

START_TEST(migrate_makes_the_tables_once)
{
    struct service *fresh = service_new(
        &(struct service_settings){.database = mariadb_empty_database()});
    struct text output;

    ck_assert_int_eq(service_command(fresh, &output, "migrate", "--list", NULL),
                     0);
    expect_text(output, lines_of("[ ] ", ""));
    ck_assert_int_eq(
        service_command(fresh, &output, "migrate", "--dry-run", NULL), 0);
    expect_text(output, lines_of("would apply ", ""));
    ck_assert_value("0", "SELECT COUNT(*) FROM information_schema.TABLES WHERE"
                         " TABLE_SCHEMA = DATABASE() AND"
                         " TABLE_NAME = 'queue_submission'");
    ck_assert_int_eq(service_command(fresh, &output, "migrate", "--noinput",
                                     "--settings=xqueue.production", NULL),
                     0);
    expect_words(output, "applied 0004_django_rows.sql\n"
                         "applying 0005_push.sql ...\n"
                         "applied 0005_push.sql\n"
                         "applying 0006_files.sql ...\n"
                         "applied 0006_files.sql\n"
                         "applying 0007_one_url_index.sql ...\n"
                         "applied 0007_one_url_index.sql\n"
                         "applying 0008_arrival_day.sql ...\n"
                         "applied 0008_arrival_day.sql\n"
                         "The tables are current.\n");
    ck_assert_int_eq(service_command(fresh, &output, "migrate", NULL), 0);
    expect_text(output, "The tables are current.\n");
    ck_assert_int_eq(service_command(fresh, &output, "migrate", "-l", NULL), 0);
    expect_text(output, lines_of("[X] ", ""));
    service_stop(fresh);
}
END_TEST

START_TEST(a_database_of_the_django_server_goes_on)
{
    struct service *adopted;
    const char *rows;

    const struct db_settings *database = mariadb_empty_database();

    mariadb_load("tests/fixtures/django-xqueue.sql");
    rows = mariadb_value("SELECT COUNT(*) FROM queue_submission");
    adopted = service_new(&(struct service_settings){.database = database});
    ck_assert_int_eq(service_command(adopted, NULL, "migrate", NULL), 0);
    ck_assert_str_eq(mariadb_value("SELECT COUNT(*) FROM queue_submission"),
                     rows);
    service_serve(adopted);
    http_client_set_port(client, service_port(adopted));
    http_client_set_timeout_ms(client, 60000);
    log_in(client);
    ck_assert_int_eq(get_queuelen("test-pull")->status, 200);
    service_stop(adopted);
}
END_TEST

START_TEST(a_database_is_handed_back_and_taken_over_again)
{
    struct service *ours;
    struct text output;

    ours = service_new(
        &(struct service_settings){.database = mariadb_empty_database()});
    ck_assert_int_eq(service_command(ours, NULL, "migrate", NULL), 0);
    ck_assert_int_eq(
        service_command(ours, &output, "migrate", "--hand-back", NULL), 0);
    expect_text(output, "putting back the indexes of the Django server ...\n"
                        "0 leases written back: the Django server can take"
                        " over.\n");
    ck_assert_int_eq(service_command(ours, &output, "check", NULL), 1);
    expect_words(output, "migration 0008_arrival_day.sql is not applied:"
                         " run xqueue migrate");
    ck_assert_int_eq(service_command(ours, &output, "migrate", NULL), 0);
    expect_words(output, "applied 0008_arrival_day.sql\n"
                         "The tables are current.\n");
    service_serve(ours);
    service_stop(ours);
}
END_TEST

START_TEST(update_users_creates_changes_and_leaves)
{
    struct service *told = service_new(&(struct service_settings){
        .database = story_database(),
        .users = "{new one: first, changed: other, kept: password}"});
    struct text output;

    add_user("changed");
    add_user("kept");
    ck_assert_int_eq(service_command(told, &output, "update_users", NULL), 0);
    expect_text(output, "user new one: created\n"
                        "user changed: password changed, sessions ended\n"
                        "user kept: unchanged\n");
    ck_assert_value("new one@dummy.edx.org|1|0|0",
                    "SELECT CONCAT_WS('|', email, is_active, is_staff,"
                    " is_superuser) FROM auth_user WHERE username ="
                    " 'new one'");
    ck_assert_value("2", "SELECT COUNT(*) FROM auth_user WHERE password LIKE"
                         " 'pbkdf2\\_sha256$1000000$%%'");
    service_stop(told);
}
END_TEST

START_TEST(update_users_says_whom_it_cannot_store)
{
    struct service *told = service_new(&(struct service_settings){
        .database = story_database(), .users = "{LMS: password}"});
    struct text output;

    ck_assert_int_eq(service_command(told, &output, "update_users", NULL), 1);
    expect_words(output, "user LMS: NOT stored");
    service_stop(told);
}
END_TEST

START_TEST(count_prints_two_columns)
{
    log_in(client);
    mariadb_run("UPDATE queue_submission SET retired = 1");
    EXPECT_OUTPUT(0, "", "count_queued_submissions");
    EXPECT_OUTPUT(0, "{}\n", "count_queued_submissions", "--json");
    for (int i = 0; i < 3; i++)
        expect_status(lms_submit(lms_header("märchen", NULL), "b"), 200, NULL);
    expect_status(lms_submit(lms_header("test-pull", NULL), "b"), 200, NULL);
    (void)grader_pull("märchen");
    EXPECT_OUTPUT(0,
                  "märchen                        3         \n"
                  "test-pull                      1         \n",
                  "count_queued_submissions");
    EXPECT_OUTPUT(0, "{\"m\\u00e4rchen\": 3, \"test-pull\": 1}\n",
                  "count_queued_submissions", "--json");
}
END_TEST

START_TEST(count_says_which_options_it_has_not)
{
    struct text output;

    ck_assert_int_eq(service_command(service, &output,
                                     "count_queued_submissions", "--cloudwatch",
                                     NULL),
                     1);
    expect_words(output, "not supported; use --json");
}
END_TEST

START_TEST(delete_takes_what_is_old_in_chunks)
{
    log_in(client);
    for (int i = 0; i < 5; i++)
        expect_status(lms_submit(lms_header("old", NULL), "b"), 200, NULL);
    mariadb_run("UPDATE queue_submission SET arrival_time ="
                " UTC_TIMESTAMP(6) - INTERVAL 169 HOUR WHERE queue_name ="
                " 'old' ORDER BY id LIMIT 3");
    mariadb_run("UPDATE queue_submission SET arrival_time ="
                " UTC_TIMESTAMP(6) - INTERVAL 167 HOUR WHERE queue_name ="
                " 'old' ORDER BY id DESC LIMIT 1");
    EXPECT_OUTPUT(
        0,
        arena_printf(scratch,
                     "deleted 2 submissions, up to id %s\n"
                     "deleted 1 submissions, up to id %s\n"
                     "deleted 3 submissions older than 7 days in all\n",
                     mariadb_value("SELECT MIN(id) + 1 FROM queue_submission"
                                   " WHERE queue_name = 'old'"),
                     mariadb_value("SELECT MIN(id) + 2 FROM queue_submission"
                                   " WHERE queue_name = 'old'")),
        "delete_old_submissions", "--chunk_size", "2", "--sleep_between",
        "0.01");
    expect_reply(get_queuelen("old"), 0, "2");
    EXPECT_OUTPUT(0, "deleted 0 submissions older than 7 days in all\n",
                  "delete_old_submissions");
    ck_assert_int_eq(service_command(service, NULL, "delete_old_submissions",
                                     "--days_old=0", NULL),
                     0);
    ck_assert_value("0", "SELECT COUNT(*) FROM queue_submission");
    expect_reply(get_submission("old"), 1, "\"Queue 'old' is empty\"");
}
END_TEST

/* Submit to a queue, for that LMS; the new id. */
static const char *submit_for(struct sink *lms, const char *queue,
                              const char *path)
{
    expect_status(lms_submit(lms_header(queue, sink_url(lms, path)), "b"), 200,
                  NULL);
    return mariadb_value("SELECT MAX(id) FROM queue_submission");
}

START_TEST(retire_failed_tells_the_lms_and_retires_then)
{
    struct sink *lms = sink_start(0);
    const char *id;
    struct received_list received;

    log_in(client);
    (void)submit_for(lms, "failed", "/not/failed/enough");
    mariadb_run("UPDATE queue_submission SET num_failures = 2"
                " ORDER BY id DESC LIMIT 1");
    id = submit_for(lms, "failed", "/failed");
    mariadb_run("UPDATE queue_submission SET num_failures = 3 WHERE id = %s",
                id);
    EXPECT_OUTPUT(0, "", "retire_failed_submissions", "other", "test-pull");
    EXPECT_OUTPUT(0,
                  arena_printf(scratch,
                               "retiring submission %s of queue 'failed' (3"
                               " failures)\n",
                               id),
                  "retire_failed_submissions", "other", "failed");
    received = sink_wait(lms, 1, 20000);
    expect_text(received.items[0].path, "/failed");
    ck_assert_ptr_nonnull(
        strstr(arena_string(scratch, received.items[0].body),
               "{\"correct\": null, \"score\": 0, \"msg\": \"<div class="
               "\\\"capa_alert\\\">"));
    mariadb_wait_for_value("1|1",
                           "SELECT CONCAT_WS('|', retired, lms_ack) FROM"
                           " queue_submission WHERE id = %s",
                           id);
    expect_reply(get_queuelen("failed"), 0, "1");
    sink_stop(lms);
}
END_TEST

START_TEST(retire_failed_by_force_tells_nobody)
{
    const char *const force[] = {"--force", "-f"};
    struct sink *lms = sink_start(0);

    log_in(client);
    for (size_t i = 0; i < ARRAY_LENGTH(force); i++) {
        const char *id = submit_for(lms, "other", "/forced");

        mariadb_run("UPDATE queue_submission SET num_failures = 4 WHERE id ="
                    " %s",
                    id);
        EXPECT_OUTPUT(0,
                      arena_printf(scratch,
                                   "retiring submission %s of queue 'other' (4"
                                   " failures)\n",
                                   id),
                      "retire_failed_submissions", force[i]);
        ck_assert_value("1|0",
                        "SELECT CONCAT_WS('|', retired, lms_ack) FROM"
                        " queue_submission WHERE id = %s",
                        id);
    }
    expect_reply(get_queuelen("other"), 0, "0");
    ck_assert_uint_eq(sink_received(lms).count, 0);
    sink_stop(lms);
}
END_TEST

START_TEST(retire_old_retires_and_tells_the_lms)
{
    struct sink *lms = sink_start(0);
    const char *older;
    const char *newer;

    log_in(client);
    older = submit_for(lms, "test-pull", "/older");
    newer = submit_for(lms, "test-pull", "/newer");
    mariadb_run("UPDATE queue_submission SET arrival_time ="
                " '2020-02-02 12:00:00' WHERE id = %s",
                older);
    EXPECT_OUTPUT(0, "", "retire_old_submissions", "--retire-before",
                  "2020-02-02 11:59:59", "test-pull");
    EXPECT_OUTPUT(0,
                  arena_printf(scratch,
                               "retiring submission %s of queue 'test-pull' (0"
                               " failures)\n",
                               older),
                  "retire_old_submissions", "test-pull", "--retire-before",
                  "2020-02-02 12:00:00");
    ck_assert_value("1", "SELECT retired FROM queue_submission WHERE id = %s",
                    older);
    expect_text(sink_wait(lms, 1, 20000).items[0].path, "/older");
    mariadb_wait_for_value("1",
                           "SELECT lms_ack FROM queue_submission WHERE id ="
                           " %s",
                           older);
    ck_assert_int_eq(service_command(service, NULL, "retire_old_submissions",
                                     "test-pull", NULL),
                     0);
    ck_assert_value("1", "SELECT retired FROM queue_submission WHERE id = %s",
                    newer);
    expect_reply(get_queuelen("test-pull"), 0, "0");
    EXPECT_OUTPUT(0, "", "retire_old_submissions", "nothing");
    sink_stop(lms);
}
END_TEST

START_TEST(check_finds_all_well)
{
    struct text output;

    mariadb_run("SET GLOBAL innodb_flush_log_at_trx_commit = 1,"
                " max_allowed_packet = 67108864");
    ck_assert_int_eq(service_command(service, &output, "check", NULL), 0);
    expect_words(output, "ok    configuration\n");
    expect_words(output, "ok    database: ");
    expect_words(output, "ok    libevent has its security repairs\n"
                         "ok    migrations\n"
                         "ok    durability\n"
                         "ok    max_allowed_packet\n"
                         "ok    files\n"
                         "ok    user lms\n"
                         "All is well.\n");
}
END_TEST

START_TEST(check_finds_what_is_wrong_and_names_the_cure)
{
    struct service *wrong = service_new(&(struct service_settings){
        .database = story_database(),
        .queues = "{}",
        .users = "{lms: forgotten, absent: x, sleeping: password}"});
    struct text output;

    add_user("sleeping");
    mariadb_run("UPDATE auth_user SET is_active = 0"
                " WHERE username = 'sleeping'");
    mariadb_run("SET GLOBAL innodb_flush_log_at_trx_commit = 2,"
                " max_allowed_packet = 16777216");
    ck_assert_int_eq(service_command(wrong, &output, "check", NULL), 1);
    expect_words(output, "WRONG no queues: name them under XQUEUES\n");
    expect_words(output, "WRONG durability: innodb_flush_log_at_trx_commit is"
                         " not 1");
    expect_words(output, "WRONG max_allowed_packet: it is 16777216, too small"
                         " for submissions of SUBMISSION_MAX_BYTES"
                         " (20971520)\n");
    expect_words(output, "WRONG user lms: has another password in the"
                         " database: run xqueue update_users\n");
    expect_words(output, "WRONG user absent: not in the database");
    expect_words(output, "WRONG user sleeping: is switched off");
    expect_words(output, "Something has to be put right.\n");
    service_stop(wrong);
}
END_TEST

START_TEST(check_names_authorities_that_cannot_be_read)
{
    struct service *wrong = service_new(&(struct service_settings){
        .database = story_database(),
        .queues = "{a: {url: 'https://h/', ca_file: /nowhere/a.pem},"
                  " b: 'https://h/'}",
        .more = "TLS_CA_FILE: /nowhere/all.pem\n"});
    struct text output;

    ck_assert_int_eq(service_command(wrong, &output, "check", NULL), 1);
    expect_words(output, "WRONG TLS_CA_FILE: /nowhere/all.pem cannot be read:"
                         " No such file or directory\n"
                         "WRONG XQUEUES.a.ca_file: /nowhere/a.pem cannot be"
                         " read: No such file or directory\n"
                         "ok    libevent");
    service_stop(wrong);
}
END_TEST

START_TEST(check_names_missing_migrations)
{
    struct service *fresh = service_new(
        &(struct service_settings){.database = mariadb_empty_database()});
    struct text output;

    ck_assert_int_eq(service_command(fresh, &output, "check", NULL), 1);
    expect_words(output, "WRONG migrations: ");
    expect_words(output, "xqueue migrate");
    service_stop(fresh);
}
END_TEST

SERVICE_STORY("commands_database", &settings,
              TELL(migrate_makes_the_tables_once),
              TELL(a_database_of_the_django_server_goes_on),
              TELL(a_database_is_handed_back_and_taken_over_again),
              TELL(update_users_creates_changes_and_leaves),
              TELL(update_users_says_whom_it_cannot_store),
              TELL(count_prints_two_columns),
              TELL(count_says_which_options_it_has_not),
              TELL(delete_takes_what_is_old_in_chunks),
              TELL(retire_failed_tells_the_lms_and_retires_then),
              TELL(retire_failed_by_force_tells_nobody),
              TELL(retire_old_retires_and_tells_the_lms),
              TELL(check_finds_all_well),
              TELL(check_finds_what_is_wrong_and_names_the_cure),
              TELL(check_names_authorities_that_cannot_be_read),
              TELL(check_names_missing_migrations))
