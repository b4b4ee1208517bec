/*
 * The listening socket: opened by ourselves (so that the options and the
 * backlog are ours), paused when there are too many connections until its
 * owner makes room for those who wait, and backing off when the system has no
 * descriptor left for the next one. Loop thread.
 */
#ifndef XQUEUE_HTTP_LISTENER_H
#define XQUEUE_HTTP_LISTENER_H

#include "server/base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event;
struct event_base;
struct evconnlistener;
struct evhttp;
struct evhttp_bound_socket;

/* Close up to `wanted` connections: how many; 0 when there is none to close. */
typedef size_t http_listener_make_room(size_t wanted, void *context);

struct http_listener {
    struct evhttp *evhttp;             /* borrows */
    struct evhttp_bound_socket *bound; /* NULL when closed */
    struct evconnlistener *listener;   /* inside `bound` */
    struct event *backoff; /* pending: the system is out of something */
    int spare;             /* a descriptor to give up when there is no other */
    uint16_t port;
    bool full;             /* as many connections as allowed */
    struct event *waiting; /* pending: full, and somebody may wait outside */
    http_listener_make_room *make_room; /* or NULL */
    void *make_room_context;
    bool in_vain; /* nobody could make room when last asked */
};

/* For evconnlistener_set_error_cb(); `context` is the evhttp. */
typedef void http_listener_error(struct evconnlistener *source, void *context);

/* Listen and give the accepted connections to `evhttp`. */
MUST_CHECK bool http_listener_open(struct http_listener *listener,
                                   struct event_base *base,
                                   struct evhttp *evhttp, const char *address,
                                   uint16_t port, http_listener_error *on_error,
                                   const char **ret_error);

/* Let new connections wait in the system's queue, or take them again. */
void http_listener_set_full(struct http_listener *listener, bool full);

/* Have room made when it is full and somebody waits to connect. */
void http_listener_when_full(struct http_listener *listener,
                             http_listener_make_room *make_room, void *context);

/* Asked in vain for room so far: perhaps there is some now. */
void http_listener_look_again(struct http_listener *listener);

/* accept() failed, with errno: shed one connection and rest for a moment. */
void http_listener_back_off(struct http_listener *listener);

/* Twice is legal, and so is a zeroed one. */
void http_listener_close(struct http_listener *listener);

#endif
