/*
 * Leasing the oldest waiting submissions of a queue: what a pull and a push
 * have in common. Inside a caller's transaction.
 */
#ifndef XQUEUE_DB_LEASE_H
#define XQUEUE_DB_LEASE_H

#include "db/files.h"
#include "db/hot_set.h"

/* For whom: how many, and what the live row says of each lease. */
struct lease_request {
    int64_t queue_id;
    size_t wanted;
    const struct text *grader_ids; /* `wanted`, cut to GRADER_ID_CHARACTERS */
    bool is_push;                  /* leaves pull_time alone */
    int64_t now_us;
    int64_t lease_us;
    int64_t most_bytes; /* of bodies, unless the first is longer; 0: any */
};

struct leased {
    int64_t id;
    char pullkey[PULLKEY_SIZE + 1]; /* new and random */
    int64_t attempt;                /* 1 for the first */
    struct text body;
    struct file_texts files;
};

/* What came of it, in the caller's arena. */
struct leases {
    struct leased *list; /* oldest first */
    size_t count;
    bool changed; /* something is to be committed, be it no lease */
    bool is_cut;  /* there would be more, but for most_bytes */
};

/*
 * Lease up to request->wanted, oldest first; a submission that somebody works
 * on just now is left in its place, one that was deleted or retired by hand
 * leaves the hot set. Waits for nobody's lock.
 */
enum db_status lease_oldest(struct db_conn *db, struct arena *arena,
                            const struct lease_request *request,
                            struct leases *ret_leases) MUST_CHECK;

/* Whether a lease that ends without a result was an attempt at grading. */
enum lease_attempt {
    LEASE_ATTEMPT_COUNTS,
    LEASE_ATTEMPT_UNCOUNTED /* nobody has seen the submission */
};

/* Leases end without a result: back to the place in the queue, by arrival. */
enum db_status lease_give_back(struct db_conn *db, struct arena *arena,
                               const struct live_row *rows, size_t count,
                               enum lease_attempt attempt) MUST_CHECK;

/*
 * The same for one that may not be leased any more: of one that was superseded
 * meanwhile this is the end, in any other state nothing happens.
 */
enum db_status lease_return(struct db_conn *db, struct arena *arena,
                            const struct live_row *row,
                            enum lease_attempt attempt) MUST_CHECK;

#endif
