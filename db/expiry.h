/*
 * Leases that ran out.
 */
#ifndef XQUEUE_DB_EXPIRY_H
#define XQUEUE_DB_EXPIRY_H

#include "db/hot_set.h"
#include "db/pool.h"

struct queue_limit {
    int64_t queue_id;
    int64_t max_attempts;
};

/*
 * Submissions whose lease is over return to their place in the queue, by
 * arrival. The key stays good until somebody gets a newer one. One that was
 * leased max_attempts times is dead: it is handed out no more, and the LMS
 * gets `failure`. Does up to 256 per run; safe on many processes at once.
 */
struct leases_expire {
    struct db_job job;

    int64_t max_attempts;             /* of every queue, but for these: */
    const struct queue_limit *limits; /* borrows; sorted by queue_id */
    size_t limit_count;
    struct text failure; /* the callback's text */
    int64_t callback_delay_us;

    size_t returned; /* out */
    size_t dead;     /* out */
    bool more;       /* out: the limit was reached */
};

extern const struct db_op leases_expire_op;

#endif
