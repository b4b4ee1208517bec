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

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_OTHER };

struct http_settings {
    const char *address;        /* "127.0.0.1" or "[::1]" or "0.0.0.0" */
    uint16_t port;              /* 0: any free one */
    size_t max_head_bytes;      /* request line and fields: 16384 */
    size_t max_fields;          /* 64 */
    size_t max_body_bytes;      /* of one request */
    size_t body_memory_bytes;   /* of all bodies together: back-pressure */
    size_t max_connections;     /* see below: 2000 */
    unsigned head_timeout_s;    /* from the first byte to the blank line: 10 */
    unsigned body_grace_s;      /* then a body must keep up min_body_rate: 10 */
    size_t min_body_rate;       /* bytes a second: 1024 */
    unsigned request_timeout_s; /* whole request, absolute: 120 */
    unsigned reply_timeout_s;   /* writing the reply, absolute: 30 */
    unsigned idle_timeout_s;    /* kept-alive and silent: 90 */
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

#endif
