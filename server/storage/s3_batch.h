/*
 * Several calls to S3, some at a time, and a task that waits for all of them.
 * Loop thread.
 */
#ifndef XQUEUE_STORAGE_S3_BATCH_H
#define XQUEUE_STORAGE_S3_BATCH_H

#include "server/storage/s3_call.h"

/* Internal. */
struct s3_slot {
    struct s3_call call;
    struct s3_batch *batch;
    bool is_running;
};

/* To be embedded. Fill the first part. */
struct s3_batch {
    struct s3 *s3; /* borrows */
    size_t most;   /* at a time; at most S3_MOST_PER_DELETE */
    void *context; /* the owner's */

    /*
     * Make `call` the next one; all of its first part but s3 and done. False
     * when none is due: asked again after each call that ended.
     */
    bool (*next)(struct s3_batch *batch, struct s3_call *call);
    void (*ended)(struct s3_batch *batch, struct s3_call *call);

    struct task *task; /* internal, like all below */
    size_t running;
    struct s3_slot slots[S3_MOST_PER_DELETE];
};

/* Make the calls; `next_step` when none is running and none is due. */
enum step s3_batch_await(struct s3_batch *batch, struct task *task,
                         task_step *next_step) MUST_CHECK;

#endif
