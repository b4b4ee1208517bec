/*
 * Threads that take the numbers in turns.
 */
#include "tests/support/open_load.h"

#include "server/base/clock.h"
#include "server/base/memory.h"
#include "tests/support/due.h"
#include "tests/support/history.h"
#include "tests/support/http_client.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { START_US = 100000 };

struct open_load {
    const struct open_load_settings *settings;
    struct sent *sent;
    atomic_llong next;
    int64_t begin_us;
};

static void *run(void *context);
static void submit(struct open_load *load, struct http_client *client,
                   int64_t number);

struct sent *open_load_run(const struct open_load_settings *settings)
{
    struct open_load load = {
        .settings = settings,
        .sent = xcalloc((size_t)settings->count, sizeof *load.sent),
        .begin_us = clock_monotonic_us() + START_US,
    };
    pthread_t *threads = xcalloc(settings->threads, sizeof *threads);

    for (size_t i = 0; i < settings->threads; i++) {
        if (pthread_create(&threads[i], NULL, run, &load) != 0)
            fatal("no thread for a client");
    }
    for (size_t i = 0; i < settings->threads; i++)
        pthread_join(threads[i], NULL);
    free(threads);
    return load.sent;
}

static void *run(void *context)
{
    struct open_load *load = context;
    struct http_client *client = http_client_new(load->settings->port);
    int64_t number;

    http_set_cookie(client, "sessionid", load->settings->cookie);
    while ((number = atomic_fetch_add(&load->next, 1)) < load->settings->count)
        submit(load, client, number);
    http_client_free(client);
    return NULL;
}

static void submit(struct open_load *load, struct http_client *client,
                   int64_t number)
{
    static const char accepted[] = "{\"return_code\": 0,";
    const struct open_load_settings *settings = load->settings;
    struct sent *sent = &load->sent[number];
    struct buffer header = {NULL, 0, 0};
    struct buffer body = {NULL, 0, 0};
    const struct reply *reply;

    buffer_printf(&header,
                  "{\"lms_callback_url\": \"%s/%lld\", \"lms_key\": \"key\","
                  " \"queue_name\": \"%s\"}",
                  settings->origin, (long long)number,
                  settings->queue(number, settings->context));
    history_write_body(&body, number);
    sent->due_us =
        load->begin_us + (int64_t)((double)number * 1e6 / settings->rate);
    wait_until_due(sent->due_us);
    sent->sent_us = clock_monotonic_us();
    reply = http_post_form(client, "/xqueue/submit/",
                           HTTP_FORM({"xqueue_header", header.data, NULL},
                                     {"xqueue_body", body.data, NULL}));
    sent->done_us = clock_monotonic_us();
    sent->acknowledged =
        reply->status == 200 && text_starts_with(reply->body, accepted);
    http_client_forget_replies(client);
    buffer_free(&header);
    buffer_free(&body);
}
