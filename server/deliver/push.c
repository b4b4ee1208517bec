/*
 * One push on its way.
 *
 *   begin        wait for a place at the grader, unless it gets nothing anyway
 *   called       there is one, or never will be: then it goes back
 *   post         the JSON to the grader's URL (R33), on a connection of its
 *                own, unless the queue says `keep_alive`: many graders serve
 *                one connection at a time, and one request on a kept one may
 *                be sent twice and graded twice
 *   posted       when nobody took the connection: post again, after a wait
 *   record       into the database, again and again until it takes it
 *   recorded     a line in the log, and the end
 *
 * Should the process die between `post` and `record`, the submission is
 * pushed once more when its lease ends.
 */
#include "server/deliver/push.h"

#include "server/base/clock.h"
#include "server/deliver/callbacks.h"
#include "server/deliver/failure_message.h"
#include "server/deliver/grader_reply.h"
#include "server/deliver/lanes.h"
#include "server/deliver/overload.h"
#include "server/deliver/push_line.h"
#include "server/deliver/push_log.h"
#include "server/deliver/push_places.h"
#include "server/deliver/push_times.h"
#include "server/fetch/fetch.h"
#include "server/task/queue_watch.h"
#include "server/task/task.h"

#include <stdlib.h>
#include <string.h>

enum { CONNECT_MS = 5000, RECORD_PAUSE_MS = 1000, US_PER_SECOND = 1000000 };

struct push {
    struct task *task;
    struct push_turn turn;
    struct push_wait wait;
    struct config_queue settings; /* the strings are the task's */
    bool is_wanted;               /* false: not to be sent at all */
    bool is_broken;               /* or never */
    const char *queue_name;
    int64_t attempt;
    int64_t tries;
    int64_t first_ms; /* when the first try began */
    int64_t retry_ms; /* PUSH_RETRY_SECONDS, as it was then */
    struct buffer request;
    struct fetch fetch;
    struct push_end end;
    const char *reason;
    bool is_prepared;
    bool is_told; /* that it could not be recorded */
};

static void take_order(struct push *self, const struct push_order *order);
static void take_settings(struct push *self,
                          const struct config_queue *settings);
static enum step begin(struct task *task);
static enum step called(struct task *task);
static enum step post(struct task *task);
static enum step give_back(struct task *task);
static bool is_late(const struct push *self);
static void ask(struct push *self);
static void fetch_done(struct fetch *fetch);
static enum step posted(struct task *task);
static void tell_lane(struct push *self);
static bool may_try_again(const struct push *self);
static enum step wait_to_retry(struct push *self);
static enum step waited(struct task *task);
static void decide(struct push *self);
static enum step record(struct task *task);
static void prepare(struct push_end *end);
static enum step recorded(struct task *task);
static enum step record_failure(struct task *task, const char *reason);
static enum step finish(struct task *task, bool will_deliver);
static struct push_report report_of(const struct push *self);
static void forget_answer(struct push *self);
static void free_push(void *object);

void push_deliver(struct env *env, const struct push_order *order)
{
    struct task *task = task_new(env, sizeof(struct push));
    struct push *self = task->self;

    self->task = task;
    take_order(self, order);
    arena_defer(task->arena, free_push, self);
    task_run(task, begin);
}

static void take_order(struct push *self, const struct push_order *order)
{
    const struct push_item *item = order->item;

    push_wait_begin(&self->wait, order->line, self->task);
    self->queue_name = arena_strdup(self->task->arena, order->queue_name);
    self->attempt = item->attempt;
    self->request = *order->request;
    *order->request = (struct buffer){NULL, 0, 0};
    self->turn.places = order->places;
    self->turn.bytes = self->request.size;
    self->turn.lease_end_ms = order->lease_end_ms;
    self->end.queue_id = order->queue_id;
    self->end.id = item->id;
    memcpy(self->end.pullkey, item->pullkey, sizeof item->pullkey);
    self->end.pushed_us = item->pushed_us;
    self->end.grader_id = text_of("");
    self->is_broken = order->is_broken;
    self->is_wanted = order->settings != NULL;
    if (self->is_wanted)
        take_settings(self, order->settings);
}

/* A reload may end the configuration before the push. */
static void take_settings(struct push *self,
                          const struct config_queue *settings)
{
    struct arena *arena = self->task->arena;
    struct config_queue *copy = &self->settings;

    *copy = *settings;
    copy->name = self->queue_name;
    copy->grader_url = arena_strdup(arena, settings->grader_url);
    copy->basic_auth_user = arena_strdup(arena, settings->basic_auth_user);
    copy->basic_auth_password =
        arena_strdup(arena, settings->basic_auth_password);
    copy->tls_ca_file = arena_strdup(arena, settings->tls_ca_file);
    self->end.grader_id = text_of(copy->grader_url);
}

static enum step begin(struct task *task)
{
    struct push *self = task->self;

    if (!self->is_wanted || task->env->fetcher == NULL)
        return give_back(task);
    if (self->is_broken)
        return record_failure(task, "its files are not to be found");
    return push_turn_await(&self->turn, task, called);
}

static enum step called(struct task *task)
{
    struct push *self = task->self;

    if (self->turn.state == PUSH_TURN_GOES_BACK)
        return give_back(task);
    self->first_ms = clock_monotonic_ms();
    self->retry_ms = (int64_t)(task->env->config->push_retry_s * 1000);
    self->end.pushed_us += (self->first_ms - self->turn.began_ms) * 1000;
    return post(task);
}

static enum step post(struct task *task)
{
    struct push *self = task->self;

    if (task->env->fetcher == NULL || is_late(self))
        return give_back(task);
    self->tries++;
    forget_answer(self);
    ask(self);
    fetcher_start(task->env->fetcher, &self->fetch);
    return task_wait(task, posted);
}

static enum step give_back(struct task *task)
{
    struct push *self = task->self;

    self->end.outcome = PUSH_UNSENT;
    self->reason = "not sent any more";
    return record(task);
}

/* Its lease may end first, or has: the process was stopped for a while. */
static bool is_late(const struct push *self)
{
    return clock_monotonic_ms() + push_try_ms(&self->settings) >=
           self->turn.lease_end_ms;
}

static void ask(struct push *self)
{
    self->fetch = (struct fetch){
        .url = self->settings.grader_url,
        .body = buffer_text(&self->request),
        .username = self->settings.basic_auth_user,
        .password = self->settings.basic_auth_password,
        .policy = {.verify_tls = self->settings.verify_tls,
                   .ca_file = self->settings.tls_ca_file},
        .connect_timeout_ms = CONNECT_MS,
        .idle_timeout_ms = (long)(self->settings.timeout_s * 1000),
        .total_timeout_ms = (long)push_try_ms(&self->settings),
        .fresh_connection = !self->settings.keep_alive,
        .follow_redirects = true,
        .max_reply_bytes = (size_t)self->task->env->config->grader_reply_bytes,
        .keep_reply = true,
        .done = fetch_done,
    };
}

static void fetch_done(struct fetch *fetch)
{
    struct push *self = CONTAINER_OF(fetch, struct push, fetch);

    task_resume(self->task);
}

static enum step posted(struct task *task)
{
    struct push *self = task->self;

    tell_lane(self);
    if (may_try_again(self))
        return wait_to_retry(self);
    decide(self);
    return record(task);
}

static void tell_lane(struct push *self)
{
    const struct fetch *fetch = &self->fetch;
    struct lane *lane = self->turn.places->lane;

    /* Of a grader that the queue has left the lane need not hear. */
    if (fetch->status == FETCH_CANCELED || push_wait_is_recalled(&self->wait))
        return;
    if (fetch->status == FETCH_DONE)
        push_turn_took(&self->turn, fetch->duration_ms);
    if (fetch->status == FETCH_DONE && !says_overloaded(fetch))
        lane_succeeded(lane);
    else
        lane_failed(lane, fetch->retry_after_s);
}

static bool may_try_again(const struct push *self)
{
    int64_t spent_ms = clock_monotonic_ms() - self->first_ms;

    return self->fetch.status == FETCH_UNSENT &&
           !push_wait_is_recalled(&self->wait) && spent_ms < self->retry_ms;
}

/* The last try is at the end of the time that there is for them. */
static enum step wait_to_retry(struct push *self)
{
    int64_t left_ms = self->first_ms + self->retry_ms - clock_monotonic_ms();
    int64_t wait_ms = push_backoff_ms(self->tries);
    struct push_report report;

    self->reason = self->fetch.reason;
    report = report_of(self);
    push_log_retry(&report);
    if (wait_ms > left_ms)
        wait_ms = left_ms > 0 ? left_ms : 0;
    return push_wait_for(&self->wait, wait_ms, waited);
}

static enum step waited(struct task *task)
{
    struct push *self = task->self;

    if (!push_wait_is_recalled(&self->wait))
        return post(task);
    decide(self);
    return record(task);
}

static void decide(struct push *self)
{
    struct fetch *fetch = &self->fetch;

    self->reason = fetch->reason;
    if (fetch->status == FETCH_DONE && fetch->http_status == 200 &&
        !fetch->reply_was_cut) {
        self->end.outcome = PUSH_GRADED;
        self->reason = NULL;
    } else if (fetch->status == FETCH_CANCELED) {
        self->end.outcome = PUSH_CUT_OFF;
    } else if (fetch->status == FETCH_UNSENT &&
               push_wait_is_recalled(&self->wait)) {
        self->end.outcome = PUSH_UNSENT;
    } else {
        self->end.outcome = PUSH_FAILED;
        self->end.reply = failure_message();
    }
    buffer_free(&self->request);
}

static enum step record(struct task *task)
{
    struct push *self = task->self;

    push_turn_end(&self->turn);
    self->end.place = self->turn.place;
    self->end.callback_delay_us =
        (int64_t)(task->env->config->callback_delay_s * US_PER_SECOND);
    self->end.prepare = prepare;
    return task_await_database(task, &self->end.job, &push_end_op, recorded);
}

/* Database thread. */
static void prepare(struct push_end *end)
{
    struct push *self = CONTAINER_OF(end, struct push, end);

    if (end->outcome != PUSH_GRADED || self->is_prepared)
        return;
    self->is_prepared = true;
    end->reply =
        grader_reply_text(self->task->arena, buffer_text(&self->fetch.reply),
                          self->fetch.reply_type);
}

/* Until the lease ends: the result is worth more than another push. */
static enum step recorded(struct task *task)
{
    struct push *self = task->self;
    struct push_report report = report_of(self);
    enum db_status status = self->end.job.status;
    bool is_over = status == DB_OK || status == DB_MISMATCH;
    bool gives_up =
        status == DB_CANCELED ||
        clock_monotonic_ms() + RECORD_PAUSE_MS >= self->turn.lease_end_ms;

    if (status == DB_REFUSED && self->end.outcome == PUSH_GRADED)
        return record_failure(task, "the database refused the reply");
    if (!is_over && !gives_up) {
        if (!self->is_told)
            push_log_unrecorded(&report, "tried again");
        self->is_told = true;
        return task_await_time(task, RECORD_PAUSE_MS, record);
    }
    if (self->end.outcome == PUSH_UNSENT || self->end.outcome == PUSH_CUT_OFF)
        queue_watch_filled(task->env->queue_watch, self->end.queue_id);
    if (is_over)
        push_log_end(&report);
    else
        push_log_unrecorded(&report, "pushed again later");
    return finish(task, status == DB_OK && self->end.will_deliver);
}

static enum step finish(struct task *task, bool will_deliver)
{
    struct push *self = task->self;
    struct callbacks *callbacks = task->env->callbacks;
    struct lane *lane = self->turn.places->lane;
    enum step step;

    if (will_deliver && callbacks != NULL)
        callbacks_nudge(callbacks, self->end.destination);
    step = task_end(task);
    lane_done(lane);
    return step;
}

/* What does not fit today will not fit tomorrow. */
static enum step record_failure(struct task *task, const char *reason)
{
    struct push *self = task->self;

    self->reason = reason;
    self->end.outcome = PUSH_FAILED;
    self->end.reply = failure_message();
    return record(task);
}

static struct push_report report_of(const struct push *self)
{
    return (struct push_report){
        .number = self->task->number,
        .end = &self->end,
        .fetch = &self->fetch,
        .queue_name = self->queue_name,
        .attempt = self->attempt,
        .tries = self->tries,
        .reason = self->reason,
    };
}

/* Of an earlier try. */
static void forget_answer(struct push *self)
{
    buffer_free(&self->fetch.reply);
    free(self->fetch.reply_type);
    self->fetch.reply_type = NULL;
}

static void free_push(void *object)
{
    struct push *self = object;

    forget_answer(self);
    buffer_free(&self->request);
    push_wait_end(&self->wait);
}
