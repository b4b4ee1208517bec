/*
 * Many connections at once on one queue: nothing is lost, nothing is handed
 * out twice, nobody sees an error (R13).
 */
#include "tests/support/hot_story.h"

#include "server/base/clock.h"
#include "server/base/memory.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PULLERS = 8,
    SUBMITTERS = 4,
    ROWS = 2000,
    ROUNDS = 100,  /* of a submitter */
    PROBLEMS = 40, /* that all submitters share */
    DEADLINE_MS = 50000
};

static int64_t deadline_ms;
static atomic_int submitters_left;
static atomic_int to_deliver;

struct worker {
    pthread_t thread;
    int number;
    size_t batch;
    int64_t *ids; /* that it got, in order */
    size_t count;
    size_t capacity;
    bool must_answer;
    enum db_status worst;
    char error[160];
};

static void note(struct worker *worker, int64_t id)
{
    if (worker->count == worker->capacity) {
        worker->capacity = worker->capacity == 0 ? 256 : 2 * worker->capacity;
        worker->ids =
            xrealloc(worker->ids, worker->capacity * sizeof *worker->ids);
    }
    worker->ids[worker->count++] = id;
}

/* False after an error that is not expected. */
static bool is_expected(struct worker *worker, const struct db_job *job,
                        enum db_status also)
{
    if (job->status == DB_OK || job->status == also)
        return true;
    worker->worst = job->status;
    memcpy(worker->error, job->error, sizeof worker->error);
    return false;
}

/* As the pool does: a batch that fails runs again one by one. */
static void run_as_pool(struct db_conn *conn, struct db_job **jobs,
                        size_t count)
{
    if (count == 1 || run_batch(conn, jobs, count) != DB_OK) {
        for (size_t i = 0; i < count; i++)
            db_run(conn, jobs[i]);
    }
}

static struct db_conn *connect_as(const struct worker *worker)
{
    struct db_conn *conn = db_conn_new(database);

    db_conn_set_slot(conn, (unsigned)worker->number);
    return conn;
}

static bool answer_it(struct worker *worker, struct db_conn *conn,
                      const struct submission_pull *pulled)
{
    struct submission_answer self =
        answer_of(pulled->id, pulled->pullkey, "reply");

    db_run(conn, &self.job);
    return is_expected(worker, &self.job, DB_OK);
}

/* One transaction of pulls; how many got one, or -1. */
static int pull_some(struct worker *worker, struct db_conn *conn,
                     struct arena *texts)
{
    struct submission_pull list[16];
    struct db_job *jobs[16];
    int got = 0;

    for (size_t i = 0; i < worker->batch; i++) {
        list[i] = pull_of();
        list[i].arena = texts;
        jobs[i] = &list[i].job;
    }
    run_as_pool(conn, jobs, worker->batch);
    for (size_t i = 0; i < worker->batch; i++) {
        if (!is_expected(worker, jobs[i], DB_NOT_FOUND))
            return -1;
        if (jobs[i]->status != DB_OK)
            continue;
        got++;
        note(worker, list[i].id);
        if (worker->must_answer && !answer_it(worker, conn, &list[i]))
            return -1;
    }
    return got;
}

static void *pull_until_empty(void *context)
{
    struct worker *worker = context;
    struct db_conn *conn;
    bool again = true;

    db_thread_start();
    conn = connect_as(worker);
    while (again && clock_monotonic_ms() < deadline_ms) {
        bool last = atomic_load(&submitters_left) == 0;
        struct arena *texts = arena_new();
        int got = pull_some(worker, conn, texts);

        arena_free(texts);
        again = got > 0 || (got == 0 && !last);
    }
    db_conn_free(conn);
    db_thread_stop();
    return NULL;
}

static void *submit_many(void *context)
{
    struct worker *worker = context;
    struct db_conn *conn;
    bool good = true;

    db_thread_start();
    conn = connect_as(worker);
    for (int round = 0; round < ROUNDS && good; round++) {
        struct submission_insert list[4];
        struct db_job *jobs[4];
        char headers[4][32];

        for (int i = 0; i < 4; i++) {
            /* Every fourth is of one submitter's own, never superseded. */
            if (i == 3)
                snprintf(headers[i], sizeof headers[i], "7:own %d %d",
                         worker->number, round);
            else
                snprintf(headers[i], sizeof headers[i], "7:%d",
                         (round * (worker->number * 3 + i)) % PROBLEMS);
            list[i] = insert_of(headers[i]);
            jobs[i] = &list[i].job;
        }
        run_as_pool(conn, jobs, 4);
        for (int i = 0; i < 4; i++)
            good = good && is_expected(worker, jobs[i], DB_OK);
    }
    db_conn_free(conn);
    atomic_fetch_sub(&submitters_left, 1);
    db_thread_stop();
    return NULL;
}

static void start(struct worker *workers, int count, int first_number,
                  void *(*body)(void *))
{
    for (int i = 0; i < count; i++) {
        workers[i].number = first_number + i;
        pthread_create(&workers[i].thread, NULL, body, &workers[i]);
    }
}

static void finish(struct worker *workers, int count)
{
    for (int i = 0; i < count; i++) {
        pthread_join(workers[i].thread, NULL);
        ck_assert_msg(workers[i].worst == DB_OK, "worker %d: %s: %s",
                      workers[i].number, db_status_name(workers[i].worst),
                      workers[i].error);
    }
    ck_assert_int_lt(clock_monotonic_ms(), deadline_ms);
}

static int by_value(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left;
    int64_t b = *(const int64_t *)right;

    return a < b ? -1 : a > b;
}

/* All that the workers got, sorted; each only once. */
static size_t expect_no_twice(struct worker *workers, int count)
{
    struct worker all = {.count = 0};

    for (int i = 0; i < count; i++) {
        for (size_t k = 0; k < workers[i].count; k++)
            note(&all, workers[i].ids[k]);
        free(workers[i].ids);
    }
    qsort(all.ids, all.count, sizeof *all.ids, by_value);
    for (size_t i = 1; i < all.count; i++)
        ck_assert_int_lt(all.ids[i - 1], all.ids[i]);
    free(all.ids);
    return all.count;
}

static void pull_all_rows(size_t batch)
{
    struct worker pullers[PULLERS] = {0};

    add_waiting(ROWS);
    deadline_ms = clock_monotonic_ms() + DEADLINE_MS;
    for (int i = 0; i < PULLERS; i++)
        pullers[i].batch = batch;
    start(pullers, PULLERS, 1, pull_until_empty);
    finish(pullers, PULLERS);
    ck_assert_uint_eq(expect_no_twice(pullers, PULLERS), ROWS);
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_ready");
    ck_assert_value("2000", "SELECT COUNT(DISTINCT pullkey) FROM xqueue_live"
                            " WHERE state = 1 AND attempts = 1");
}

START_TEST(eight_pull_2000_rows_each_exactly_once)
{
    pull_all_rows(1);
}
END_TEST

START_TEST(eight_pull_2000_rows_in_batches_each_exactly_once)
{
    pull_all_rows(16);
}
END_TEST

/* What was not superseded has been answered; nothing else is left over. */
static void expect_all_settled(void)
{
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_ready");
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_live WHERE state <> 2");
    ck_assert_value("0", "SELECT COUNT(*) FROM queue_submission s"
                         " WHERE s.retired = 0 AND NOT EXISTS (SELECT 1"
                         " FROM xqueue_outbox o WHERE o.id = s.id)");
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_outbox o"
                         " JOIN queue_submission s ON s.id = o.id"
                         " WHERE s.retired = 1");
    /* The newest of each problem is the one that counts. */
    ck_assert_value("0", "SELECT COUNT(*) FROM (SELECT xqueue_header,"
                         " SUM(retired = 0) AS live FROM queue_submission"
                         " GROUP BY xqueue_header) p WHERE live <> 1");
    ck_assert_value("1600", "SELECT COUNT(*) FROM queue_submission");
    ck_assert_value("400", "SELECT COUNT(*) FROM queue_submission"
                           " WHERE xqueue_header LIKE '7:own%%'"
                           " AND retired = 0 AND grader_reply = 'reply'");
}

static void pull_beside_submits(size_t batch)
{
    struct worker pullers[PULLERS] = {0};
    struct worker submitters[SUBMITTERS] = {0};

    deadline_ms = clock_monotonic_ms() + DEADLINE_MS;
    atomic_store(&submitters_left, SUBMITTERS);
    for (int i = 0; i < PULLERS; i++) {
        pullers[i].batch = batch;
        pullers[i].must_answer = true;
    }
    start(pullers, PULLERS, 1, pull_until_empty);
    start(submitters, SUBMITTERS, PULLERS + 1, submit_many);
    finish(submitters, SUBMITTERS);
    finish(pullers, PULLERS);
    ck_assert_uint_ge(expect_no_twice(pullers, PULLERS), 400);
    expect_all_settled();
}

START_TEST(beside_four_that_resubmit_nothing_is_lost_or_handed_out_twice)
{
    pull_beside_submits(1);
}
END_TEST

START_TEST(in_batches_beside_four_that_resubmit_nothing_is_lost_either)
{
    pull_beside_submits(16);
}
END_TEST

/* One claim and its records, as one batch; how many it got, or -1. */
static int deliver_some(struct worker *worker, struct db_conn *conn,
                        struct arena *texts)
{
    struct outbox_claim claimed = claim_of(7, worker->number);
    struct outbox_record records[16];
    struct db_job *jobs[16];

    claimed.arena = texts;
    claimed.limit = 16;
    db_run(conn, &claimed.job);
    if (!is_expected(worker, &claimed.job, DB_OK))
        return -1;
    for (size_t i = 0; i < claimed.count; i++) {
        note(worker, claimed.items[i].id);
        records[i] = record_of(&claimed, i, OUTBOX_DELIVERED);
        jobs[i] = &records[i].job;
    }
    if (claimed.count > 0)
        run_as_pool(conn, jobs, claimed.count);
    for (size_t i = 0; i < claimed.count; i++) {
        if (!is_expected(worker, jobs[i], DB_OK))
            return -1;
    }
    return (int)claimed.count;
}

/* Who finds nothing asks again until the others have finished theirs. */
static void *deliver_all(void *context)
{
    struct worker *worker = context;
    struct db_conn *conn;
    int got = 0;

    db_thread_start();
    conn = connect_as(worker);
    while (got >= 0 && atomic_load(&to_deliver) > 0 &&
           clock_monotonic_ms() < deadline_ms) {
        struct arena *texts = arena_new();

        got = deliver_some(worker, conn, texts);
        atomic_fetch_sub(&to_deliver, got > 0 ? got : 0);
        arena_free(texts);
    }
    db_conn_free(conn);
    db_thread_stop();
    return NULL;
}

START_TEST(eight_deliver_2000_callbacks_each_exactly_once)
{
    struct worker deliverers[PULLERS] = {0};

    add_waiting(ROWS);
    mariadb_run("UPDATE xqueue_live SET state = 2");
    mariadb_run("DELETE FROM xqueue_ready");
    mariadb_run("DELETE FROM xqueue_depth");
    mariadb_run("INSERT INTO xqueue_outbox (id, destination, due_us, attempts,"
                " kind, created_us) SELECT id, 7, id, 0, 0, 1"
                " FROM xqueue_live");
    deadline_ms = clock_monotonic_ms() + DEADLINE_MS;
    atomic_store(&to_deliver, ROWS);
    start(deliverers, PULLERS, 1, deliver_all);
    finish(deliverers, PULLERS);
    ck_assert_uint_eq(expect_no_twice(deliverers, PULLERS), ROWS);
    ck_assert_value("2000", "SELECT COUNT(*) FROM queue_submission"
                            " WHERE lms_ack = 1 AND retired = 1");
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_outbox");
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_live");
}
END_TEST

HOT_STORY("contention", TELL(eight_pull_2000_rows_each_exactly_once),
          TELL(eight_pull_2000_rows_in_batches_each_exactly_once),
          TELL(beside_four_that_resubmit_nothing_is_lost_or_handed_out_twice),
          TELL(in_batches_beside_four_that_resubmit_nothing_is_lost_either),
          TELL(eight_deliver_2000_callbacks_each_exactly_once))
