/*
 * While somebody holds an old snapshot of the database, nothing that was
 * deleted can be purged: what does a claim cost that steps over it? Counted in
 * pages that the database server looks at.
 */
#include "tests/support/hot_story.h"

#include <stdlib.h>

enum { DELIVERED = 3000, FEW_PAGES = 1000 };

static void take_snapshot(void)
{
    ck_assert_int_eq(db_execute_text(other_db,
                                     "SET SESSION TRANSACTION ISOLATION LEVEL"
                                     " REPEATABLE READ"),
                     DB_OK);
    ck_assert_int_eq(
        db_execute_text(other_db, "START TRANSACTION WITH CONSISTENT SNAPSHOT"),
        DB_OK);
}

static int64_t pages_read(void)
{
    return strtoll(mariadb_value("SELECT VARIABLE_VALUE FROM %s WHERE"
                                 " VARIABLE_NAME ="
                                 " 'Innodb_buffer_pool_read_requests'",
                                 mariadb_global_status()),
                   NULL, 10);
}

/* Due, then leased for a minute, then gone. */
static void deliver_many(void)
{
    mariadb_run("INSERT INTO xqueue_outbox (id, destination, due_us, kind,"
                " created_us, attempts)"
                " SELECT 1000000 + n, 7, n, 0, 0, 0 FROM " MARIADB_NUMBERS,
                DELIVERED);
    mariadb_run("UPDATE xqueue_outbox"
                " SET due_us = (UNIX_TIMESTAMP(NOW(6)) + 60) * 1000000 + seq"
                " WHERE id >= 1000000");
    mariadb_run("DELETE FROM xqueue_outbox WHERE id >= 1000000");
}

static int64_t pages_of_claim(void)
{
    int64_t pages = pages_read();
    struct outbox_claim claimed = claim(7, 1);

    ck_assert_uint_eq(claimed.count, 1);
    return pages_read() - pages;
}

START_TEST(a_claim_of_callbacks_locks_nothing_of_what_was_delivered)
{
    struct submission_pull pulled;

    take_snapshot();
    deliver_many();
    submit("7:p");
    pulled = pull();
    ck_assert_int_eq(answer(&pulled, "reply"), DB_OK);
    /* It looks at a page or more for each entry that it would lock. */
    ck_assert_int_lt(pages_of_claim(), FEW_PAGES);
    ck_assert_int_eq(db_execute_text(other_db, "COMMIT"), DB_OK);
}
END_TEST

/* A server of its own: what others do would count, too. */
int main(void)
{
    static const struct story_test tests[] = {
        TELL(a_claim_of_callbacks_locks_nothing_of_what_was_delivered),
    };
    static const struct story story = {
        .name = "old_snapshot",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_all = mariadb_start_own,
        .after_all = mariadb_stop,
        .before_each = hot_story_begin,
        .after_each = hot_story_end,
        .timeout_s = 60,
    };

    return story_run(&story);
}
