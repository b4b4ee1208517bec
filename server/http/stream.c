/*
 * A reply in pieces: evhttp's chunked reply, which is not chunked when there
 * is a Content-Length.
 *
 * evhttp forgets the callback of a piece when the connection ends, and calls
 * none for a piece that it need not send. Then an event of ours tells the
 * owner, from the loop, so that an owner finds itself in the same place
 * whatever happened.
 */
#include "server/http/private.h"

#include "server/base/memory.h"
#include "server/http/status.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdlib.h>

struct http_stream {
    struct http_request *request;   /* owns */
    bool has_body;                  /* pieces are sent */
    uint64_t left;                  /* bytes promised and not yet given */
    http_piece_written *on_written; /* NULL: no piece is under way */
    void *context;
    struct event *turn; /* made active: tell the owner */
};

static void send_head(struct http_stream *stream,
                      const struct http_reply *reply, uint64_t content_length);
static void send_piece(struct http_stream *stream, struct text piece);
static void on_drained(struct evhttp_connection *evhttp, void *context);
static void on_turn(evutil_socket_t descriptor, short what, void *context);
static void tell(struct http_stream *stream);
static void cut_short(struct http_stream *stream);

struct http_stream *http_reply_begin(struct http_request *request,
                                     const struct http_reply *reply,
                                     uint64_t content_length)
{
    struct http_stream *stream = xcalloc(1, sizeof *stream);

    stream->request = request;
    stream->has_body =
        http_status_has_body(reply->status) && request->method != HTTP_HEAD;
    stream->left = stream->has_body ? content_length : 0;
    stream->turn = event_new(request->server->base, -1, 0, on_turn, stream);
    if (stream->turn == NULL)
        fatal("no memory for a reply");
    request->stream = stream;
    if (request->connection != NULL)
        send_head(stream, reply, content_length);
    return stream;
}

void http_reply_piece(struct http_stream *stream, struct text piece,
                      http_piece_written *on_written, void *context)
{
    if (stream->on_written != NULL || piece.size > HTTP_PIECE_BYTES ||
        (stream->has_body && piece.size > stream->left))
        fatal("a piece of a reply is one too many, or too large");
    stream->on_written = on_written;
    stream->context = context;
    if (stream->has_body && piece.size > 0 &&
        stream->request->connection != NULL)
        send_piece(stream, piece);
    else
        event_active(stream->turn, EV_TIMEOUT, 1);
}

uint64_t http_reply_taken(const struct http_stream *stream)
{
    const struct http_connection *connection = stream->request->connection;

    return connection == NULL ? UINT64_MAX : http_connection_taken(connection);
}

void http_reply_end(struct http_stream *stream)
{
    struct http_request *request = stream->request;

    request->server->in_flight--;
    if (request->connection != NULL && stream->left > 0)
        cut_short(stream);
    else if (request->connection != NULL)
        http_connection_streamed(request->connection);
    stream->on_written = NULL;
    /* May end the connection; without one it frees evhttp's request. */
    evhttp_send_reply_end(request->evhttp);
    event_free(stream->turn);
    free(stream);
    http_request_free(request);
}

void http_stream_lost(struct http_stream *stream)
{
    if (stream->on_written != NULL)
        event_active(stream->turn, EV_TIMEOUT, 1);
}

static void send_head(struct http_stream *stream,
                      const struct http_reply *reply, uint64_t content_length)
{
    struct http_request *request = stream->request;

    http_reply_prepare(request, reply, content_length);
    evhttp_send_reply_start(request->evhttp, reply->status,
                            http_status_reason(reply->status));
    http_request_forget_body(request);
    http_connection_streaming(request->connection);
}

static void send_piece(struct http_stream *stream, struct text piece)
{
    struct evbuffer *bytes = evbuffer_new();

    if (bytes == NULL || evbuffer_add(bytes, piece.data, piece.size) != 0)
        fatal("no memory for a reply");
    stream->left -= piece.size;
    evhttp_send_reply_chunk_with_cb(stream->request->evhttp, bytes, on_drained,
                                    stream);
    http_connection_hush(stream->request->connection);
    evbuffer_free(bytes);
}

static void on_drained(struct evhttp_connection *evhttp, void *context)
{
    (void)evhttp;
    tell(context);
}

static void on_turn(evutil_socket_t descriptor, short what, void *context)
{
    (void)descriptor;
    (void)what;
    tell(context);
}

static void tell(struct http_stream *stream)
{
    http_piece_written *on_written = stream->on_written;

    stream->on_written = NULL;
    if (on_written != NULL)
        on_written(stream, stream->request->connection == NULL,
                   stream->context);
}

/* Whoever does not wait for a piece has given the client up. */
static void cut_short(struct http_stream *stream)
{
    static struct log_once once;

    if (stream->on_written != NULL) {
        http_connection_drop(stream->request->connection);
        return;
    }
    log_repeated(&once, LOG_WARNING, "a reply ended before its length");
    http_connection_cut(stream->request->connection);
}
