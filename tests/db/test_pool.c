/*
 * db/pool.c
 */
#include "db/pool.h"

#include "db/transaction.h"
#include "server/base/clock.h"
#include "tests/support/mariadb.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { DEADLINE_MS = 20000 };

/* Insert one row; what the whole batch does is one transaction. */
struct insertion {
    struct db_job job;
    int64_t number;
    size_t batch_size; /* out */
    unsigned slot;     /* out */
    int done;          /* out: how often */
};

struct batch {
    struct db_job **jobs;
    size_t count;
};

static const struct db_settings *settings;
static struct db_pool *pool;
static int wake_file;

static void wake(void *context)
{
    uint64_t one = 1;

    (void)context;
    ck_assert_int_eq(write(wake_file, &one, sizeof one), sizeof one);
}

static void start_pool(size_t connections)
{
    struct db_pool_settings pool_settings = {
        .database = settings,
        .connections = connections,
        .max_waiting = 100,
        .wake = wake,
    };

    pool = db_pool_start(&pool_settings);
}

static void set_up(void)
{
    db_library_start();
    settings = mariadb_database();
    mariadb_run("CREATE TABLE t (n INT PRIMARY KEY) ENGINE=InnoDB");
    wake_file = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

static void tear_down(void)
{
    db_pool_stop(pool);
    close(wake_file);
    db_library_stop();
}

static enum db_status insert_body(struct db_conn *db, int64_t now_us,
                                  void *context)
{
    const struct batch *batch = context;

    (void)now_us;
    for (size_t i = 0; i < batch->count; i++) {
        struct insertion *self =
            CONTAINER_OF(batch->jobs[i], struct insertion, job);
        const struct db_param number[] = {DB_INTEGER(self->number)};
        enum db_status status =
            db_execute(db, "INSERT INTO t VALUES (?)", number, 1, NULL);

        self->batch_size = batch->count;
        self->slot = db_conn_slot(db);
        if (status != DB_OK)
            return status;
    }
    return DB_OK;
}

static enum db_status run_insert(struct db_conn *db, struct db_job **jobs,
                                 size_t count)
{
    struct batch batch = {jobs, count};

    return db_transact(db, insert_body, &batch);
}

static enum db_status run_sleep(struct db_conn *db, struct db_job **jobs,
                                size_t count)
{
    const struct insertion *self = CONTAINER_OF(jobs[0], struct insertion, job);

    (void)count;
    return db_execute(db, self->number == 0 ? "DO SLEEP(0.3)" : "DO SLEEP(3.5)",
                      NULL, 0, NULL);
}

static enum db_status run_own_status(struct db_conn *db, struct db_job **jobs,
                                     size_t count)
{
    (void)db;
    for (size_t i = 0; i < count; i++)
        jobs[i]->status = i % 2 == 0 ? DB_NOT_FOUND : DB_OK;
    return DB_OK;
}

static const struct db_op insert_op = {.kind = DB_OP_KIND("insert", 8, 1),
                                       .run_batch = run_insert};
static const struct db_op sleep_op = {.kind = DB_OP_KIND("sleep", 1, 0),
                                      .run_batch = run_sleep};
static const struct db_op own_status_op = {
    .kind = DB_OP_KIND("own_status", 8, 1), .run_batch = run_own_status};

static void done(struct db_job *job)
{
    CONTAINER_OF(job, struct insertion, job)->done++;
}

static struct insertion insertion_of(const struct db_op *op, int64_t number)
{
    return (struct insertion){.job = {.op = op, .done = done},
                              .number = number};
}

static bool submit(struct db_pool *to, struct db_job *job)
{
    bool accepted = db_pool_put(to, job);

    db_pool_call(to);
    return accepted;
}

static void collect_all(void)
{
    int64_t deadline_ms = clock_monotonic_ms() + DEADLINE_MS;

    while (db_pool_pending(pool) > 0) {
        struct pollfd file = {wake_file, POLLIN, 0};
        uint64_t count;

        ck_assert_int_lt(clock_monotonic_ms(), deadline_ms);
        poll(&file, 1, DEADLINE_MS);
        if (read(wake_file, &count, sizeof count) < 0)
            ck_assert_int_eq(errno, EAGAIN);
        db_pool_collect(pool);
    }
}

static void wait_until_up(bool up)
{
    int64_t deadline_ms = clock_monotonic_ms() + DEADLINE_MS;

    while (db_pool_is_up(pool) != up) {
        ck_assert_int_lt(clock_monotonic_ms(), deadline_ms);
        poll(NULL, 0, 5);
    }
}

START_TEST(a_job_runs_on_a_thread_and_is_done_here)
{
    struct insertion one = insertion_of(&insert_op, 1);

    start_pool(2);
    ck_assert(db_pool_wait(pool, DEADLINE_MS));
    ck_assert(submit(pool, &one.job));
    collect_all();
    ck_assert_int_eq(one.done, 1);
    ck_assert_int_eq(one.job.status, DB_OK);
    ck_assert_uint_ge(one.slot % 64, 1);
    ck_assert_uint_le(one.slot % 64, 2);
    ck_assert_value("1", "SELECT COUNT(*) FROM t");
}
END_TEST

START_TEST(a_job_that_waited_too_long_is_not_run_any_more)
{
    struct insertion hold = insertion_of(&sleep_op, 1);
    struct insertion late = insertion_of(&insert_op, 1);

    start_pool(1);
    ck_assert(db_pool_wait(pool, DEADLINE_MS));
    ck_assert(submit(pool, &hold.job));
    mariadb_wait_for_value("1", "SELECT COUNT(*) FROM"
                                " information_schema.PROCESSLIST"
                                " WHERE INFO LIKE 'DO SLEEP%%'");
    ck_assert(submit(pool, &late.job));
    collect_all();
    ck_assert_int_eq(hold.job.status, DB_OK);
    ck_assert_int_eq(late.done, 1);
    ck_assert_int_eq(late.job.status, DB_AWAY);
    ck_assert_str_eq(late.job.error, "waited too long for a connection");
    ck_assert_value("0", "SELECT COUNT(*) FROM t");
}
END_TEST

START_TEST(what_waits_together_goes_in_one_transaction)
{
    struct insertion hold = insertion_of(&sleep_op, 0);
    struct insertion jobs[6];

    start_pool(1);
    ck_assert(db_pool_wait(pool, DEADLINE_MS));
    ck_assert(submit(pool, &hold.job));
    mariadb_wait_for_value("1", "SELECT COUNT(*) FROM"
                                " information_schema.PROCESSLIST"
                                " WHERE INFO LIKE 'DO SLEEP%%'");
    for (int i = 0; i < 6; i++) {
        jobs[i] = insertion_of(&insert_op, i);
        ck_assert(submit(pool, &jobs[i].job));
    }
    collect_all();
    for (int i = 0; i < 6; i++)
        ck_assert_uint_eq(jobs[i].batch_size, 6);
    ck_assert_value("6", "SELECT COUNT(*) FROM t");
    ck_assert_value("1", "SELECT COUNT(*) FROM xqueue_commit");
}
END_TEST

START_TEST(one_bad_job_does_not_fail_its_neighbours)
{
    struct insertion hold = insertion_of(&sleep_op, 0);
    struct insertion jobs[3];

    mariadb_run("INSERT INTO t VALUES (1)");
    start_pool(1);
    ck_assert(db_pool_wait(pool, DEADLINE_MS));
    ck_assert(submit(pool, &hold.job));
    mariadb_wait_for_value("1", "SELECT COUNT(*) FROM"
                                " information_schema.PROCESSLIST"
                                " WHERE INFO LIKE 'DO SLEEP%%'");
    for (int i = 0; i < 3; i++) {
        jobs[i] = insertion_of(&insert_op, i);
        ck_assert(submit(pool, &jobs[i].job));
    }
    collect_all();
    ck_assert_int_eq(jobs[0].job.status, DB_OK);
    ck_assert_int_eq(jobs[1].job.status, DB_DUPLICATE);
    ck_assert_uint_eq(jobs[1].job.error_number, 1062);
    ck_assert(strstr(jobs[1].job.error, "Duplicate") != NULL);
    ck_assert_int_eq(jobs[2].job.status, DB_OK);
    ck_assert_str_eq(jobs[2].job.error, "");
    ck_assert_value("0,1,2", "SELECT GROUP_CONCAT(n ORDER BY n) FROM t");
}
END_TEST

START_TEST(jobs_of_one_batch_may_end_differently)
{
    struct insertion job = insertion_of(&own_status_op, 0);

    start_pool(1);
    ck_assert(db_pool_wait(pool, DEADLINE_MS));
    ck_assert(submit(pool, &job.job));
    collect_all();
    ck_assert_int_eq(job.job.status, DB_NOT_FOUND);
}
END_TEST

static void wait_for_error(const char *words)
{
    const int64_t deadline_ms = clock_monotonic_ms() + DEADLINE_MS;
    char text[200] = "";

    while (strstr(text, words) == NULL) {
        ck_assert_msg(clock_monotonic_ms() < deadline_ms, "%s", text);
        poll(NULL, 0, 5);
        db_pool_last_error(pool, text, sizeof text);
    }
}

START_TEST(without_a_connection_submitting_fails_at_once_and_says_why)
{
    static const struct db_settings nobody = {
        .unix_socket = "/nonexistent/socket", .user = "root"};
    struct insertion job = insertion_of(&insert_op, 1);

    settings = &nobody;
    start_pool(2);
    ck_assert(!db_pool_wait(pool, 50));
    ck_assert(!submit(pool, &job.job));
    ck_assert_int_eq(job.done, 0);
    wait_for_error("/nonexistent/socket");
}
END_TEST

START_TEST(stopping_does_not_wait_for_the_next_attempt)
{
    static const struct db_settings nobody = {
        .unix_socket = "/nonexistent/socket", .user = "root"};
    int64_t start_ms;

    settings = &nobody;
    start_pool(1);
    /* By now it waits for long: it has tried at 0, 0.1, 0.3, 0.7, 1.5 s. */
    ck_assert(!db_pool_wait(pool, 1900));
    start_ms = clock_monotonic_ms();
    db_pool_stop(pool);
    pool = NULL;
    ck_assert_int_lt(clock_monotonic_ms() - start_ms, 900);
}
END_TEST

START_TEST(jobs_that_wait_are_canceled_when_the_pool_stops)
{
    struct insertion hold = insertion_of(&sleep_op, 0);
    struct insertion waits = insertion_of(&insert_op, 1);

    start_pool(1);
    ck_assert(db_pool_wait(pool, DEADLINE_MS));
    ck_assert(submit(pool, &hold.job));
    mariadb_wait_for_value("1", "SELECT COUNT(*) FROM"
                                " information_schema.PROCESSLIST"
                                " WHERE INFO LIKE 'DO SLEEP%%'");
    ck_assert(submit(pool, &waits.job));
    db_pool_stop(pool);
    pool = NULL;
    ck_assert_int_eq(hold.done, 1);
    ck_assert_int_eq(hold.job.status, DB_OK);
    ck_assert_int_eq(waits.done, 1);
    ck_assert_int_eq(waits.job.status, DB_CANCELED);
    ck_assert_value("0", "SELECT COUNT(*) FROM t");
}
END_TEST

/* Of the pool's; it has none when all are being opened again. */
static void kill_oldest_connection(void)
{
    const char *victim = mariadb_value("SELECT MIN(ID) FROM"
                                       " information_schema.PROCESSLIST"
                                       " WHERE DB = DATABASE()"
                                       " AND ID <> CONNECTION_ID()");

    if (strcmp(victim, "NULL") != 0)
        mariadb_kill_connection(strtoull(victim, NULL, 10));
}

START_TEST(killed_connections_are_replaced_without_a_failure)
{
    struct insertion jobs[20];

    start_pool(2);
    ck_assert(db_pool_wait(pool, DEADLINE_MS));
    for (int i = 0; i < 20; i++) {
        jobs[i] = insertion_of(&insert_op, i);
        kill_oldest_connection();
        if (db_pool_wait(pool, DEADLINE_MS))
            ck_assert(submit(pool, &jobs[i].job));
        collect_all();
        ck_assert_int_eq(jobs[i].job.status, DB_OK);
    }
    ck_assert_value("20", "SELECT COUNT(*) FROM t");
}
END_TEST

START_TEST(a_server_that_goes_is_noticed_and_found_again)
{
    struct insertion first = insertion_of(&insert_op, 1);
    struct insertion second = insertion_of(&insert_op, 2);

    start_pool(1);
    ck_assert(db_pool_wait(pool, DEADLINE_MS));
    mariadb_shut_down();
    if (submit(pool, &first.job)) {
        collect_all();
        ck_assert_int_eq(first.job.status, DB_AWAY);
    }
    wait_until_up(false);
    ck_assert(!submit(pool, &second.job));
    mariadb_restart();
    ck_assert(db_pool_wait(pool, DEADLINE_MS));
    ck_assert(submit(pool, &second.job));
    collect_all();
    ck_assert_int_eq(second.job.status, DB_OK);
    ck_assert_value("2", "SELECT GROUP_CONCAT(n) FROM t");
}
END_TEST

START_TEST(a_command_runs_a_job_here_and_now)
{
    struct db_conn *db = db_conn_new(settings);
    struct insertion one = insertion_of(&insert_op, 1);

    ck_assert_int_eq(db_run(db, &one.job), DB_OK);
    ck_assert_uint_eq(one.slot, 0);
    ck_assert_int_eq(db_run(db, &one.job), DB_DUPLICATE);
    ck_assert_uint_eq(one.job.error_number, 1062);
    ck_assert_int_eq(one.done, 0);
    db_conn_free(db);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(a_job_runs_on_a_thread_and_is_done_here),
        TELL(a_job_that_waited_too_long_is_not_run_any_more),
        TELL(what_waits_together_goes_in_one_transaction),
        TELL(one_bad_job_does_not_fail_its_neighbours),
        TELL(jobs_of_one_batch_may_end_differently),
        TELL(without_a_connection_submitting_fails_at_once_and_says_why),
        TELL(stopping_does_not_wait_for_the_next_attempt),
        TELL(jobs_that_wait_are_canceled_when_the_pool_stops),
        TELL(killed_connections_are_replaced_without_a_failure),
        TELL(a_server_that_goes_is_noticed_and_found_again),
        TELL(a_command_runs_a_job_here_and_now),
    };
    static const struct story story = {
        .name = "pool",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_all = mariadb_start_own,
        .after_all = mariadb_stop,
        .before_each = set_up,
        .after_each = tear_down,
        .timeout_s = 60,
    };
    return story_run(&story);
}
