/*
 * Closing so that the client can read what it was told.
 *
 * To close a socket while the client is still sending makes the system reset
 * the connection, and a reset takes away from the client even the reply that
 * has arrived. So a second descriptor of the same socket stays open after
 * evhttp has shut down the writing side; what comes is read and dropped until
 * the client closes, or sends too much, or time is up. Loop thread.
 */
#ifndef XQUEUE_HTTP_LINGER_H
#define XQUEUE_HTTP_LINGER_H

#include <stdbool.h>

struct bufferevent;
struct http_connection;

/* Asked when the descriptor is about to be closed. */
bool http_linger_is_needed(const struct http_connection *connection);

/* Takes the descriptor out of evhttp's bufferevent. */
void http_linger_start(struct http_connection *connection,
                       struct bufferevent *bufferevent);

/* Frees the connection. */
void http_linger_end(struct http_connection *connection);

#endif
