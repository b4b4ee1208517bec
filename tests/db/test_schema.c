/*
 * db/schema.c, db/sql_script.c, migrations/: R41
 */
#include "db/schema.h"

#include "db/sql_script.h"
#include "tests/support/conn_story.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Everything about the tables, as one number. */
static const char *fingerprint(void)
{
    return mariadb_value(
        "SELECT CONCAT("
        "(SELECT SUM(CRC32(CONCAT_WS('|', TABLE_NAME, COLUMN_NAME,"
        " COLUMN_TYPE, IS_NULLABLE, COLLATION_NAME, COLUMN_KEY, EXTRA)))"
        " FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE()),"
        " '/',"
        "(SELECT SUM(CRC32(CONCAT_WS('|', TABLE_NAME, INDEX_NAME,"
        " SEQ_IN_INDEX, COLUMN_NAME, NON_UNIQUE)))"
        " FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE()),"
        " '/',"
        "(SELECT COUNT(*) FROM django_migrations), '/',"
        "(SELECT COUNT(*) FROM auth_permission), '/',"
        "(SELECT COUNT(*) FROM xqueue_epoch))");
}

/* Every row of queue_submission in every column, as one number. */
static const char *content(void)
{
    return mariadb_value(
        "SELECT CONCAT_WS('/', COUNT(*), SUM(CRC32(CONCAT_WS('|', id,"
        " requester_id, lms_callback_url, queue_name, xqueue_header,"
        " xqueue_body, s3_keys, s3_urls, arrival_time, pull_time, push_time,"
        " return_time, grader_id, pullkey, grader_reply, num_failures,"
        " lms_ack, retired)))) FROM queue_submission");
}

static void migrate(void)
{
    enum db_status status = schema_migrate(db, SCHEMA_APPLY, NULL, NULL);

    ck_assert_msg(status == DB_OK, "%s: %s", db_status_name(status),
                  db_conn_error(db));
}

static void ck_assert_current(void)
{
    const char *problem = "";

    ck_assert_msg(schema_is_current(db, arena, &problem) == DB_OK, "%s",
                  problem);
}

START_TEST(an_empty_database_gets_everything)
{
    const char *problem = NULL;

    ck_assert_int_eq(schema_is_current(db, arena, &problem), DB_MISMATCH);
    ck_assert(strstr(problem, "0001_django.sql") != NULL);
    ck_assert(strstr(problem, "xqueue migrate") != NULL);
    migrate();
    ck_assert_current();
    ck_assert_value("0", "SELECT COUNT(*) FROM queue_submission");
    ck_assert_value("1", "SELECT number FROM xqueue_epoch");
}
END_TEST

START_TEST(a_second_run_changes_nothing)
{
    const char *before;

    migrate();
    before = fingerprint();
    migrate();
    ck_assert_str_eq(fingerprint(), before);
    ck_assert_current();
}
END_TEST

START_TEST(a_django_database_keeps_every_row)
{
    const char *before;

    mariadb_load("tests/fixtures/django-xqueue.sql");
    before = content();
    ck_assert(strncmp(before, "11/", 3) == 0);
    migrate();
    ck_assert_str_eq(content(), before);
    ck_assert_current();
    ck_assert_value("25", "SELECT COUNT(*) FROM django_migrations");
    ck_assert_value("28", "SELECT COUNT(*) FROM auth_permission");
    ck_assert_value("lms", "SELECT username FROM auth_user");
}
END_TEST

/* What Django looks at before it decides that it has nothing to do. */
static const char *django_rows(void)
{
    return mariadb_value(
        "SELECT CONCAT_WS('/',"
        "(SELECT GROUP_CONCAT(app, '.', name ORDER BY id)"
        " FROM django_migrations),"
        "(SELECT GROUP_CONCAT(id, app_label, model ORDER BY id)"
        " FROM django_content_type),"
        "(SELECT GROUP_CONCAT(id, name, content_type_id, codename ORDER BY id)"
        " FROM auth_permission),"
        "(SELECT GROUP_CONCAT(id, domain, name) FROM django_site))");
}

#define SPARE_INDEX "queue_submission_lms_callback_url_f8da8c20"
#define URL_INDEX   "queue_submi_lms_cal_367510_idx"

/* But for those that we do without. */
static const char *django_indexes(void)
{
    return mariadb_value(
        "SELECT SUM(CRC32(CONCAT_WS('|', TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX,"
        " COLUMN_NAME, NON_UNIQUE))) FROM information_schema.STATISTICS"
        " WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME NOT LIKE 'xqueue%%'"
        " AND INDEX_NAME NOT IN ('" SPARE_INDEX "', '" URL_INDEX "',"
        " 'xqueue_arrival_day_idx')");
}

static const char *django_columns(void)
{
    return mariadb_value(
        "SELECT SUM(CRC32(CONCAT_WS('|', TABLE_NAME, COLUMN_NAME,"
        " IF(COLUMN_NAME = 'xqueue_header', '', COLUMN_TYPE), IS_NULLABLE,"
        " EXTRA))) FROM information_schema.COLUMNS"
        " WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME NOT LIKE 'xqueue%%'"
        " AND COLUMN_NAME <> 'xqueue_arrival_day'");
}

START_TEST(an_empty_database_becomes_what_django_would_have_made)
{
    const char *rows;
    const char *indexes;
    const char *columns;

    migrate();
    rows = django_rows();
    indexes = django_indexes();
    columns = django_columns();
    mariadb_empty_database();
    mariadb_load("tests/fixtures/django-xqueue.sql");
    ck_assert_str_eq(rows, django_rows());
    ck_assert_str_eq(indexes, django_indexes());
    ck_assert_str_eq(columns, django_columns());
}
END_TEST

static const char *url_indexes(void)
{
    return mariadb_value("SELECT GROUP_CONCAT(INDEX_NAME ORDER BY INDEX_NAME)"
                         " FROM information_schema.STATISTICS"
                         " WHERE TABLE_SCHEMA = DATABASE()"
                         " AND TABLE_NAME = 'queue_submission'"
                         " AND COLUMN_NAME = 'lms_callback_url'");
}

START_TEST(the_index_of_callback_addresses_begins_with_the_day)
{
    mariadb_load("tests/fixtures/django-xqueue.sql");
    migrate();
    ck_assert_str_eq(url_indexes(), "xqueue_arrival_day_idx");
}
END_TEST

START_TEST(django_gets_its_index_back_and_migrate_takes_it_away_again)
{
    const char *problem = NULL;

    mariadb_load("tests/fixtures/django-xqueue.sql");
    migrate();
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(schema_hand_back(db), DB_OK);
        ck_assert_str_eq(url_indexes(), URL_INDEX ",xqueue_arrival_day_idx");
    }
    ck_assert_int_eq(schema_is_current(db, arena, &problem), DB_MISMATCH);
    ck_assert(strstr(problem, "0008_arrival_day.sql") != NULL);
    migrate();
    ck_assert_str_eq(url_indexes(), "xqueue_arrival_day_idx");
}
END_TEST

START_TEST(the_only_index_of_callback_addresses_stays)
{
    mariadb_load("tests/fixtures/django-xqueue.sql");
    mariadb_run("ALTER TABLE queue_submission"
                " DROP INDEX " URL_INDEX);
    migrate();
    ck_assert_str_eq(url_indexes(), SPARE_INDEX ",xqueue_arrival_day_idx");
}
END_TEST

START_TEST(a_shorter_django_history_is_not_made_up)
{
    mariadb_load("tests/fixtures/django-xqueue.sql");
    mariadb_run(
        "DELETE FROM django_migrations WHERE name LIKE '0005_rename%%'");
    migrate();
    ck_assert_value("24", "SELECT COUNT(*) FROM django_migrations");
}
END_TEST

/* A table of an old Django, in its character set; é is one byte in latin1. */
static void old_table(const char *charset)
{
    mariadb_run("CREATE TABLE queue_submission ("
                " id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,"
                " requester_id VARCHAR(128) NOT NULL,"
                " lms_callback_url VARCHAR(128) NOT NULL,"
                " queue_name VARCHAR(128) NOT NULL,"
                " xqueue_header VARCHAR(1024) NOT NULL,"
                " xqueue_body LONGTEXT NOT NULL,"
                " s3_keys VARCHAR(1024) NOT NULL,"
                " s3_urls VARCHAR(1024) NOT NULL,"
                " arrival_time DATETIME NOT NULL, pull_time DATETIME NULL,"
                " push_time DATETIME NULL, return_time DATETIME NULL,"
                " grader_id VARCHAR(128) NOT NULL,"
                " pullkey VARCHAR(128) NOT NULL,"
                " grader_reply LONGTEXT NOT NULL, num_failures INT NOT NULL,"
                " lms_ack TINYINT(1) NOT NULL, retired TINYINT(1) NOT NULL,"
                " KEY by_url (lms_callback_url), KEY by_queue (queue_name))"
                " ENGINE=InnoDB ROW_FORMAT=COMPACT DEFAULT CHARSET=%s",
                charset);
    mariadb_run(
        "INSERT INTO queue_submission VALUES (7, 'r', REPEAT('\xc3\xa9',"
        " 128), 'caf\xc3\xa9', REPEAT('\xc3\xa9', 1024), 'body \xc3\xa9',"
        " REPEAT('k', 1024), REPEAT('u', 1024), '2014-03-01 12:00:00',"
        " NULL, NULL, NULL, '', '', REPEAT('\xc3\xa9', 70000), 0, 0,"
        " 1)");
}

static void ck_assert_old_row(void)
{
    ck_assert_value("1", "SELECT lms_callback_url = REPEAT('\xc3\xa9', 128)"
                         " AND xqueue_header = REPEAT('\xc3\xa9', 1024)"
                         " AND grader_reply = REPEAT('\xc3\xa9', 70000)"
                         " FROM queue_submission WHERE id = 7");
    ck_assert_value("636166C3A9", "SELECT HEX(queue_name) FROM"
                                  " queue_submission");
    ck_assert_value("utf8mb4_bin",
                    "SELECT COLLATION_NAME FROM information_schema.COLUMNS"
                    " WHERE TABLE_SCHEMA = DATABASE() AND COLUMN_NAME ="
                    " 'xqueue_body'");
}

START_TEST(text_in_utf8mb3_is_converted)
{
    old_table("utf8mb3");
    migrate();
    ck_assert_old_row();
}
END_TEST

START_TEST(text_in_latin1_is_converted)
{
    old_table("latin1");
    migrate();
    ck_assert_old_row();
}
END_TEST

START_TEST(a_table_of_another_engine_becomes_innodb)
{
    old_table("utf8mb3");
    mariadb_run("ALTER TABLE queue_submission ENGINE=MyISAM");
    migrate();
    ck_assert_old_row();
    ck_assert_value("InnoDB", "SELECT ENGINE FROM information_schema.TABLES"
                              " WHERE TABLE_SCHEMA = DATABASE() AND"
                              " TABLE_NAME = 'queue_submission'");
}
END_TEST

static void remember(enum schema_event event, const char *name, void *context)
{
    char *events = context;
    size_t length = strlen(events);

    if (event != SCHEMA_STATEMENT)
        snprintf(events + length, 400 - length, "%d%.4s ", (int)event,
                 name != NULL ? name : "");
}

START_TEST(a_dry_run_tells_and_does_nothing)
{
    char events[400] = "";

    ck_assert_int_eq(schema_migrate(db, SCHEMA_DRY_RUN, remember, events),
                     DB_OK);
    ck_assert_str_eq(events, "10001 10002 10003 10004 10005 10006 10007 "
                             "10008 ");
    ck_assert_value("0", "SELECT COUNT(*) FROM information_schema.TABLES"
                         " WHERE TABLE_SCHEMA = DATABASE()");
}
END_TEST

START_TEST(progress_is_told_in_order)
{
    char events[400] = "";

    ck_assert_int_eq(schema_migrate(db, SCHEMA_APPLY, remember, events), DB_OK);
    ck_assert_str_eq(events, "20001 40001 20002 40002 20003 40003"
                             " 20004 40004 20005 40005 20006 40006"
                             " 20007 40007 20008 40008 ");
}
END_TEST

START_TEST(the_list_says_what_is_applied)
{
    struct schema_list list;

    migrate();
    mariadb_run("DELETE FROM xqueue_migration WHERE name >= '0003'");
    ck_assert_int_eq(schema_status(db, arena, &list), DB_OK);
    ck_assert_uint_ge(list.count, 4);
    ck_assert_str_eq(list.steps[1].name, "0002_widen.sql");
    ck_assert(list.steps[1].is_applied);
    ck_assert_str_eq(list.steps[2].name, "0003_hot_set.sql");
    ck_assert(!list.steps[2].is_applied);
}
END_TEST

START_TEST(a_database_of_a_newer_version_is_not_current)
{
    const char *problem = NULL;

    migrate();
    mariadb_run("INSERT INTO xqueue_migration VALUES ('9999_later.sql', 1)");
    ck_assert_int_eq(schema_is_current(db, arena, &problem), DB_MISMATCH);
    ck_assert(strstr(problem, "9999_later.sql") != NULL);
}
END_TEST

START_TEST(several_at_once_wait_for_each_other)
{
    enum { COUNT = 4 };
    pid_t others[COUNT];

    for (int i = 0; i < COUNT; i++) {
        others[i] = fork();
        if (others[i] == 0) {
            struct db_conn *own = db_conn_new(database);

            _exit(schema_migrate(own, SCHEMA_APPLY, NULL, NULL) == DB_OK ? 0
                                                                         : 1);
        }
    }
    for (int i = 0; i < COUNT; i++) {
        int status;

        waitpid(others[i], &status, 0);
        ck_assert_int_eq(status, 0);
    }
    ck_assert_current();
}
END_TEST

/* The connection is lost before the n-th statement. */
struct interruption {
    int statement;
    bool happened;
};

static void interrupt(enum schema_event event, const char *name, void *context)
{
    struct interruption *interruption = context;

    (void)name;
    if (event != SCHEMA_STATEMENT || --interruption->statement != 0)
        return;
    interruption->happened = true;
    mariadb_kill_connection(db_conn_id(db));
}

START_TEST(an_interrupted_run_can_be_repeated_from_anywhere)
{
    const char *expected;

    migrate();
    expected = fingerprint();
    for (int n = 1;; n++) {
        struct interruption interruption = {.statement = n};

        db_conn_free(db);
        database = mariadb_empty_database();
        db = db_conn_new(database);
        if (schema_migrate(db, SCHEMA_APPLY, interrupt, &interruption) != DB_OK)
            ck_assert(interruption.happened);
        if (!interruption.happened) {
            ck_assert_int_gt(n, 10);
            break;
        }
        migrate();
        ck_assert_current();
        ck_assert_str_eq(fingerprint(), expected);
    }
}
END_TEST

START_TEST(a_statement_ends_with_a_semicolon_at_the_end_of_a_line)
{
    const char *script = "-- a comment; here\n"
                         "SELECT ';' ;\n"
                         "\n"
                         "  -- another\n"
                         "INSERT INTO t VALUES ('a;\n"
                         "-- no comment\n"
                         "b', 'it''s \\' fine');\n"
                         "SELECT 1; SELECT 2;  \n"
                         "SELECT 3\n";
    size_t position = 0;

    ck_assert_str_eq(sql_script_next(arena, script, &position), "SELECT ';' ");
    ck_assert_str_eq(sql_script_next(arena, script, &position),
                     "INSERT INTO t VALUES ('a;\n-- no comment\n"
                     "b', 'it''s \\' fine')");
    ck_assert_str_eq(sql_script_next(arena, script, &position),
                     "SELECT 1; SELECT 2");
    ck_assert_str_eq(sql_script_next(arena, script, &position), "SELECT 3\n");
    ck_assert_ptr_null(sql_script_next(arena, script, &position));
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(an_empty_database_gets_everything),
        TELL(a_second_run_changes_nothing),
        TELL(a_django_database_keeps_every_row),
        TELL(an_empty_database_becomes_what_django_would_have_made),
        TELL(the_index_of_callback_addresses_begins_with_the_day),
        TELL(django_gets_its_index_back_and_migrate_takes_it_away_again),
        TELL(the_only_index_of_callback_addresses_stays),
        TELL(a_shorter_django_history_is_not_made_up),
        TELL(text_in_utf8mb3_is_converted),
        TELL(text_in_latin1_is_converted),
        TELL(a_table_of_another_engine_becomes_innodb),
        TELL(a_dry_run_tells_and_does_nothing),
        TELL(progress_is_told_in_order),
        TELL(the_list_says_what_is_applied),
        TELL(a_database_of_a_newer_version_is_not_current),
        TELL(several_at_once_wait_for_each_other),
        TELL(an_interrupted_run_can_be_repeated_from_anywhere),
        TELL(a_statement_ends_with_a_semicolon_at_the_end_of_a_line),
    };
    static const struct story story = {
        .name = "schema",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_all = mariadb_start,
        .after_all = mariadb_stop,
        .before_each = conn_story_begin_empty,
        .after_each = conn_story_end,
        .timeout_s = 120,
    };
    return story_run(&story);
}
