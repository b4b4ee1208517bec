/*
 * Closing so that the client can read what it was told.
 */
#include "server/http/linger.h"

#include "server/base/memory.h"
#include "server/http/private.h"

#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SCRATCH = 32 * 1024, READS_PER_TURN = 8 };

static const uint64_t max_drained = 64 * 1024 * 1024; /* bytes */

static void on_readable(evutil_socket_t descriptor, short what, void *context);

bool http_linger_is_needed(const struct http_connection *connection)
{
    char byte;
    ssize_t waiting;

    if (connection->server->ending || connection->given_up)
        return false;
    waiting = recv(connection->descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (waiting != 0 && connection->refused)
        return waiting > 0 || errno == EAGAIN;
    return waiting > 0;
}

/*
 * A second descriptor of the socket would be simpler; but then closing evhttp's
 * would leave it in the loop's epoll set, see loop_new().
 */
void http_linger_start(struct http_connection *connection,
                       struct bufferevent *bufferevent)
{
    if (bufferevent_setfd(bufferevent, -1) != 0)
        fatal("a descriptor cannot be taken over");
    connection->drain =
        event_new(connection->server->base, connection->descriptor,
                  EV_READ | EV_PERSIST, on_readable, connection);
    if (connection->drain == NULL || event_add(connection->drain, NULL) != 0)
        fatal("no memory for a connection that is closed");
}

void http_linger_end(struct http_connection *connection)
{
    event_free(connection->drain);
    close(connection->descriptor);
    http_connection_free(connection);
}

static void on_readable(evutil_socket_t descriptor, short what, void *context)
{
    struct http_connection *connection = context;
    char scratch[SCRATCH];

    (void)what;
    for (int i = 0; i < READS_PER_TURN; i++) {
        const ssize_t size =
            recv(descriptor, scratch, sizeof scratch, MSG_DONTWAIT);

        if (size < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (size > 0)
            connection->drained += (uint64_t)size;
        if (size <= 0 || connection->drained > max_drained) {
            http_linger_end(connection);
            return;
        }
    }
}
