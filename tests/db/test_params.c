/*
 * db/params.c: statements about many rows, as text and prepared.
 */
#include "db/params.h"
#include "db/ready_rows.h"
#include "db/transaction.h"
#include "tests/support/conn_story.h"

#include <stdlib.h>

enum {
    ROWS = 21,
    SMALL_PACKET = 512 * 1024,
    TOKEN = 1 /* the transaction's own INSERT */
};

static const struct db_index numbers = {"t", "PRIMARY", "id"};

static void begin(void)
{
    conn_story_begin();
    mariadb_run("CREATE TABLE t (id BIGINT PRIMARY KEY, number BIGINT)");
}

static int64_t count_of(const char *statements)
{
    return (int64_t)strtoll(mariadb_value("SELECT VARIABLE_VALUE FROM %s"
                                          " WHERE VARIABLE_NAME = '%s'",
                                          mariadb_global_status(), statements),
                            NULL, 10);
}

/* The servers that we would meet with such a limit have it from the start. */
static void connect_with_small_packets(void)
{
    mariadb_run("SET GLOBAL max_allowed_packet = 524288");
    ck_assert_int_eq(db_conn_open(db), DB_OK);
    mariadb_run("SET GLOBAL max_allowed_packet = 16777216");
    ck_assert_uint_eq(db_conn_max_packet(db), SMALL_PACKET);
}

static enum db_status insert(struct db_conn *conn, int64_t now_us,
                             void *context)
{
    struct db_params params = db_params_new(arena);

    (void)now_us;
    (void)context;
    for (int64_t i = 1; i <= ROWS; i++) {
        db_params_add(&params, DB_INTEGER(i));
        db_params_add(&params, DB_INTEGER(-i));
    }
    return db_insert_rows(conn, "INSERT INTO t (id, number) VALUES ", "(?, ?)",
                          "", &params, 2);
}

/* Every second one. */
static enum db_status add_a_hundred(struct db_conn *conn, int64_t now_us,
                                    void *context)
{
    struct db_params params = db_params_new(arena);
    int64_t keys[ROWS / 2];

    (void)now_us;
    (void)context;
    for (size_t i = 0; i < ARRAY_LENGTH(keys); i++)
        keys[i] = 2 * (int64_t)(i + 1);
    db_params_add(&params, DB_INTEGER(100));
    return db_execute_for(conn, "UPDATE t SET number = number + ? WHERE id",
                          &params, keys, ARRAY_LENGTH(keys));
}

/* All but the first; some that are not there, some of them twice. */
static enum db_status delete_most(struct db_conn *conn, int64_t now_us,
                                  void *context)
{
    int64_t keys[ROWS + 2];

    (void)now_us;
    (void)context;
    for (size_t i = 0; i < ARRAY_LENGTH(keys); i++)
        keys[i] = (int64_t)i + 2;
    keys[ROWS + 1] = ROWS;
    return db_delete_for(conn, arena, &numbers, keys, ARRAY_LENGTH(keys));
}

static void expect_all_is_done(void)
{
    ck_assert_int_eq(db_transact(db, insert, NULL), DB_OK);
    ck_assert_int_eq(db_transact(db, add_a_hundred, NULL), DB_OK);
    ck_assert_value("21,-231", "SELECT CONCAT(COUNT(*), ',',"
                               " SUM(IF(id %% 2, number, number - 100)))"
                               " FROM t");
    ck_assert_value("10", "SELECT COUNT(*) FROM t WHERE number > 0");
    ck_assert_int_eq(db_transact(db, delete_most, NULL), DB_OK);
    ck_assert_value("1", "SELECT GROUP_CONCAT(id) FROM t");
}

START_TEST(rows_of_any_number_are_changed_as_they_should_be)
{
    expect_all_is_done();
}
END_TEST

START_TEST(a_server_of_small_packets_does_the_same)
{
    connect_with_small_packets();
    expect_all_is_done();
}
END_TEST

START_TEST(in_a_text_rows_of_any_number_are_one_statement)
{
    int64_t before = count_of("Com_insert");

    ck_assert_int_eq(db_transact(db, insert, NULL), DB_OK);
    ck_assert_int_eq(count_of("Com_insert") - before, TOKEN + 1);
}
END_TEST

/* 16 + 5: each further shape would be prepared, and kept. */
START_TEST(prepared_they_are_of_few_shapes)
{
    int64_t before;

    connect_with_small_packets();
    before = count_of("Com_insert");
    ck_assert_int_eq(db_transact(db, insert, NULL), DB_OK);
    ck_assert_int_eq(count_of("Com_insert") - before, TOKEN + 2);
}
END_TEST

static enum db_status take_the_even_ones(struct db_conn *conn, int64_t now_us,
                                         void *context)
{
    struct ready_row rows[ROWS];
    uint64_t deleted;

    (void)now_us;
    (void)context;
    for (int64_t i = 0; i < ROWS; i++)
        rows[i] = (struct ready_row){.id = 2 * i, .arrival_us = 1000 + 2 * i};
    ck_assert_int_eq(ready_rows_delete(conn, arena, 5, rows, ROWS, &deleted),
                     DB_OK);
    ck_assert_uint_eq(deleted, 5);
    return DB_OK;
}

/* By the whole key: not those of another queue, or of another time. */
START_TEST(what_waits_is_taken_by_its_whole_key)
{
    mariadb_run("INSERT INTO xqueue_ready (queue_id, arrival_us, id)"
                " SELECT q.id, 1000 + n, n FROM " MARIADB_NUMBERS ","
                " (SELECT 5 AS id UNION ALL SELECT 6) q",
                10);
    mariadb_run("INSERT INTO xqueue_ready (queue_id, arrival_us, id)"
                " VALUES (5, 2000, 2)");
    ck_assert_int_eq(db_transact(db, take_the_even_ones, NULL), DB_OK);
    ck_assert_value("1,2,3,5,7,9", "SELECT GROUP_CONCAT(id ORDER BY id)"
                                   " FROM xqueue_ready WHERE queue_id = 5");
    ck_assert_value("10", "SELECT COUNT(*) FROM xqueue_ready"
                          " WHERE queue_id = 6");
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(rows_of_any_number_are_changed_as_they_should_be),
        TELL(a_server_of_small_packets_does_the_same),
        TELL(in_a_text_rows_of_any_number_are_one_statement),
        TELL(prepared_they_are_of_few_shapes),
        TELL(what_waits_is_taken_by_its_whole_key),
    };
    static const struct story story = {
        .name = "params",
        .tests = tests,
        .count = ARRAY_LENGTH(tests),
        .before_all = mariadb_start_own,
        .after_all = mariadb_stop,
        .before_each = begin,
        .after_each = conn_story_end,
        .timeout_s = 60,
    };

    return story_run(&story);
}
