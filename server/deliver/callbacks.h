/*
 * Telling the LMS: delivers what is in the outbox. Loop thread.
 *
 * Each destination (scheme, host, port) is served on its own, with at most
 * CALLBACK_CONCURRENCY callbacks under way, and with one while it does not
 * answer; so one that is dead costs the others nothing.
 */
#ifndef XQUEUE_DELIVER_CALLBACKS_H
#define XQUEUE_DELIVER_CALLBACKS_H

#include "server/task/env.h"

#include <stddef.h>

struct callbacks;

/* Callbacks under way, of all destinations; each has a connection. */
enum { CALLBACKS_AT_ONCE = 256 };

/* Begins at once. */
struct callbacks *callbacks_start(struct env *env);

/* A callback to that destination was just stored by this process. */
void callbacks_nudge(struct callbacks *callbacks, int64_t destination);

/* Claim no more; what is under way goes on. */
void callbacks_stop(struct callbacks *callbacks);

/* Callbacks under way. */
size_t callbacks_in_flight(const struct callbacks *callbacks);

/* Only when nothing is under way. NULL is legal. */
void callbacks_free(struct callbacks *callbacks);

#endif
