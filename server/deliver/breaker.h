/*
 * A circuit breaker: how much may be asked of a peer that fails.
 *
 *   closed     all that its owner wants
 *   careful    one at a time: it failed last, or has not been heard of yet
 *   open       nothing for a while: it failed BREAKER_THRESHOLD times running
 *
 * After an open time it is careful: one is sent to see. Each open time is
 * twice as long as the one before, from five seconds up to a minute, and 20 %
 * more or less; an answer closes it. Times are given by the caller, in
 * milliseconds of clock_monotonic_ms(). Any thread.
 */
#ifndef XQUEUE_DELIVER_BREAKER_H
#define XQUEUE_DELIVER_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

enum { BREAKER_THRESHOLD = 5 };

enum breaker_state { BREAKER_CLOSED, BREAKER_CAREFUL, BREAKER_OPEN };

struct breaker {
    bool is_careful;
    int failures;          /* running */
    int64_t open_until_ms; /* 0: not opened since the last answer */
    int64_t open_ms;       /* how long that time was meant; 0: likewise */
};

void breaker_init(struct breaker *breaker, bool careful);

enum breaker_state breaker_state(const struct breaker *breaker, int64_t now_ms);

/* Milliseconds until it is open no more; 0 when it is not. */
int64_t breaker_wait_ms(const struct breaker *breaker, int64_t now_ms);

/*
 * It answered in good time, whatever it said. True when it had been opened
 * since it did so last.
 */
bool breaker_succeeded(struct breaker *breaker);

/*
 * No answer, or a late one, or one that says it is overloaded. retry_after_s:
 * how long it asked to be left alone (obeyed at once, and up to five minutes),
 * or 0. True when this opened the breaker. Of many that were under way when it
 * opened, the failures do not make it open for longer.
 */
bool breaker_failed(struct breaker *breaker, int64_t now_ms,
                    int64_t retry_after_s);

#endif
