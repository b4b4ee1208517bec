/*
 * db/transaction.c: every way in which a transaction can end, and that it
 * took effect exactly once, or not at all, as it said.
 */
#include "db/transaction.h"

#include "server/base/clock.h"
#include "tests/support/cutter.h"
#include "tests/support/mariadb.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct db_settings *settings;
static struct db_conn *db;

/* What the bodies below do besides counting themselves. */
struct work {
    int runs;
    int64_t now_us;
    int kill_in_run; /* the connection dies in this run of the body */
    int conflicts;   /* so many runs end in a conflict */
    enum db_status result;
    pid_t other; /* a process to be told when the first run has begun */
};

static void set_up(void)
{
    db_library_start();
    settings = mariadb_database();
    db = db_conn_new(settings);
    mariadb_run("CREATE TABLE t (n INT PRIMARY KEY AUTO_INCREMENT, run INT)"
                " ENGINE=InnoDB");
}

static void tear_down(void)
{
    db_conn_free(db);
    db_library_stop();
}

/* Insert a row; then end as the work says. */
static enum db_status insert(struct db_conn *conn, int64_t now_us,
                             void *context)
{
    struct work *work = context;
    const struct db_param run[] = {DB_INTEGER(++work->runs)};
    enum db_status status;

    work->now_us = now_us;
    status = db_execute(conn, "INSERT INTO t (run) VALUES (?)", run, 1, NULL);
    if (status != DB_OK)
        return status;
    if (work->runs == work->kill_in_run) {
        mariadb_kill_connection(db_conn_id(conn));
        return db_execute(conn, "INSERT INTO t (run) VALUES (?)", run, 1, NULL);
    }
    if (work->runs <= work->conflicts)
        return DB_CONFLICT;
    return work->result;
}

static void ck_assert_rows(const char *count, const char *tokens)
{
    ck_assert_value(count, "SELECT COUNT(*) FROM t");
    ck_assert_value(tokens, "SELECT COUNT(*) FROM xqueue_commit");
}

START_TEST(what_a_body_did_is_committed)
{
    struct work work = {.result = DB_OK};

    ck_assert_int_eq(db_transact(db, insert, &work), DB_OK);
    ck_assert_rows("1", "1");
    ck_assert_int_eq(work.runs, 1);
}
END_TEST

START_TEST(the_clock_is_the_databases)
{
    struct work work = {.result = DB_OK};
    int64_t before_us = clock_wall_us();

    ck_assert_int_eq(db_transact(db, insert, &work), DB_OK);
    if (mariadb_is_private()) {
        ck_assert(work.now_us >= before_us);
        ck_assert(work.now_us <= clock_wall_us());
    }
    ck_assert_value("1",
                    "SELECT %lld = CONV(HEX(LEFT(token, 8)), 16, 10)"
                    " FROM xqueue_commit",
                    (long long)work.now_us);
}
END_TEST

START_TEST(another_result_rolls_back_and_is_returned)
{
    struct work work = {.result = DB_MISMATCH};

    ck_assert_int_eq(db_transact(db, insert, &work), DB_MISMATCH);
    ck_assert_rows("0", "0");
    work.result = DB_OK;
    ck_assert_int_eq(db_transact(db, insert, &work), DB_OK);
    ck_assert_rows("1", "1");
}
END_TEST

static enum db_status refuse(struct db_conn *conn, int64_t now_us,
                             void *context)
{
    (void)now_us;
    (void)context;
    return db_execute(conn, "INSERT INTO t (run) VALUES ('abc')", NULL, 0,
                      NULL);
}

START_TEST(the_error_of_the_body_is_kept)
{
    ck_assert_int_eq(db_transact(db, refuse, NULL), DB_REFUSED);
    ck_assert_uint_eq(db_conn_error_number(db), 1366);
    ck_assert(strstr(db_conn_error(db), "abc") != NULL);
    ck_assert_rows("0", "0");
}
END_TEST

START_TEST(a_conflict_is_tried_again)
{
    struct work work = {.result = DB_OK, .conflicts = 3};

    ck_assert_int_eq(db_transact(db, insert, &work), DB_OK);
    ck_assert_int_eq(work.runs, 4);
    ck_assert_rows("1", "1");
    ck_assert_value("4", "SELECT run FROM t");
}
END_TEST

START_TEST(an_endless_conflict_ends_after_eight_tries)
{
    struct work work = {.result = DB_OK, .conflicts = 100};

    ck_assert_int_eq(db_transact(db, insert, &work), DB_CONFLICT);
    ck_assert_int_eq(work.runs, 8);
    ck_assert_rows("0", "0");
}
END_TEST

START_TEST(a_connection_killed_in_the_body_costs_a_second_run)
{
    struct work work = {.result = DB_OK, .kill_in_run = 1};

    ck_assert_int_eq(db_transact(db, insert, &work), DB_OK);
    ck_assert_int_eq(work.runs, 2);
    ck_assert_rows("1", "1");
}
END_TEST

static enum db_status insert_and_overlook(struct db_conn *conn, int64_t now_us,
                                          void *context)
{
    if (insert(conn, now_us, context) != DB_OK)
        return DB_OK;
    return DB_OK;
}

START_TEST(a_body_that_overlooks_the_loss_is_not_committed_in_half)
{
    struct work work = {.result = DB_OK, .kill_in_run = 1};

    ck_assert_int_eq(db_transact(db, insert_and_overlook, &work), DB_OK);
    ck_assert_int_eq(work.runs, 2);
    ck_assert_rows("1", "1");
}
END_TEST

START_TEST(a_connection_killed_while_idle_is_not_noticed)
{
    struct work work = {.result = DB_OK};

    ck_assert_int_eq(db_conn_open(db), DB_OK);
    mariadb_kill_connection(db_conn_id(db));
    ck_assert_int_eq(db_transact(db, insert, &work), DB_OK);
    ck_assert_rows("1", "1");
}
END_TEST

static enum db_status insert_then_kill(struct db_conn *conn, int64_t now_us,
                                       void *context)
{
    enum db_status status = insert(conn, now_us, context);
    struct work *work = context;

    if (work->runs == 1)
        mariadb_kill_connection(db_conn_id(conn));
    return status;
}

START_TEST(a_connection_killed_before_the_commit_is_settled)
{
    struct work work = {.result = DB_OK};

    ck_assert_int_eq(db_transact(db, insert_then_kill, &work), DB_OK);
    ck_assert_int_eq(work.runs, 2);
    ck_assert_rows("1", "1");
}
END_TEST

START_TEST(nobody_there_is_away_at_once)
{
    struct db_settings nobody = {.unix_socket = "/nonexistent/socket",
                                 .user = "root"};
    struct db_conn *conn = db_conn_new(&nobody);
    struct work work = {.result = DB_OK};

    ck_assert_int_eq(db_transact(conn, insert, &work), DB_AWAY);
    ck_assert_int_eq(work.runs, 0);
    db_conn_free(conn);
}
END_TEST

/* --- COMMITs that the cutter meets --- */

struct settled {
    enum cut cut;
    int times;
    enum db_status status;
    int runs;
    const char *rows;
};

static void settle(const struct settled *expected)
{
    struct db_settings through;
    struct cutter *cutter;
    struct db_conn *conn;
    struct work work = {.result = DB_OK};

    cutter = cutter_start(settings, expected->cut, expected->times, &through);
    conn = db_conn_new(&through);
    ck_assert_int_eq(db_transact(conn, insert, &work), expected->status);
    if (expected->runs > 0)
        ck_assert_int_eq(work.runs, expected->runs);
    ck_assert_value(expected->rows, "SELECT COUNT(*) FROM t");
    db_conn_free(conn);
    cutter_stop(cutter);
}

START_TEST(a_commit_that_never_arrived_is_done_again)
{
    settle(&(struct settled){CUT_BEFORE, 1, DB_OK, 2, "1"});
}
END_TEST

START_TEST(a_commit_whose_answer_is_lost_is_not_done_again)
{
    settle(&(struct settled){CUT_REPLY, 1, DB_OK, 1, "1"});
}
END_TEST

START_TEST(a_commit_cut_in_the_middle_is_done_once)
{
    for (int i = 1; i <= 30; i++) {
        mariadb_run("DELETE FROM t");
        settle(&(struct settled){CUT_AT_ONCE, 1, DB_OK, 0, "1"});
    }
}
END_TEST

START_TEST(a_server_that_has_not_noticed_is_made_to_let_go)
{
    settle(&(struct settled){CUT_HOLD, 1, DB_OK, 2, "1"});
}
END_TEST

START_TEST(several_lost_commits_in_a_row_are_settled_too)
{
    settle(&(struct settled){CUT_BEFORE, 4, DB_OK, 5, "1"});
}
END_TEST

/* The second COMMIT is the one that makes the first durable. */
START_TEST(several_lost_answers_in_a_row_are_settled_too)
{
    settle(&(struct settled){CUT_REPLY, 4, DB_OK, 1, "1"});
}
END_TEST

START_TEST(when_nobody_comes_back_the_outcome_is_unknown)
{
    int64_t start_ms = clock_monotonic_ms();

    settle(&(struct settled){CUT_FOR_EVER, 1, DB_UNKNOWN, 1, "1"});
    ck_assert_int_lt(clock_monotonic_ms() - start_ms, 9000);
}
END_TEST

START_TEST(after_settling_the_time_outs_are_the_usual_ones)
{
    struct db_settings through;
    struct cutter *cutter;
    struct db_conn *conn;
    struct work work = {.result = DB_OK};

    cutter = cutter_start(settings, CUT_REPLY, 1, &through);
    conn = db_conn_new(&through);
    ck_assert_int_eq(db_transact(conn, insert, &work), DB_OK);
    /* Longer than settling may take, shorter than the usual time-out. */
    ck_assert_int_eq(db_execute(conn, "DO SLEEP(7)", NULL, 0, NULL), DB_OK);
    db_conn_free(conn);
    cutter_stop(cutter);
}
END_TEST

/* --- deadlocks --- */

static enum db_status lock_in_order(struct db_conn *conn, int64_t now_us,
                                    void *context)
{
    const int *order = context;
    enum db_status status = DB_OK;

    (void)now_us;
    for (int i = 0; i < 2 && status == DB_OK; i++) {
        const struct db_param n[] = {DB_INTEGER(order[i])};

        status = db_execute(conn, "UPDATE t SET run = run + 1 WHERE n = ?", n,
                            1, NULL);
    }
    return status;
}

START_TEST(two_that_deadlock_both_come_through)
{
    int up[] = {1, 2};
    int down[] = {2, 1};
    pid_t other;
    int status;

    mariadb_run("INSERT INTO t (n, run) VALUES (1, 0), (2, 0)");
    other = fork();
    if (other == 0) {
        struct db_conn *conn = db_conn_new(settings);

        for (int i = 0; i < 50; i++) {
            if (db_transact(conn, lock_in_order, down) != DB_OK)
                _exit(1);
        }
        _exit(0);
    }
    for (int i = 0; i < 50; i++)
        ck_assert_int_eq(db_transact(db, lock_in_order, up), DB_OK);
    waitpid(other, &status, 0);
    ck_assert_int_eq(status, 0);
    ck_assert_value("100/100", "SELECT GROUP_CONCAT(run SEPARATOR '/') FROM t");
}
END_TEST

/* --- reading, and tokens --- */

static enum db_status count_rows(struct db_conn *conn, int64_t now_us,
                                 void *context)
{
    struct work *work = context;

    (void)now_us;
    work->runs++;
    return db_execute(conn, "SELECT COUNT(*) FROM t", NULL, 0, NULL);
}

START_TEST(reading_leaves_no_token_and_survives_a_lost_connection)
{
    struct work work = {.result = DB_OK};

    ck_assert_int_eq(db_read(db, count_rows, &work), DB_OK);
    mariadb_kill_connection(db_conn_id(db));
    ck_assert_int_eq(db_read(db, count_rows, &work), DB_OK);
    ck_assert_int_ge(work.runs, 2);
    ck_assert_rows("0", "0");
}
END_TEST

/* Of this connection; to ask is one of them. */
static int64_t statements(void)
{
    struct arena *arena = arena_new();
    struct db_rows rows;
    const char *sql = arena_printf(arena,
                                   "SELECT CAST(VARIABLE_VALUE AS SIGNED)"
                                   " FROM %s WHERE VARIABLE_NAME = 'Questions'",
                                   mariadb_session_status());
    int64_t count;

    ck_assert_int_eq(db_query(db, arena, sql, NULL, 0, &rows), DB_OK);
    count = db_integer(&rows, 0, 0);
    arena_free(arena);
    return count;
}

START_TEST(reading_is_one_statement)
{
    struct work work = {.result = DB_OK};
    int64_t before = statements();

    ck_assert_int_eq(db_read(db, count_rows, &work), DB_OK);
    ck_assert_int_eq(statements() - before, 2);
}
END_TEST

START_TEST(old_tokens_are_forgotten_and_young_ones_kept)
{
    struct work work = {.result = DB_OK};

    ck_assert_int_eq(db_transact(db, insert, &work), DB_OK);
    for (int i = 1; i <= 5; i++)
        mariadb_run("INSERT INTO xqueue_commit SELECT CONCAT(UNHEX(LPAD(HEX("
                    "CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED)"
                    " - 3601000000 - %d), 16, '0')), 'abcdefgh')",
                    i);
    ck_assert_int_eq(db_forget_old_tokens(db, 3), DB_OK);
    ck_assert_value("3", "SELECT COUNT(*) FROM xqueue_commit");
    ck_assert_int_eq(db_forget_old_tokens(db, 100), DB_OK);
    ck_assert_value("1", "SELECT COUNT(*) FROM xqueue_commit");
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(what_a_body_did_is_committed),
        TELL(the_clock_is_the_databases),
        TELL(another_result_rolls_back_and_is_returned),
        TELL(the_error_of_the_body_is_kept),
        TELL(a_conflict_is_tried_again),
        TELL(an_endless_conflict_ends_after_eight_tries),
        TELL(a_connection_killed_in_the_body_costs_a_second_run),
        TELL(a_body_that_overlooks_the_loss_is_not_committed_in_half),
        TELL(a_connection_killed_while_idle_is_not_noticed),
        TELL(a_connection_killed_before_the_commit_is_settled),
        TELL(nobody_there_is_away_at_once),
        TELL(a_commit_that_never_arrived_is_done_again),
        TELL(a_commit_whose_answer_is_lost_is_not_done_again),
        TELL(a_commit_cut_in_the_middle_is_done_once),
        TELL(a_server_that_has_not_noticed_is_made_to_let_go),
        TELL(several_lost_commits_in_a_row_are_settled_too),
        TELL(several_lost_answers_in_a_row_are_settled_too),
        TELL(when_nobody_comes_back_the_outcome_is_unknown),
        TELL(after_settling_the_time_outs_are_the_usual_ones),
        TELL(two_that_deadlock_both_come_through),
        TELL(reading_leaves_no_token_and_survives_a_lost_connection),
        TELL(reading_is_one_statement),
        TELL(old_tokens_are_forgotten_and_young_ones_kept),
    };
    static const struct story story = {
        .name = "transaction",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_all = mariadb_start,
        .after_all = mariadb_stop,
        .before_each = set_up,
        .after_each = tear_down,
        .timeout_s = 60,
    };
    return story_run(&story);
}
