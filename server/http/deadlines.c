/*
 * Deadlines are absolute: a byte now and then does not move them. evhttp's
 * own time-outs start anew with every byte and are not used. Some get shorter
 * when connections are many: crowd.c.
 */
#include "server/http/deadlines.h"

#include "server/base/clock.h"
#include "server/http/crowd.h"
#include "server/http/linger.h"
#include "server/http/private.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>

enum { STOPPING_LINGER_MS = 1000 };

static void check(struct http_connection *connection, int64_t now_ms);
static void check_idle(struct http_connection *connection, int64_t now_ms);
static void check_head(struct http_connection *connection, int64_t now_ms);
static void check_body(struct http_connection *connection, int64_t now_ms);
static void check_handling(struct http_connection *connection, int64_t now_ms);
static void check_reply(struct http_connection *connection, int64_t now_ms);
static void check_stream(struct http_connection *connection, int64_t now_ms);
static bool keeps_pace(struct http_connection *connection, int64_t now_ms);
static void check_linger(struct http_connection *connection, int64_t now_ms);
static bool is_too_slow(const struct http_connection *connection,
                        int64_t now_ms);
static bool has_passed(int64_t since_ms, unsigned limit_s, int64_t now_ms);

void http_deadlines_check(struct http_server *server)
{
    const int64_t now_ms = clock_monotonic_ms();
    struct http_connection *next;

    http_crowd_thin_out(server, now_ms);
    for (struct http_connection *connection = TAILQ_FIRST(&server->connections);
         connection != NULL; connection = next) {
        next = TAILQ_NEXT(connection, siblings); /* check() may free */
        check(connection, now_ms);
    }
}

static void check(struct http_connection *connection, int64_t now_ms)
{
    switch (connection->state) {
    case HTTP_CONNECTION_IDLE:
        check_idle(connection, now_ms);
        return;
    case HTTP_CONNECTION_HEAD:
        check_head(connection, now_ms);
        return;
    case HTTP_CONNECTION_BODY:
        check_body(connection, now_ms);
        return;
    case HTTP_CONNECTION_HANDLING:
        check_handling(connection, now_ms);
        return;
    case HTTP_CONNECTION_REPLYING:
        check_reply(connection, now_ms);
        return;
    case HTTP_CONNECTION_STREAMING:
        check_stream(connection, now_ms);
        return;
    case HTTP_CONNECTION_LINGERING:
        check_linger(connection, now_ms);
        return;
    case HTTP_CONNECTION_NEW:
    case HTTP_CONNECTION_REFUSING:
        return; /* over with this turn of the loop */
    }
}

/* At the end, not when a request is waiting to be read this moment. */
static void check_idle(struct http_connection *connection, int64_t now_ms)
{
    const struct http_server *server = connection->server;
    char byte;

    if (has_passed(connection->since_ms, server->settings.idle_timeout_s,
                   now_ms) ||
        (server->stopping &&
         recv(connection->descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0))
        http_connection_close(connection);
}

static void check_head(struct http_connection *connection, int64_t now_ms)
{
    if (has_passed(connection->request_since_ms,
                   http_crowd_head_timeout_s(connection->server), now_ms))
        http_connection_refuse(connection, 408, "Request head took too long");
}

static void check_body(struct http_connection *connection, int64_t now_ms)
{
    if (connection->paused)
        return;
    if (is_too_slow(connection, now_ms) ||
        has_passed(connection->request_since_ms,
                   connection->server->settings.request_timeout_s, now_ms))
        http_connection_refuse(connection, 408, "Request body took too long");
}

/* The request goes on; only its client hears no more of it. */
static void check_handling(struct http_connection *connection, int64_t now_ms)
{
    static struct log_once once;

    if (connection->given_up ||
        !has_passed(connection->request_since_ms,
                    connection->server->settings.request_timeout_s, now_ms))
        return;
    connection->given_up = true;
    shutdown(connection->descriptor, SHUT_RDWR);
    log_repeated(&once, LOG_WARNING, "a request took more than %u s",
                 connection->server->settings.request_timeout_s);
}

/* A client that does not read its reply. */
static void check_reply(struct http_connection *connection, int64_t now_ms)
{
    static struct log_once once;

    if (!has_passed(connection->since_ms,
                    connection->server->settings.reply_timeout_s, now_ms))
        return;
    http_connection_drop(connection);
    log_repeated(&once, LOG_INFO, "a client did not read its reply");
}

/* A long reply may take as long as its client keeps up the least rate. */
static void check_stream(struct http_connection *connection, int64_t now_ms)
{
    static struct log_once once;

    if (keeps_pace(connection, now_ms) &&
        !has_passed(connection->since_ms,
                    connection->server->settings.stream_timeout_s, now_ms))
        return;
    http_connection_drop(connection);
    log_repeated(&once, LOG_INFO, "a client read a long reply too slowly");
}

/* What waits in the system, or on the way, is not taken yet. */
static bool keeps_pace(struct http_connection *connection, int64_t now_ms)
{
    const struct http_settings *settings = &connection->server->settings;
    const struct pace_limits limits = {
        .min_rate = settings->min_body_rate,
        .window_ms = (int64_t)settings->reply_timeout_s * 1000,
    };
    const size_t unwritten =
        evbuffer_get_length(bufferevent_get_output(connection->bufferevent));
    const uint64_t taken = http_connection_taken(connection);

    return pace_holds(&connection->pace, taken,
                      unwritten > 0 || taken < connection->written, &limits,
                      now_ms);
}

static void check_linger(struct http_connection *connection, int64_t now_ms)
{
    const struct http_server *server = connection->server;

    if (has_passed(connection->since_ms, server->settings.reply_timeout_s,
                   now_ms) ||
        (server->stopping &&
         now_ms - connection->since_ms >= STOPPING_LINGER_MS))
        http_linger_end(connection);
}

/* Since the head ended and the grace is over: the average. */
static bool is_too_slow(const struct http_connection *connection,
                        int64_t now_ms)
{
    const struct http_settings *settings = &connection->server->settings;
    const int64_t over_ms = now_ms - connection->body_since_ms -
                            (int64_t)settings->body_grace_s * 1000;

    return over_ms > 0 && connection->body_received < settings->min_body_rate *
                                                          (uint64_t)over_ms /
                                                          1000;
}

static bool has_passed(int64_t since_ms, unsigned limit_s, int64_t now_ms)
{
    return now_ms - since_ms >= (int64_t)limit_s * 1000;
}
