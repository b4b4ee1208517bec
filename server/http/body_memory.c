/*
 * The account of body memory. It is scarce from the moment the budget is
 * passed until an eighth of it is free again.
 */
#include "server/http/body_memory.h"

#include "server/http/private.h"
#include "server/http/receivers.h"

static bool is_scarce(const struct http_server *server);

void http_body_memory_set_held(struct http_connection *connection, size_t held)
{
    struct http_body_memory *memory = &connection->server->memory;
    const bool was_scarce = memory->scarce;

    memory->held -= connection->held;
    memory->held += held;
    connection->held = held;
    memory->scarce = is_scarce(connection->server);
    if (memory->scarce != was_scarce)
        http_receivers_review(connection->server);
}

void http_body_memory_hand_over(struct http_connection *connection,
                                size_t body_bytes)
{
    if (body_bytes > HTTP_LARGE_BODY)
        connection->server->memory.handling++;
}

void http_body_memory_take_back(struct http_connection *connection,
                                size_t body_bytes)
{
    struct http_body_memory *memory = &connection->server->memory;

    if (body_bytes <= HTTP_LARGE_BODY)
        return;
    memory->handling--;
    if (memory->scarce)
        http_receivers_review(connection->server);
}

static bool is_scarce(const struct http_server *server)
{
    const size_t budget = server->settings.body_memory_bytes;
    const size_t held = server->memory.held;

    return server->memory.scarce ? held > budget - budget / 8 : held > budget;
}
