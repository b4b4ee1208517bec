/*
 * Telling the LMS: delivers what is in the outbox.
 *
 *   look     which destinations have something due? once a second
 *   claim    as much for one destination as its lane has room for
 *   claimed  a task of its own for each callback
 */
#include "server/deliver/callbacks.h"

#include "db/outbox.h"
#include "server/base/crypto.h"
#include "server/base/memory.h"
#include "server/config/config.h"
#include "server/deliver/callback.h"
#include "server/deliver/callback_identity.h"
#include "server/deliver/callback_line.h"
#include "server/deliver/lanes.h"
#include "server/task/loop.h"
#include "server/task/task.h"

#include <stdlib.h>

enum {
    LOOK_MS = 1000,
    CLAIM_AHEAD = 96,
    AHEAD_BYTES = 8 * 1024 * 1024 /* with more in line none is added to it */
};

struct callbacks {
    struct env *env;
    struct lanes lanes; /* of struct destination; few */
    struct loop_timer *timer;
};

struct destination {
    struct lane lane;
    struct callback_line line;
    int64_t number;
    bool listed; /* the last look found something, due or not */
};

struct look {
    struct callbacks *callbacks;
    struct outbox_look op;
};

struct claim {
    struct destination *destination;
    struct outbox_claim op;
};

static void look_again(void *context);
static enum step look(struct task *task);
static enum step looked(struct task *task);
static void apply_look(struct callbacks *callbacks,
                       const struct outbox_look *op);
static void apply_due(struct callbacks *callbacks,
                      const struct outbox_due *due);
static struct destination *find(struct callbacks *callbacks, int64_t number);
static struct destination *find_or_add(struct callbacks *callbacks,
                                       int64_t number);
static void forget_idle(struct callbacks *callbacks);
static void forget(struct destination *destination);
static void begin_claim(struct lane *lane, size_t room);
static size_t limit(const struct lane *lane);
static size_t ahead(const struct lane *lane);
static enum step claim(struct task *task);
static enum step claimed(struct task *task);
static void deliver(struct destination *destination,
                    const struct outbox_claim *op);

static const struct lane_ops callback_lanes = {
    .claim = begin_claim,
    .limit = limit,
    .ahead = ahead,
    .name = "callbacks",
};

static struct destination *destination_of(struct lane *lane)
{
    return CONTAINER_OF(lane, struct destination, lane);
}

static struct callbacks *callbacks_of(const struct lane *lane)
{
    return CONTAINER_OF(lane->lanes, struct callbacks, lanes);
}

struct callbacks *callbacks_start(struct env *env)
{
    struct callbacks *callbacks = xcalloc(1, sizeof *callbacks);

    callbacks->env = env;
    lanes_init(&callbacks->lanes, env->loop, CALLBACKS_AT_ONCE,
               &callback_lanes);
    callbacks->timer = loop_timer_new(env->loop, look_again, callbacks);
    loop_timer_set(callbacks->timer, 0);
    return callbacks;
}

void callbacks_nudge(struct callbacks *callbacks, int64_t destination)
{
    lane_nudge(&find_or_add(callbacks, destination)->lane);
}

void callbacks_stop(struct callbacks *callbacks)
{
    struct lane *lane;

    lanes_stop(&callbacks->lanes);
    loop_timer_cancel(callbacks->timer);
    TAILQ_FOREACH(lane, &callbacks->lanes.list, entry)
    {
        callback_line_recall(&destination_of(lane)->line);
    }
}

size_t callbacks_in_flight(const struct callbacks *callbacks)
{
    return callbacks->lanes.in_flight;
}

void callbacks_free(struct callbacks *callbacks)
{
    if (callbacks == NULL)
        return;
    while (!TAILQ_EMPTY(&callbacks->lanes.list))
        forget(destination_of(TAILQ_FIRST(&callbacks->lanes.list)));
    loop_timer_free(callbacks->timer);
    free(callbacks);
}

static void look_again(void *context)
{
    struct callbacks *callbacks = context;
    struct task *task;
    struct look *self;

    if (callbacks->lanes.stopping)
        return;
    task = task_new(callbacks->env, sizeof(struct look));
    self = task->self;
    self->callbacks = callbacks;
    task_run(task, look);
}

static enum step look(struct task *task)
{
    struct look *self = task->self;

    self->op.arena = task->arena;
    return task_await_database(task, &self->op.job, &outbox_look_op, looked);
}

static enum step looked(struct task *task)
{
    struct look *self = task->self;

    if (!self->callbacks->lanes.stopping) {
        if (self->op.job.status == DB_OK)
            apply_look(self->callbacks, &self->op);
        loop_timer_set(self->callbacks->timer, LOOK_MS);
    }
    return task_end(task);
}

static void apply_look(struct callbacks *callbacks,
                       const struct outbox_look *op)
{
    struct lane *lane;

    TAILQ_FOREACH(lane, &callbacks->lanes.list, entry)
    {
        destination_of(lane)->listed = false;
    }
    for (size_t i = 0; i < op->count; i++)
        apply_due(callbacks, &op->due[i]);
    forget_idle(callbacks);
}

static void apply_due(struct callbacks *callbacks, const struct outbox_due *due)
{
    int64_t wait_ms = (due->wait_us + 999) / 1000;
    struct destination *destination = find(callbacks, due->destination);

    if (wait_ms <= LOOK_MS) {
        destination = find_or_add(callbacks, due->destination);
        lane_nudge_later(&destination->lane, wait_ms);
    }
    if (destination != NULL)
        destination->listed = true;
}

/* NULL when nothing is known of it. */
static struct destination *find(struct callbacks *callbacks, int64_t number)
{
    struct lane *lane;

    TAILQ_FOREACH(lane, &callbacks->lanes.list, entry)
    {
        if (destination_of(lane)->number == number)
            return destination_of(lane);
    }
    return NULL;
}

static struct destination *find_or_add(struct callbacks *callbacks,
                                       int64_t number)
{
    struct destination *destination = find(callbacks, number);

    if (destination == NULL) {
        destination = xcalloc(1, sizeof *destination);
        destination->number = number;
        lane_open(&callbacks->lanes, &destination->lane, "", true);
        callback_line_init(&destination->line, &destination->lane);
    }
    return destination;
}

/* One that still has something keeps what we know of it. */
static void forget_idle(struct callbacks *callbacks)
{
    struct lane *next;

    for (struct lane *lane = TAILQ_FIRST(&callbacks->lanes.list); lane != NULL;
         lane = next) {
        next = TAILQ_NEXT(lane, entry);
        if (lane_is_idle(lane) && !destination_of(lane)->listed)
            forget(destination_of(lane));
    }
}

static void forget(struct destination *destination)
{
    lane_close(&destination->lane);
    free(destination);
}

static void begin_claim(struct lane *lane, size_t room)
{
    struct task *task = task_new(callbacks_of(lane)->env, sizeof(struct claim));
    struct claim *self = task->self;

    self->destination = destination_of(lane);
    self->op.limit = room;
    task_run(task, claim);
}

static size_t limit(const struct lane *lane)
{
    return (size_t)callbacks_of(lane)->env->config->callback_concurrency;
}

static size_t ahead(const struct lane *lane)
{
    const struct destination *destination =
        CONTAINER_OF(lane, const struct destination, lane);

    return destination->line.bytes < AHEAD_BYTES ? CLAIM_AHEAD : 0;
}

static enum step claim(struct task *task)
{
    struct claim *self = task->self;

    self->op.arena = task->arena;
    self->op.destination = self->destination->number;
    self->op.lease_us = callback_lease_us();
    crypto_random(self->op.owner, OWNER_SIZE);
    return task_await_database(task, &self->op.job, &outbox_claim_op, claimed);
}

static enum step claimed(struct task *task)
{
    struct claim *self = task->self;
    const struct outbox_claim *op = &self->op;
    /* Without a fetcher the time for stopping is over. */
    bool can_deliver = op->job.status == DB_OK && task->env->fetcher != NULL;

    lane_claimed(&self->destination->lane, can_deliver ? op->count : 0,
                 op->job.status == DB_OK && op->more);
    if (can_deliver)
        deliver(self->destination, op);
    return task_end(task);
}

static void deliver(struct destination *destination,
                    const struct outbox_claim *op)
{
    struct env *env = callbacks_of(&destination->lane)->env;

    for (size_t i = 0; i < op->count; i++) {
        const struct callback_order order = {
            .item = &op->items[i],
            .owner = op->owner,
            .line = &destination->line,
        };

        callback_deliver(env, &order);
    }
    if (destination->lane.lanes->stopping)
        callback_line_recall(&destination->line);
}
