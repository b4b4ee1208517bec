/*
 * curl's multi handle on our event loop: its sockets and its timer are
 * events. Loop thread.
 *
 * Curl is called from events and from the functions below, never from inside
 * its own callbacks; the two functions handed to fetch_loop_new() are not
 * called from inside curl either.
 */
#ifndef XQUEUE_FETCH_FETCH_LOOP_H
#define XQUEUE_FETCH_FETCH_LOOP_H

#include <stddef.h>

struct event_base;
struct fetch_loop;

struct fetch_loop_owner {
    void *context;
    /* The transfer `easy` ended; `result` is a CURLcode. Remove it. */
    void (*ended)(void *context, void *easy, int result);
    /* Bytes came or can go on the socket of `easy`, which may be foreign. */
    void (*moved)(void *context, const void *easy);
};

/* `max_idle`: connections that are kept for the next transfer. */
struct fetch_loop *fetch_loop_new(struct event_base *base, size_t max_idle,
                                  struct fetch_loop_owner owner);

/* `easy` is a CURL handle; it stays the caller's. */
void fetch_loop_add(struct fetch_loop *loop, void *easy);
void fetch_loop_remove(struct fetch_loop *loop, void *easy);

/* All transfers have been removed. NULL is legal. */
void fetch_loop_free(struct fetch_loop *loop);

#endif
