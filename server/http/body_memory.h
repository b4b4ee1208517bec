/*
 * Back-pressure: the bodies of all requests together stay within a budget.
 *
 * Beyond it nothing fails; large bodies are not read for a while, so that
 * their clients wait. One of them always goes on, unless the handler has large
 * ones: those give their memory back when they are replied to. So at most one
 * body comes on top of the budget, and no upload waits for ever: the one that
 * goes on has to be quick (receivers.h). Loop thread.
 */
#ifndef XQUEUE_HTTP_BODY_MEMORY_H
#define XQUEUE_HTTP_BODY_MEMORY_H

#include <stddef.h>

struct http_connection;

/* The connection holds that many bytes now. */
void http_body_memory_set_held(struct http_connection *connection, size_t held);

/* The handler got a body, or has done with it. */
void http_body_memory_hand_over(struct http_connection *connection,
                                size_t body_bytes);
void http_body_memory_take_back(struct http_connection *connection,
                                size_t body_bytes);

#endif
