/*
 * Pushing submissions to a passive grader: claiming them, and what became of
 * it.
 *
 * A push is a lease like a pull's, whose key nobody else learns. How many are
 * under way for a queue is counted in xqueue_push, by all processes that
 * share the database.
 */
#ifndef XQUEUE_DB_PUSH_H
#define XQUEUE_DB_PUSH_H

#include "db/files.h"
#include "db/hot_set.h"
#include "db/pool.h"

struct push_item {
    int64_t id;
    char pullkey[PULLKEY_SIZE + 1];
    int64_t attempt; /* 1 for the first */
    int64_t pushed_us;
    struct text body;
    struct file_texts files;
    struct text request; /* what `compose` wrote */
};

/*
 * Lease up to `limit` of the oldest waiting submissions of the queue, but
 * never so many that more than `concurrency` are under way over all
 * processes. None is DB_OK as well.
 */
struct push_claim {
    struct db_job job;

    struct arena *arena; /* borrows: the items live there */
    int64_t queue_id;
    struct text grader_id; /* the grader's URL; as much as fits is kept */
    size_t limit;
    size_t concurrency;
    int64_t lease_us; /* longer than a push can take */

    /*
     * Write item->request from its other members, on the database thread,
     * once the leases are committed. Into the arena.
     */
    void (*compose)(struct push_claim *self, struct push_item *item);

    struct push_item *items; /* oldest first */
    size_t count;
    bool took_all_places; /* fewer than `limit` were free; none is now */
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
 * transaction; the place among `concurrency` is free afterwards. Ends as
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

#endif
