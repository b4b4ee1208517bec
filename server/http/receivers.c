/*
 * The large bodies that are being received, and whom of them we read.
 */
#include "server/http/receivers.h"

#include "server/base/clock.h"
#include "server/http/body_rate.h"
#include "server/http/private.h"

#include <event2/bufferevent.h>
#include <event2/event.h>

/* Looks are counted, not time: after one that came late others will follow. */
enum { LEAST_BYTES = 32 * 1024, LOOKS = 4 };

static bool is_waited_for(const struct http_connection *first);
static void pause_reading(struct http_connection *connection);
static void resume_reading(struct http_connection *connection);

void http_receivers_start(struct http_server *server)
{
    TAILQ_INIT(&server->receivers);
}

void http_receivers_received(struct http_connection *connection, size_t bytes)
{
    struct http_server *server = connection->server;

    if (!connection->large && connection->body_received <= HTTP_LARGE_BODY)
        return;
    if (!connection->large) {
        connection->large = true;
        TAILQ_INSERT_TAIL(&server->receivers, connection, receivers);
        if (server->memory.scarce || server->rate.spent)
            http_receivers_review(server);
    }
    if (connection->paused) /* in what came behind a request: evhttp reads on */
        bufferevent_disable(connection->bufferevent, EV_READ);
    http_body_rate_spend(server, bytes);
}

void http_receivers_leave(struct http_connection *connection)
{
    struct http_server *server = connection->server;

    if (!connection->large)
        return;
    TAILQ_REMOVE(&server->receivers, connection, receivers);
    connection->large = false;
    connection->paused = false;
    if (server->watch.first == connection)
        server->watch.first = NULL;
    if (server->memory.scarce)
        http_receivers_review(server);
}

void http_receivers_review(struct http_server *server)
{
    const struct http_body_memory *memory = &server->memory;
    bool may_read =
        !server->rate.spent && !(memory->scarce && memory->handling > 0);
    struct http_connection *connection;

    TAILQ_FOREACH(connection, &server->receivers, receivers)
    {
        if (may_read && connection->paused)
            resume_reading(connection);
        else if (!may_read && !connection->paused)
            pause_reading(connection);
        if (memory->scarce)
            may_read = false;
    }
}

void http_receivers_look(struct http_server *server)
{
    struct http_receivers_watch *watch = &server->watch;
    struct http_connection *first = TAILQ_FIRST(&server->receivers);

    if (first == NULL || !is_waited_for(first))
        watch->first = NULL;
    else if (watch->first != first ||
             first->body_received - watch->received >= LEAST_BYTES)
        *watch = (struct http_receivers_watch){first, first->body_received, 0};
    else if (++watch->looks == LOOKS)
        http_connection_refuse(first, 408, "Request body took too long");
}

static bool is_waited_for(const struct http_connection *first)
{
    const struct http_body_memory *memory = &first->server->memory;

    return memory->scarce && memory->handling == 0 &&
           TAILQ_NEXT(first, receivers) != NULL;
}

static void pause_reading(struct http_connection *connection)
{
    connection->paused = true;
    connection->paused_since_ms = clock_monotonic_ms();
    bufferevent_disable(connection->bufferevent, EV_READ);
}

/* Only receivers get here: evhttp waits for their bytes. */
static void resume_reading(struct http_connection *connection)
{
    const int64_t pause_ms = clock_monotonic_ms() - connection->paused_since_ms;

    connection->paused = false;
    connection->request_since_ms += pause_ms;
    connection->body_since_ms += pause_ms;
    bufferevent_enable(connection->bufferevent, EV_READ);
}
