/*
 * Fetching one small file from S3.
 */
#include "server/storage/s3_call.h"

#include "server/base/clock.h"

#include <stdio.h>

struct getting {
    struct s3_call call;
    struct storage_get *get;
    struct task *parent;
};

static enum step get_begins(struct task *task);
static enum step file_fetched(struct task *task);

enum step s3_await_get(struct storage *storage, struct task *task,
                       struct storage_get *get, task_step *next)
{
    const struct getting getting = {
        .call = {.s3 = storage->state},
        .get = get,
        .parent = task,
    };

    return s3_await(task, &getting, sizeof getting, get_begins, next);
}

static enum step get_begins(struct task *task)
{
    struct getting *getting = task->self;
    struct s3_call *call = &getting->call;

    call->method = "GET";
    call->queue_name = getting->get->file.queue_name;
    call->key = getting->get->file.key;
    call->max_reply_bytes = getting->get->max_bytes;
    call->deadline_ms = clock_monotonic_ms() + S3_WORK_MS;
    return s3_call_await(call, task, file_fetched);
}

static enum step file_fetched(struct task *task)
{
    struct getting *getting = task->self;
    struct storage_get *get = getting->get;
    struct task *parent = getting->parent;
    struct s3_call *call = &getting->call;

    get->status = call->status;
    snprintf(get->reason, sizeof get->reason, "%s", call->reason);
    if (call->status == STORAGE_OK && call->reply.size > get->max_bytes) {
        get->status = STORAGE_UNAVAILABLE;
        snprintf(get->reason, sizeof get->reason,
                 "the file has more than %zu bytes", get->max_bytes);
    } else if (call->status == STORAGE_OK) {
        get->content = arena_copy(parent->arena, buffer_text(&call->reply));
        get->file.size = (int64_t)get->content.size;
    }
    s3_call_free(call);
    return s3_end(task, parent);
}
