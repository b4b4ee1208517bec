/*
 * The connections that receive large bodies (over 64 KB), oldest first, and
 * which of them are read.
 *
 * None while the rate of reading is used up (body_rate.h), nor while memory is
 * scarce and the handler has large bodies; only the oldest while memory is
 * scarce and it has none (body_memory.h); else all. The time that we made a
 * client wait is not held against it.
 *
 * That only one is read is hard on the others, and each of them would be next:
 * so a client that the others wait for is refused unless it sends 32 KB in two
 * seconds. Loop thread.
 */
#ifndef XQUEUE_HTTP_RECEIVERS_H
#define XQUEUE_HTTP_RECEIVERS_H

#include <stddef.h>

struct http_connection;
struct http_server;

enum { HTTP_LARGE_BODY = 64 * 1024 }; /* bytes; what is larger may wait */

void http_receivers_start(struct http_server *server);

/* So many bytes more of a body have come: it may be a large one by now. */
void http_receivers_received(struct http_connection *connection, size_t bytes);

/* It receives no body any more; a paused one is not read on. */
void http_receivers_leave(struct http_connection *connection);

/* What decides has changed. */
void http_receivers_review(struct http_server *server);

/* Every half second: does one hold up the others? */
void http_receivers_look(struct http_server *server);

#endif
