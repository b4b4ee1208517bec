/*
 * Pushing submissions to a passive grader: claiming them, and what became of
 * it.
 *
 * A push is a lease like a pull's, whose key nobody else learns. It needs a
 * place at the grader, see db/push_place.h: one that comes with it, or that
 * of an earlier push of the same process.
 */
#ifndef XQUEUE_DB_PUSH_H
#define XQUEUE_DB_PUSH_H

#include "db/files.h"
#include "db/hot_set.h"
#include "db/pool.h"
#include "db/push_place.h"

struct push_item {
    int64_t id;
    char pullkey[PULLKEY_SIZE + 1];
    int64_t attempt; /* 1 for the first */
    int64_t pushed_us;
    struct push_place place; /* new, and for this one; may be none */
    struct text body;
    struct file_texts files;
    struct text request; /* what `compose` wrote */
};

/*
 * Lease up to `limit` of the oldest waiting submissions of the queue: as many
 * as there are places for, new ones and `idle` ones, and `ahead` more when
 * there is a place at all. Places are taken for them, never more than
 * `concurrency` over all processes, and those of `held` are kept, for as long
 * as these leases. None is DB_OK as well.
 */
struct push_claim {
    struct db_job job;

    struct arena *arena; /* borrows: the items live there */
    int64_t queue_id;
    struct text grader_id; /* the grader's URL; as much as fits is kept */
    size_t limit;
    size_t concurrency;
    int64_t lease_us;   /* longer than a push can take */
    int64_t most_bytes; /* of bodies, unless the first is longer; 0: any */

    /* Places that are not left as long as this is under way. */
    const struct push_place *held;
    size_t held_count;
    size_t idle;   /* so many of them have no push */
    size_t ahead;  /* may wait for a place */
    bool *is_kept; /* out: of each of `held`; false: it is lost, or as it was */

    /*
     * Write item->request from its other members, on the database thread,
     * once the leases are committed. Into the arena.
     */
    void (*compose)(struct push_claim *self, struct push_item *item);

    struct push_item *items; /* oldest first */
    size_t count;
    bool is_cut;          /* more would be waiting, but for most_bytes */
    bool took_all_places; /* more places would have been of use */
    size_t surplus;       /* so many places there are beyond `concurrency` */
};

extern const struct db_op push_claim_op;

enum push_outcome {
    PUSH_GRADED, /* `reply` goes to the LMS */
    PUSH_FAILED, /* `reply`, our failure message, goes to the LMS */
    PUSH_UNSENT, /* the grader saw nothing: back, and no attempt */
    PUSH_CUT_OFF /* by our own end: back; it may have been graded */
};

/*
 * A push has ended. Writes push_time, return_time, grader_id, grader_reply
 * and num_failures as the Django server does, and the callback, all in one
 * transaction; the place is left. Ends as
 *   DB_OK        done; of a superseded submission the result is stored and
 *                not delivered;
 *   DB_MISMATCH  the submission is somebody else's by now, or gone, or it has
 *                got its end (perhaps by a first try of this very job, of
 *                which nobody knew how it went). Nothing was stored.
 * A lease that ran out is still ours until somebody else has got the next.
 */
struct push_end {
    struct db_job job;

    int64_t queue_id;
    int64_t id;
    char pullkey[PULLKEY_SIZE + 1];
    struct push_place place; /* to be left; may be none */
    int64_t pushed_us;
    struct text grader_id;
    enum push_outcome outcome;
    struct text reply; /* valid UTF-8 */
    int64_t callback_delay_us;

    /*
     * Runs first and once, on the database thread: may set outcome and
     * reply. NULL: nothing to prepare; and afterwards.
     */
    void (*prepare)(struct push_end *self);

    bool will_deliver;   /* out: a callback was stored */
    int64_t destination; /* out, when will_deliver: where it goes */
};

extern const struct db_op push_end_op;

/* Places that no push needs are left. */
struct push_leave {
    struct db_job job;

    int64_t queue_id;
    const struct push_place *places; /* borrows */
    size_t count;
};

extern const struct db_op push_leave_op;

#endif
