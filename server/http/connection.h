/*
 * The guard of one client connection.
 *
 * evhttp reads requests and writes replies; the guard stands beside it and
 * knows what evhttp does not: in which state the connection is and since
 * when, how many bytes it holds, and whether what arrives is fit to be parsed
 * at all. Loop thread.
 */
#ifndef XQUEUE_HTTP_CONNECTION_H
#define XQUEUE_HTTP_CONNECTION_H

#include "server/http/chunk_watch.h"
#include "server/http/head_watch.h"
#include "server/http/pace.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct bufferevent;
struct evbuffer_cb_entry;
struct event;
struct evhttp_connection;
struct evhttp_request;
struct http_connection_list;
struct http_request;
struct http_server;

enum http_connection_state {
    HTTP_CONNECTION_NEW,       /* accepted, evhttp is building its part */
    HTTP_CONNECTION_IDLE,      /* between requests, no byte of the next */
    HTTP_CONNECTION_HEAD,      /* some bytes of a head */
    HTTP_CONNECTION_BODY,      /* a whole head, and the request not yet */
    HTTP_CONNECTION_HANDLING,  /* the handler has the request */
    HTTP_CONNECTION_REPLYING,  /* evhttp writes the reply */
    HTTP_CONNECTION_STREAMING, /* the handler sends a reply in pieces */
    HTTP_CONNECTION_REFUSING,  /* taken away from evhttp: refusal.c */
    HTTP_CONNECTION_LINGERING, /* closed; what still comes is drained */
};

struct http_connection {
    TAILQ_ENTRY(http_connection) siblings;
    TAILQ_ENTRY(http_connection) receivers; /* meaningful while `large` */
    TAILQ_ENTRY(http_connection) queued;    /* meaningful while in `queue` */
    struct http_connection_list *queue;     /* one of the crowd's, or NULL */
    struct http_server *server;
    enum http_connection_state state;
    int64_t since_ms;         /* when it got into that state */
    int64_t request_since_ms; /* the request's first byte */
    int64_t body_since_ms;    /* the end of its head */
    int64_t paused_since_ms;  /* meaningful while `paused` */

    struct bufferevent *bufferevent;  /* evhttp's; NULL once closed */
    struct evhttp_connection *evhttp; /* NULL while new and once closed */
    struct evbuffer_cb_entry *input_watch;
    struct evbuffer_cb_entry *output_watch;
    struct event *turn; /* made active: go on from the loop */
    int descriptor;
    struct http_request *request; /* that the handler has, or NULL */
    uint64_t written;             /* bytes of all replies, to the system */
    struct pace pace;             /* meaningful while streaming */

    struct head_watch head;
    struct chunk_watch chunks; /* only right when the body is chunked */
    uint64_t body_received;    /* raw bytes since the end of the head */
    size_t room;               /* bytes of input that large blocks are for */
    size_t request_held;       /* bytes of the body that the handler has */
    size_t held;               /* our part of the server's memory.held */
    bool large;                /* receives a body of more than 64 KB */
    bool kept;                 /* a reply has been written on it */
    bool paused;               /* not read for now: receivers.h */
    bool reading_on;           /* by ourselves, after libevent */
    bool roomy;                /* the read watermark admits a whole body */
    bool refused;              /* a refusal went out: linger when closed */
    bool given_up;             /* cut for slowness: do not linger */

    int refusal_status; /* meaningful while refusing */
    const char *refusal_content;

    struct event *drain; /* the two are meaningful while lingering */
    uint64_t drained;    /* bytes */
};

/* When the server ends and evhttp has freed its part: the lingering ones. */
void http_connection_end_all(struct http_server *server);

/* For evhttp_set_bevcb(): a connection has been accepted. */
struct bufferevent *http_connection_accept(struct http_server *server);

/* Tie all accepted ones to evhttp now rather than on the next turn. */
void http_connection_adopt_all(struct http_server *server);

/* The guard of a request's connection; never NULL inside the callback. */
struct http_connection *http_connection_find(struct http_server *server,
                                             struct evhttp_request *request);

/* Also notes the time. */
void http_connection_set_state(struct http_connection *connection,
                               enum http_connection_state state);

/* The request is whole and ours now. */
void http_connection_handling(struct http_connection *connection,
                              struct http_request *request, size_t body_bytes);

/* Its reply has just been given to evhttp. */
void http_connection_replying(struct http_connection *connection);

/* The head of a reply in pieces has just been given to evhttp. */
void http_connection_streaming(struct http_connection *connection);

/* evhttp writes and must not read meanwhile: after each piece. */
void http_connection_hush(struct http_connection *connection);

/* The handler has done with it; evhttp may have some bytes to write. */
void http_connection_streamed(struct http_connection *connection);

/* Bytes of all replies that the client's system has confirmed. */
uint64_t http_connection_taken(const struct http_connection *connection);

/* The reply has been written and evhttp goes on. */
void http_connection_replied(struct http_connection *connection);

/*
 * Take the connection away from evhttp, answer by ourselves and close. Only
 * while no request is with the handler. `content` is static; NULL: the usual
 * words for the status.
 */
void http_connection_refuse(struct http_connection *connection, int status,
                            const char *content);

/* Close at once and silently; no request may be with the handler. */
void http_connection_close(struct http_connection *connection);

/* The same when one may be; its handler finds out when it replies. */
void http_connection_cut(struct http_connection *connection);

/* The same, and the system, too, forgets what the client has not taken. */
void http_connection_drop(struct http_connection *connection);

/* Free what is left after its descriptor has been closed. */
void http_connection_free(struct http_connection *connection);

#endif
