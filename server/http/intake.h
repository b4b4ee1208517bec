/*
 * The bytes of a connection as they arrive: they move its state, and what is
 * not fit to be parsed ends there. Loop thread.
 */
#ifndef XQUEUE_HTTP_INTAKE_H
#define XQUEUE_HTTP_INTAKE_H

struct http_connection;

/* Watch the buffers of a new connection. */
void http_intake_start(struct http_connection *connection);

/* Take what came behind the request that is done with now. */
void http_intake_take_rest(struct http_connection *connection);

/* What the connection holds has changed: tell the server's account. */
void http_intake_review(struct http_connection *connection);

/* No callback comes after this. */
void http_intake_stop(struct http_connection *connection);

#endif
