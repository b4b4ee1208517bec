/*
 * What has to be done now and then. Once a second a task runs these steps:
 *
 *   expire       leases that ran out, again while there are more
 *   read_epoch   has somebody logged out, or changed a password?
 *   forget       once a minute: old tokens, then expired sessions
 */
#include "server/api/housekeeping.h"

#include "db/epoch.h"
#include "db/expiry.h"
#include "db/session.h"
#include "db/tokens.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/config/config.h"
#include "server/deliver/failure_message.h"
#include "server/session/sessions.h"
#include "server/task/loop.h"
#include "server/task/queue_table.h"
#include "server/task/queue_watch.h"
#include "server/task/task.h"

#include <stdlib.h>

enum { PERIOD_MS = 1000, FORGET_MS = 60000, FORGET_LIMIT = 10000 };

struct housekeeping {
    struct env *env;
    struct loop_timer *timer;
    int64_t next_forget_ms;
    bool stopping;
};

struct round {
    struct housekeeping *housekeeping;
    struct leases_expire expire;
    struct epoch_load epoch;
    struct tokens_forget tokens;
    struct sessions_forget_expired sessions;
};

static void begin(void *context);
static enum step expire(struct task *task);
static void set_limits(struct task *task);
static int compare_limits(const void *left, const void *right);
static enum step expired(struct task *task);
static enum step epoch_read(struct task *task);
static enum step tokens_forgotten(struct task *task);
static enum step finish(struct task *task);
static void log_expired(const struct leases_expire *expire);

struct housekeeping *housekeeping_start(struct env *env)
{
    struct housekeeping *housekeeping = xcalloc(1, sizeof *housekeeping);

    housekeeping->env = env;
    housekeeping->timer = loop_timer_new(env->loop, begin, housekeeping);
    loop_timer_set(housekeeping->timer, 0);
    return housekeeping;
}

void housekeeping_stop(struct housekeeping *housekeeping)
{
    housekeeping->stopping = true;
    loop_timer_cancel(housekeeping->timer);
}

void housekeeping_free(struct housekeeping *housekeeping)
{
    if (housekeeping == NULL)
        return;
    loop_timer_free(housekeeping->timer);
    free(housekeeping);
}

static void begin(void *context)
{
    struct housekeeping *housekeeping = context;
    struct task *task = task_new(housekeeping->env, sizeof(struct round));
    struct round *self = task->self;

    self->housekeeping = housekeeping;
    task_run(task, expire);
}

static enum step expire(struct task *task)
{
    const struct config *config = task->env->config;
    struct round *self = task->self;

    set_limits(task);
    self->expire.failure = failure_message();
    self->expire.callback_delay_us =
        (int64_t)(config->callback_delay_s * 1000000);
    return task_await_database(task, &self->expire.job, &leases_expire_op,
                               expired);
}

/* The general limit, and those of the queues with one of their own. */
static void set_limits(struct task *task)
{
    struct leases_expire *expire = &((struct round *)task->self)->expire;
    int64_t general = task->env->config->max_attempts;
    size_t count;
    const struct queue_entry *queues =
        queue_table_entries(task->env->queues, &count);
    struct queue_limit *limits =
        arena_alloc(task->arena, count * sizeof *limits);
    size_t special = 0;

    for (size_t i = 0; i < count; i++) {
        int64_t own = queues[i].settings->max_attempts;

        if (own != general)
            limits[special++] = (struct queue_limit){queues[i].number, own};
    }
    qsort(limits, special, sizeof *limits, compare_limits);
    expire->max_attempts = general;
    expire->limits = limits;
    expire->limit_count = special;
}

static int compare_limits(const void *left, const void *right)
{
    const struct queue_limit *one = left;
    const struct queue_limit *other = right;

    return one->queue_id < other->queue_id ? -1
                                           : one->queue_id > other->queue_id;
}

static enum step expired(struct task *task)
{
    struct round *self = task->self;

    if (self->expire.job.status != DB_OK)
        return finish(task);
    log_expired(&self->expire);
    if (self->expire.returned > 0)
        queue_watch_filled_any(task->env->queue_watch);
    if (self->expire.more && !self->housekeeping->stopping)
        return expire(task);
    return task_await_database(task, &self->epoch.job, &epoch_load_op,
                               epoch_read);
}

static enum step epoch_read(struct task *task)
{
    struct round *self = task->self;

    if (self->epoch.job.status == DB_OK && task->env->sessions != NULL)
        session_cache_set_epoch(task->env->sessions->cache, self->epoch.number);
    if (clock_monotonic_ms() < self->housekeeping->next_forget_ms)
        return finish(task);
    self->housekeeping->next_forget_ms = clock_monotonic_ms() + FORGET_MS;
    self->tokens.limit = FORGET_LIMIT;
    return task_await_database(task, &self->tokens.job, &tokens_forget_op,
                               tokens_forgotten);
}

static enum step tokens_forgotten(struct task *task)
{
    struct round *self = task->self;

    self->sessions.limit = FORGET_LIMIT;
    return task_await_database(task, &self->sessions.job,
                               &sessions_forget_expired_op, finish);
}

static enum step finish(struct task *task)
{
    struct round *self = task->self;

    if (!self->housekeeping->stopping)
        loop_timer_set(self->housekeeping->timer, PERIOD_MS);
    return task_end(task);
}

static void log_expired(const struct leases_expire *expire)
{
    if (expire->returned > 0 || expire->dead > 0)
        log_event(LOG_WARNING, "leases_expired",
                  log_integer("returned", (int64_t)expire->returned),
                  log_integer("dead", (int64_t)expire->dead));
}
