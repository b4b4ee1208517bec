/*
 * One callback on its way.
 *
 *   called    its turn in the line has come, or it goes back
 *   post      form POST to the URL of the stored header (R9, R10)
 *   posted    only status 200 counts (R11); the lane hears of it
 *   record    into the database, again and again until it takes it
 *   recorded  a line in the log, and the end
 *
 * Should the process die between `post` and `record`, the callback is
 * delivered once more when its lease ends: the LMS ignores a grade that it
 * already has, but would never miss one.
 */
#include "server/deliver/callback.h"

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/config/config.h"
#include "server/deliver/backoff.h"
#include "server/deliver/callback_identity.h"
#include "server/deliver/callback_line.h"
#include "server/deliver/form_write.h"
#include "server/deliver/lanes.h"
#include "server/deliver/overload.h"
#include "server/fetch/fetch.h"
#include "server/task/task.h"

#include <stdlib.h>
#include <string.h>

enum {
    CONNECT_MS = 5000,
    TOTAL_MS = 60000,
    SLOW_MS = 10000,   /* an answer after that is no better than none */
    RECORD_MS = 30000, /* for recording; then somebody else may deliver */
    RECORD_PAUSE_MS = 1000,
    RETRY_AFTER_S = 3600,   /* no LMS may put us off for longer */
    REPLY_BYTES = 64 * 1024 /* of the LMS's answer; nobody reads it */
};

struct callback {
    struct task *task;
    struct outbox_item item;
    struct text url;
    struct buffer form;
    struct fetch fetch;
    struct outbox_record record;
    int64_t deadline_ms; /* for recording */
    struct callback_turn turn;
    struct lane *lane;
};

static enum step wait_for_turn(struct task *task);
static enum step called(struct task *task);
static enum step post(struct task *task);
static void fill_fetch(struct task *task, struct callback *self);
static struct fetch_policy copy_policy(struct arena *arena,
                                       const struct config *config);
static void fetch_done(struct fetch *fetch);
static enum step posted(struct task *task);
static void tell_lane(struct callback *self);
static bool is_healthy(const struct fetch *fetch);
static void decide(struct task *task, struct callback *self);
static int64_t wait_after(int64_t attempt);
static enum step record(struct task *task);
static enum step recorded(struct task *task);
static void log_callback(struct task *task, const struct callback *self);
static void free_callback(void *object);

int64_t callback_lease_us(void)
{
    return (int64_t)(CALLBACK_LINE_MS + TOTAL_MS + RECORD_MS + CONNECT_MS) *
           1000;
}

void callback_deliver(struct env *env, const struct callback_order *order)
{
    struct task *task = task_new(env, sizeof(struct callback));
    struct callback *self = task->self;

    self->task = task;
    self->item = *order->item;
    self->item.queue_name = arena_copy(task->arena, order->item->queue_name);
    self->item.header = arena_copy(task->arena, order->item->header);
    self->item.reply = arena_copy(task->arena, order->item->reply);
    self->record.seq = order->item->seq;
    self->record.id = order->item->id;
    memcpy(self->record.owner, order->owner, OWNER_SIZE);
    self->turn.line = order->line;
    self->turn.bytes = order->item->header.size + order->item->reply.size;
    self->lane = order->line->lane;
    arena_defer(task->arena, free_callback, self);
    task_run(task, wait_for_turn);
}

static enum step wait_for_turn(struct task *task)
{
    struct callback *self = task->self;

    return callback_turn_await(&self->turn, task, called);
}

/* One that goes back has not been tried, and there is nothing to tell. */
static enum step called(struct task *task)
{
    struct callback *self = task->self;

    if (self->turn.state == CALLBACK_TURN_HAS_COME)
        return post(task);
    self->deadline_ms = clock_monotonic_ms() + RECORD_MS;
    self->record.outcome = OUTBOX_CUT_OFF;
    return record(task);
}

static enum step post(struct task *task)
{
    struct callback *self = task->self;

    self->url = callback_url(task->arena, self->item.header);
    if (!text_is_absent(callback_origin(self->url)))
        lane_set_name(self->lane, callback_origin(self->url));
    form_write_field(&self->form, "xqueue_header", self->item.header);
    form_write_field(&self->form, "xqueue_body", self->item.reply);
    fill_fetch(task, self);
    fetcher_start(task->env->fetcher, &self->fetch);
    return task_wait(task, posted);
}

/* Nothing of the configuration stays borrowed: a reload may replace it. */
static void fill_fetch(struct task *task, struct callback *self)
{
    const struct config *config = task->env->config;
    struct fetch *fetch = &self->fetch;

    fetch->url = arena_string(
        task->arena, text_is_absent(self->url) ? text_of("") : self->url);
    fetch->body = buffer_text(&self->form);
    fetch->content_type = "application/x-www-form-urlencoded";
    fetch->username = arena_strdup(task->arena, config->basic_auth_user);
    fetch->password = arena_strdup(task->arena, config->basic_auth_password);
    fetch->policy = copy_policy(task->arena, config);
    fetch->connect_timeout_ms = CONNECT_MS;
    fetch->idle_timeout_ms = (long)(config->requests_timeout_s * 1000);
    fetch->total_timeout_ms = TOTAL_MS;
    fetch->follow_redirects = true;
    fetch->max_reply_bytes = REPLY_BYTES;
    fetch->done = fetch_done;
}

static struct fetch_policy copy_policy(struct arena *arena,
                                       const struct config *config)
{
    size_t count = config->callback_allowed_hosts.count;
    const char **hosts = arena_alloc(arena, (count + 1) * sizeof *hosts);

    for (size_t i = 0; i < count; i++)
        hosts[i] = arena_strdup(arena, config->callback_allowed_hosts.items[i]);
    return (struct fetch_policy){
        .verify_tls = config->verify_tls,
        .ca_file = arena_strdup(arena, config->tls_ca_file),
        .allowed_hosts = hosts,
        .allowed_host_count = count,
    };
}

static void fetch_done(struct fetch *fetch)
{
    struct callback *self = CONTAINER_OF(fetch, struct callback, fetch);

    task_resume(self->task);
}

static enum step posted(struct task *task)
{
    struct callback *self = task->self;

    self->deadline_ms = clock_monotonic_ms() + RECORD_MS;
    tell_lane(self);
    callback_turn_end(&self->turn);
    decide(task, self);
    log_callback(task, self);
    return record(task);
}

static void tell_lane(struct callback *self)
{
    const struct fetch *fetch = &self->fetch;

    if (fetch->status == FETCH_CANCELED)
        return;
    if (is_healthy(fetch))
        lane_succeeded(self->lane);
    else
        lane_failed(self->lane, fetch->retry_after_s);
}

/*
 * In good time: one that keeps many waiting for long is as bad to the others
 * as one that says nothing. One that we may not call has done nothing wrong.
 */
static bool is_healthy(const struct fetch *fetch)
{
    return fetch->status != FETCH_UNSENT && fetch->status != FETCH_BROKEN &&
           fetch->duration_ms < SLOW_MS && !says_overloaded(fetch);
}

/*
 * A callback that cannot be delivered is tried for CALLBACK_RETRY_DAYS. One
 * whose URL is no URL never will be; one that was only redirected to such a
 * thing may be, tomorrow.
 */
static void decide(struct task *task, struct callback *self)
{
    const struct fetch *fetch = &self->fetch;
    double days = (double)self->item.age_us / 86400e6;
    int64_t asked_s = fetch->retry_after_s;
    int64_t wait_ms;

    if (fetch->status == FETCH_DONE && fetch->http_status == 200) {
        self->record.outcome = OUTBOX_DELIVERED;
        return;
    }
    if (fetch->status == FETCH_CANCELED) {
        self->record.outcome = OUTBOX_CUT_OFF;
        return;
    }
    if ((fetch->status == FETCH_REFUSED_URL && fetch->http_status == 0) ||
        days >= task->env->config->callback_retry_days) {
        self->record.outcome = OUTBOX_GIVE_UP;
        return;
    }
    wait_ms = wait_after(self->item.attempt);
    if (asked_s > RETRY_AFTER_S)
        asked_s = RETRY_AFTER_S;
    if (asked_s * 1000 > wait_ms)
        wait_ms = asked_s * 1000;
    self->record.outcome = OUTBOX_RETRY;
    self->record.retry_us = wait_ms * 1000;
}

/* Milliseconds; the first attempt is 1. */
static int64_t wait_after(int64_t attempt)
{
    static const int64_t waits_ms[] = {1000,   5000,   30000,
                                       120000, 600000, 3600000};

    return backoff_ms(waits_ms, ARRAY_LENGTH(waits_ms), attempt);
}

static enum step record(struct task *task)
{
    struct callback *self = task->self;

    return task_await_database(task, &self->record.job, &outbox_record_op,
                               recorded);
}

static enum step recorded(struct task *task)
{
    struct callback *self = task->self;
    enum db_status status = self->record.job.status;
    struct lane *lane = self->lane;
    enum step step;

    if (status != DB_OK && status != DB_CANCELED &&
        clock_monotonic_ms() < self->deadline_ms)
        return task_await_time(task, RECORD_PAUSE_MS, record);
    if (status != DB_OK)
        log_event(LOG_WARNING, "callback_unrecorded",
                  log_integer("submission", self->item.id),
                  log_string("reason", self->record.job.error),
                  log_string("then", "delivered again later"));
    step = task_end(task);
    lane_done(lane);
    return step;
}

static void log_callback(struct task *task, const struct callback *self)
{
    static const char *const results[] = {
        [OUTBOX_DELIVERED] = "delivered",
        [OUTBOX_RETRY] = "retry",
        [OUTBOX_CUT_OFF] = "cut off",
        [OUTBOX_GIVE_UP] = "undeliverable",
    };
    static const char *const kinds[] = {
        [OUTBOX_RESULT] = "result",
        [OUTBOX_FAILURE] = "failure",
        [OUTBOX_RETIRED] = "retired",
    };
    bool good = self->record.outcome == OUTBOX_DELIVERED;
    const char *wait =
        self->record.outcome == OUTBOX_RETRY
            ? arena_printf(task->arena, "%lld",
                           (long long)(self->record.retry_us / 1000000))
            : NULL;

    log_event(good ? LOG_INFO : LOG_WARNING, "callback",
              log_integer("req", (int64_t)task->number),
              log_integer("submission", self->item.id),
              log_text("queue", self->item.queue_name),
              log_string("kind", kinds[self->item.kind]),
              log_text("to", callback_origin(self->url)),
              log_integer("attempt", self->item.attempt),
              log_integer("status", self->fetch.http_status),
              log_integer("ms", self->fetch.duration_ms),
              log_string("result", results[self->record.outcome]),
              log_string("reason", good ? NULL : self->fetch.reason),
              log_string("retry_s", wait));
}

static void free_callback(void *object)
{
    struct callback *self = object;

    buffer_free(&self->form);
    buffer_free(&self->fetch.reply);
    free(self->fetch.reply_type);
}
