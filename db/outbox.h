/*
 * The outbox: callbacks on their way to the LMS.
 *
 * A callback is claimed under a lease in the database, so no two processes
 * deliver it at once; one whose deliverer died is due again when the lease
 * ends. Delivery is at least once: the LMS ignores a grade it already has.
 */
#ifndef XQUEUE_DB_OUTBOX_H
#define XQUEUE_DB_OUTBOX_H

#include "db/hot_set.h"
#include "db/pool.h"

/* Destinations that have callbacks, and when the first of each is due. */
struct outbox_due {
    int64_t destination;
    int64_t wait_us; /* from now; 0 when due already */
};

struct outbox_look {
    struct db_job job;

    struct arena *arena; /* borrows: the list lives there */

    struct outbox_due *due;
    size_t count;
};

extern const struct db_op outbox_look_op;

struct outbox_item {
    int64_t seq;
    int64_t id;      /* of the submission */
    int64_t attempt; /* 1 for the first */
    int64_t age_us;  /* since the callback was stored */
    enum outbox_kind kind;
    struct text queue_name;
    struct text header; /* xqueue_header as stored */
    struct text reply;
};

/*
 * Up to `limit` due callbacks of one destination, the longest due first; fewer
 * when their texts are large together, but at least one.
 */
struct outbox_claim {
    struct db_job job;

    struct arena *arena; /* borrows: the items live there */
    int64_t destination;
    size_t limit;
    int64_t lease_us;                /* longer than a delivery can take */
    unsigned char owner[OWNER_SIZE]; /* random, new for each claim */

    struct outbox_item *items;
    size_t count;
    bool more; /* others may be due as well */
};

extern const struct db_op outbox_claim_op;

enum outbox_outcome {
    OUTBOX_DELIVERED, /* the LMS said 200 */
    OUTBOX_RETRY,     /* due again after retry_us */
    OUTBOX_CUT_OFF,   /* by our own end: due at once, as if never claimed */
    OUTBOX_GIVE_UP    /* undeliverable: kept in queue_submission */
};

/*
 * What became of a claimed callback. Nothing happens when the lease has gone
 * to somebody else meanwhile. DELIVERED sets lms_ack and retired; RETRY
 * counts in num_failures; GIVE_UP counts and retires. With a later callback
 * of the same submission behind it, that one becomes due instead of the
 * submission being retired.
 */
struct outbox_record {
    struct db_job job;

    int64_t seq;
    int64_t id;
    unsigned char owner[OWNER_SIZE];
    enum outbox_outcome outcome;
    int64_t retry_us;
};

extern const struct db_op outbox_record_op;

#endif
