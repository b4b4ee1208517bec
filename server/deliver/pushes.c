/*
 * Pushing submissions to passive graders: once a second, which queues have
 * something waiting? What is claimed then is push_claims.c's.
 */
#include "server/deliver/pushes.h"

#include "db/queue.h"
#include "server/base/memory.h"
#include "server/config/config.h"
#include "server/deliver/push_claims.h"
#include "server/deliver/push_lanes.h"
#include "server/task/loop.h"
#include "server/task/task.h"

#include <stdlib.h>

enum { LOOK_MS = 1000, LOOK_MOST = 10000 };

struct look {
    struct pushes *pushes;
    size_t next; /* of `items`, to begin with */
    size_t most; /* at a time */
    int64_t *ids;
    bool *waiting;
    struct queue_look op;
};

static void look_again(void *context);
static enum step look(struct task *task);
static enum step looked(struct task *task);
static size_t lane_limit(const struct lane *lane);
static size_t lane_ahead(const struct lane *lane);

struct pushes *pushes_start(struct env *env)
{
    static const struct lane_ops ops = {
        .claim = push_claim_begin,
        .limit = lane_limit,
        .ahead = lane_ahead,
        .name = "pushes",
    };
    struct pushes *pushes = xcalloc(1, sizeof *pushes);

    pushes->env = env;
    lanes_init(&pushes->lanes, env->loop, PUSHES_AT_ONCE, &ops);
    push_lanes_take_queues(pushes);
    pushes->timer = loop_timer_new(env->loop, look_again, pushes);
    loop_timer_set(pushes->timer, 0);
    return pushes;
}

void pushes_reload(struct pushes *pushes)
{
    push_lanes_take_queues(pushes);
    if (!pushes->lanes.stopping)
        loop_timer_set(pushes->timer, 0);
}

void pushes_nudge(struct pushes *pushes, int64_t queue_id)
{
    struct push_lane *lane = push_lane_find(pushes, queue_id);

    if (lane != NULL)
        lane_nudge(&lane->lane);
}

void pushes_stop(struct pushes *pushes)
{
    lanes_stop(&pushes->lanes);
    loop_timer_cancel(pushes->timer);
    for (size_t i = 0; i < pushes->count; i++) {
        push_line_recall(&pushes->items[i]->line);
        places_drain(&pushes->items[i]->places);
    }
}

void pushes_free(struct pushes *pushes)
{
    if (pushes == NULL)
        return;
    push_lanes_close(pushes);
    loop_timer_free(pushes->timer);
    free(pushes);
}

static void look_again(void *context)
{
    struct pushes *pushes = context;
    struct task *task;
    struct look *self;

    push_lanes_forget_idle(pushes);
    for (size_t i = 0; i < pushes->count; i++)
        places_look(&pushes->items[i]->places);
    if (pushes->count == 0) {
        loop_timer_set(pushes->timer, LOOK_MS);
        return;
    }
    task = task_new(pushes->env, sizeof(struct look));
    self = task->self;
    self->pushes = pushes;
    self->most = pushes->count < LOOK_MOST ? pushes->count : LOOK_MOST;
    self->ids = arena_alloc(task->arena, self->most * sizeof *self->ids);
    self->waiting =
        arena_alloc(task->arena, self->most * sizeof *self->waiting);
    task_run(task, look);
}

static enum step look(struct task *task)
{
    struct look *self = task->self;
    struct pushes *pushes = self->pushes;
    struct queue_look *op = &self->op;

    op->queue_ids = self->ids;
    op->ret_waiting = self->waiting;
    op->count = 0;
    while (self->next < pushes->count && op->count < self->most)
        self->ids[op->count++] = pushes->items[self->next++]->queue_id;
    return task_await_database(task, &op->job, &queue_look_op, looked);
}

static enum step looked(struct task *task)
{
    struct look *self = task->self;
    struct pushes *pushes = self->pushes;
    bool is_good = self->op.job.status == DB_OK;

    for (size_t i = 0; is_good && i < self->op.count; i++) {
        if (self->waiting[i])
            pushes_nudge(pushes, self->ids[i]);
    }
    if (is_good && self->next < pushes->count)
        return look(task);
    if (!pushes->lanes.stopping)
        loop_timer_set(pushes->timer, LOOK_MS);
    return task_end(task);
}

/* Never 0: a lane without a queue gets to its end by an empty claim. */
static size_t lane_limit(const struct lane *lane)
{
    const struct config_queue *settings = push_lane_of(lane)->settings;

    return settings == NULL ? 1 : (size_t)settings->concurrency;
}

static size_t lane_ahead(const struct lane *lane)
{
    return places_ahead(&push_lane_of(lane)->places, lane_limit(lane));
}
