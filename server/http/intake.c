/*
 * The bytes of a connection as they arrive, before evhttp parses them.
 *
 * A filter bufferevent would be the natural place to watch them, but evhttp
 * loses replies over one. So it has a plain socket, and callbacks on the two
 * buffers of that see what comes in and what evhttp says on its own account.
 */
#include "server/http/intake.h"

#include "server/base/memory.h"
#include "server/http/body_memory.h"
#include "server/http/private.h"
#include "server/http/receivers.h"
#include "server/http/refusal.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum {
    READ_SLACK = 48 * 1024,  /* read beyond the longest head */
    ROOMY_ABOVE = 32 * 1024, /* so much more is a body on its way */
    READ_STEP = 4096,        /* libevent's, for each read */
    ROOM_BYTES = 1024 * 1024 - READ_STEP, /* rounded up with its own part */
    READ_ON = 128 * 1024,                 /* at once */
    PIECES = 8,
};

static struct evbuffer *input_of(const struct http_connection *connection);
static void on_input(struct evbuffer *input,
                     const struct evbuffer_cb_info *change, void *context);
static void on_output(struct evbuffer *output,
                      const struct evbuffer_cb_info *change, void *context);
static void read_on(struct http_connection *connection);
static void take_bytes(struct http_connection *connection, size_t offset);
static void take_piece(struct http_connection *connection, const char *data,
                       size_t size);
static void begin_request(struct http_connection *connection);
static size_t take_head(struct http_connection *connection, const char *data,
                        size_t size);
static void take_body(struct http_connection *connection, const char *data,
                      size_t size);
static void admit(struct http_connection *connection, size_t body_bytes);
static void make_room(struct http_connection *connection);
static void make_whole_room(struct http_connection *connection);
static size_t announced_bytes(struct text head);

void http_intake_start(struct http_connection *connection)
{
    head_watch_init(&connection->head,
                    connection->server->settings.max_head_bytes);
    connection->input_watch =
        evbuffer_add_cb(input_of(connection), on_input, connection);
    connection->output_watch = evbuffer_add_cb(
        bufferevent_get_output(connection->bufferevent), on_output, connection);
    admit(connection, 0);
}

void http_intake_take_rest(struct http_connection *connection)
{
    take_bytes(connection, 0);
    http_intake_review(connection);
}

void http_intake_narrow(struct http_connection *connection)
{
    if (connection->roomy)
        admit(connection, 0);
}

void http_intake_review(struct http_connection *connection)
{
    size_t held = connection->request_held;

    if (connection->bufferevent == NULL)
        held = 0;
    else if (connection->state == HTTP_CONNECTION_BODY)
        held = (size_t)connection->body_received; /* evhttp has a part */
    else
        held += evbuffer_get_length(input_of(connection));
    http_body_memory_set_held(connection, held);
}

void http_intake_stop(struct http_connection *connection)
{
    evbuffer_remove_cb_entry(input_of(connection), connection->input_watch);
    evbuffer_remove_cb_entry(bufferevent_get_output(connection->bufferevent),
                             connection->output_watch);
}

static struct evbuffer *input_of(const struct http_connection *connection)
{
    return bufferevent_get_input(connection->bufferevent);
}

static void on_input(struct evbuffer *input,
                     const struct evbuffer_cb_info *change, void *context)
{
    struct http_connection *connection = context;

    if (change->n_added > 0)
        take_bytes(connection, evbuffer_get_length(input) - change->n_added);
    http_intake_review(connection);
    if (change->n_added > 0 && !connection->reading_on)
        read_on(connection);
}

/*
 * libevent reads four kilobytes at a time, and makes three system calls for
 * each. So what else has come of a large body is read here, into the room that
 * was made for it. The end of the stream, and errors, libevent will see next.
 */
static void read_on(struct http_connection *connection)
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

/*
 * evhttp writes before we have given it a reply: an answer of its own making,
 * for what its parser refused. Send ours in its place; but let it tell the
 * client to continue.
 */
static void on_output(struct evbuffer *output,
                      const struct evbuffer_cb_info *change, void *context)
{
    struct http_connection *connection = context;
    struct evbuffer_ptr at;
    struct evbuffer_iovec line;
    int64_t number = 0;

    connection->written += change->n_deleted;
    if (change->n_added == 0 || (connection->state != HTTP_CONNECTION_HEAD &&
                                 connection->state != HTTP_CONNECTION_BODY))
        return;
    evbuffer_ptr_set(output, &at, evbuffer_get_length(output) - change->n_added,
                     EVBUFFER_PTR_SET);
    if (evbuffer_peek(output, -1, &at, &line, 1) < 1 ||
        line.iov_len < sizeof "HTTP/1.1 400" - 1 ||
        !text_to_integer((struct text){(char *)line.iov_base + 9, 3}, &number))
        number = 400;
    if (number == 100)
        return;
    http_connection_refuse(connection, http_refusal_status((int)number), NULL);
}

/* All that is in the input buffer from `offset` on. */
static void take_bytes(struct http_connection *connection, size_t offset)
{
    struct evbuffer *input = input_of(connection);
    struct evbuffer_iovec pieces[PIECES];
    const bool was_head = connection->state != HTTP_CONNECTION_BODY;

    while (offset < evbuffer_get_length(input)) {
        struct evbuffer_ptr at;
        int count;

        evbuffer_ptr_set(input, &at, offset, EVBUFFER_PTR_SET);
        count = evbuffer_peek(input, -1, &at, pieces, PIECES);
        for (int i = 0; i < count && i < PIECES; i++) {
            take_piece(connection, pieces[i].iov_base, pieces[i].iov_len);
            offset += pieces[i].iov_len;
        }
    }
    if (connection->state != HTTP_CONNECTION_BODY)
        return;
    if (was_head)
        make_whole_room(connection);
    if (evbuffer_get_length(input) <= ROOMY_ABOVE)
        return;
    if (!connection->roomy)
        admit(connection, connection->server->settings.max_body_bytes);
    make_room(connection);
}

static void take_piece(struct http_connection *connection, const char *data,
                       size_t size)
{
    size_t used = 0;

    if (connection->state == HTTP_CONNECTION_IDLE)
        begin_request(connection);
    if (connection->state == HTTP_CONNECTION_HEAD)
        used = take_head(connection, data, size);
    if (connection->state == HTTP_CONNECTION_BODY)
        take_body(connection, data + used, size - used);
}

static void begin_request(struct http_connection *connection)
{
    http_connection_set_state(connection, HTTP_CONNECTION_HEAD);
    connection->request_since_ms = connection->since_ms;
    connection->room = 0;
    head_watch_reset(&connection->head);
}

static size_t take_head(struct http_connection *connection, const char *data,
                        size_t size)
{
    size_t used = 0;
    const enum head_state state =
        head_watch_feed(&connection->head, data, size, &used);

    if (state == HEAD_COMPLETE) {
        http_connection_set_state(connection, HTTP_CONNECTION_BODY);
        connection->body_since_ms = connection->since_ms;
        connection->body_received = 0;
        chunk_watch_start(&connection->chunks);
    } else if (state == HEAD_BAD) {
        const struct head_refusal refusal =
            head_watch_refusal(&connection->head);

        http_connection_refuse(connection, refusal.status, refusal.reason);
    }
    return used;
}

/* Everything after a head, though it may be the next one. */
static void take_body(struct http_connection *connection, const char *data,
                      size_t size)
{
    const struct http_settings *settings = &connection->server->settings;
    const uint64_t limit = 2 * (uint64_t)settings->max_body_bytes + READ_SLACK;

    chunk_watch_feed(&connection->chunks, data, size);
    connection->body_received += size;
    http_receivers_received(connection, size);
    /* Tiny chunks, uncounted lines between them; a size without an end. */
    if (connection->body_received > limit ||
        evbuffer_get_length(input_of(connection)) >=
            settings->max_head_bytes + settings->max_body_bytes + READ_SLACK)
        http_connection_refuse(connection, 413, "Request body too large");
}

/* Read no further ahead than a head and that many bytes. */
static void admit(struct http_connection *connection, size_t body_bytes)
{
    const size_t head_bytes = connection->server->settings.max_head_bytes;

    bufferevent_setwatermark(connection->bufferevent, EV_READ, 0,
                             head_bytes + READ_SLACK + body_bytes);
    connection->roomy = body_bytes > 0;
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
 * A body that announces its length is best received into one block: then the
 * handler's view of it needs no copy, for which the loop would stand still.
 * The block begins with the head, which libevent copies while it is short.
 * All this is about speed; whether the length is right others will see.
 */
static void make_whole_room(struct http_connection *connection)
{
    struct evbuffer *input = input_of(connection);
    const size_t length = evbuffer_get_length(input);
    struct evbuffer_iovec first;
    size_t bytes;

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
    static const char name[] = "\nContent-Length:";
    int64_t bytes = 0;

    for (size_t i = 0; i + sizeof name < head.size; i++) {
        const char *value = head.data + i + sizeof name - 1;
        const char *end;

        if (strncasecmp(head.data + i, name, sizeof name - 1) != 0)
            continue;
        end = memchr(value, '\r', head.size - (size_t)(value - head.data));
        if (end != NULL &&
            text_to_integer(
                text_trim((struct text){value, (size_t)(end - value)}),
                &bytes) &&
            bytes > 0)
            return (size_t)bytes;
        return 0;
    }
    return 0;
}
