/*
 * The account of body memory, and who is read.
 *
 * Memory is scarce from the moment the budget is passed until an eighth of it
 * is free again; while it is scarce only the oldest receiver is read. The time
 * that we made a client wait is not held against it.
 */
#include "server/http/body_memory.h"

#include "server/base/clock.h"
#include "server/http/private.h"

#include <event2/bufferevent.h>
#include <event2/event.h>

enum { LARGE = 64 * 1024 };

static void review(struct http_server *server);
static bool is_scarce(const struct http_server *server);
static void pause_reading(struct http_connection *connection);
static void resume_reading(struct http_connection *connection);

void http_body_memory_set_held(struct http_connection *connection, size_t held)
{
    struct http_body_memory *memory = &connection->server->memory;
    const bool was_scarce = memory->scarce;

    memory->held -= connection->held;
    memory->held += held;
    connection->held = held;
    memory->scarce = is_scarce(connection->server);
    if (memory->scarce != was_scarce)
        review(connection->server);
}

void http_body_memory_received(struct http_connection *connection)
{
    struct http_body_memory *memory = &connection->server->memory;

    if (connection->large || connection->body_received <= LARGE)
        return;
    connection->large = true;
    TAILQ_INSERT_TAIL(&memory->receivers, connection, receivers);
    if (memory->scarce)
        review(connection->server);
}

void http_body_memory_leave(struct http_connection *connection)
{
    struct http_body_memory *memory = &connection->server->memory;

    if (!connection->large)
        return;
    TAILQ_REMOVE(&memory->receivers, connection, receivers);
    connection->large = false;
    connection->paused = false;
    if (memory->scarce)
        review(connection->server);
}

void http_body_memory_hand_over(struct http_connection *connection,
                                size_t body_bytes)
{
    if (body_bytes > LARGE)
        connection->server->memory.handling++;
}

void http_body_memory_take_back(struct http_connection *connection,
                                size_t body_bytes)
{
    struct http_body_memory *memory = &connection->server->memory;

    if (body_bytes <= LARGE)
        return;
    memory->handling--;
    if (memory->scarce)
        review(connection->server);
}

static bool is_scarce(const struct http_server *server)
{
    const size_t budget = server->settings.body_memory_bytes;
    const size_t held = server->memory.held;

    return server->memory.scarce ? held > budget - budget / 8 : held > budget;
}

static void review(struct http_server *server)
{
    struct http_body_memory *memory = &server->memory;
    bool may_read = !memory->scarce || memory->handling == 0;
    struct http_connection *connection;

    TAILQ_FOREACH(connection, &memory->receivers, receivers)
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
