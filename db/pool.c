/*
 * The database threads. A thread without a connection tries again and again
 * while it is idle, from 100 ms up to 2 s apart; jobs that reach it in the
 * meantime fail at once.
 */
#include "db/pool.h"

#include "db/floors.h"
#include "server/base/clock.h"
#include "server/base/memory.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    BACKOFF_FIRST_MS = 100,
    BACKOFF_LAST_MS = 2000,
    LOOK_AGAIN_MS = 1000, /* between two looks at an idle connection */
    PING_IDLE_S = 10,
    MAX_WAIT_MS = 3000,
    SLOT_GROUPS = 8,
    SLOTS_OF_GROUP = 64, /* at most as many threads */
    ONE_BY_ONE_MS = 8000 /* no job of a failed batch starts later */
};

struct db_pool {
    struct db_pool_settings settings;
    struct workers *workers;
    struct floors *floors;   /* owns; all threads share them */
    atomic_size_t connected; /* threads with a connection */
    pthread_mutex_t lock;    /* of last_error, and for `up` */
    pthread_cond_t up;       /* a thread got its connection */
    char last_error[256];
};

/* What a thread has for itself. */
struct pool_thread {
    struct db_pool *pool; /* borrows */
    struct db_conn *db;   /* owns */
    bool is_counted;      /* in pool->connected */
    int backoff_ms;
    int64_t retry_ms; /* not to connect before (monotonic) */
    struct db_job *batch[WORKERS_MAX_BATCH];
};

static size_t take_fresh(struct pool_thread *thread, struct job **jobs,
                         size_t count);
static void *thread_start(void *shared, size_t number);
static unsigned slot_of(size_t number);
static int thread_idle(void *context);
static void thread_stop(void *context);
static bool is_backing_off(const struct pool_thread *thread);
static void note_connection(struct pool_thread *thread);
static void back_off(struct pool_thread *thread);
static void keep_last_error(struct db_pool *pool, const char *text);
static void job_done(struct job *job, bool ran);
static void run_one_by_one(struct pool_thread *thread, size_t count,
                           enum db_status batch_status);
static void fail_away(struct pool_thread *thread, size_t count);
static enum db_status run_jobs(struct db_conn *db, struct db_job **jobs,
                               size_t count);
static void set_failure(struct db_conn *db, struct db_job *job,
                        enum db_status status);

struct db_pool *db_pool_start(const struct db_pool_settings *settings)
{
    struct db_pool *pool = xcalloc(1, sizeof *pool);
    struct workers_settings workers = {
        .name = "database",
        .threads = settings->connections,
        .max_waiting = settings->max_waiting,
        .worker_start = thread_start,
        .worker_idle = thread_idle,
        .worker_stop = thread_stop,
        .shared = pool,
        .wake = settings->wake,
        .wake_context = settings->wake_context,
    };
    pthread_condattr_t attributes;

    pool->settings = *settings;
    pool->floors = floors_new();
    pthread_mutex_init(&pool->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&pool->up, &attributes);
    pthread_condattr_destroy(&attributes);
    pool->workers = workers_start(&workers);
    return pool;
}

bool db_pool_put(struct db_pool *pool, struct db_job *job)
{
    if (!db_pool_is_up(pool))
        return false;
    job->status = DB_OK;
    job->error_number = 0;
    job->error[0] = '\0';
    job->submitted_ms = clock_monotonic_ms();
    job->job.kind = &job->op->kind;
    job->job.done = job_done;
    return workers_put(pool->workers, &job->job);
}

void db_pool_call(struct db_pool *pool)
{
    workers_call(pool->workers);
}

void db_pool_collect(struct db_pool *pool)
{
    workers_collect(pool->workers);
}

bool db_pool_wait(struct db_pool *pool, int timeout_ms)
{
    int64_t until_ms = clock_monotonic_ms() + timeout_ms;
    struct timespec until = {.tv_sec = (time_t)(until_ms / 1000),
                             .tv_nsec = (long)(until_ms % 1000) * 1000000};
    int result = 0;

    pthread_mutex_lock(&pool->lock);
    while (!db_pool_is_up(pool) && result == 0)
        result = pthread_cond_timedwait(&pool->up, &pool->lock, &until);
    pthread_mutex_unlock(&pool->lock);
    return db_pool_is_up(pool);
}

bool db_pool_is_up(struct db_pool *pool)
{
    return atomic_load(&pool->connected) > 0;
}

void db_pool_last_error(struct db_pool *pool, char *ret_text, size_t size)
{
    pthread_mutex_lock(&pool->lock);
    snprintf(ret_text, size, "%s", pool->last_error);
    pthread_mutex_unlock(&pool->lock);
}

size_t db_pool_pending(struct db_pool *pool)
{
    return workers_pending(pool->workers);
}

void db_pool_stop(struct db_pool *pool)
{
    if (pool == NULL)
        return;
    workers_stop(pool->workers);
    pthread_cond_destroy(&pool->up);
    pthread_mutex_destroy(&pool->lock);
    floors_free(pool->floors);
    free(pool);
}

enum db_status db_run(struct db_conn *db, struct db_job *job)
{
    return run_jobs(db, &job, 1);
}

void db_pool_run(void *context, struct job **jobs, size_t count)
{
    struct pool_thread *thread = context;
    enum db_status status;

    count = take_fresh(thread, jobs, count);
    if (count == 0)
        return;
    /* Where another thread is connected this one will be, too. */
    if (is_backing_off(thread) && !db_pool_is_up(thread->pool)) {
        fail_away(thread, count);
        return;
    }
    status = run_jobs(thread->db, thread->batch, count);
    if (status == DB_AWAY || status == DB_UNKNOWN)
        back_off(thread);
    note_connection(thread);
    if (count > 1 && status != DB_OK && status != DB_AWAY &&
        status != DB_UNKNOWN)
        run_one_by_one(thread, count, status);
}

/* Into the thread's batch; those that have waited too long end here. */
static size_t take_fresh(struct pool_thread *thread, struct job **jobs,
                         size_t count)
{
    int64_t oldest_ms = clock_monotonic_ms() - MAX_WAIT_MS;
    size_t fresh = 0;

    for (size_t i = 0; i < count; i++) {
        struct db_job *job = CONTAINER_OF(jobs[i], struct db_job, job);

        if (job->submitted_ms >= oldest_ms) {
            thread->batch[fresh++] = job;
            continue;
        }
        job->status = DB_AWAY;
        snprintf(job->error, sizeof job->error,
                 "waited too long for a connection");
    }
    return fresh;
}

static void *thread_start(void *shared, size_t number)
{
    struct db_pool *pool = shared;
    struct pool_thread *thread = xcalloc(1, sizeof *thread);

    db_thread_start();
    thread->pool = pool;
    thread->db = db_conn_new(pool->settings.database);
    db_conn_set_slot(thread->db, slot_of(number));
    db_conn_share_floors(thread->db, pool->floors);
    return thread;
}

/*
 * Threads of one process never share a row of xqueue_depth, and those of two
 * seldom do; yet there are only so many rows to add up.
 */
static unsigned slot_of(size_t number)
{
    return 1 + (unsigned)number +
           (unsigned)getpid() % SLOT_GROUPS * SLOTS_OF_GROUP;
}

static int thread_idle(void *context)
{
    struct pool_thread *thread = context;
    int64_t wait_ms;

    if (!db_conn_check(thread->db, PING_IDLE_S) && !is_backing_off(thread)) {
        if (db_conn_open(thread->db) != DB_OK)
            back_off(thread);
    }
    note_connection(thread);
    if (db_conn_is_open(thread->db))
        return LOOK_AGAIN_MS;
    wait_ms = thread->retry_ms - clock_monotonic_ms();
    return wait_ms > 1 ? (int)wait_ms : 1;
}

static void thread_stop(void *context)
{
    struct pool_thread *thread = context;

    db_conn_close(thread->db);
    note_connection(thread);
    db_conn_free(thread->db);
    free(thread);
    db_thread_stop();
}

static bool is_backing_off(const struct pool_thread *thread)
{
    return !db_conn_is_open(thread->db) &&
           clock_monotonic_ms() < thread->retry_ms;
}

/* After anything that may have opened or lost the connection. */
static void note_connection(struct pool_thread *thread)
{
    struct db_pool *pool = thread->pool;
    bool is_open = db_conn_is_open(thread->db);

    if (is_open)
        thread->backoff_ms = 0;
    if (is_open == thread->is_counted)
        return;
    thread->is_counted = is_open;
    pthread_mutex_lock(&pool->lock);
    if (is_open) {
        atomic_fetch_add(&pool->connected, 1);
        pthread_cond_broadcast(&pool->up);
    } else {
        atomic_fetch_sub(&pool->connected, 1);
    }
    pthread_mutex_unlock(&pool->lock);
}

/* After a failure; without effect while the connection is open. */
static void back_off(struct pool_thread *thread)
{
    int ms = thread->backoff_ms * 2;

    if (db_conn_is_open(thread->db))
        return;
    ms = ms < BACKOFF_FIRST_MS ? BACKOFF_FIRST_MS : ms;
    thread->backoff_ms = ms < BACKOFF_LAST_MS ? ms : BACKOFF_LAST_MS;
    thread->retry_ms = clock_monotonic_ms() + thread->backoff_ms;
    keep_last_error(thread->pool, db_conn_error(thread->db));
}

static void keep_last_error(struct db_pool *pool, const char *text)
{
    pthread_mutex_lock(&pool->lock);
    snprintf(pool->last_error, sizeof pool->last_error, "%s", text);
    pthread_mutex_unlock(&pool->lock);
}

static void job_done(struct job *job, bool ran)
{
    struct db_job *self = CONTAINER_OF(job, struct db_job, job);

    if (!ran)
        self->status = DB_CANCELED;
    self->done(self);
}

static void run_one_by_one(struct pool_thread *thread, size_t count,
                           enum db_status batch_status)
{
    int64_t until_ms = clock_monotonic_ms() + ONE_BY_ONE_MS;

    for (size_t i = 0; i < count; i++) {
        if (is_backing_off(thread))
            set_failure(thread->db, thread->batch[i], DB_AWAY);
        else if (clock_monotonic_ms() >= until_ms)
            set_failure(thread->db, thread->batch[i], batch_status);
        else if (run_jobs(thread->db, &thread->batch[i], 1) == DB_AWAY)
            back_off(thread);
        note_connection(thread);
    }
}

static void fail_away(struct pool_thread *thread, size_t count)
{
    for (size_t i = 0; i < count; i++)
        set_failure(thread->db, thread->batch[i], DB_AWAY);
}

static enum db_status run_jobs(struct db_conn *db, struct db_job **jobs,
                               size_t count)
{
    enum db_status status;

    for (size_t i = 0; i < count; i++) {
        jobs[i]->status = DB_OK;
        jobs[i]->error_number = 0;
        jobs[i]->error[0] = '\0';
    }
    status = jobs[0]->op->run_batch(db, jobs, count);
    if (status == DB_OK)
        return count == 1 ? jobs[0]->status : DB_OK;
    for (size_t i = 0; i < count; i++)
        set_failure(db, jobs[i], status);
    return status;
}

static void set_failure(struct db_conn *db, struct db_job *job,
                        enum db_status status)
{
    job->status = status;
    job->error_number = db_conn_error_number(db);
    snprintf(job->error, sizeof job->error, "%s", db_conn_error(db));
}
