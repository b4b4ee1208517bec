/*
 * Storing the files of a submission in S3, all or none.
 *
 * put_begins -> files_digested -> files_stored -> files_taken_back
 *
 * Keys and digests are made on a worker. Then each file is put, under a key
 * that no other has or will have; so when one cannot be, the others can be
 * deleted, however often it takes, and whenever S3 obeys.
 */
#include "server/storage/s3_batch.h"

#include "server/base/clock.h"
#include "server/storage/file_key.h"

#include <stdio.h>

struct part {
    struct storage_upload *upload;
    char digest[SHA256_HEX_SIZE];
    bool may_be_there;
};

struct putting {
    struct files_work work;
    struct s3_batch batch;
    struct storage *storage;
    struct storage_put *put;
    struct task *parent;
    struct part *parts; /* one for each upload */
    size_t position;    /* of the next one to be put, or taken back */
    bool has_failed;
    int64_t deadline_ms;
};

static enum step put_begins(struct task *task);
static enum files_turn digest_files(struct files_work *work);
static enum step files_digested(struct task *task);
static bool next_to_store(struct s3_batch *batch, struct s3_call *call);
static void store_ended(struct s3_batch *batch, struct s3_call *call);
static enum step files_stored(struct task *task);
static bool next_to_take_back(struct s3_batch *batch, struct s3_call *call);
static void take_back_ended(struct s3_batch *batch, struct s3_call *call);
static enum step files_taken_back(struct task *task);
static struct s3_call call_for(struct putting *putting, const char *method,
                               struct part *part);

enum step s3_await_put(struct storage *storage, struct task *task,
                       struct storage_put *put, task_step *next)
{
    const struct putting putting = {
        .storage = storage,
        .put = put,
        .parent = task,
    };

    return s3_await(task, &putting, sizeof putting, put_begins, next);
}

static enum step put_begins(struct task *task)
{
    struct putting *putting = task->self;
    struct storage_put *put = putting->put;

    putting->deadline_ms = clock_monotonic_ms() + S3_WORK_MS;
    putting->parts =
        arena_zalloc(task->arena, (put->count + 1) * sizeof *putting->parts);
    putting->work.run = digest_files;
    put->status = storage_refused(put->reason);
    return files_pool_await(putting->storage->pool, task, &putting->work,
                            files_digested);
}

/* Worker. */
static enum files_turn digest_files(struct files_work *work)
{
    struct putting *putting = CONTAINER_OF(work, struct putting, work);
    struct storage_put *put = putting->put;

    for (size_t i = 0; i < put->count; i++) {
        struct part *part = &putting->parts[i];

        part->upload = &put->uploads[i];
        file_key_new(part->upload->key);
        crypto_sha256_hex(part->upload->content, part->digest);
    }
    put->status = STORAGE_OK;
    put->reason[0] = '\0';
    return FILES_DONE;
}

static enum step files_digested(struct task *task)
{
    struct putting *putting = task->self;

    if (putting->put->status != STORAGE_OK)
        return s3_end(task, putting->parent);
    putting->batch.s3 = putting->storage->state;
    putting->batch.most = S3_MOST_PER_PUT;
    putting->batch.context = putting;
    putting->batch.next = next_to_store;
    putting->batch.ended = store_ended;
    return s3_batch_await(&putting->batch, task, files_stored);
}

static bool next_to_store(struct s3_batch *batch, struct s3_call *call)
{
    struct putting *putting = batch->context;
    struct part *part;

    if (putting->has_failed || putting->position == putting->put->count)
        return false;
    part = &putting->parts[putting->position++];
    *call = call_for(putting, "PUT", part);
    call->body = part->upload->content;
    call->content_sha256 = part->digest;
    return true;
}

/* The first failure is the reason. */
static void store_ended(struct s3_batch *batch, struct s3_call *call)
{
    struct putting *putting = batch->context;
    struct storage_put *put = putting->put;
    struct part *part = call->context;

    part->may_be_there = call->may_have_come;
    if (call->status == STORAGE_OK || putting->has_failed)
        return;
    putting->has_failed = true;
    snprintf(put->reason, sizeof put->reason, "%s", call->reason);
}

static enum step files_stored(struct task *task)
{
    struct putting *putting = task->self;

    if (!putting->has_failed)
        return s3_end(task, putting->parent);
    putting->put->status = STORAGE_UNAVAILABLE;
    putting->position = 0;
    putting->deadline_ms = clock_monotonic_ms() + S3_TAKE_BACK_MS;
    putting->batch.next = next_to_take_back;
    putting->batch.ended = take_back_ended;
    return s3_batch_await(&putting->batch, task, files_taken_back);
}

static bool next_to_take_back(struct s3_batch *batch, struct s3_call *call)
{
    struct putting *putting = batch->context;

    while (putting->position < putting->put->count) {
        struct part *part = &putting->parts[putting->position++];

        if (!part->may_be_there)
            continue;
        *call = call_for(putting, "DELETE", part);
        return clock_monotonic_ms() < putting->deadline_ms;
    }
    return false;
}

/* What stays behind is found by its having no submission. */
static void take_back_ended(struct s3_batch *batch, struct s3_call *call)
{
    (void)batch;
    (void)call;
}

static enum step files_taken_back(struct task *task)
{
    struct putting *putting = task->self;

    return s3_end(task, putting->parent);
}

static struct s3_call call_for(struct putting *putting, const char *method,
                               struct part *part)
{
    return (struct s3_call){
        .s3 = putting->batch.s3,
        .method = method,
        .queue_name = putting->put->queue_name,
        .key = part->upload->key,
        .deadline_ms = putting->deadline_ms,
        .context = part,
    };
}
