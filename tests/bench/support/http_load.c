/*
 * The clients take turns on one thread: a client is in the queue until it is
 * due, then it is asked for a request, and epoll tells how that goes on.
 */
#include "tests/bench/support/http_load.h"

#include "server/base/clock.h"
#include "server/base/memory.h"
#include "tests/bench/support/http_load_private.h"
#include "tests/bench/support/latencies.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    MOST_EVENTS = 512,
    REST_US = 1000,
    REPLY_US = 30000000,
    LOOK_US = 1000000, /* so often for replies that do not come */
    OTHER_FILES = 200
};

struct load {
    const struct http_load_settings *settings;
    struct load_network network;
    struct load_connection *connections;
    struct load_queue queue;
    struct latencies latencies;
    size_t in_flight;
    int64_t begin_us;
    int64_t end_us;  /* from then on nobody is asked */
    int64_t last_us; /* the last answer */
    int64_t now_us;
    int64_t look_us;
    struct http_load_result result;
};

static void allow_files(size_t count);
static void begin(struct load *load, const struct http_load_settings *settings);
static void ask_those_due(struct load *load);
static void ask(struct load *load, struct load_connection *connection);
static void send_request(struct load *load, struct load_connection *connection);
static void wait_for_events(struct load *load);
static int wait_ms(const struct load *load);
static void settle(struct load *load, struct load_connection *connection,
                   enum load_event event);
static void take_reply(struct load *load, struct load_connection *connection);
static void give_up(struct load *load, struct load_connection *connection);
static void go_on(struct load *load, struct load_connection *connection);
static void set_next_due(const struct load *load,
                         struct load_connection *connection);
static void give_up_late_ones(struct load *load);
static void finish(struct load *load);
static double cpu_seconds(void);

struct http_load_result http_load_run(const struct http_load_settings *settings)
{
    double cpu_before = cpu_seconds();
    struct load *load = xcalloc(1, sizeof *load);
    struct http_load_result result;

    allow_files(settings->clients);
    begin(load, settings);
    for (;;) {
        load->now_us = clock_monotonic_us();
        ask_those_due(load);
        if (load->in_flight == 0 &&
            (load->queue.count == 0 || load->now_us >= load->end_us))
            break;
        wait_for_events(load);
        if (load->now_us >= load->look_us)
            give_up_late_ones(load);
    }
    finish(load);
    result = load->result;
    free(load);
    result.cpu_seconds = cpu_seconds() - cpu_before;
    return result;
}

static void allow_files(size_t count)
{
    struct rlimit limit;
    rlim_t wanted = count + OTHER_FILES;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        fatal("getrlimit: %s", strerror(errno));
    if (limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = wanted;
    if (limit.rlim_max < wanted)
        limit.rlim_max = wanted;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        fatal("%zu clients need a higher limit of open files", count);
}

/* With a rate, the clients' first requests are spread over the first pause. */
static void begin(struct load *load, const struct http_load_settings *settings)
{
    const size_t count = settings->clients;

    load->settings = settings;
    load->network.port = settings->port;
    load->network.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (load->network.epoll == -1)
        fatal("epoll_create1: %s", strerror(errno));
    load->connections = xcalloc(count, sizeof *load->connections);
    load->queue.items = xcalloc(count, sizeof(struct load_connection *));
    load->begin_us = load->now_us = load->last_us = clock_monotonic_us();
    load->look_us = load->begin_us + LOOK_US;
    load->end_us = settings->seconds > 0
                       ? load->begin_us + (int64_t)(settings->seconds * 1e6)
                       : INT64_MAX;
    for (size_t i = 0; i < count; i++) {
        struct load_connection *connection = &load->connections[i];
        double part = (double)i / (double)count;

        connection->client.number = i;
        connection->socket = -1;
        connection->due_us = load->begin_us;
        if (settings->rate > 0)
            connection->due_us += (int64_t)(part * 1e6 / settings->rate);
        load_queue_add(&load->queue, connection);
    }
}

static void ask_those_due(struct load *load)
{
    while (load->queue.count > 0 && load->now_us < load->end_us &&
           load->queue.items[0]->due_us <= load->now_us)
        ask(load, load_queue_take(&load->queue));
}

static void ask(struct load *load, struct load_connection *connection)
{
    const struct http_load_settings *settings = load->settings;

    if (load->now_us >= load->end_us)
        return;
    buffer_clear(&connection->out);
    switch (settings->next(&connection->client, &connection->out,
                           settings->context)) {
    case HTTP_LOAD_END:
        load_connection_close(connection);
        return;
    case HTTP_LOAD_REST:
        connection->due_us = load->now_us + REST_US;
        load_queue_add(&load->queue, connection);
        return;
    case HTTP_LOAD_GO_FRESH:
        load_connection_close(connection);
        send_request(load, connection);
        return;
    case HTTP_LOAD_GO:
        send_request(load, connection);
        return;
    }
}

static void send_request(struct load *load, struct load_connection *connection)
{
    connection->client.requests++;
    connection->sent_us =
        load->settings->rate > 0 ? connection->due_us : load->now_us;
    load->in_flight++;
    settle(load, connection, load_connection_send(connection, &load->network));
}

static void wait_for_events(struct load *load)
{
    struct epoll_event events[MOST_EVENTS];
    int count =
        epoll_wait(load->network.epoll, events, MOST_EVENTS, wait_ms(load));

    if (count < 0 && errno != EINTR)
        fatal("epoll_wait: %s", strerror(errno));
    load->now_us = clock_monotonic_us();
    for (int i = 0; i < count; i++) {
        struct load_connection *connection = events[i].data.ptr;

        settle(load, connection,
               load_connection_event(connection, events[i].events));
    }
}

/* Until somebody is due, or late. Rounded up: nobody is asked too early. */
static int wait_ms(const struct load *load)
{
    int64_t until_us = load->look_us;

    if (load->queue.count > 0 && load->now_us < load->end_us &&
        load->queue.items[0]->due_us < until_us)
        until_us = load->queue.items[0]->due_us;
    return until_us <= load->now_us
               ? 0
               : (int)((until_us - load->now_us + 999) / 1000);
}

static void settle(struct load *load, struct load_connection *connection,
                   enum load_event event)
{
    switch (event) {
    case LOAD_NOTHING_YET:
        return;
    case LOAD_REPLY:
        take_reply(load, connection);
        return;
    case LOAD_BROKEN:
        give_up(load, connection);
        return;
    }
}

static void take_reply(struct load *load, struct load_connection *connection)
{
    const struct http_load_settings *settings = load->settings;
    struct http_load_reply reply = load_connection_reply(connection);
    bool is_right = reply.status == 200;

    connection->state = LOAD_IDLE;
    load->in_flight--;
    load->now_us = load->last_us = clock_monotonic_us();
    reply.latency_us = load->now_us - connection->sent_us;
    if (settings->answered != NULL)
        is_right =
            settings->answered(&connection->client, &reply, settings->context);
    if (load_connection_is_last_reply(connection))
        load_connection_close(connection);
    load->result.answered += is_right;
    load->result.failed += !is_right;
    if (is_right)
        latencies_add(&load->latencies, reply.latency_us);
    go_on(load, connection);
}

static void give_up(struct load *load, struct load_connection *connection)
{
    load_connection_close(connection);
    connection->state = LOAD_IDLE;
    connection->client.step = 0;
    load->in_flight--;
    load->result.failed++;
    set_next_due(load, connection);
    if (connection->due_us < load->now_us + REST_US)
        connection->due_us = load->now_us + REST_US;
    load_queue_add(&load->queue, connection);
}

static void go_on(struct load *load, struct load_connection *connection)
{
    set_next_due(load, connection);
    if (connection->due_us <= load->now_us)
        ask(load, connection);
    else
        load_queue_add(&load->queue, connection);
}

static void set_next_due(const struct load *load,
                         struct load_connection *connection)
{
    const double rate = load->settings->rate;

    connection->due_us =
        rate > 0 ? connection->due_us + (int64_t)(1e6 / rate) : load->now_us;
}

static void give_up_late_ones(struct load *load)
{
    load->look_us = load->now_us + LOOK_US;
    for (size_t i = 0; i < load->settings->clients; i++) {
        struct load_connection *connection = &load->connections[i];

        if (connection->state != LOAD_IDLE &&
            load->now_us - connection->sent_us > REPLY_US)
            give_up(load, connection);
    }
}

static void finish(struct load *load)
{
    struct http_load_result *result = &load->result;

    result->seconds = (double)(load->last_us - load->begin_us) / 1e6;
    result->p50_ms = latencies_quantile_ms(&load->latencies, 0.5);
    result->p99_ms = latencies_quantile_ms(&load->latencies, 0.99);
    for (size_t i = 0; i < load->settings->clients; i++)
        load_connection_free(&load->connections[i]);
    free(load->connections);
    free(load->queue.items);
    close(load->network.epoll);
}

static double cpu_seconds(void)
{
    struct rusage usage;

    if (getrusage(RUSAGE_THREAD, &usage) != 0)
        fatal("getrusage: %s", strerror(errno));
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}
