/*
 * The large bodies that are being received, and whom of them we read.
 */
#include "server/http/receivers.h"

#include "server/base/clock.h"
#include "server/http/body_rate.h"
#include "server/http/private.h"

#include <event2/bufferevent.h>
#include <event2/event.h>

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
