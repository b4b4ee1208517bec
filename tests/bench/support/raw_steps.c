/*
 * R1 and R2: the bare loops.
 *
 * Each step has the tables that make it fastest with one row in a
 * transaction, as measured on MariaDB 10.11 with 8 connections:
 *
 *   submit   one INSERT into one table with the index (queue, state, arrival,
 *            id): 10,800/s. A line of its own beside it would be a second
 *            statement, and a COMMIT as a third.
 *   pull     a narrow line with the primary key (queue, arrival, id), whose
 *            row is deleted, and a row for the lease: 3,500/s. With that
 *            index and the state changed in place, one statement less, it
 *            is 1,650/s: each change moves an entry of the index that the
 *            others are reading.
 *   result   one INSERT into a table of results: 13,500/s. To change the
 *            submission's row in place is 6,700/s. (Whatever has a result
 *            needs no lease any more: nobody has to end it.)
 */
#include "tests/bench/support/raw_steps.h"

#include "server/base/clock.h"
#include "server/base/memory.h"
#include "tests/bench/support/raw_session.h"
#include "tests/bench/support/raw_worker.h"
#include "tests/support/mariadb.h"

#include <pthread.h>
#include <stdlib.h>

struct run {
    const struct raw_steps_settings *settings;
    pthread_barrier_t start;
    int64_t rows_made;
    _Atomic int64_t next;
};

struct loop {
    struct run *run;
    pthread_t thread;
    struct raw_worker *worker;
    int64_t rows;
    int64_t begin_us;
    int64_t end_us;
};

static int64_t rows_to_make(const struct raw_steps_settings *settings);
static void make_tables(const struct run *run);
static void run_all(struct run *run, struct loop *loops);
static void *run_loop(void *context);
static void verify(const struct run *run, int64_t rows);
static void expect(struct raw_session *session, const char *what,
                   const char *sql, int64_t expected);

double raw_steps_run(const struct raw_steps_settings *settings)
{
    struct run run = {.settings = settings};
    struct loop *loops = xcalloc(settings->connections, sizeof *loops);
    int64_t rows = 0;
    int64_t begin_us = INT64_MAX;
    int64_t end_us = 0;

    if (settings->rows < 1 || settings->rows > RAW_MOST_ROWS)
        fatal("%zu rows in a transaction", settings->rows);
    run.rows_made = rows_to_make(settings);
    make_tables(&run);
    run_all(&run, loops);
    for (size_t i = 0; i < settings->connections; i++) {
        rows += loops[i].rows;
        begin_us = loops[i].begin_us < begin_us ? loops[i].begin_us : begin_us;
        end_us = loops[i].end_us > end_us ? loops[i].end_us : end_us;
    }
    free(loops);
    verify(&run, rows);
    return (double)rows * 1e6 / (double)(end_us - begin_us);
}

/*
 * More than this machine class gets through; when they are used up, the run
 * is over sooner.
 */
static int64_t rows_to_make(const struct raw_steps_settings *settings)
{
    double per_second = settings->rows == 1 ? 15000 : 80000;
    double rows = settings->seconds * per_second;

    return rows < 300000 ? (int64_t)rows : 300000;
}

static void make_tables(const struct run *run)
{
    static const char *const tables[] = {
        "CREATE TABLE raw_submission (id BIGINT NOT NULL AUTO_INCREMENT"
        " PRIMARY KEY, queue_id INT NOT NULL, state TINYINT NOT NULL,"
        " arrival_us BIGINT NOT NULL, body LONGTEXT NOT NULL,"
        " KEY line (queue_id, state, arrival_us, id)) ENGINE=InnoDB",
        "CREATE TABLE raw_ready (queue_id INT NOT NULL,"
        " arrival_us BIGINT NOT NULL, id BIGINT NOT NULL,"
        " PRIMARY KEY (queue_id, arrival_us, id)) ENGINE=InnoDB",
        "CREATE TABLE raw_leased (id BIGINT NOT NULL PRIMARY KEY,"
        " expires_us BIGINT NOT NULL) ENGINE=InnoDB",
        "CREATE TABLE raw_result (id BIGINT NOT NULL PRIMARY KEY,"
        " reply LONGTEXT NOT NULL) ENGINE=InnoDB",
    };
    struct raw_session *session = raw_session_open(run->settings->database);
    char *seed = xasprintf(
        "INSERT INTO raw_submission (id, queue_id, state, arrival_us, body)"
        " SELECT n, 1, 1, n, REPEAT('b', %zu) FROM " MARIADB_NUMBERS,
        run->settings->body_bytes, (int)run->rows_made);

    raw_session_run(session, "DROP TABLE IF EXISTS raw_submission, raw_ready,"
                             " raw_leased, raw_result");
    for (size_t i = 0; i < ARRAY_LENGTH(tables); i++)
        raw_session_run(session, tables[i]);
    if (run->settings->step == RAW_PULL) {
        raw_session_run(session, seed);
        raw_session_run(session,
                        "INSERT INTO raw_ready (queue_id, arrival_us, id)"
                        " SELECT 1, id, id FROM raw_submission");
    }
    raw_session_close(session);
    free(seed);
}

static void run_all(struct run *run, struct loop *loops)
{
    size_t count = run->settings->connections;

    pthread_barrier_init(&run->start, NULL, (unsigned)count);
    for (size_t i = 0; i < count; i++) {
        loops[i].run = run;
        loops[i].worker =
            raw_worker_new(run->settings, &run->next, run->rows_made);
    }
    for (size_t i = 0; i < count; i++) {
        if (pthread_create(&loops[i].thread, NULL, run_loop, &loops[i]) != 0)
            fatal("no thread");
    }
    for (size_t i = 0; i < count; i++) {
        pthread_join(loops[i].thread, NULL);
        raw_worker_free(loops[i].worker);
    }
    pthread_barrier_destroy(&run->start);
}

static void *run_loop(void *context)
{
    struct loop *self = context;
    int64_t limit_us = (int64_t)(self->run->settings->seconds * 1e6);

    db_thread_start();
    pthread_barrier_wait(&self->run->start);
    self->begin_us = clock_monotonic_us();
    do {
        if (!raw_worker_step(self->worker))
            break;
        self->rows += (int64_t)self->run->settings->rows;
        self->end_us = clock_monotonic_us();
    } while (self->end_us < self->begin_us + limit_us);
    db_thread_stop();
    return NULL;
}

/* Every row that was counted is there, once. */
static void verify(const struct run *run, int64_t rows)
{
    struct raw_session *session = raw_session_open(run->settings->database);

    if (run->settings->step == RAW_SUBMIT) {
        expect(session, "submitted", "SELECT COUNT(*) FROM raw_submission",
               rows);
    } else if (run->settings->step == RAW_PULL) {
        expect(session, "leased", "SELECT COUNT(*) FROM raw_leased", rows);
        expect(session, "left in line", "SELECT COUNT(*) FROM raw_ready",
               run->rows_made - rows);
    } else {
        expect(session, "results", "SELECT COUNT(*) FROM raw_result", rows);
    }
    raw_session_close(session);
}

static void expect(struct raw_session *session, const char *what,
                   const char *sql, int64_t expected)
{
    int64_t found = raw_session_integer(session, sql);

    if (found != expected)
        fatal("a bare loop: %s: %lld rows, not %lld", what, (long long)found,
              (long long)expected);
}
