/*
 * Telling the LMS: delivers what is in the outbox.
 *
 *   look         which destinations have something due? once a second
 *   drain        claim as much for one destination as may be under way
 *   claimed      a task of its own for each callback
 *   delivered    drain again
 *
 * What is claimed can start at once: were it to wait for a connection, its
 * lease would run out meanwhile and another process would deliver it too.
 */
#include "server/deliver/callbacks.h"

#include "db/outbox.h"
#include "server/base/crypto.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/config/config.h"
#include "server/deliver/callback.h"
#include "server/deliver/destinations.h"
#include "server/task/loop.h"
#include "server/task/task.h"

#include <stdlib.h>

enum { LOOK_MS = 1000, GATHER_MS = 10 };

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
static void drain_all(struct callbacks *callbacks);
static void drain(struct destination *destination);
static void drain_later(void *context);
static void begin_claim(struct destination *destination);
static enum step claim(struct task *task);
static enum step claimed(struct task *task);
static void deliver(struct destination *destination,
                    const struct outbox_claim *op);
static void delivered(void *context, bool answered);
static void go_on(struct destination *destination, bool was_full);

struct callbacks *callbacks_start(struct env *env)
{
    struct callbacks *callbacks = xcalloc(1, sizeof *callbacks);

    callbacks->env = env;
    TAILQ_INIT(&callbacks->destinations);
    callbacks->timer = loop_timer_new(env->loop, look_again, callbacks);
    loop_timer_set(callbacks->timer, 0);
    return callbacks;
}

void callbacks_nudge(struct callbacks *callbacks, int64_t destination)
{
    struct destination *found = destination_find(callbacks, destination);

    if (found == NULL)
        found = destination_add(callbacks, destination, drain_later);
    found->more = true;
    drain(found);
}

void callbacks_stop(struct callbacks *callbacks)
{
    callbacks->stopping = true;
    loop_timer_cancel(callbacks->timer);
}

size_t callbacks_in_flight(const struct callbacks *callbacks)
{
    return callbacks->in_flight;
}

void callbacks_free(struct callbacks *callbacks)
{
    struct destination *destination;

    if (callbacks == NULL)
        return;
    while ((destination = TAILQ_FIRST(&callbacks->destinations)) != NULL)
        destination_forget(destination);
    loop_timer_free(callbacks->timer);
    free(callbacks);
}

static void look_again(void *context)
{
    struct callbacks *callbacks = context;
    struct task *task;
    struct look *self;

    if (callbacks->stopping)
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

    if (!self->callbacks->stopping) {
        if (self->op.job.status == DB_OK)
            apply_look(self->callbacks, &self->op);
        loop_timer_set(self->callbacks->timer, LOOK_MS);
    }
    return task_end(task);
}

static void apply_look(struct callbacks *callbacks,
                       const struct outbox_look *op)
{
    struct destination *destination;

    TAILQ_FOREACH(destination, &callbacks->destinations, entry)
    {
        destination->listed = false;
    }
    for (size_t i = 0; i < op->count; i++)
        apply_due(callbacks, &op->due[i]);
    destinations_forget_idle(callbacks);
}

static void apply_due(struct callbacks *callbacks, const struct outbox_due *due)
{
    int64_t wait_ms = (due->wait_us + 999) / 1000;
    struct destination *destination =
        destination_find(callbacks, due->destination);

    if (destination == NULL && wait_ms > LOOK_MS)
        return;
    if (destination == NULL)
        destination = destination_add(callbacks, due->destination, drain_later);
    destination->listed = true;
    if (wait_ms > LOOK_MS)
        return;
    destination->more = true;
    if (wait_ms == 0)
        drain(destination);
    else if (!destination->gathering)
        loop_timer_set(destination->timer, wait_ms);
}

/* In turns: who begins a claim goes to the end. */
static void drain_all(struct callbacks *callbacks)
{
    struct destination *next;

    for (struct destination *d = TAILQ_FIRST(&callbacks->destinations);
         d != NULL && !destinations_are_full(callbacks); d = next) {
        next = TAILQ_NEXT(d, entry);
        drain(d);
    }
}

/*
 * Do what may be done now; called whenever something has changed. A claim
 * costs the database the same for one as for many: while most of what may be
 * under way is, a moment passes before the next.
 */
static void drain(struct destination *destination)
{
    if (destination->gathering)
        return;
    if (destination->in_flight <= destination_room(destination)) {
        begin_claim(destination);
    } else if (destination->more && destination_room(destination) > 0) {
        destination->gathering = true;
        loop_timer_set(destination->timer, GATHER_MS);
    }
}

static void drain_later(void *context)
{
    struct destination *destination = context;

    destination->gathering = false;
    begin_claim(destination);
}

static void begin_claim(struct destination *destination)
{
    struct callbacks *callbacks = destination->callbacks;
    size_t room = destination_room(destination);
    struct task *task;
    struct claim *self;

    if (callbacks->stopping || !destination->more ||
        destination->claiming > 0 || room == 0)
        return;
    TAILQ_REMOVE(&callbacks->destinations, destination, entry);
    TAILQ_INSERT_TAIL(&callbacks->destinations, destination, entry);
    destination->claiming = room;
    callbacks->claiming += room;
    destination->more = false;
    task = task_new(callbacks->env, sizeof(struct claim));
    self = task->self;
    self->destination = destination;
    self->op.limit = room;
    task_run(task, claim);
}

static enum step claim(struct task *task)
{
    struct claim *self = task->self;

    self->op.arena = task->arena;
    self->op.destination = self->destination->number;
    self->op.lease_us = callback_lease_us(task->env->config);
    crypto_random(self->op.owner, OWNER_SIZE);
    return task_await_database(task, &self->op.job, &outbox_claim_op, claimed);
}

static enum step claimed(struct task *task)
{
    struct claim *self = task->self;
    struct destination *destination = self->destination;
    struct callbacks *callbacks = destination->callbacks;
    bool was_full = destinations_are_full(callbacks);
    enum step step;

    callbacks->claiming -= destination->claiming;
    destination->claiming = 0;
    if (self->op.job.status == DB_OK) {
        if (self->op.count == self->op.limit)
            destination->more = true;
        /* Without a fetcher the time for stopping is over. */
        if (callbacks->env->fetcher != NULL)
            deliver(destination, &self->op);
    }
    step = task_end(task);
    go_on(destination, was_full);
    return step;
}

static void deliver(struct destination *destination,
                    const struct outbox_claim *op)
{
    struct callbacks *callbacks = destination->callbacks;

    destination->in_flight += op->count;
    callbacks->in_flight += op->count;
    for (size_t i = 0; i < op->count; i++) {
        const struct callback_order order = {
            .item = &op->items[i],
            .owner = op->owner,
            .done = delivered,
            .context = destination,
        };

        callback_deliver(callbacks->env, &order);
    }
}

static void delivered(void *context, bool answered)
{
    struct destination *destination = context;
    struct callbacks *callbacks = destination->callbacks;
    bool was_full = destinations_are_full(callbacks);

    destination->in_flight--;
    callbacks->in_flight--;
    destination->silent = !answered;
    go_on(destination, was_full);
}

/* There is room again: for this one, or for whoever waited for it. */
static void go_on(struct destination *destination, bool was_full)
{
    if (was_full)
        drain_all(destination->callbacks);
    else
        drain(destination);
}
