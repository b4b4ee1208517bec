/*
 * db/deferred.c
 */
#include "db/transaction.h"
#include "tests/support/conn_story.h"

#include <string.h>

static unsigned runs; /* of the body */

static void begin(void)
{
    conn_story_begin();
    runs = 0;
    mariadb_run("CREATE TABLE t (id BIGINT PRIMARY KEY, words TEXT,"
                " bytes VARBINARY(40)) CHARACTER SET utf8mb4");
}

static enum db_status defer(struct db_conn *conn, int64_t id)
{
    const struct db_param params[] = {DB_INTEGER(id)};

    return db_defer(conn, "INSERT INTO t (id) VALUES (?)", params, 1);
}

static enum db_status defer_two(struct db_conn *conn, int64_t now_us,
                                void *context)
{
    (void)now_us;
    (void)context;
    ck_assert_int_eq(defer(conn, 1), DB_OK);
    return defer(conn, 2);
}

/* The clock and the token; the two and COMMIT. */
START_TEST(what_is_deferred_goes_with_the_commit)
{
    uint64_t before;

    ck_assert_int_eq(db_conn_open(db), DB_OK);
    before = db_conn_trips(db);
    ck_assert_int_eq(db_transact(db, defer_two, NULL), DB_OK);
    ck_assert_uint_eq(db_conn_trips(db) - before, 2);
    ck_assert_value("2", "SELECT COUNT(*) FROM t");
}
END_TEST

static enum db_status defer_and_look(struct db_conn *conn, int64_t now_us,
                                     void *context)
{
    struct db_rows rows;

    ck_assert_int_eq(defer_two(conn, now_us, context), DB_OK);
    ck_assert_int_eq(
        db_query(conn, arena, "SELECT COUNT(*) FROM t", NULL, 0, &rows), DB_OK);
    ck_assert_int_eq(db_integer(&rows, 0, 0), 2);
    return DB_NOT_FOUND;
}

START_TEST(it_goes_before_what_comes_after_it)
{
    ck_assert_int_eq(db_transact(db, defer_and_look, NULL), DB_NOT_FOUND);
    ck_assert_value("0", "SELECT COUNT(*) FROM t");
}
END_TEST

static enum db_status defer_and_give_up(struct db_conn *conn, int64_t now_us,
                                        void *context)
{
    ck_assert_int_eq(defer_two(conn, now_us, context), DB_OK);
    return DB_NOT_FOUND;
}

static enum db_status defer_one(struct db_conn *conn, int64_t now_us,
                                void *context)
{
    (void)now_us;
    (void)context;
    return defer(conn, 3);
}

START_TEST(what_is_deferred_ends_with_its_transaction)
{
    ck_assert_int_eq(db_transact(db, defer_and_give_up, NULL), DB_NOT_FOUND);
    ck_assert_int_eq(db_transact(db, defer_one, NULL), DB_OK);
    ck_assert_value("1", "SELECT COUNT(*) FROM t");
}
END_TEST

static enum db_status defer_a_bad_one(struct db_conn *conn, int64_t now_us,
                                      void *context)
{
    ck_assert_int_eq(defer_two(conn, now_us, context), DB_OK);
    ck_assert_int_eq(db_defer(conn, "UPDATE no_table SET x = 1", NULL, 0),
                     DB_OK);
    return defer(conn, 3);
}

START_TEST(one_that_fails_undoes_them_all)
{
    ck_assert_int_eq(db_transact(db, defer_a_bad_one, NULL), DB_FAILED);
    ck_assert_ptr_nonnull(strstr(db_conn_error(db), "no_table"));
    ck_assert_int_eq(db_transact(db, defer_one, NULL), DB_OK);
    ck_assert_value("1", "SELECT COUNT(*) FROM t");
}
END_TEST

static enum db_status defer_a_twin(struct db_conn *conn, int64_t now_us,
                                   void *context)
{
    (void)now_us;
    (void)context;
    runs++;
    ck_assert_int_eq(defer(conn, 10 + runs), DB_OK);
    return defer(conn, runs);
}

START_TEST(a_duplicate_begins_the_transaction_anew)
{
    mariadb_run("INSERT INTO t (id) VALUES (1)");
    ck_assert_int_eq(db_transact(db, defer_a_twin, NULL), DB_OK);
    ck_assert_uint_eq(runs, 2);
    ck_assert_value("1,2,12", "SELECT GROUP_CONCAT(id ORDER BY id) FROM t");
}
END_TEST

START_TEST(outside_of_a_transaction_it_is_run_at_once)
{
    ck_assert_int_eq(defer(db, 1), DB_OK);
    ck_assert_value("1", "SELECT COUNT(*) FROM t");
    ck_assert_int_eq(defer(db, 1), DB_DUPLICATE);
}
END_TEST

static enum db_status defer_values(struct db_conn *conn, int64_t now_us,
                                   void *context)
{
    const struct db_param params[] = {
        DB_INTEGER(INT64_MIN), DB_BYTES("\0\xff';?\\\"", 7),
        DB_INTEGER(INT64_MAX), DB_BYTES("", 0),
        DB_INTEGER(-1),        DB_TEXT(TEXT_ABSENT)};

    (void)now_us;
    (void)context;
    return db_defer(conn,
                    "INSERT INTO t (id, bytes) VALUES (?, ?), (?, ?), (?, ?)",
                    params, ARRAY_LENGTH(params));
}

START_TEST(values_arrive_as_they_are)
{
    struct db_rows rows;

    ck_assert_int_eq(db_transact(db, defer_values, NULL), DB_OK);
    ck_assert_int_eq(db_query(db, arena, "SELECT id, bytes FROM t ORDER BY id",
                              NULL, 0, &rows),
                     DB_OK);
    ck_assert_uint_eq(rows.count, 3);
    ck_assert_int_eq(db_integer(&rows, 0, 0), INT64_MIN);
    ck_assert_uint_eq(db_text(&rows, 0, 1).size, 7);
    ck_assert_mem_eq(db_text(&rows, 0, 1).data, "\0\xff';?\\\"", 7);
    ck_assert(db_is_null(&rows, 1, 1));
    ck_assert_int_eq(db_integer(&rows, 2, 0), INT64_MAX);
    ck_assert_uint_eq(db_text(&rows, 2, 1).size, 0);
}
END_TEST

static enum db_status defer_a_text(struct db_conn *conn, int64_t now_us,
                                   void *context)
{
    const struct db_param params[] = {DB_TEXT(text_of("'; DROP TABLE t; --"))};
    uint64_t before = db_conn_trips(conn);

    ck_assert_int_eq(defer_two(conn, now_us, context), DB_OK);
    ck_assert_int_eq(db_defer(conn, "UPDATE t SET words = ?", params, 1),
                     DB_OK);
    ck_assert_uint_eq(db_conn_trips(conn) - before, 2);
    return DB_OK;
}

/* It goes by itself, as a parameter. */
START_TEST(a_text_is_never_part_of_a_statement)
{
    ck_assert_int_eq(db_conn_open(db), DB_OK);
    ck_assert_int_eq(db_transact(db, defer_a_text, NULL), DB_OK);
    ck_assert_value("2", "SELECT COUNT(*) FROM t"
                         " WHERE words = '''; DROP TABLE t; --'");
}
END_TEST

static enum db_status insert_a_twin_with_a_text(struct db_conn *conn,
                                                int64_t now_us, void *context)
{
    const struct db_param params[] = {DB_INTEGER(++runs),
                                      DB_TEXT(text_of("words"))};

    (void)now_us;
    (void)context;
    return db_defer(conn, "INSERT INTO t (id, words) VALUES (?, ?)", params, 2);
}

START_TEST(a_duplicate_with_a_text_does_so_as_well)
{
    mariadb_run("INSERT INTO t (id) VALUES (1)");
    ck_assert_int_eq(db_transact(db, insert_a_twin_with_a_text, NULL), DB_OK);
    ck_assert_uint_eq(runs, 2);
}
END_TEST

static enum db_status defer_many(struct db_conn *conn, int64_t now_us,
                                 void *context)
{
    (void)now_us;
    (void)context;
    for (int64_t i = 0; i < 20000; i++)
        ck_assert_int_eq(defer(conn, i), DB_OK);
    return DB_OK;
}

START_TEST(very_many_take_several_trips)
{
    uint64_t before;

    ck_assert_int_eq(db_conn_open(db), DB_OK);
    before = db_conn_trips(db);
    ck_assert_int_eq(db_transact(db, defer_many, NULL), DB_OK);
    ck_assert_uint_gt(db_conn_trips(db) - before, 3);
    ck_assert_uint_lt(db_conn_trips(db) - before, 9);
    ck_assert_value("20000", "SELECT COUNT(*) FROM t");
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(what_is_deferred_goes_with_the_commit),
        TELL(it_goes_before_what_comes_after_it),
        TELL(what_is_deferred_ends_with_its_transaction),
        TELL(one_that_fails_undoes_them_all),
        TELL(a_duplicate_begins_the_transaction_anew),
        TELL(outside_of_a_transaction_it_is_run_at_once),
        TELL(values_arrive_as_they_are),
        TELL(a_text_is_never_part_of_a_statement),
        TELL(a_duplicate_with_a_text_does_so_as_well),
        TELL(very_many_take_several_trips),
    };
    static const struct story story = {
        .name = "deferred",
        .tests = tests,
        .count = ARRAY_LENGTH(tests),
        .before_all = mariadb_start,
        .after_all = mariadb_stop,
        .before_each = begin,
        .after_each = conn_story_end,
        .timeout_s = 60,
    };

    return story_run(&story);
}
