/*
 * Submissions made by SQL, a million in seconds, in the newest test database:
 * before its server starts, or into queues that nobody uses just then.
 */
#ifndef XQUEUE_BENCH_SEEDS_H
#define XQUEUE_BENCH_SEEDS_H

#include <stddef.h>
#include <stdint.h>

/* The number of a queue, which is made if need be. */
int64_t seed_queue(const char *name);

/*
 * So many more that wait in a queue, a millisecond apart, the newest of them
 * just now.
 */
void seed_waiting(const char *queue, size_t count, size_t body_bytes);

/* Until so many wait. */
void seed_waiting_up_to(const char *queue, size_t depth, size_t body_bytes);

/*
 * Until there are so many finished ones in queue_submission, of short bodies.
 * Callback addresses are numbers below 2^24 at that origin, in no order. What
 * has been finished today counts and becomes a day of the past: else the cost
 * of a full day were measured as one of history. The indexes are made anew,
 * which is faster than filling them.
 */
void seed_history(size_t count, const char *origin);

#endif
