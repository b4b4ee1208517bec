/*
 * Handing a submission to an active grader.
 */
#ifndef XQUEUE_DB_PULL_H
#define XQUEUE_DB_PULL_H

#include "db/files.h"
#include "db/hot_set.h"
#include "db/pool.h"

/*
 * The oldest waiting submission of a queue, leased to this grader under a
 * new random key. DB_NOT_FOUND when none waits. Concurrent pulls of one queue
 * share a transaction; two never get the same one, nor wait for each other.
 * Set job.job.group to queue_id.
 */
struct submission_pull {
    struct db_job job;

    struct arena *arena; /* borrows: the outputs live there */
    int64_t queue_id;
    struct text grader_id; /* at most 128 characters */
    int64_t lease_us;

    /*
     * Write `reply` from the other outputs, on the database thread, once
     * the lease is committed. NULL when nothing needs to be written.
     */
    void (*compose)(struct submission_pull *self);

    int64_t id;
    char pullkey[PULLKEY_SIZE + 1];
    int64_t attempt; /* 1 for the first */
    struct text body;
    struct file_texts files;
    struct text reply; /* what `compose` wrote */
};

extern const struct db_op submission_pull_op;

/*
 * A pull that comes to nothing gives its lease back: no attempt. Not when
 * somebody else has the submission by now, or it has ended.
 */
struct pull_return {
    struct db_job job;

    int64_t id;
    char pullkey[PULLKEY_SIZE + 1];
};

extern const struct db_op pull_return_op;

#endif
