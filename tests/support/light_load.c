/*
 * Threads that take the numbers in turns.
 */
#include "tests/support/light_load.h"

#include "server/base/clock.h"
#include "server/base/memory.h"
#include "server/base/buffer.h"
#include "tests/support/due.h"
#include "tests/support/http_client.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct light_load {
    const struct light_load_settings *settings;
    pthread_t *threads;
    int64_t begin_us;
    atomic_llong next;
    atomic_bool is_over;
    atomic_size_t failed;
    double *latencies_ms; /* of each number; 0: it was not sent */
};

static void *run(void *context);
static bool ask(const struct light_load *load, struct http_client *client,
                int64_t number);

struct light_load *light_load_start(const struct light_load_settings *settings)
{
    struct light_load *load = xcalloc(1, sizeof *load);

    load->settings = settings;
    load->threads = xcalloc(settings->threads, sizeof *load->threads);
    load->latencies_ms = xcalloc(LIGHT_LOAD_MOST, sizeof *load->latencies_ms);
    load->begin_us = clock_monotonic_us();
    for (size_t i = 0; i < settings->threads; i++) {
        if (pthread_create(&load->threads[i], NULL, run, load) != 0)
            fatal("no thread for a client");
    }
    return load;
}

struct light_result light_load_end(struct light_load *load)
{
    struct light_result result = {.failed = 0};

    atomic_store(&load->is_over, true);
    for (size_t i = 0; i < load->settings->threads; i++)
        pthread_join(load->threads[i], NULL);
    result.failed = atomic_load(&load->failed);
    for (size_t kind = 0; kind < LIGHT_KINDS; kind++)
        result.latencies_ms[kind] =
            xcalloc(LIGHT_LOAD_MOST, sizeof *load->latencies_ms);
    for (size_t i = 0; i < LIGHT_LOAD_MOST; i++) {
        if (load->latencies_ms[i] > 0)
            result.latencies_ms[i % LIGHT_KINDS]
                               [result.counts[i % LIGHT_KINDS]++] =
                load->latencies_ms[i];
    }
    free(load->latencies_ms);
    free(load->threads);
    free(load);
    return result;
}

static void *run(void *context)
{
    struct light_load *load = context;
    struct http_client *client = http_client_new(load->settings->port);

    http_set_cookie(client, "sessionid", load->settings->cookie);
    while (!atomic_load(&load->is_over)) {
        const int64_t number = atomic_fetch_add(&load->next, 1);
        const int64_t due_us = load->begin_us + (int64_t)((double)number * 1e6 /
                                                          load->settings->rate);

        if (number >= LIGHT_LOAD_MOST)
            break;
        wait_until_due(due_us);
        if (!ask(load, client, number))
            atomic_fetch_add(&load->failed, 1);
        load->latencies_ms[number] =
            (double)(clock_monotonic_us() - due_us) / 1e3;
        http_client_forget_replies(client);
    }
    http_client_free(client);
    return NULL;
}

static bool ask(const struct light_load *load, struct http_client *client,
                int64_t number)
{
    static const char accepted[] = "{\"return_code\": 0,";
    const char *queue = load->settings->queue;
    struct buffer text = {NULL, 0, 0};
    const struct reply *reply;

    if (number % LIGHT_KINDS == LIGHT_LOOK) {
        buffer_printf(&text, "/xqueue/get_queuelen/?queue_name=%s", queue);
        reply = http_get(client, text.data);
    } else {
        buffer_printf(&text,
                      "{\"lms_callback_url\": \"http://127.0.0.1:1/%lld/%lld\","
                      " \"lms_key\": \"key\", \"queue_name\": \"%s\"}",
                      (long long)load->begin_us, (long long)number, queue);
        reply = http_post_form(client, "/xqueue/submit/",
                               HTTP_FORM({"xqueue_header", text.data, NULL},
                                         {"xqueue_body", "a body", NULL}));
    }
    buffer_free(&text);
    return reply->status == 200 && text_starts_with(reply->body, accepted);
}
