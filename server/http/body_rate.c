/*
 * A token bucket that is filled when it is empty: no timer runs while nobody
 * uploads.
 */
#include "server/http/body_rate.h"

#include "server/base/clock.h"
#include "server/base/memory.h"
#include "server/http/private.h"
#include "server/http/receivers.h"

#include <event2/event.h>

enum { TICK_US = 5000, BUCKET_US = 2 * TICK_US };

static void fill(struct http_server *server);
static int64_t bytes_in(const struct http_server *server, int64_t time_us);
static void wait_a_tick(struct http_server *server);
static void on_tick(evutil_socket_t descriptor, short what, void *context);

void http_body_rate_start(struct http_server *server)
{
    server->rate.tick = event_new(server->base, -1, 0, on_tick, server);
    if (server->rate.tick == NULL)
        fatal("no memory for the HTTP server");
}

void http_body_rate_stop(struct http_server *server)
{
    event_free(server->rate.tick);
}

void http_body_rate_spend(struct http_server *server, size_t bytes)
{
    struct http_body_rate *rate = &server->rate;

    rate->left -= (int64_t)bytes;
    if (rate->left > 0 || rate->spent)
        return;
    fill(server);
    if (rate->left > 0)
        return;
    rate->spent = true;
    http_receivers_review(server);
    wait_a_tick(server);
}

static void fill(struct http_server *server)
{
    struct http_body_rate *rate = &server->rate;
    const int64_t now_us = clock_monotonic_us();
    const int64_t since_us = now_us - rate->filled_us;
    const int64_t most = bytes_in(server, BUCKET_US);

    rate->left += bytes_in(server, since_us < BUCKET_US ? since_us : BUCKET_US);
    if (rate->left > most)
        rate->left = most;
    rate->filled_us = now_us;
}

static int64_t bytes_in(const struct http_server *server, int64_t time_us)
{
    return (int64_t)server->settings.body_rate * time_us / 1000000;
}

static void wait_a_tick(struct http_server *server)
{
    const struct timeval tick = {.tv_usec = TICK_US};

    if (event_add(server->rate.tick, &tick) != 0)
        fatal("no memory for a timer");
}

static void on_tick(evutil_socket_t descriptor, short what, void *context)
{
    struct http_server *server = context;

    (void)descriptor;
    (void)what;
    fill(server);
    if (server->rate.left <= 0) {
        wait_a_tick(server);
        return;
    }
    server->rate.spent = false;
    http_receivers_review(server);
}
