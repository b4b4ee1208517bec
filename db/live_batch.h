/*
 * A batch of jobs of which each is about one submission, with the live rows of
 * these. Database thread.
 */
#ifndef XQUEUE_DB_LIVE_BATCH_H
#define XQUEUE_DB_LIVE_BATCH_H

#include "db/hot_set.h"
#include "db/pool.h"

/* On the stack of whoever runs the batch. */
struct live_batch {
    struct db_job **jobs; /* borrows */
    size_t count;
    int64_t (*submission_of)(struct db_job *job); /* its id */

    /* Of one run in a transaction; set by whoever runs it. */
    struct arena *arena;
    int64_t now_us;

    struct live_row *rows; /* live_batch_lock() */
    size_t row_count;
};

/*
 * Are two jobs about the same submission? Then they must run one after the
 * other: the second has to see what the first has written.
 */
bool live_batch_has_twins(const struct live_batch *batch);

/* Lock the live rows of all of them, in the order of id. */
enum db_status live_batch_lock(struct db_conn *db,
                               struct live_batch *batch) MUST_CHECK;

/* The locked row of this submission; NULL when it has none. */
const struct live_row *live_batch_find(const struct live_batch *batch,
                                       int64_t id);

#endif
