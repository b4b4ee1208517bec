/*
 * Many connections push one queue at once: never more than `concurrency` are
 * under way, nothing is lost, nothing is pushed twice, nobody sees an error.
 */
#include "tests/support/hot_story.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { PUSHERS = 4, CLAIMS = 200, CONCURRENCY = 3, LIMIT = 2 };

/* Counted from before a claim's end to before the end of the push. */
static atomic_int under_way;
static atomic_int most;

struct pusher {
    pthread_t thread;
    int number;
    int claims;
    int64_t *ids; /* that it pushed */
    size_t count;
    enum db_status worst;
    char error[160];
};

static bool is_expected(struct pusher *pusher, const struct db_job *job)
{
    if (job->status == DB_OK)
        return true;
    pusher->worst = job->status;
    memcpy(pusher->error, job->error, sizeof pusher->error);
    return false;
}

static void note_start(size_t count)
{
    int now = atomic_fetch_add(&under_way, (int)count) + (int)count;
    int before = atomic_load(&most);

    while (now > before && !atomic_compare_exchange_weak(&most, &before, now))
        ;
}

static void end_all(struct db_conn *conn, struct pusher *pusher,
                    const struct push_claim *claim)
{
    struct push_end ends[LIMIT];
    struct db_job *jobs[LIMIT];

    for (size_t i = 0; i < claim->count; i++) {
        /* Every seventh comes back to be pushed once more. */
        bool again =
            claim->items[i].attempt == 1 && claim->items[i].id % 7 == 0;

        ends[i] = push_end_of(&claim->items[i],
                              again ? PUSH_CUT_OFF : PUSH_GRADED, "reply");
        jobs[i] = &ends[i].job;
        if (!again)
            pusher->ids[pusher->count++] = claim->items[i].id;
    }
    atomic_fetch_sub(&under_way, (int)claim->count);
    if (claim->count == 0)
        return;
    ends[0].job.status = run_batch(conn, jobs, claim->count);
    for (size_t i = 0; i < claim->count; i++)
        is_expected(pusher, jobs[i]);
}

static void *push_many(void *context)
{
    struct pusher *pusher = context;
    struct db_conn *conn;

    db_thread_start();
    conn = db_conn_new(database);
    db_conn_set_slot(conn, (unsigned)pusher->number);
    for (int i = 0; i < pusher->claims && pusher->worst == DB_OK; i++) {
        struct push_claim claim = push_claim_of(CONCURRENCY);

        claim.arena = arena_new();
        claim.limit = LIMIT;
        db_run(conn, &claim.job);
        if (is_expected(pusher, &claim.job)) {
            note_start(claim.count);
            end_all(conn, pusher, &claim);
        }
        arena_free(claim.arena);
    }
    db_conn_free(conn);
    db_thread_stop();
    return NULL;
}

static void run_pushers(struct pusher *pushers)
{
    atomic_store(&under_way, 0);
    atomic_store(&most, 0);
    for (int i = 0; i < PUSHERS; i++) {
        pushers[i] = (struct pusher){.number = i + 1, .claims = CLAIMS};
        pushers[i].ids = calloc((size_t)CLAIMS * LIMIT, sizeof(int64_t));
        ck_assert_ptr_nonnull(pushers[i].ids);
        pthread_create(&pushers[i].thread, NULL, push_many, &pushers[i]);
    }
    for (int i = 0; i < PUSHERS; i++)
        pthread_join(pushers[i].thread, NULL);
    for (int i = 0; i < PUSHERS; i++)
        ck_assert_msg(pushers[i].worst == DB_OK, "%d: %s", pushers[i].worst,
                      pushers[i].error);
}

static int compare_ids(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left;
    int64_t b = *(const int64_t *)right;

    return (a > b) - (a < b);
}

/* Into one list; the number of ids in it. */
static size_t gather(struct pusher *pushers, int64_t *ids)
{
    size_t count = 0;

    for (int i = 0; i < PUSHERS; i++) {
        for (size_t k = 0; k < pushers[i].count; k++)
            ids[count++] = pushers[i].ids[k];
        free(pushers[i].ids);
    }
    qsort(ids, count, sizeof *ids, compare_ids);
    return count;
}

START_TEST(four_connections_never_push_more_than_three_at_a_time)
{
    static int64_t ids[PUSHERS * CLAIMS * LIMIT];
    struct pusher pushers[PUSHERS];
    size_t count;

    add_waiting(PUSHERS * CLAIMS * LIMIT);
    run_pushers(pushers);
    count = gather(pushers, ids);
    ck_assert_int_le(atomic_load(&most), CONCURRENCY);
    ck_assert_uint_gt(count, CLAIMS);
    for (size_t i = 1; i < count; i++)
        ck_assert_int_ne(ids[i - 1], ids[i]);
    ck_assert_value(arena_printf(arena, "%zu", count),
                    "SELECT COUNT(*) FROM xqueue_outbox");
    ck_assert_value(arena_printf(arena, "%zu", count),
                    "SELECT COUNT(*) FROM queue_submission"
                    " WHERE grader_reply = 'reply'");
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_push");
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_live WHERE state = 1");
}
END_TEST

HOT_STORY("push_race",
          TELL(four_connections_never_push_more_than_three_at_a_time))
