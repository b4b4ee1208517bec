/*
 * Queues: their short numbers, and how many submissions wait in them.
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

#endif
