/*
 * Threads for work that blocks: SQL and password hashing.
 *
 * The only place in the program that makes threads. A job is embedded in its
 * owner's struct. workers_put() hands it over: until `done` runs, nobody
 * but the worker may read or write the job or anything it points to. `done`
 * runs exactly once, on the thread that calls workers_collect() (the loop).
 *
 * Jobs of one kind and group stand in one line. A worker that becomes free
 * takes a batch from the line whose turn it is, up to the kind's max_batch:
 * what queued up while the last batch ran goes together, and nothing waits for
 * a batch to fill. Lines take turns, so that a long one does not hold up the
 * others.
 *
 * A kind may say that more than max_running batches of a line at a time do
 * not pay, and that one beside others pays with min_beside jobs only: then what
 * comes meanwhile queues up for a larger batch, although workers are free. A
 * line with a whole batch is served all the same, since it would not become
 * larger; so is one that has waited for patience_ms: its batches may be waiting
 * for something themselves.
 */
#ifndef XQUEUE_BASE_WORKERS_H
#define XQUEUE_BASE_WORKERS_H

#include "server/base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct job;

enum { WORKERS_MAX_BATCH = 1024 };

struct job_kind {
    const char *name;
    size_t max_batch;   /* from 1 to WORKERS_MAX_BATCH */
    size_t max_running; /* batches of a line, unless full; 0: no limit */
    size_t min_beside;  /* jobs of a batch that runs beside others */

    /* Worker thread. `context` is what `worker_start` returned. */
    void (*run)(void *context, struct job **jobs, size_t count);
};

struct job {
    const struct job_kind *kind;
    uint64_t group; /* only jobs of one group share a batch */
    void (*done)(struct job *job, bool ran); /* !ran: the pool stopped */
    bool ran;                                /* internal */
    STAILQ_ENTRY(job) entry;                 /* internal */
};

struct workers_settings {
    const char *name; /* of the threads; at most 11 characters */
    size_t threads;
    size_t max_waiting; /* jobs not yet taken; beyond it submit refuses */
    int patience_ms;    /* 0: 20 */

    /* Called on each worker thread; may be NULL. */
    void *(*worker_start)(void *shared, size_t number);
    void (*worker_stop)(void *context);

    /*
     * Called on a worker that has nothing to do: at once after its start and
     * after its last job, then again after as many milliseconds as it
     * returned, unless a job comes first. May be NULL.
     */
    int (*worker_idle)(void *context);
    void *shared;

    /*
     * Called on a worker when the finished list stops being empty: make the
     * collecting thread call workers_collect() soon. Must not block.
     */
    void (*wake)(void *wake_context);
    void *wake_context;
};

struct workers;

struct workers *workers_start(const struct workers_settings *settings);

/*
 * A job stands in line, and a worker that is at work may take it; none that
 * sleeps is woken before workers_call(). So who has several first puts them
 * all, to be taken together. False when too many are waiting: nothing was
 * taken, `done` will not run.
 */
bool workers_put(struct workers *workers, struct job *job) MUST_CHECK;
void workers_call(struct workers *workers);

/* Both. */
bool workers_submit(struct workers *workers, struct job *job) MUST_CHECK;

/* Run `done` of all finished jobs. The collecting thread only. */
void workers_collect(struct workers *workers);

/* Jobs submitted and not yet collected. */
size_t workers_pending(struct workers *workers);

/* Jobs submitted and not yet taken by a worker. */
size_t workers_waiting(struct workers *workers);

/*
 * Let running jobs end, run `done` with ran=false for those not started,
 * join the threads and free. The collecting thread. NULL is legal.
 */
void workers_stop(struct workers *workers);

#endif
