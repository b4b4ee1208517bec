/*
 * Claiming submissions to push, for a queue's lane:
 *
 *   claim        as many as the lane has room for, and places at the grader
 *   claimed      how many it were
 *   complete     read the files that files are named in, as Django did it
 *   deliver_all  a task of its own for each push, which waits for its place
 */
#include "server/deliver/push_claims.h"

#include "db/push.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/config/config.h"
#include "server/deliver/push.h"
#include "server/deliver/push_lanes.h"
#include "server/deliver/push_request.h"
#include "server/deliver/push_times.h"
#include "server/task/task.h"

#include <string.h>

enum {
    CLAIM_MOST = 64,
    CLAIM_BYTES = 8 * 1024 * 1024 /* which are in memory several times */
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

static enum step claim(struct task *task);
static void compose(struct push_claim *op, struct push_item *item);
static enum step claimed(struct task *task);
static void tell_places(const struct claim *self);
static void tell_lane(const struct claim *self);
static int64_t lease_end_ms(const struct claim *self);
static enum step complete(struct task *task);
static enum step map_read(struct task *task);
static enum step deliver_all(struct task *task);
static void deliver(struct claim *self, const struct push_item *item,
                    struct push_request *request);
static const struct config_queue *settings_for(const struct claim *self);
static void log_failure(const struct claim *self);
static void free_requests(void *object);

void push_claim_begin(struct lane *lane, size_t room)
{
    struct push_lane *push_lane = push_lane_of(lane);
    struct task *task;
    struct claim *self;

    if (push_lane->settings == NULL) {
        lane_claimed(lane, 0, false);
        places_drain(&push_lane->places);
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
    self->op.most_bytes = CLAIM_BYTES;
    self->op.ahead = places_ahead(&self->lane->places, self->op.concurrency);
    self->op.held = places_claim(&self->lane->places, task->arena,
                                 &self->op.held_count, &self->op.idle);
    self->op.is_kept = arena_zalloc(task->arena, (self->op.held_count + 1) *
                                                     sizeof *self->op.is_kept);
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

    if (self->op.job.status != DB_OK) {
        log_failure(self);
        lane_claimed(&self->lane->lane, 0, false);
        places_claimed(&self->lane->places, 0);
        return task_end(task);
    }
    tell_places(self);
    tell_lane(self);
    return complete(task);
}

static void tell_places(const struct claim *self)
{
    struct places *places = &self->lane->places;
    const struct push_claim *op = &self->op;
    int64_t end_ms = lease_end_ms(self);

    for (size_t i = 0; i < op->held_count; i++) {
        if (!op->is_kept[i])
            places_lose(places, &op->held[i]);
        else if (op->count > 0)
            places_keep(places, &op->held[i], end_ms);
    }
    for (size_t i = 0; i < op->count; i++) {
        if (op->items[i].place.number != 0)
            places_add(places, &op->items[i].place, end_ms);
    }
}

static void tell_lane(const struct claim *self)
{
    const struct push_claim *op = &self->op;
    struct lane *lane = &self->lane->lane;

    if (op->took_all_places)
        lane_claimed_all_places(lane, op->count);
    else
        lane_claimed(lane, op->count, op->count == op->limit || op->is_cut);
}

/* Monotonic. */
static int64_t lease_end_ms(const struct claim *self)
{
    return self->began_ms + self->op.lease_us / 1000;
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
    places_claimed(&self->lane->places, self->op.surplus);
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
                     .lease_end_ms = lease_end_ms(self),
                     .places = &lane->places,
                     .line = &lane->line,
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
