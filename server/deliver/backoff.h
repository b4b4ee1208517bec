/*
 * How long to wait before another try. Any thread.
 */
#ifndef XQUEUE_DELIVER_BACKOFF_H
#define XQUEUE_DELIVER_BACKOFF_H

#include <stddef.h>
#include <stdint.h>

/*
 * The wait after the n-th try (1 is the first) by a list of `count`, the last
 * of which is for all that follow; 20 % more or less.
 */
int64_t backoff_ms(const int64_t *waits_ms, size_t count, int64_t tries);

/* 20 % more or less, so that many processes do not try at the same moment. */
int64_t backoff_with_jitter(int64_t wait_ms);

#endif
