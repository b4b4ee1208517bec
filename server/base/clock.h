/*
 * The two clocks. Wall time for people and expiry dates in the database,
 * monotonic time for waiting. Any thread.
 */
#ifndef XQUEUE_BASE_CLOCK_H
#define XQUEUE_BASE_CLOCK_H

#include <stdint.h>

/* Microseconds since 1970-01-01 00:00:00 UTC. */
int64_t clock_wall_us(void);

/* Milliseconds and microseconds since some fixed moment; never go back. */
int64_t clock_monotonic_ms(void);
int64_t clock_monotonic_us(void);

#endif
