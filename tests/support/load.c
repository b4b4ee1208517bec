/*
 * The threads of a load.
 */
#include "tests/support/load.h"

#include "server/base/clock.h"
#include "server/base/json.h"
#include "server/base/memory.h"
#include "tests/support/backlog.h"
#include "tests/support/http_client.h"

#include <check.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    REPLY_MS = 20000, /* whoever waits longer hangs */
    LOOK_MS = 5,
    EMPTY_MS = 100,
    AWAY_MS = 20
};

struct worker {
    pthread_t thread;
    struct load *load;
    struct http_client *client;
    struct arena *arena; /* of one round */
    struct event event;  /* being made */
    size_t leases;       /* so far */
    bool was_not_sent;   /* nobody was there to take it */
    struct text content; /* of the last reply */
};

struct load {
    struct load_settings settings;
    struct worker *submitters;
    struct worker *pollers;
    atomic_llong next;
    atomic_llong open; /* acknowledged, and no result of them accepted */
    atomic_bool no_more_submits;
    atomic_bool no_more_pulls;
};

static struct worker *start_workers(struct load *load, size_t count,
                                    void *run(void *worker));
static void join_workers(struct worker *workers, size_t count);
static void wait_for(struct load *load, enum event_kind kind, int64_t count);
static void *submit_all(void *context);
static void submit(struct worker *worker);
static void *pull_all(void *context);
static void pull(struct worker *worker);
static void grade(struct worker *worker, const char *key, const char *header);
static bool is_turn(const struct worker *worker, size_t every);
static void put(struct worker *worker, int64_t number, const char *key,
                const char *header);
static void begin(struct worker *worker, enum event_kind kind, int64_t number,
                  const char *key);
static void end(struct worker *worker, const struct reply *reply);
static enum event_outcome judge(struct worker *worker,
                                const struct reply *reply);
static bool read_lease(struct worker *worker, struct text content,
                       const char **ret_header, const char **ret_key);
static void pause_ms(int ms);

struct load *load_start(const struct load_settings *settings)
{
    struct load *load = xcalloc(1, sizeof *load);

    load->settings = *settings;
    atomic_store(&load->next, settings->first);
    load->pollers = start_workers(load, settings->pollers, pull_all);
    load->submitters = start_workers(load, settings->submitters, submit_all);
    return load;
}

void load_wait_for_submits(struct load *load, int64_t count)
{
    wait_for(load, EVENT_SUBMIT, count);
}

void load_wait_for_results(struct load *load, int64_t count)
{
    wait_for(load, EVENT_PUT, count);
}

void load_wait_for_enough(struct load *load)
{
    join_workers(load->submitters, load->settings.submitters);
    load->submitters = NULL;
}

void load_end_submits(struct load *load)
{
    atomic_store(&load->no_more_submits, true);
    load_wait_for_enough(load);
}

void load_end(struct load *load)
{
    if (load->submitters != NULL)
        load_end_submits(load);
    atomic_store(&load->no_more_pulls, true);
    join_workers(load->pollers, load->settings.pollers);
    free(load);
}

static struct worker *start_workers(struct load *load, size_t count,
                                    void *run(void *worker))
{
    const struct load_settings *settings = &load->settings;
    struct worker *workers = xcalloc(count, sizeof *workers);

    for (size_t i = 0; i < count; i++) {
        struct worker *worker = &workers[i];

        worker->load = load;
        worker->client =
            http_client_new(settings->ports[i % settings->port_count]);
        http_client_set_timeout_ms(worker->client, REPLY_MS);
        http_set_cookie(worker->client, "sessionid", settings->cookie);
        worker->arena = arena_new();
        if (pthread_create(&worker->thread, NULL, run, worker) != 0)
            fatal("no thread for a client");
    }
    return workers;
}

static void join_workers(struct worker *workers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        pthread_join(workers[i].thread, NULL);
        http_client_free(workers[i].client);
        arena_free(workers[i].arena);
    }
    free(workers);
}

static void wait_for(struct load *load, enum event_kind kind, int64_t count)
{
    struct progress progress = {0, 0};
    int64_t now;

    while ((now = history_count(load->settings.history, kind, OUTCOME_OK)) <
           count) {
        if (progress_has_stalled(&progress, now))
            ck_abort_msg("%lld of %lld done, and no more", (long long)now,
                         (long long)count);
        pause_ms(LOOK_MS);
    }
}

static void *submit_all(void *context)
{
    struct worker *worker = context;
    struct load *load = worker->load;
    long long most = load->settings.most_open;
    int64_t enough = load->settings.enough;

    while (!atomic_load(&load->no_more_submits) &&
           (enough == 0 ||
            atomic_load(&load->next) < load->settings.first + enough)) {
        if (most > 0 && atomic_load(&load->open) >= most)
            pause_ms(LOOK_MS);
        else
            submit(worker);
        if (load->settings.pause_ms > 0)
            pause_ms(load->settings.pause_ms);
    }
    return NULL;
}

/* A number that was not sent is sent later, one that was never again. */
static void submit(struct worker *worker)
{
    int64_t number = atomic_fetch_add(&worker->load->next, 1);
    struct buffer header = {NULL, 0, 0};
    struct buffer body = {NULL, 0, 0};

    history_write_header(worker->load->settings.history, &header,
                         worker->load->settings.origin, number);
    history_write_body(&body, number);
    do {
        begin(worker, EVENT_SUBMIT, number, "");
        end(worker,
            http_post_form(worker->client, "/xqueue/submit/",
                           HTTP_FORM({"xqueue_header", header.data, NULL},
                                     {"xqueue_body", body.data, NULL})));
    } while (worker->was_not_sent &&
             !atomic_load(&worker->load->no_more_submits));
    if (worker->event.outcome == OUTCOME_OK)
        atomic_fetch_add(&worker->load->open, 1);
    buffer_free(&header);
    buffer_free(&body);
}

static void *pull_all(void *context)
{
    struct worker *worker = context;

    while (!atomic_load(&worker->load->no_more_pulls)) {
        pull(worker);
        arena_free(worker->arena);
        worker->arena = arena_new();
    }
    return NULL;
}

static void pull(struct worker *worker)
{
    static const char path[] = "/xqueue/get_submission/?queue_name=test-pull";
    static const char empty[] = "Queue 'test-pull' is empty";
    const char *header;
    const char *key;
    struct event *event = &worker->event;

    begin(worker, EVENT_PULL, -1, "");
    {
        const struct reply *reply = http_get(worker->client, path);

        event->end_us = clock_monotonic_us();
        event->outcome = judge(worker, reply);
    }
    if (event->outcome == OUTCOME_REFUSED &&
        text_equal_string(worker->content, empty)) {
        pause_ms(EMPTY_MS);
        return;
    }
    if (event->outcome == OUTCOME_OK &&
        read_lease(worker, worker->content, &header, &key)) {
        snprintf(event->key, sizeof event->key, "%s", key);
        history_add(worker->load->settings.history, event);
        grade(worker, key, header);
        return;
    }
    if (event->outcome != OUTCOME_UNKNOWN)
        event->outcome = OUTCOME_WRONG;
    if (!worker->was_not_sent)
        history_add(worker->load->settings.history, event);
    pause_ms(AWAY_MS);
}

/* At once as a rule, and always while all is drained. */
static void grade(struct worker *worker, const char *key, const char *header)
{
    const struct load_settings *settings = &worker->load->settings;

    worker->leases++;
    if (!atomic_load(&worker->load->no_more_submits)) {
        if (is_turn(worker, settings->drop_every))
            return;
        if (is_turn(worker, settings->late_every))
            pause_ms(settings->late_ms);
    }
    put(worker, worker->event.number, key, header);
}

static bool is_turn(const struct worker *worker, size_t every)
{
    return every > 0 && worker->leases % every == 0;
}

static void put(struct worker *worker, int64_t number, const char *key,
                const char *header)
{
    struct buffer result = {NULL, 0, 0};
    bool may_be_taken = false;

    history_write_result(&result, number, key);
    for (;;) {
        begin(worker, EVENT_PUT, number, key);
        end(worker,
            http_post_form(worker->client, "/xqueue/put_result/",
                           HTTP_FORM({"xqueue_header", header, NULL},
                                     {"xqueue_body", result.data, NULL})));
        if (worker->event.outcome != OUTCOME_UNKNOWN)
            break;
        may_be_taken = may_be_taken || !worker->was_not_sent;
    }
    /* Refused, because it had been taken, when only the reply was lost. */
    if (worker->event.outcome == OUTCOME_OK || may_be_taken)
        atomic_fetch_sub(&worker->load->open, 1);
    buffer_free(&result);
}

static void begin(struct worker *worker, enum event_kind kind, int64_t number,
                  const char *key)
{
    http_client_forget_replies(worker->client);
    worker->event = (struct event){.kind = kind, .number = number};
    snprintf(worker->event.key, sizeof worker->event.key, "%s", key);
    worker->event.begin_us = clock_monotonic_us();
}

/* Nothing has happened when it was not sent: no event. */
static void end(struct worker *worker, const struct reply *reply)
{
    struct event *event = &worker->event;

    event->end_us = clock_monotonic_us();
    event->outcome = judge(worker, reply);
    if (!worker->was_not_sent)
        history_add(worker->load->settings.history, event);
    if (event->outcome == OUTCOME_UNKNOWN)
        pause_ms(AWAY_MS);
}

static enum event_outcome judge(struct worker *worker,
                                const struct reply *reply)
{
    const struct json_value *object;
    const struct json_value *content;
    int64_t code;

    worker->was_not_sent = reply->status == 0 && reply->problem != NULL &&
                           strcmp(reply->problem, "no connection") == 0;
    worker->content = TEXT_ABSENT;
    if (reply->status == 0 || reply->status == 503)
        return OUTCOME_UNKNOWN;
    if (reply->status != 200 ||
        !json_parse_object(worker->arena, reply->body, &object) ||
        json_get(object, "return_code") == NULL ||
        !json_integer(json_get(object, "return_code"), &code))
        return OUTCOME_WRONG;
    content = json_get(object, "content");
    if (content == NULL || text_is_absent(json_text(content)))
        return OUTCOME_WRONG;
    worker->content = json_text(content);
    return code == 0 ? OUTCOME_OK : OUTCOME_REFUSED;
}

/* And the number that the body begins with, into the event. */
static bool read_lease(struct worker *worker, struct text content,
                       const char **ret_header, const char **ret_key)
{
    const struct json_value *object;
    const struct json_value *header;
    const struct json_value *body;
    const struct json_value *key;

    if (!json_parse_object(worker->arena, content, &object))
        return false;
    header = json_get(object, "xqueue_header");
    body = json_get(object, "xqueue_body");
    if (header == NULL || text_is_absent(json_text(header)) || body == NULL ||
        !json_parse_object(worker->arena, json_text(header), &object))
        return false;
    key = json_get(object, "submission_key");
    if (key == NULL || text_is_absent(json_text(key)))
        return false;
    worker->event.number = history_number_of(json_text(body));
    *ret_header = arena_string(worker->arena, json_text(header));
    *ret_key = arena_string(worker->arena, json_text(key));
    return worker->event.number >= 0;
}

static void pause_ms(int ms)
{
    poll(NULL, 0, ms);
}
