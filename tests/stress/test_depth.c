/*
 * What a pull costs when much is waiting and more is finished. Small by
 * default; with XQUEUE_STRESS=full, 200,000 waiting and 1,000,000 finished
 * rows. Prints what it finds.
 */
#include "tests/support/hot_story.h"
#include "tests/support/stress.h"

#include "server/base/clock.h"

#include <stdio.h>

enum { PULLS = 50, BATCH = 16 };

struct size {
    int waiting;
    int finished;
};

/* What the pulls of one table size took together. */
struct cost {
    int64_t reads; /* of rows and index entries */
    int64_t us;
};

static struct size full_size(void)
{
    if (stress_is_full())
        return (struct size){200000, 1000000};
    return (struct size){20000, 50000};
}

/*
 * As many as are pulled are added before, so that always as many wait. Time
 * is taken in a second round: counting reads takes time itself.
 */
static struct cost cost_of_pulls(size_t batch)
{
    struct cost cost = {0, 0};

    for (int round = 0; round < 2 * PULLS; round++) {
        struct submission_pull pulls[BATCH];
        struct db_job *jobs[BATCH];
        int64_t start_us;

        add_waiting((int)batch);
        for (size_t i = 0; i < batch; i++) {
            pulls[i] = pull_of();
            jobs[i] = &pulls[i].job;
        }
        start_us = clock_monotonic_us();
        if (round < PULLS) {
            cost.reads += reads_of_batch(jobs, batch);
        } else {
            ck_assert_int_eq(run_batch(db, jobs, batch), DB_OK);
            cost.us += clock_monotonic_us() - start_us;
        }
        for (size_t i = 0; i < batch; i++)
            ck_assert_int_eq(jobs[i]->status, DB_OK);
    }
    return cost;
}

static void tell(struct size size, size_t batch, struct cost cost)
{
    double count = (double)PULLS * (double)batch;

    printf("%7d waiting, %7d finished, batch %2zu:"
           " %5.2f rows examined, %5.0f us per pull\n",
           size.waiting, size.finished, batch, (double)cost.reads / count,
           (double)cost.us / count);
    fflush(stdout);
}

static void compare(size_t batch)
{
    struct size size = full_size();
    struct cost few;
    struct cost many;

    add_waiting(10);
    cost_of_pulls(batch); /* prepares the statements */
    few = cost_of_pulls(batch);
    tell((struct size){10, 0}, batch, few);
    add_finished(size.finished);
    add_waiting(size.waiting - 10);
    cost_of_pulls(batch); /* brings the pages into memory */
    many = cost_of_pulls(batch);
    tell(size, batch, many);
    ck_assert_int_le(many.reads, few.reads);
}

START_TEST(a_pull_examines_no_more_rows_when_much_waits)
{
    compare(1);
}
END_TEST

START_TEST(a_batch_of_pulls_examines_no_more_rows_either)
{
    compare(BATCH);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(a_pull_examines_no_more_rows_when_much_waits),
        TELL(a_batch_of_pulls_examines_no_more_rows_either),
    };
    static const struct story story = {
        .name = "depth",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_all = mariadb_start,
        .after_all = mariadb_stop,
        .before_each = hot_story_begin,
        .after_each = hot_story_end,
        .timeout_s = 800,
    };

    return story_run(&story);
}
