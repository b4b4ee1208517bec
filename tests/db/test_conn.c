/*
 * db/conn.c, db/statement.c, db/rows.c
 */
#include "db/conn.h"

#include "tests/support/conn_story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct text first_text(const char *sql, const struct db_param *params,
                              size_t count)
{
    struct db_rows rows;

    ck_assert_int_eq(db_query(db, arena, sql, params, count, &rows), DB_OK);
    return db_text(&rows, 0, 0);
}

static void run(const char *sql)
{
    ck_assert_int_eq(db_execute(db, sql, NULL, 0, NULL), DB_OK);
}

START_TEST(the_session_is_the_one_we_rely_on)
{
    ck_assert_int_eq(db_conn_open(db), DB_OK);
    ck_assert(text_equal_string(
        first_text("SELECT CONCAT_WS('/', @@character_set_client,"
                   " @@collation_connection, @@time_zone,"
                   " @@innodb_lock_wait_timeout)",
                   NULL, 0),
        "utf8mb4/utf8mb4_unicode_ci/+00:00/3"));
    ck_assert(strstr(first_text("SELECT @@sql_mode", NULL, 0).data,
                     "STRICT_TRANS_TABLES") != NULL);
    ck_assert_uint_ge(db_conn_max_packet(db), 1024 * 1024);
    ck_assert_uint_ge(db_conn_autoincrement_step(db), 1);
    ck_assert_uint_gt(db_conn_id(db), 0);
    ck_assert_uint_eq(db_conn_slot(db), 0);
}
END_TEST

START_TEST(it_connects_by_itself)
{
    ck_assert(!db_conn_is_open(db));
    run("DO 1");
    ck_assert(db_conn_is_open(db));
}
END_TEST

START_TEST(a_transaction_sees_what_others_commit)
{
    struct db_rows rows;

    run("CREATE TABLE t (id INT PRIMARY KEY) ENGINE=InnoDB");
    ck_assert_int_eq(db_execute_text(db, "BEGIN"), DB_OK);
    run("SELECT COUNT(*) FROM t");
    mariadb_run("INSERT INTO t VALUES (1)");
    ck_assert_int_eq(
        db_query(db, arena, "SELECT COUNT(*) FROM t", NULL, 0, &rows), DB_OK);
    ck_assert_int_eq(db_integer(&rows, 0, 0), 1);
}
END_TEST

START_TEST(values_come_back_as_they_went)
{
    static const char bytes[] = "a\0b\xff\x80";
    const struct db_param params[] = {
        DB_INTEGER(INT64_MIN),
        DB_INTEGER(INT64_MAX),
        DB_NULL,
        DB_TEXT(text_of("gr\xc3\xbc\xc3\x9f \xf0\x9f\x90\x9d")),
        DB_BYTES(bytes, 5),
        DB_TEXT(text_of("")),
    };
    struct db_rows rows;

    run("CREATE TABLE t (a BIGINT, b BIGINT, c INT, d VARCHAR(20)"
        " CHARACTER SET utf8mb4, e VARBINARY(20), f TEXT)");
    ck_assert_int_eq(db_execute(db, "INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)",
                                params, 6, NULL),
                     DB_OK);
    ck_assert_int_eq(db_query(db, arena, "SELECT * FROM t", NULL, 0, &rows),
                     DB_OK);
    ck_assert_uint_eq(rows.count, 1);
    ck_assert_uint_eq(rows.columns, 6);
    ck_assert(db_integer(&rows, 0, 0) == INT64_MIN);
    ck_assert(db_integer(&rows, 0, 1) == INT64_MAX);
    ck_assert(db_is_null(&rows, 0, 2));
    ck_assert(text_equal(db_text(&rows, 0, 3), params[3].text));
    ck_assert(text_equal(db_text(&rows, 0, 4), (struct text){bytes, 5}));
    ck_assert(text_equal_string(db_text(&rows, 0, 5), ""));
}
END_TEST

START_TEST(a_long_text_comes_whole_beside_short_ones)
{
    size_t size = 3 * 1024 * 1024 + 1;
    char *data = arena_alloc(arena, size);
    const struct db_param params[] = {DB_TEXT(((struct text){data, size}))};
    struct db_rows rows;

    memset(data, 'x', size);
    data[size - 1] = 'y';
    run("CREATE TABLE t (id INT PRIMARY KEY, body LONGTEXT)");
    ck_assert_int_eq(db_execute(db,
                                "INSERT INTO t VALUES (1, 'short'), (2, ?),"
                                " (3, REPEAT('z', 256)), (4, REPEAT('z', 257))",
                                params, 1, NULL),
                     DB_OK);
    ck_assert_int_eq(db_query(db, arena, "SELECT id, body FROM t ORDER BY id",
                              NULL, 0, &rows),
                     DB_OK);
    ck_assert_uint_eq(rows.count, 4);
    ck_assert(text_equal_string(db_text(&rows, 0, 1), "short"));
    ck_assert(text_equal(db_text(&rows, 1, 1), params[0].text));
    ck_assert_uint_eq(db_text(&rows, 2, 1).size, 256);
    ck_assert_uint_eq(db_text(&rows, 3, 1).size, 257);
    ck_assert_int_eq(db_integer(&rows, 3, 0), 4);
}
END_TEST

START_TEST(a_query_without_rows_has_none)
{
    struct db_rows rows;

    ck_assert_int_eq(
        db_query(db, arena, "SELECT 1 FROM DUAL WHERE FALSE", NULL, 0, &rows),
        DB_OK);
    ck_assert_uint_eq(rows.count, 0);
}
END_TEST

START_TEST(an_update_counts_the_rows_it_found)
{
    uint64_t affected = 7;

    run("CREATE TABLE t (id INT PRIMARY KEY, a INT)");
    run("INSERT INTO t VALUES (1, 5), (2, 5)");
    ck_assert_int_eq(db_execute(db, "UPDATE t SET a = 5", NULL, 0, &affected),
                     DB_OK);
    ck_assert_uint_eq(affected, 2);
}
END_TEST

START_TEST(the_first_number_of_a_multi_row_insert_is_told)
{
    run("CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, a INT)");
    run("INSERT INTO t (a) VALUES (1), (2), (3)");
    ck_assert_uint_eq(db_insert_id(db), 1);
    run("INSERT INTO t (a) VALUES (4)");
    ck_assert_uint_eq(db_insert_id(db), 4);
}
END_TEST

START_TEST(errors_are_told_apart)
{
    run("CREATE TABLE t (id INT PRIMARY KEY, a TINYINT, b VARCHAR(3)"
        " CHARACTER SET latin1) ENGINE=InnoDB");
    run("INSERT INTO t VALUES (1, 1, 'a')");
    ck_assert_int_eq(
        db_execute(db, "INSERT INTO t VALUES (1, 1, 'a')", NULL, 0, NULL),
        DB_DUPLICATE);
    ck_assert_uint_eq(db_conn_error_number(db), 1062);
    ck_assert(strstr(db_conn_error(db), "Duplicate") != NULL);
    ck_assert_int_eq(
        db_execute(db, "INSERT INTO t VALUES (2, 1, 'abcd')", NULL, 0, NULL),
        DB_REFUSED);
    ck_assert_int_eq(
        db_execute(db, "INSERT INTO t VALUES (2, 1000, '')", NULL, 0, NULL),
        DB_REFUSED);
    ck_assert_int_eq(db_execute(db,
                                "INSERT INTO t VALUES (2, 1, '\xe2\x82\xac"
                                "\xe2\x98\x83')",
                                NULL, 0, NULL),
                     DB_REFUSED);
    ck_assert_int_eq(db_execute(db, "SELECT nonsense", NULL, 0, NULL),
                     DB_FAILED);
    ck_assert(db_conn_is_open(db));
}
END_TEST

START_TEST(what_no_packet_holds_is_refused_and_the_connection_lives)
{
    struct db_param param;
    size_t size;
    char *data;
    uint64_t id;

    ck_assert_int_eq(db_conn_open(db), DB_OK);
    id = db_conn_id(db);
    size = db_conn_max_packet(db);
    data = calloc(1, size);
    param = DB_BYTES(data, size);
    ck_assert_int_eq(db_execute(db, "SELECT LENGTH(?)", &param, 1, NULL),
                     DB_REFUSED);
    run("DO 1");
    ck_assert_uint_eq(db_conn_id(db), id);
    free(data);
}
END_TEST

START_TEST(a_lock_held_by_another_is_a_conflict)
{
    const struct db_settings *settings = mariadb_empty_database();
    struct db_conn *one = db_conn_new(settings);
    struct db_conn *other = db_conn_new(settings);

    mariadb_run("CREATE TABLE t (id INT PRIMARY KEY) ENGINE=InnoDB");
    mariadb_run("INSERT INTO t VALUES (1)");
    ck_assert_int_eq(db_execute_text(one, "BEGIN"), DB_OK);
    ck_assert_int_eq(db_execute_text(one, "UPDATE t SET id = 2"), DB_OK);
    ck_assert_int_eq(db_execute_text(other, "SET innodb_lock_wait_timeout = 0"),
                     DB_OK);
    ck_assert_int_eq(db_execute_text(other, "UPDATE t SET id = 3"),
                     DB_CONFLICT);
    db_conn_free(one);
    db_conn_free(other);
}
END_TEST

START_TEST(a_killed_connection_is_away_and_opens_again)
{
    uint64_t id;

    ck_assert_int_eq(db_conn_open(db), DB_OK);
    id = db_conn_id(db);
    mariadb_kill_connection(id);
    mariadb_wait_for_value("0",
                           "SELECT COUNT(*) FROM information_schema.PROCESSLIST"
                           " WHERE ID = %llu",
                           (unsigned long long)id);
    ck_assert_int_eq(db_execute(db, "DO 1", NULL, 0, NULL), DB_AWAY);
    ck_assert(!db_conn_is_open(db));
    run("DO 1");
    ck_assert_uint_ne(db_conn_id(db), id);
}
END_TEST

START_TEST(an_idle_connection_is_looked_at_before_it_is_used)
{
    ck_assert_int_eq(db_conn_open(db), DB_OK);
    ck_assert(db_conn_check(db, 0));
    mariadb_kill_connection(db_conn_id(db));
    mariadb_wait_for_value("0",
                           "SELECT COUNT(*) FROM information_schema.PROCESSLIST"
                           " WHERE ID = %llu",
                           (unsigned long long)db_conn_id(db));
    ck_assert(!db_conn_check(db, 0));
    ck_assert(!db_conn_is_open(db));
}
END_TEST

START_TEST(nobody_there_is_away_and_a_wrong_password_is_a_failure)
{
    struct db_settings nobody = {.unix_socket = "/nonexistent/socket",
                                 .user = "root"};
    struct db_settings wrong = *mariadb_empty_database();
    struct db_conn *conn = db_conn_new(&nobody);

    ck_assert_int_eq(db_conn_open(conn), DB_AWAY);
    ck_assert(strlen(db_conn_error(conn)) > 0);
    db_conn_free(conn);

    wrong.password = "wrong";
    conn = db_conn_new(&wrong);
    ck_assert_int_eq(db_conn_open(conn), DB_FAILED);
    ck_assert_uint_eq(db_conn_error_number(conn), 1045);
    db_conn_free(conn);
}
END_TEST

START_TEST(verifying_without_a_ca_is_refused_before_connecting)
{
    struct db_settings settings = *mariadb_empty_database();
    struct db_conn *conn;

    settings.tls = DB_TLS_VERIFY;
    conn = db_conn_new(&settings);
    ck_assert_int_eq(db_conn_open(conn), DB_FAILED);
    ck_assert(strstr(db_conn_error(conn), "CA file") != NULL);
    db_conn_free(conn);
}
END_TEST

START_TEST(required_tls_does_not_fall_back_to_plain)
{
    struct db_settings settings = *mariadb_empty_database();
    struct db_conn *conn;

    settings.tls = DB_TLS_REQUIRED;
    conn = db_conn_new(&settings);
    if (mariadb_is_private()) /* that one speaks no TLS */
        ck_assert_int_eq(db_conn_open(conn), DB_FAILED);
    else
        ck_assert_int_eq(db_conn_open(conn), DB_OK);
    db_conn_free(conn);
}
END_TEST

/* How many the server holds: MySQL says it of one connection. */
static const char *prepared_statements(void)
{
    if (mariadb_is_mysql())
        return mariadb_value(
            "SELECT COUNT(*) FROM"
            " performance_schema.prepared_statements_instances p"
            " JOIN performance_schema.threads t"
            " ON t.THREAD_ID = p.OWNER_THREAD_ID"
            " WHERE t.PROCESSLIST_ID = %llu",
            (unsigned long long)db_conn_id(db));
    return mariadb_value("SELECT VARIABLE_VALUE FROM %s"
                         " WHERE VARIABLE_NAME = 'Prepared_stmt_count'",
                         mariadb_global_status());
}

START_TEST(a_statement_is_prepared_once_and_old_ones_make_room)
{
    struct db_rows rows;

    run("DO 1");
    run("DO 1");
    ck_assert_int_eq(db_query(db, arena,
                              "SHOW SESSION STATUS LIKE 'Com_stmt_prepare'",
                              NULL, 0, &rows),
                     DB_OK);
    ck_assert(text_equal_string(db_text(&rows, 0, 1), "2"));
    for (int i = 0; i < 300; i++)
        run(arena_printf(arena, "DO %d", i));
    ck_assert_str_eq(prepared_statements(), "128");
    run("DO 1");
}
END_TEST

START_TEST(a_cached_statement_survives_a_changed_column)
{
    struct db_rows rows;

    run("CREATE TABLE t (a INT)");
    run("INSERT INTO t VALUES (1)");
    ck_assert_int_eq(db_query(db, arena, "SELECT a FROM t", NULL, 0, &rows),
                     DB_OK);
    mariadb_run("ALTER TABLE t MODIFY a VARCHAR(10)");
    ck_assert_int_eq(db_query(db, arena, "SELECT a FROM t", NULL, 0, &rows),
                     DB_OK);
    ck_assert(text_equal_string(db_text(&rows, 0, 0), "1"));
}
END_TEST

/* The client library cannot go on from there. */
START_TEST(one_with_more_columns_than_before_costs_the_connection)
{
    struct db_rows rows;

    run("CREATE TABLE t (a INT)");
    run("INSERT INTO t VALUES (1)");
    ck_assert_int_eq(db_query(db, arena, "SELECT * FROM t", NULL, 0, &rows),
                     DB_OK);
    mariadb_run("ALTER TABLE t ADD b VARCHAR(10) DEFAULT 'new'");
    if (db_query(db, arena, "SELECT * FROM t", NULL, 0, &rows) == DB_AWAY)
        ck_assert_int_eq(db_query(db, arena, "SELECT * FROM t", NULL, 0, &rows),
                         DB_OK);
    ck_assert_uint_eq(rows.columns, 2);
    ck_assert(text_equal_string(db_text(&rows, 0, 1), "new"));
}
END_TEST

START_TEST(a_statement_with_parameters_is_one)
{
    ck_assert_int_eq(db_execute(db, "DO 1; DO 2", NULL, 0, NULL), DB_FAILED);
}
END_TEST

START_TEST(pieces_repeat)
{
    ck_assert_str_eq(db_repeat(arena, "INSERT INTO t VALUES ", "(?, ?)", 3,
                               " ON DUPLICATE KEY UPDATE a = 1"),
                     "INSERT INTO t VALUES (?, ?), (?, ?), (?, ?)"
                     " ON DUPLICATE KEY UPDATE a = 1");
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(the_session_is_the_one_we_rely_on),
        TELL(it_connects_by_itself),
        TELL(a_transaction_sees_what_others_commit),
        TELL(values_come_back_as_they_went),
        TELL(a_long_text_comes_whole_beside_short_ones),
        TELL(a_query_without_rows_has_none),
        TELL(an_update_counts_the_rows_it_found),
        TELL(the_first_number_of_a_multi_row_insert_is_told),
        TELL(errors_are_told_apart),
        TELL(what_no_packet_holds_is_refused_and_the_connection_lives),
        TELL(a_lock_held_by_another_is_a_conflict),
        TELL(a_killed_connection_is_away_and_opens_again),
        TELL(an_idle_connection_is_looked_at_before_it_is_used),
        TELL(nobody_there_is_away_and_a_wrong_password_is_a_failure),
        TELL(verifying_without_a_ca_is_refused_before_connecting),
        TELL(required_tls_does_not_fall_back_to_plain),
        TELL(a_statement_is_prepared_once_and_old_ones_make_room),
        TELL(a_cached_statement_survives_a_changed_column),
        TELL(one_with_more_columns_than_before_costs_the_connection),
        TELL(a_statement_with_parameters_is_one),
        TELL(pieces_repeat),
    };
    static const struct story story = {
        .name = "conn",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_all = mariadb_start,
        .after_all = mariadb_stop,
        .before_each = conn_story_begin_empty,
        .after_each = conn_story_end,
    };
    return story_run(&story);
}
