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
#include "server/task/loop.h"
#include "server/task/task.h"

#include <stdlib.h>
#include <sys/queue.h>

enum { LOOK_MS = 1000 };

struct destination {
    TAILQ_ENTRY(destination) entry;
    struct callbacks *callbacks;
    int64_t number;
    size_t in_flight;
    size_t claiming;          /* so many, at most, by a claim under way */
    bool silent;              /* gave no answer last time: one at a time */
    bool more;                /* there may be more than was claimed last */
    bool listed;              /* the last look found something, due or not */
    struct loop_timer *timer; /* the next one is due */
};

TAILQ_HEAD(destination_list, destination);

struct callbacks {
    struct env *env;
    struct destination_list destinations;
    struct loop_timer *timer;
    size_t in_flight;
    size_t claiming;
    bool stopping;
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
static void drain_all(struct callbacks *callbacks);
static void drain(struct destination *destination);
static size_t room_of(const struct destination *destination);
static bool is_full(const struct callbacks *callbacks);
static void drain_later(void *context);
static enum step claim(struct task *task);
static enum step claimed(struct task *task);
static void deliver(struct destination *destination,
                    const struct outbox_claim *op);
static void delivered(void *context, bool answered);
static void go_on(struct destination *destination, bool was_full);
static struct destination *find(struct callbacks *callbacks, int64_t number);
static struct destination *add(struct callbacks *callbacks, int64_t number);
static void forget(struct destination *destination);
static void forget_idle(struct callbacks *callbacks);

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
    struct destination *found = find(callbacks, destination);

    if (found == NULL)
        found = add(callbacks, destination);
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
        forget(destination);
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
    forget_idle(callbacks);
}

static void apply_due(struct callbacks *callbacks, const struct outbox_due *due)
{
    int64_t wait_ms = (due->wait_us + 999) / 1000;
    struct destination *destination = find(callbacks, due->destination);

    if (destination == NULL && wait_ms > LOOK_MS)
        return;
    if (destination == NULL)
        destination = add(callbacks, due->destination);
    destination->listed = true;
    if (wait_ms > LOOK_MS)
        return;
    destination->more = true;
    if (wait_ms == 0)
        drain(destination);
    else
        loop_timer_set(destination->timer, wait_ms);
}

/* In turns: who begins a claim goes to the end. */
static void drain_all(struct callbacks *callbacks)
{
    struct destination *next;

    for (struct destination *d = TAILQ_FIRST(&callbacks->destinations);
         d != NULL && !is_full(callbacks); d = next) {
        next = TAILQ_NEXT(d, entry);
        drain(d);
    }
}

/* Do what may be done now; called whenever something has changed. */
static void drain(struct destination *destination)
{
    struct callbacks *callbacks = destination->callbacks;
    size_t room = room_of(destination);
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

/* How many more may be under way; no destination has it all to itself. */
static size_t room_of(const struct destination *destination)
{
    const struct callbacks *callbacks = destination->callbacks;
    size_t most = (size_t)callbacks->env->config->callback_concurrency;
    size_t room;

    if (is_full(callbacks))
        return 0;
    if (most > CALLBACKS_AT_ONCE / 2)
        most = CALLBACKS_AT_ONCE / 2;
    if (destination->silent)
        most = 1;
    if (destination->in_flight >= most)
        return 0;
    room = CALLBACKS_AT_ONCE - callbacks->in_flight - callbacks->claiming;
    return most - destination->in_flight < room ? most - destination->in_flight
                                                : room;
}

static bool is_full(const struct callbacks *callbacks)
{
    return callbacks->in_flight + callbacks->claiming >= CALLBACKS_AT_ONCE;
}

static void drain_later(void *context)
{
    drain(context);
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
    bool was_full = is_full(callbacks);
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
    bool was_full = is_full(callbacks);

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

static struct destination *find(struct callbacks *callbacks, int64_t number)
{
    struct destination *destination;

    TAILQ_FOREACH(destination, &callbacks->destinations, entry)
    {
        if (destination->number == number)
            break;
    }
    return destination;
}

static struct destination *add(struct callbacks *callbacks, int64_t number)
{
    struct destination *destination = xcalloc(1, sizeof *destination);

    destination->callbacks = callbacks;
    destination->number = number;
    destination->timer =
        loop_timer_new(callbacks->env->loop, drain_later, destination);
    TAILQ_INSERT_TAIL(&callbacks->destinations, destination, entry);
    return destination;
}

static void forget(struct destination *destination)
{
    TAILQ_REMOVE(&destination->callbacks->destinations, destination, entry);
    loop_timer_free(destination->timer);
    free(destination);
}

/* One that still has something keeps what we know of it. */
static void forget_idle(struct callbacks *callbacks)
{
    struct destination *next;

    for (struct destination *d = TAILQ_FIRST(&callbacks->destinations);
         d != NULL; d = next) {
        next = TAILQ_NEXT(d, entry);
        if (d->in_flight == 0 && d->claiming == 0 && !d->more && !d->listed &&
            !loop_timer_is_set(d->timer))
            forget(d);
    }
}
