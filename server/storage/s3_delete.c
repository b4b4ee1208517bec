/*
 * Deleting files in S3, one request for each: what all servers understand.
 */
#include "server/storage/s3_batch.h"

#include "server/base/clock.h"

#include <stdio.h>

/* Without any answer to so many in a row the rest is not tried. */
enum { MOST_UNANSWERED = 16 };

struct deletion {
    struct s3_batch batch;
    struct storage_delete *job;
    struct task *parent;
    size_t position; /* of the next file */
    size_t unanswered;
    enum storage_status status;
};

static enum step delete_begins(struct task *task);
static bool next_file(struct s3_batch *batch, struct s3_call *call);
static void file_ended(struct s3_batch *batch, struct s3_call *call);
static enum step all_ended(struct task *task);

enum step s3_await_delete(struct storage *storage, struct task *task,
                          struct storage_delete *job, task_step *next)
{
    const struct deletion deletion = {
        .batch = {.s3 = storage->state},
        .job = job,
        .parent = task,
    };

    return s3_await(task, &deletion, sizeof deletion, delete_begins, next);
}

static enum step delete_begins(struct task *task)
{
    struct deletion *deletion = task->self;

    deletion->status = STORAGE_OK;
    deletion->batch.most = S3_MOST_PER_DELETE;
    deletion->batch.context = deletion;
    deletion->batch.next = next_file;
    deletion->batch.ended = file_ended;
    return s3_batch_await(&deletion->batch, task, all_ended);
}

static bool next_file(struct s3_batch *batch, struct s3_call *call)
{
    struct deletion *deletion = batch->context;
    const struct storage_file *file;

    if (deletion->position == deletion->job->count ||
        deletion->unanswered >= MOST_UNANSWERED)
        return false;
    file = &deletion->job->files[deletion->position++];
    call->method = "DELETE";
    call->queue_name = file->queue_name;
    call->key = file->key;
    call->deadline_ms = clock_monotonic_ms() + S3_WORK_MS;
    return true;
}

/* S3 says the same of what it has deleted and of what was not there. */
static void file_ended(struct s3_batch *batch, struct s3_call *call)
{
    struct deletion *deletion = batch->context;
    struct storage_delete *job = deletion->job;

    deletion->unanswered = call->http_status == 0 || call->http_status >= 500
                               ? deletion->unanswered + 1
                               : 0;
    if (call->status == STORAGE_OK)
        job->deleted++;
    if (call->status != STORAGE_UNAVAILABLE)
        return;
    deletion->status = STORAGE_UNAVAILABLE;
    snprintf(job->reason, sizeof job->reason, "%s", call->reason);
}

static enum step all_ended(struct task *task)
{
    struct deletion *deletion = task->self;

    deletion->job->status = deletion->status;
    return s3_end(task, deletion->parent);
}
