/*
 * Who has to go when there are too many connections. Loop thread.
 */
#ifndef XQUEUE_HTTP_CROWD_H
#define XQUEUE_HTTP_CROWD_H

#include <stddef.h>
#include <stdint.h>

struct http_connection;
struct http_server;

void http_crowd_start(struct http_server *server);

/* After each change of state; `since_ms` is set. */
void http_crowd_place(struct http_connection *connection);

/* The connection is about to be freed. */
void http_crowd_leave(struct http_connection *connection);

/*
 * Close up to `wanted` connections that can be done without, so that others
 * get in: how many were closed. Frees connections.
 */
size_t http_crowd_make_room(struct http_server *server, size_t wanted);

/* Above 80 %: close those long idle until no more. Frees connections. */
void http_crowd_thin_out(struct http_server *server, int64_t now_ms);

/* How long a head may take now. */
unsigned http_crowd_head_timeout_s(const struct http_server *server);

#endif
