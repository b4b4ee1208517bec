/*
 * Several calls to S3, some at a time.
 */
#include "server/storage/s3_batch.h"

static void fill_slots(struct s3_batch *batch);
static bool fill_slot(struct s3_batch *batch, struct s3_slot *slot);
static void on_done(struct s3_call *call);

enum step s3_batch_await(struct s3_batch *batch, struct task *task,
                         task_step *next_step)
{
    const enum step step = task_wait(task, next_step);

    batch->task = task;
    batch->running = 0;
    for (size_t i = 0; i < batch->most; i++)
        batch->slots[i].is_running = false;
    fill_slots(batch);
    if (batch->running == 0)
        task_resume(task);
    return step;
}

static void fill_slots(struct s3_batch *batch)
{
    for (size_t i = 0; i < batch->most; i++) {
        if (!batch->slots[i].is_running && !fill_slot(batch, &batch->slots[i]))
            return;
    }
}

static bool fill_slot(struct s3_batch *batch, struct s3_slot *slot)
{
    struct s3_call *call = &slot->call;

    *call = (struct s3_call){.s3 = batch->s3};
    if (!batch->next(batch, call))
        return false;
    call->done = on_done;
    slot->batch = batch;
    slot->is_running = true;
    batch->running++;
    s3_call_start(call);
    return true;
}

static void on_done(struct s3_call *call)
{
    struct s3_slot *slot = CONTAINER_OF(call, struct s3_slot, call);
    struct s3_batch *batch = slot->batch;

    slot->is_running = false;
    batch->running--;
    batch->ended(batch, call);
    s3_call_free(call);
    fill_slots(batch);
    if (batch->running == 0)
        task_resume(batch->task);
}
