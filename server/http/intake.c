/*
 * The bytes of a connection as they arrive, before evhttp parses them.
 *
 * A filter bufferevent would be the natural place to watch them, but evhttp
 * loses replies over one. So it has a plain socket, and callbacks on the two
 * buffers of that see what comes in and what evhttp says on its own account.
 */
#include "server/http/intake.h"

#include "server/http/body_memory.h"
#include "server/http/body_room.h"
#include "server/http/private.h"
#include "server/http/receivers.h"
#include "server/http/refusal.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>

enum { PIECES = 8 };

static struct evbuffer *input_of(const struct http_connection *connection);
static void on_input(struct evbuffer *input,
                     const struct evbuffer_cb_info *change, void *context);
static void on_output(struct evbuffer *output,
                      const struct evbuffer_cb_info *change, void *context);
static void take_bytes(struct http_connection *connection, size_t offset);
static void take_piece(struct http_connection *connection, const char *data,
                       size_t size);
static void begin_request(struct http_connection *connection);
static size_t take_head(struct http_connection *connection, const char *data,
                        size_t size);
static void take_body(struct http_connection *connection, const char *data,
                      size_t size);

void http_intake_start(struct http_connection *connection)
{
    head_watch_init(&connection->head,
                    connection->server->settings.max_head_bytes);
    connection->input_watch =
        evbuffer_add_cb(input_of(connection), on_input, connection);
    connection->output_watch = evbuffer_add_cb(
        bufferevent_get_output(connection->bufferevent), on_output, connection);
    http_body_room_start(connection);
}

void http_intake_take_rest(struct http_connection *connection)
{
    take_bytes(connection, 0);
    http_intake_review(connection);
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
        http_body_room_read_on(connection);
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
        http_body_room_begin(connection);
    http_body_room_widen(connection);
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
    const uint64_t limit =
        2 * (uint64_t)settings->max_body_bytes + HTTP_READ_SLACK;

    chunk_watch_feed(&connection->chunks, data, size);
    connection->body_received += size;
    http_receivers_received(connection, size);
    /* Tiny chunks, uncounted lines between them; a size without an end. */
    if (connection->body_received > limit ||
        evbuffer_get_length(input_of(connection)) >=
            settings->max_head_bytes + settings->max_body_bytes +
                HTTP_READ_SLACK)
        http_connection_refuse(connection, 413, "Request body too large");
}
