/*
 * The HTTP server: evhttp behind our own request and reply.
 *
 * Everything that knows evhttp is in server/http/. A request reaches the
 * handler only whole, after the gate found its framing unambiguous; whatever
 * is refused before that never does. All functions: loop thread.
 */
#ifndef XQUEUE_HTTP_SERVER_H
#define XQUEUE_HTTP_SERVER_H

#include "server/base/compiler.h"
#include "server/base/text.h"

struct event_base;
struct http_server;
struct http_request;
struct http_stream;

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_OTHER };

struct http_settings {
    const char *address;        /* "127.0.0.1" or "[::1]" or "0.0.0.0" */
    uint16_t port;              /* 0: any free one */
    size_t max_head_bytes;      /* request line and fields: 16384 */
    size_t max_fields;          /* 64 */
    size_t max_body_bytes;      /* of one request */
    size_t body_memory_bytes;   /* of all bodies together: back-pressure */
    size_t body_rate;           /* bytes a second, of large ones together */
    size_t max_connections;     /* see below: 2000 */
    unsigned head_timeout_s;    /* from the first byte to the blank line: 10 */
    unsigned body_grace_s;      /* then a body must keep up min_body_rate: 10 */
    size_t min_body_rate;       /* bytes a second: 1024 */
    unsigned request_timeout_s; /* whole request, absolute: 120 */
    unsigned reply_timeout_s;   /* writing the reply, absolute: 30 */
    unsigned idle_timeout_s;    /* kept-alive and silent: 90 */
    unsigned stream_timeout_s;  /* a reply in pieces, absolute: 3600 */
};

/*
 * There are never more than max_connections; fewer when the system allows
 * fewer open files. When all are taken and somebody waits to connect, the one
 * idle longest is closed for the new one: kept alive, or connected for a
 * second without a word. Without any such it is one closed for a second whose
 * client has not gone, and then the one that has been sending its head
 * longest, beyond a second. A connection that is being served is never closed
 * for another: then new ones wait in the listen queue. Above 80 % the idle
 * time-out is 5 s at most, until connections are fewer again, and the head
 * time-out 3 s. A client that keeps an idle connection must be ready to
 * connect again, as always in HTTP.
 */

/* The values above; address 127.0.0.1, port 18040. */
void http_settings_init(struct http_settings *settings);

/*
 * The handler must reply exactly once, now or later; until then the request
 * and every text got from it stay valid, even when the client has gone.
 */
typedef void http_handler(struct http_request *request, void *context);

/* NULL, with a message in *ret_error (static or malloc'd once), on failure. */
struct http_server *http_server_start(struct event_base *base,
                                      const struct http_settings *settings,
                                      http_handler *handler, void *context,
                                      const char **ret_error);

/* The port really bound. */
uint16_t http_server_port(const struct http_server *server);

/*
 * Accept no more; answer what is in hand, each with Connection: close. When
 * no connection is left, every reply has been written.
 */
void http_server_stop_accepting(struct http_server *server);

/* Requests handed to the handler and not yet replied. */
size_t http_server_in_flight(const struct http_server *server);

/* Connections open, in any state. */
size_t http_server_connections(const struct http_server *server);

/*
 * Only when nothing is in flight. Cuts the replies still being written, so
 * wait for the connections to be none, within reason. NULL is legal.
 */
void http_server_free(struct http_server *server);

/* --- the request ------------------------------------------------------ */

enum http_method http_method(const struct http_request *request);
const char *http_method_name(const struct http_request *request);
struct text http_path(const struct http_request *request);  /* raw */
struct text http_query(const struct http_request *request); /* after '?' */
struct text http_body(struct http_request *request);        /* never absent */

/* The value of a field, trimmed; absent when there is none. */
struct text http_field(const struct http_request *request, const char *name);

/* The peer's numeric address, without brackets: "127.0.0.1", "::1". */
const char *http_peer(const struct http_request *request);

/* --- the reply -------------------------------------------------------- */

struct http_reply_field {
    const char *name;
    const char *value;
};

struct http_reply {
    int status;
    const char *content_type; /* NULL: "text/html; charset=utf-8" */
    const struct http_reply_field *fields;
    size_t field_count;
    struct text body; /* copied; dropped for HEAD, its length still told */
    bool close;       /* close the connection afterwards */
};

/* Ends the request: do not touch it afterwards. */
void http_reply(struct http_request *request, const struct http_reply *reply);

/* --- the reply in pieces ---------------------------------------------- */

/*
 * For what is too large to be in memory. Begin; give a piece whenever the
 * last one has been written; end. In flight until the end.
 *
 * reply_timeout_s does not bound such a reply. Instead the client has to take
 * min_body_rate bytes a second, measured over each reply_timeout_s in which
 * there was something to take; and all of it may last stream_timeout_s. A
 * slower client counts as gone. The time that the handler needs to come up
 * with the next piece is not held against it.
 */

/* The most in one piece; so much is held for each connection. */
enum { HTTP_PIECE_BYTES = 256 * 1024 };

/*
 * The piece has left our buffers, or (`gone`) the client has left us: then
 * end the stream, as nothing can reach the client any more. Called from the
 * loop, never from inside http_reply_piece(); once for each piece, and not
 * after the end. Legal in it: the next piece, and the end.
 */
typedef void http_piece_written(struct http_stream *stream, bool gone,
                                void *context);

/*
 * Sends the head with that Content-Length. Takes the request: do not touch it
 * afterwards. The body of `reply` is not looked at. To HEAD the head is all
 * that is sent: end at once; pieces are legal, and dropped.
 */
struct http_stream *http_reply_begin(struct http_request *request,
                                     const struct http_reply *reply,
                                     uint64_t content_length);

/*
 * Copied. One at a time: not before on_written() of the one before. All
 * together must not be longer than the Content-Length; a handler that forgets
 * any of this ends the process.
 */
void http_reply_piece(struct http_stream *stream, struct text piece,
                      http_piece_written *on_written, void *context);

/*
 * Bytes of all replies on its connection that the client has taken: they never
 * get fewer. Without a connection as many as there are numbers.
 */
uint64_t http_reply_taken(const struct http_stream *stream);

/*
 * Ends the request and frees the stream; legal at any time after the begin.
 * When not all that was promised has been given, the connection is cut, so
 * that the client knows; and with a piece on its way, that is given up.
 */
void http_reply_end(struct http_stream *stream);

#endif
