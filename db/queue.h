/*
 * Queues: their short numbers, how many submissions wait in them, and whether
 * any does.
 */
#ifndef XQUEUE_DB_QUEUE_H
#define XQUEUE_DB_QUEUE_H

#include "db/pool.h"

/* Numbers of these names, made where missing. */
struct queue_numbers {
    struct db_job job;
    const struct text *names; /* borrows */
    size_t count;
    int64_t *ret_numbers; /* borrows; `count` of them */
};

extern const struct db_op queue_numbers_op;

/* How many wait; exact as of some moment during the call. */
struct queue_length {
    struct db_job job;
    int64_t queue_id;
    int64_t waiting; /* out */
};

extern const struct db_op queue_length_op;

/*
 * The same inside a transaction, for several queues at once: ret_waiting[i]
 * belongs to queue_ids[i]. Sees what this transaction has changed.
 */
enum db_status queue_lengths(struct db_conn *db, struct arena *arena,
                             const int64_t *queue_ids, size_t count,
                             int64_t *ret_waiting) MUST_CHECK;

/*
 * Which of these queues have submissions waiting? One statement for many of
 * them, and of each queue it reads one row.
 */
struct queue_look {
    struct db_job job;
    const int64_t *queue_ids; /* borrows; at most 10,000 */
    size_t count;
    bool *ret_waiting; /* borrows; `count` of them */
};

extern const struct db_op queue_look_op;

#endif
