/*
 * Pushing submissions to passive graders.
 *
 *   look         which queues have something waiting? once a second
 *   claim        as many as the queue's lane has room for
 *   claimed      how many it were
 *   complete     read the files that files are named in, as Django did it
 *   deliver_all  a task of its own for each push
 */
#include "server/deliver/pushes.h"

#include "db/push.h"
#include "db/queue.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/config/config.h"
#include "server/deliver/push.h"
#include "server/deliver/push_lanes.h"
#include "server/deliver/push_request.h"
#include "server/deliver/push_times.h"
#include "server/task/loop.h"
#include "server/task/task.h"

#include <stdlib.h>
#include <string.h>

enum {
    LOOK_MS = 1000,
    LOOK_MOST = 10000,
    CLAIM_MOST = 8 /* bodies of up to 20 MB are in memory several times */
};

struct look {
    struct pushes *pushes;
    size_t next; /* of `items`, to begin with */
    size_t most; /* at a time */
    int64_t *ids;
    bool *waiting;
    struct queue_look op;
};

struct claim {
    struct push_lane *lane;
    int64_t began_ms;
    struct push_request *requests; /* room for op.limit */
    size_t composed;               /* so many are */
    struct file_links links;
    struct storage_get get; /* of requests[completed], which needs a map */
    size_t completed;
    bool is_storage_away;
    struct push_claim op;
};

static void look_again(void *context);
static enum step look(struct task *task);
static enum step looked(struct task *task);
static size_t lane_limit(const struct lane *lane);
static void begin_claim(struct lane *lane, size_t room);
static enum step claim(struct task *task);
static void compose(struct push_claim *op, struct push_item *item);
static enum step claimed(struct task *task);
static enum step complete(struct task *task);
static enum step map_read(struct task *task);
static enum step deliver_all(struct task *task);
static void deliver(struct claim *self, const struct push_item *item,
                    struct push_request *request);
static const struct config_queue *settings_for(const struct claim *self);
static void log_failure(const struct claim *self);
static void free_requests(void *object);

struct pushes *pushes_start(struct env *env)
{
    static const struct lane_ops ops = {
        .claim = begin_claim,
        .limit = lane_limit,
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
    for (size_t i = 0; i < pushes->count; i++)
        push_line_recall(&pushes->items[i]->line);
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

static void begin_claim(struct lane *lane, size_t room)
{
    struct push_lane *push_lane = push_lane_of(lane);
    struct task *task;
    struct claim *self;

    if (push_lane->settings == NULL) {
        lane_claimed(lane, 0, false);
        return;
    }
    task = task_new(push_lane->pushes->env, sizeof(struct claim));
    self = task->self;
    self->lane = push_lane;
    self->op.limit = room < CLAIM_MOST ? room : CLAIM_MOST;
    self->requests =
        arena_zalloc(task->arena, self->op.limit * sizeof *self->requests);
    arena_defer(task->arena, free_requests, self);
    task_run(task, claim);
}

static enum step claim(struct task *task)
{
    struct claim *self = task->self;
    const struct config_queue *settings = self->lane->settings;

    self->began_ms = clock_monotonic_ms();
    self->op.arena = task->arena;
    self->op.queue_id = self->lane->queue_id;
    self->op.grader_id =
        text_of(arena_strdup(task->arena, settings->grader_url));
    self->op.concurrency = (size_t)settings->concurrency;
    self->op.lease_us = push_lease_us(task->env->config, settings);
    self->op.compose = compose;
    self->links = (struct file_links){
        .storage = task->env->storage,
        .queue_name = text_of(arena_strdup(task->arena, self->lane->name)),
        .base = text_of(arena_strdup(task->arena, task->env->own_url)),
        .now_s = clock_wall_us() / 1000000,
    };
    return task_await_database(task, &self->op.job, &push_claim_op, claimed);
}

/* Database thread: a large body would hold up the loop. */
static void compose(struct push_claim *op, struct push_item *item)
{
    struct claim *self = CONTAINER_OF(op, struct claim, op);
    struct push_request *request = &self->requests[self->composed++];

    push_request_write(request, op->arena, &self->links, item);
    item->request = buffer_text(&request->json);
}

static enum step claimed(struct task *task)
{
    struct claim *self = task->self;
    bool is_good = self->op.job.status == DB_OK;
    size_t count = is_good ? self->op.count : 0;

    if (!is_good)
        log_failure(self);
    if (is_good && self->op.took_all_places)
        lane_claimed_all_places(&self->lane->lane, count);
    else
        lane_claimed(&self->lane->lane, count,
                     is_good && count == self->op.limit);
    return is_good ? complete(task) : task_end(task);
}

/* One after the other; when one cannot be read, none can. */
static enum step complete(struct task *task)
{
    struct claim *self = task->self;
    struct storage *storage = task->env->storage;

    for (; self->completed < self->composed; self->completed++) {
        struct push_request *request = &self->requests[self->completed];

        if (request->state != PUSH_REQUEST_NEEDS_MAP)
            continue;
        if (storage == NULL || self->is_storage_away) {
            request->state = PUSH_REQUEST_AWAY;
            continue;
        }
        self->get = (struct storage_get){
            .file = {.queue_name = self->links.queue_name},
            .max_bytes = FILE_MAP_BYTES,
        };
        memcpy(self->get.file.key, request->map_key, sizeof request->map_key);
        return storage_await_get(storage, task, &self->get, map_read);
    }
    return deliver_all(task);
}

static enum step map_read(struct task *task)
{
    static struct log_once once;
    struct claim *self = task->self;

    push_request_add_map(&self->requests[self->completed], task->arena,
                         &self->links, &self->get);
    self->is_storage_away = self->get.status == STORAGE_UNAVAILABLE;
    if (self->requests[self->completed].state != PUSH_REQUEST_WHOLE)
        log_repeated(&once, LOG_WARNING,
                     "files of a submission to queue %s are not to be found:"
                     " %s",
                     self->lane->name,
                     self->get.status == STORAGE_UNAVAILABLE
                         ? self->get.reason
                         : "their map is gone or broken");
    return complete(task);
}

static enum step deliver_all(struct task *task)
{
    struct claim *self = task->self;

    for (size_t i = 0; i < self->op.count; i++)
        deliver(self, &self->op.items[i], &self->requests[i]);
    return task_end(task);
}

static void deliver(struct claim *self, const struct push_item *item,
                    struct push_request *request)
{
    struct push_lane *lane = self->lane;
    static struct log_once once;
    bool is_away = request->state == PUSH_REQUEST_AWAY;

    /* As if the grader was not well: not the same ones again at once. */
    if (is_away) {
        lane_failed(&lane->lane, 0);
        log_repeated(&once, LOG_WARNING,
                     "submissions to queue %s wait: there are no links to"
                     " their files now",
                     lane->name);
    }
    push_deliver(lane->pushes->env,
                 &(struct push_order){
                     .item = item,
                     .request = &request->json,
                     .is_broken = request->state == PUSH_REQUEST_BROKEN,
                     .queue_id = lane->queue_id,
                     .queue_name = lane->name,
                     .settings = is_away ? NULL : settings_for(self),
                     .lease_end_ms = self->began_ms + self->op.lease_us / 1000,
                     .line = &lane->line,
                     .lane = &lane->lane,
                 });
}

/*
 * Those of now, not of when the claim began. NULL: not to be pushed any more,
 * or for longer than the lease was made for.
 */
static const struct config_queue *settings_for(const struct claim *self)
{
    const struct push_lane *lane = self->lane;
    const struct pushes *pushes = lane->pushes;

    if (pushes->lanes.stopping || lane->settings == NULL ||
        push_lease_us(pushes->env->config, lane->settings) > self->op.lease_us)
        return NULL;
    return lane->settings;
}

/* A database that is away has been told of. */
static void log_failure(const struct claim *self)
{
    static struct log_once once;
    const struct db_job *job = &self->op.job;

    if (job->status != DB_AWAY && job->status != DB_CANCELED)
        log_repeated(&once, LOG_WARNING,
                     "nothing can be pushed of queue %s: %s: %s",
                     self->lane->name, db_status_name(job->status), job->error);
}

/* Those that no push has taken. */
static void free_requests(void *object)
{
    struct claim *self = object;

    for (size_t i = 0; i < self->composed; i++)
        buffer_free(&self->requests[i].json);
}
