/*
 * How long many things took, kept in little: a count for each step of 2 %.
 */
#ifndef XQUEUE_BENCH_LATENCIES_H
#define XQUEUE_BENCH_LATENCIES_H

#include <stdint.h>

/* Twice as long is 35 steps further; the last is beyond an hour. */
enum { LATENCY_STEPS_PER_E = 50, LATENCY_STEPS = 1200 };

/* Zero-initialise it. */
struct latencies {
    int64_t counts[LATENCY_STEPS];
    int64_t total;
};

void latencies_add(struct latencies *latencies, int64_t us);

/* `part` from 0 to 1; in milliseconds; 0 when there are none. */
double latencies_quantile_ms(const struct latencies *latencies, double part);

#endif
