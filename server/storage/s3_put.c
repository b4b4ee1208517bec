/*
 * Storing the files of a submission in S3, all or none.
 *
 * put_begins -> files_digested -> files_stored -> files_taken_back
 *
 * Keys and digests are made on a worker. Then each file is asked for, to know
 * whether it is there already, and put. When one cannot be, those that have
 * come into being by this are deleted.
 */
#include "server/storage/s3_batch.h"

#include "server/base/clock.h"
#include "server/base/memory.h"
#include "server/storage/file_key.h"

#include <stdio.h>
#include <string.h>

enum part_state {
    PART_LEFT_OUT, /* a later upload has the same key */
    PART_NEW,      /* nothing is known of it */
    PART_KNOWN,    /* was_there is known */
    PART_UNDER_WAY,
    PART_ENDED
};

struct part {
    enum part_state state;
    const char *key;
    struct text content;
    char digest[SHA256_HEX_SIZE];
    bool was_there;
    bool may_be_there; /* by our doing */
};

struct putting {
    struct files_work work;
    struct s3_batch batch;
    struct storage *storage;
    struct storage_put *put;
    struct task *parent;
    struct part *parts; /* one for each upload */
    bool has_failed;
    int64_t deadline_ms;
};

static enum step put_begins(struct task *task);
static enum files_turn digest_files(struct files_work *work);
static void choose_parts(struct storage_put *put, struct part *parts);
static enum step files_digested(struct task *task);
static bool next_to_store(struct s3_batch *batch, struct s3_call *call);
static struct part *find_part(struct putting *putting, enum part_state state);
static void store_ended(struct s3_batch *batch, struct s3_call *call);
static void fail(struct putting *putting, const struct s3_call *call);
static enum step files_stored(struct task *task);
static bool next_to_take_back(struct s3_batch *batch, struct s3_call *call);
static void take_back_ended(struct s3_batch *batch, struct s3_call *call);
static enum step files_taken_back(struct task *task);
static struct s3_call call_for(struct putting *putting, const char *method,
                               struct part *part);

enum step s3_await_put(struct storage *storage, struct task *task,
                       struct storage_put *put, task_step *next)
{
    const enum step step = task_wait(task, next);
    struct task *own = task_new(storage->env, sizeof(struct putting));
    struct putting *putting = own->self;

    putting->storage = storage;
    putting->put = put;
    putting->parent = task;
    task_run(own, put_begins);
    return step;
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

    file_keys(put);
    choose_parts(put, putting->parts);
    for (size_t i = 0; i < put->count; i++) {
        struct part *part = &putting->parts[i];

        if (part->state != PART_LEFT_OUT)
            crypto_sha256_hex(part->content, part->digest);
    }
    put->status = STORAGE_OK;
    put->reason[0] = '\0';
    return FILES_DONE;
}

/* Two names can be made to have one key. Then the last one counts. */
static void choose_parts(struct storage_put *put, struct part *parts)
{
    for (size_t i = 0; i < put->count; i++) {
        for (size_t before = 0; before < i; before++) {
            if (strcmp(put->uploads[before].key, put->uploads[i].key) == 0)
                parts[before].state = PART_LEFT_OUT;
        }
        parts[i].state = PART_NEW;
        parts[i].key = put->uploads[i].key;
        parts[i].content = put->uploads[i].content;
    }
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

    if (putting->has_failed)
        return false;
    part = find_part(putting, PART_KNOWN);
    if (part != NULL) {
        *call = call_for(putting, "PUT", part);
        call->body = part->content;
        call->content_sha256 = part->digest;
    } else {
        part = find_part(putting, PART_NEW);
        if (part == NULL)
            return false;
        *call = call_for(putting, "HEAD", part);
    }
    part->state = PART_UNDER_WAY;
    return true;
}

static struct part *find_part(struct putting *putting, enum part_state state)
{
    for (size_t i = 0; i < putting->put->count; i++) {
        if (putting->parts[i].state == state)
            return &putting->parts[i];
    }
    return NULL;
}

static void store_ended(struct s3_batch *batch, struct s3_call *call)
{
    struct putting *putting = batch->context;
    struct part *part = call->context;
    const bool is_put = call->content_sha256 != NULL;

    part->state = is_put ? PART_ENDED : PART_KNOWN;
    if (is_put) {
        part->may_be_there = call->may_have_come;
        if (call->status != STORAGE_OK)
            fail(putting, call);
        return;
    }
    part->was_there = call->status == STORAGE_OK;
    /*
     * Who may not list is told 403 of what is not there. Other refusals come
     * without a word of why: that is for the PUT to hear.
     */
    if (call->status == STORAGE_UNAVAILABLE && !s3_call_was_refused(call))
        fail(putting, call);
}

/* The first failure is the reason. */
static void fail(struct putting *putting, const struct s3_call *call)
{
    if (!putting->has_failed)
        snprintf(putting->put->reason, sizeof putting->put->reason, "%s",
                 call->reason);
    putting->has_failed = true;
}

static enum step files_stored(struct task *task)
{
    struct putting *putting = task->self;
    struct storage_put *put = putting->put;

    if (putting->has_failed) {
        put->status = STORAGE_UNAVAILABLE;
        putting->deadline_ms = clock_monotonic_ms() + S3_TAKE_BACK_MS;
        putting->batch.next = next_to_take_back;
        putting->batch.ended = take_back_ended;
        return s3_batch_await(&putting->batch, task, files_taken_back);
    }
    for (size_t i = 0; i < put->count; i++)
        put->replaced = put->replaced || putting->parts[i].was_there;
    return s3_end(task, putting->parent);
}

static bool next_to_take_back(struct s3_batch *batch, struct s3_call *call)
{
    struct putting *putting = batch->context;

    for (size_t i = 0; i < putting->put->count; i++) {
        struct part *part = &putting->parts[i];

        if (!part->may_be_there || part->was_there)
            continue;
        part->may_be_there = false;
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
        .key = part->key,
        .deadline_ms = putting->deadline_ms,
        .context = part,
    };
}
