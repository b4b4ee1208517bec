/*
 * db/conn.c and db/transaction.c when the server is killed and comes back.
 */
#include "db/transaction.h"

#include "tests/support/conn_story.h"

START_TEST(a_server_that_goes_and_comes_back_is_found_again)
{
    ck_assert_int_eq(db_execute(db, "DO 1", NULL, 0, NULL), DB_OK);
    mariadb_kill();
    ck_assert_int_eq(db_execute(db, "DO 1", NULL, 0, NULL), DB_AWAY);
    ck_assert_int_eq(db_conn_open(db), DB_AWAY);
    mariadb_restart();
    ck_assert_int_eq(db_execute(db, "DO 1", NULL, 0, NULL), DB_OK);
}
END_TEST

static enum db_status insert_and_crash_once(struct db_conn *conn,
                                            int64_t now_us, void *context)
{
    int *runs = context;
    enum db_status status =
        db_execute(conn, "INSERT INTO t VALUES (1)", NULL, 0, NULL);

    (void)now_us;
    if (++*runs == 1) {
        mariadb_kill();
        mariadb_restart();
    }
    return status;
}

START_TEST(a_server_killed_before_the_commit_is_settled)
{
    int runs = 0;

    mariadb_run("CREATE TABLE t (n INT PRIMARY KEY) ENGINE=InnoDB");
    ck_assert_int_eq(db_transact(db, insert_and_crash_once, &runs), DB_OK);
    ck_assert_int_eq(runs, 2);
    ck_assert_value("1", "SELECT COUNT(*) FROM t");
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(a_server_that_goes_and_comes_back_is_found_again),
        TELL(a_server_killed_before_the_commit_is_settled),
    };
    static const struct story story = {
        .name = "lost server",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_all = mariadb_start_own,
        .after_all = mariadb_stop,
        .before_each = conn_story_begin,
        .after_each = conn_story_end,
        .timeout_s = 120,
    };

    return story_run(&story);
}
