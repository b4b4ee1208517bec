/*
 * db/submit.c on a server that counts in steps, as those of a cluster do.
 */
#include "tests/support/hot_story.h"

enum { BATCH = 13 };

START_TEST(each_of_a_batch_learns_its_own_id)
{
    struct submission_insert inserts[BATCH];
    struct db_job *jobs[BATCH];
    const char *bodies[BATCH];

    mariadb_run("SET GLOBAL auto_increment_increment = 3");
    for (int i = 0; i < BATCH; i++) {
        bodies[i] = arena_printf(arena, "body %d", i);
        inserts[i] = insert_of(arena_printf(arena, "7:%d", i));
        inserts[i].body = text_of(bodies[i]);
        jobs[i] = &inserts[i].job;
    }
    ck_assert_int_eq(run_batch(db, jobs, BATCH), DB_OK);
    for (int i = 0; i < BATCH; i++)
        ck_assert_str_eq(wide("xqueue_body", inserts[i].id), bodies[i]);
    ck_assert_value("36", "SELECT MAX(id) - MIN(id) FROM queue_submission");
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(each_of_a_batch_learns_its_own_id),
    };
    static const struct story story = {
        .name = "submit in steps",
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
