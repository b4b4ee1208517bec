/*
 * How long a push may take, and how long it waits. Any thread.
 */
#ifndef XQUEUE_DELIVER_PUSH_TIMES_H
#define XQUEUE_DELIVER_PUSH_TIMES_H

#include "server/config/config.h"

/* Milliseconds that a push may wait for a place, see push_places.h. */
enum { PUSH_LINE_MS = 3000 };

/*
 * Longer than any push to that queue, with its wait for a place and its record,
 * can take; or as long as the queue's entry asks for.
 */
int64_t push_lease_us(const struct config *config,
                      const struct config_queue *settings);

/* Milliseconds that one try may take. */
int64_t push_try_ms(const struct config_queue *settings);

/* Milliseconds before the try after the n-th (1 is the first), +-20 %. */
int64_t push_backoff_ms(int64_t tries);

#endif
