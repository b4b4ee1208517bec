/*
 * Who has to go when there are too many connections.
 *
 * A connection costs its owner nothing, so the places of all could be taken
 * by clients that want nothing of us. When all are taken and somebody waits
 * to connect, these make room, in this order:
 *
 *   1. the one idle longest: kept alive after a reply, or for a second
 *      connected without a word (a newcomer's request may be on its way)
 *   2. the one that has been closed for a second and still lingers
 *   3. the one that has been sending its head longest, beyond a second
 *
 * and never one whose request is with the handler, or whose body or reply is
 * moving: these have deadlines of their own. If there is none to go, the
 * newcomers wait until somebody becomes idle or old enough. A poller that
 * lost its idle connection connects again without noticing.
 *
 * Above 80 % of the places the time-outs get shorter: 5 s for an idle
 * connection, longest idle first and only until we are below, and 3 s for a
 * head.
 *
 * In each of the queues the order is that of `since_ms`, because connections
 * enter at the tail: who has to go stands at the head of one.
 */
#include "server/http/crowd.h"

#include "server/base/clock.h"
#include "server/http/linger.h"
#include "server/http/private.h"
#include "server/http/refusal.h"

#include <sys/socket.h>

enum {
    PATIENCE_MS = 1000,
    CROWDED_IDLE_S = 5,
    CROWDED_HEAD_S = 3,
    MOST_LOOKED_AT = 16, /* of those whose request has just arrived */
};

static struct http_connection_list *
queue_for(const struct http_connection *connection);
static bool is_crowded(const struct http_server *server);
static struct http_connection *dispensable(const struct http_server *server,
                                           int64_t now_ms);
static struct http_connection *longest_idle(const struct http_server *server,
                                            int64_t kept_ms, int64_t silent_ms,
                                            int64_t now_ms);
static struct http_connection *
longest_in(const struct http_connection_list *queue, int64_t patience_ms,
           int64_t now_ms);
static bool has_arrivals(const struct http_connection *connection);
static void send_away(struct http_connection *connection);

void http_crowd_start(struct http_server *server)
{
    TAILQ_INIT(&server->crowd.kept);
    TAILQ_INIT(&server->crowd.silent);
    TAILQ_INIT(&server->crowd.lingering);
    TAILQ_INIT(&server->crowd.heads);
}

void http_crowd_place(struct http_connection *connection)
{
    http_crowd_leave(connection);
    connection->queue = queue_for(connection);
    if (connection->queue == NULL)
        return;
    TAILQ_INSERT_TAIL(connection->queue, connection, queued);
    if (connection->queue == &connection->server->crowd.kept)
        http_listener_look_again(&connection->server->listener);
}

void http_crowd_leave(struct http_connection *connection)
{
    if (connection->queue != NULL)
        TAILQ_REMOVE(connection->queue, connection, queued);
    connection->queue = NULL;
}

size_t http_crowd_make_room(struct http_server *server, size_t wanted)
{
    static struct log_once once;
    const int64_t now_ms = clock_monotonic_ms();
    size_t made = 0;

    for (; made < wanted; made++) {
        struct http_connection *connection = dispensable(server, now_ms);

        if (connection == NULL)
            break;
        send_away(connection);
    }
    log_repeated(&once, LOG_WARNING, "all %zu connections are taken: %s",
                 server->settings.max_connections,
                 made > 0 ? "closed one to let another in"
                          : "new ones have to wait");
    return made;
}

void http_crowd_thin_out(struct http_server *server, int64_t now_ms)
{
    static struct log_once once;
    const int64_t limit_ms = (int64_t)CROWDED_IDLE_S * 1000;

    if (!is_crowded(server))
        return;
    log_repeated(&once, LOG_WARNING,
                 "%zu of %zu connections are taken: idle ones are closed "
                 "after %d s, and heads may take %d s",
                 server->connection_count, server->settings.max_connections,
                 CROWDED_IDLE_S, CROWDED_HEAD_S);
    while (is_crowded(server)) {
        struct http_connection *connection =
            longest_idle(server, limit_ms, limit_ms, now_ms);

        if (connection == NULL)
            return;
        send_away(connection);
    }
}

unsigned http_crowd_head_timeout_s(const struct http_server *server)
{
    const unsigned usual_s = server->settings.head_timeout_s;

    return is_crowded(server) && usual_s > CROWDED_HEAD_S ? CROWDED_HEAD_S
                                                          : usual_s;
}

static struct http_connection_list *
queue_for(const struct http_connection *connection)
{
    struct http_crowd *crowd = &connection->server->crowd;

    switch (connection->state) {
    case HTTP_CONNECTION_IDLE:
        return connection->kept ? &crowd->kept : &crowd->silent;
    case HTTP_CONNECTION_HEAD:
        return &crowd->heads;
    case HTTP_CONNECTION_LINGERING:
        return &crowd->lingering;
    case HTTP_CONNECTION_NEW:
    case HTTP_CONNECTION_BODY:
    case HTTP_CONNECTION_HANDLING:
    case HTTP_CONNECTION_REPLYING:
    case HTTP_CONNECTION_STREAMING:
    case HTTP_CONNECTION_REFUSING:
        break;
    }
    return NULL;
}

static bool is_crowded(const struct http_server *server)
{
    const size_t spare = server->settings.max_connections / 5;

    return server->connection_count + spare > server->settings.max_connections;
}

static struct http_connection *dispensable(const struct http_server *server,
                                           int64_t now_ms)
{
    struct http_connection *connection =
        longest_idle(server, 0, PATIENCE_MS, now_ms);

    if (connection == NULL)
        connection = longest_in(&server->crowd.lingering, PATIENCE_MS, now_ms);
    if (connection == NULL)
        connection = longest_in(&server->crowd.heads, PATIENCE_MS, now_ms);
    return connection;
}

static struct http_connection *longest_idle(const struct http_server *server,
                                            int64_t kept_ms, int64_t silent_ms,
                                            int64_t now_ms)
{
    struct http_connection *kept =
        longest_in(&server->crowd.kept, kept_ms, now_ms);
    struct http_connection *silent =
        longest_in(&server->crowd.silent, silent_ms, now_ms);

    if (kept == NULL || silent == NULL)
        return kept != NULL ? kept : silent;
    return kept->since_ms <= silent->since_ms ? kept : silent;
}

/* Not an idle one whose next request waits to be read this moment. */
static struct http_connection *
longest_in(const struct http_connection_list *queue, int64_t patience_ms,
           int64_t now_ms)
{
    struct http_connection *connection;
    int looked_at = 0;

    TAILQ_FOREACH(connection, queue, queued)
    {
        if (now_ms - connection->since_ms < patience_ms ||
            looked_at++ == MOST_LOOKED_AT)
            return NULL;
        if (connection->state != HTTP_CONNECTION_IDLE ||
            !has_arrivals(connection))
            return connection;
    }
    return NULL;
}

static bool has_arrivals(const struct http_connection *connection)
{
    char byte;

    return recv(connection->descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* At once, without lingering: its place is what we want. */
static void send_away(struct http_connection *connection)
{
    if (connection->state == HTTP_CONNECTION_LINGERING) {
        http_linger_end(connection);
        return;
    }
    if (connection->state == HTTP_CONNECTION_HEAD) {
        connection->refusal_status = 408;
        connection->refusal_content = "Request head took too long";
        http_refusal_send(connection);
    }
    connection->given_up = true;
    http_connection_close(connection);
}
