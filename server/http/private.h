/*
 * What the files of server/http/ share: the server, its connections and its
 * requests. Nobody outside includes this. All of it: loop thread.
 */
#ifndef XQUEUE_HTTP_PRIVATE_H
#define XQUEUE_HTTP_PRIVATE_H

#include "server/base/log.h"
#include "server/http/connection.h"
#include "server/http/listener.h"
#include "server/http/server.h"

#include <sys/queue.h>
#include <time.h>

struct evhttp;
struct evhttp_request;
struct event;

TAILQ_HEAD(http_connection_list, http_connection);

/* The bodies in memory, of all connections together: body_memory.c. */
struct http_body_memory {
    size_t held;     /* bytes in input buffers and in requests */
    size_t handling; /* large bodies that the handler has */
    bool scarce;     /* over the budget */
};

/* The receiver that all others wait for: receivers.c. */
struct http_receivers_watch {
    const struct http_connection *first; /* NULL: none */
    uint64_t received;                   /* by it, when it was fast enough */
    unsigned looks;                      /* since then */
};

/* How much of large bodies may be read: body_rate.c. */
struct http_body_rate {
    int64_t left;      /* bytes, until it is filled again; or a debt */
    int64_t filled_us; /* when that was */
    bool spent;        /* the receivers wait */
    struct event *tick;
};

/* Those that may have to go, each queue longest first: crowd.c. */
struct http_crowd {
    struct http_connection_list kept;   /* idle after a reply */
    struct http_connection_list silent; /* idle without a word so far */
    struct http_connection_list lingering;
    struct http_connection_list heads; /* being sent */
};

/* The field Date, made once a second: reply.c. */
struct http_date {
    time_t second;
    char text[sizeof "Thu, 01 Jan 1970 00:00:00 GMT"];
};

struct http_server {
    struct event_base *base; /* borrows */
    struct http_settings settings;
    http_handler *handler;
    void *context;
    struct evhttp *evhttp;
    struct http_listener listener;
    struct event *sweep; /* every half second: deadlines.c */
    struct http_connection_list connections;
    size_t connection_count; /* never above max_connections */
    struct http_crowd crowd;
    struct http_connection **by_descriptor; /* NULL where there is none */
    size_t by_descriptor_size;
    size_t in_flight;
    struct http_body_memory memory;
    struct http_body_rate rate;
    struct http_connection_list receivers; /* of large bodies: receivers.c */
    struct http_receivers_watch watch;
    struct http_date date;
    bool stopping; /* accept no more, close what gets idle */
    bool ending;   /* inside http_server_free() */
};

struct http_request {
    struct http_server *server;
    struct http_connection *connection; /* NULL once it has gone */
    struct http_stream *stream;         /* its reply in pieces, or NULL */
    struct evhttp_request *evhttp;      /* owns, until the reply */
    enum http_method method;
    char *peer;
};

/* request.c: takes `evhttp`, and gives it back with the reply. */
struct http_request *http_request_new(struct http_server *server,
                                      struct http_connection *connection,
                                      struct evhttp_request *evhttp);
void http_request_free(struct http_request *request);

/* Its connection is gone. */
void http_request_lost(struct http_request *request);

/* evhttp keeps the request until the last byte of the reply is written. */
void http_request_forget_body(struct http_request *request);

/* reply.c: the fields of the head, and how the connection goes on. */
void http_reply_prepare(struct http_request *request,
                        const struct http_reply *reply,
                        uint64_t content_length);

/* stream.c: the client of a reply in pieces is gone. */
void http_stream_lost(struct http_stream *stream);

/* Open the listener or pause it, as the count of connections demands. */
void http_server_review_listener(struct http_server *server);

#endif
