/*
 * How long each state of a connection may last. Loop thread.
 */
#ifndef XQUEUE_HTTP_DEADLINES_H
#define XQUEUE_HTTP_DEADLINES_H

struct http_server;

/* Look at all connections: to be called every half second. */
void http_deadlines_check(struct http_server *server);

#endif
