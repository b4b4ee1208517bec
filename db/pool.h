/*
 * The database threads: each has one blocking connection and runs typed
 * operations one after the other, batching those of one kind.
 *
 * A typed operation is a struct that embeds a struct db_job, and a const
 * struct db_op that knows how to run an array of them. db_run() runs one on
 * a given connection, blocking: for commands and tests. The service awaits
 * it through server/task.
 */
#ifndef XQUEUE_DB_POOL_H
#define XQUEUE_DB_POOL_H

#include "db/conn.h"
#include "server/base/workers.h"

struct db_job;

struct db_op {
    struct job_kind kind; /* see DB_OP_KIND */

    /*
     * Run all jobs of the batch in one transaction and set the outputs of
     * each, also job->status where jobs can end differently (DB_OK is
     * preset). The return value is of the whole batch: unless it is DB_OK it
     * becomes the status of every job. A batch of several that ends in
     * anything but DB_OK, DB_AWAY or DB_UNKNOWN runs again job by job, so
     * that one bad job does not fail its neighbours.
     */
    enum db_status (*run_batch)(struct db_conn *db, struct db_job **jobs,
                                size_t count);
};

/*
 * Designated initialiser for the `kind` of a db_op: up to `batch` jobs share a
 * transaction, and `running` of them are under way at a time in a line (see
 * workers.h). One for those that come in numbers: what comes while a batch is
 * on its way to the disk makes the next one larger, and a job of a large batch
 * costs a fraction of a lone one.
 */
#define DB_OP_KIND(op_name, batch, running)                                    \
    {                                                                          \
        .name = (op_name), .max_batch = (batch), .max_running = (running),     \
        .run = db_pool_run                                                     \
    }

struct db_job {
    struct job job; /* internal; set job.group before submitting */
    const struct db_op *op;
    enum db_status status; /* set when done */
    unsigned error_number; /* of the server or client, when status is bad */
    char error[160];       /* its text, cut */
    void (*done)(struct db_job *job); /* the collecting thread */
    void *context;                    /* the submitter's own */
    int64_t submitted_ms;             /* internal; monotonic */
};

struct db_pool;

struct db_pool_settings {
    const struct db_settings *database;
    size_t connections;
    size_t max_waiting;
    void (*wake)(void *wake_context); /* see workers.h */
    void *wake_context;
};

struct db_pool *db_pool_start(const struct db_pool_settings *settings);

/*
 * Queue a job whose op and done are set, for the next db_pool_call() or for a
 * thread that is at work (see workers_put()). False when the pool is full, or
 * when no thread has a connection just now (fail fast; the threads keep trying
 * to connect): nothing was taken. A job that then waits for more than three
 * seconds ends as DB_AWAY without having run: whoever asked has about ten, and
 * what waits behind it should not be late as well.
 */
bool db_pool_put(struct db_pool *pool, struct db_job *job) MUST_CHECK;

/* Wake the threads for what was put. */
void db_pool_call(struct db_pool *pool);

/* Run `done` of finished jobs. The collecting thread only. */
void db_pool_collect(struct db_pool *pool);

/* Wait until a thread is connected; false when none is after `timeout_ms`. */
bool db_pool_wait(struct db_pool *pool, int timeout_ms) MUST_CHECK;

/* Is any thread connected? */
bool db_pool_is_up(struct db_pool *pool);

/* Why the last connection attempt failed; "" when none did. Copied. */
void db_pool_last_error(struct db_pool *pool, char *ret_text, size_t size);

/* Jobs submitted whose `done` has not run yet. The collecting thread. */
size_t db_pool_pending(struct db_pool *pool);

/*
 * Let running jobs end; those not started end as DB_CANCELED. All `done` run
 * before this returns. The collecting thread. NULL is legal.
 */
void db_pool_stop(struct db_pool *pool);

/* Run one job here and now, on `db`; returns job->status. */
enum db_status db_run(struct db_conn *db, struct db_job *job);

/* The `run` of every op's kind. */
void db_pool_run(void *context, struct job **jobs, size_t count);

#endif
