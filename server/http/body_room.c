/*
 * The room for the body of a request.
 */
#include "server/http/body_room.h"

#include "server/base/memory.h"
#include "server/http/private.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum {
    ROOMY_ABOVE = 32 * 1024, /* so much more is a body on its way */
    READ_STEP = 4096,        /* libevent's, for each read */
    ROOM_BYTES = 1024 * 1024 - READ_STEP, /* rounded up with its own part */
    READ_ON = 128 * 1024                  /* at once */
};

static struct evbuffer *input_of(const struct http_connection *connection);
static void admit(struct http_connection *connection, size_t body_bytes);
static size_t announced_bytes(struct text head);
static void make_room(struct http_connection *connection);

void http_body_room_start(struct http_connection *connection)
{
    admit(connection, 0);
}

/*
 * A body that announces its length is best received into one block: then the
 * handler's view of it needs no copy, for which the loop would stand still.
 * The block begins with the head, which libevent copies while it is short.
 * Whether the length is right others will see.
 */
void http_body_room_begin(struct http_connection *connection)
{
    struct evbuffer *input = input_of(connection);
    const size_t length = evbuffer_get_length(input);
    struct evbuffer_iovec first;
    size_t bytes;

    connection->room = 0;
    if (length > READ_STEP || evbuffer_peek(input, -1, NULL, &first, 1) != 1)
        return;
    bytes = announced_bytes((struct text){first.iov_base, first.iov_len});
    if (bytes <= ROOMY_ABOVE ||
        bytes > connection->server->settings.max_body_bytes)
        return;
    if (evbuffer_expand(input, bytes + 2 * READ_STEP) == 0)
        connection->room = length + bytes + 2 * READ_STEP;
}

/* 0: it does not say. */
static size_t announced_bytes(struct text head)
{
    static const char name[] = "Content-Length:";
    const char *const end = head.data + head.size;
    const char *line = memchr(head.data, '\n', head.size);
    int64_t bytes = 0;

    while (line != NULL && (size_t)(end - line) > sizeof name) {
        const char *value = line + sizeof name;
        const char *value_end;

        if (strncasecmp(line + 1, name, sizeof name - 1) != 0) {
            line = memchr(line + 1, '\n', (size_t)(end - line) - 1);
            continue;
        }
        value_end = memchr(value, '\r', (size_t)(end - value));
        if (value_end != NULL &&
            text_to_integer(
                text_trim((struct text){value, (size_t)(value_end - value)}),
                &bytes) &&
            bytes > 0)
            return (size_t)bytes;
        return 0;
    }
    return 0;
}

void http_body_room_widen(struct http_connection *connection)
{
    if (evbuffer_get_length(input_of(connection)) <= ROOMY_ABOVE)
        return;
    if (!connection->roomy)
        admit(connection, connection->server->settings.max_body_bytes);
    make_room(connection);
}

/*
 * libevent would keep a body in blocks of a few kilobytes: thousands of them,
 * through which every look at the end has to go, and which leave holes in the
 * heap. Large blocks are the system's again as soon as they are free, and what
 * is not yet filled of them takes no memory.
 */
static void make_room(struct http_connection *connection)
{
    struct evbuffer *input = input_of(connection);
    const size_t length = evbuffer_get_length(input);

    if (length + READ_STEP <= connection->room)
        return;
    if (evbuffer_expand(input, ROOM_BYTES) != 0)
        fatal("no memory for a body");
    connection->room = length + ROOM_BYTES;
}

/*
 * libevent reads four kilobytes at a time, and makes three system calls for
 * each. So what else has come of a large body is read here, into the room that
 * was made for it. The end of the stream, and errors, libevent will see next.
 */
void http_body_room_read_on(struct http_connection *connection)
{
    struct evbuffer *input = input_of(connection);
    const size_t wanted = evbuffer_get_length(input) + READ_ON;
    struct evbuffer_iovec room;
    ssize_t size;

    if (connection->state != HTTP_CONNECTION_BODY || !connection->large ||
        connection->paused || connection->room < wanted ||
        evbuffer_reserve_space(input, READ_ON, &room, 1) != 1)
        return;
    size = recv(bufferevent_getfd(connection->bufferevent), room.iov_base,
                READ_ON, MSG_DONTWAIT);
    if (size <= 0)
        return;
    room.iov_len = (size_t)size;
    connection->reading_on = true;
    if (evbuffer_commit_space(input, &room, 1) != 0)
        fatal("bytes of a body are lost");
    connection->reading_on = false;
}

void http_body_room_narrow(struct http_connection *connection)
{
    if (connection->roomy)
        admit(connection, 0);
}

static struct evbuffer *input_of(const struct http_connection *connection)
{
    return bufferevent_get_input(connection->bufferevent);
}

/* Read no further ahead than a head and that many bytes. */
static void admit(struct http_connection *connection, size_t body_bytes)
{
    const size_t head_bytes = connection->server->settings.max_head_bytes;

    bufferevent_setwatermark(connection->bufferevent, EV_READ, 0,
                             head_bytes + HTTP_READ_SLACK + body_bytes);
    connection->roomy = body_bytes > 0;
}
