/*
 * A circuit breaker.
 */
#include "server/deliver/breaker.h"

#include "server/deliver/backoff.h"

#include <limits.h>

enum {
    FIRST_OPEN_MS = 5000,
    LONGEST_OPEN_MS = 60000,
    LONGEST_RETRY_AFTER_S = 300
};

static int64_t next_open_ms(const struct breaker *breaker);

void breaker_init(struct breaker *breaker, bool careful)
{
    *breaker = (struct breaker){.is_careful = careful};
}

enum breaker_state breaker_state(const struct breaker *breaker, int64_t now_ms)
{
    if (now_ms < breaker->open_until_ms)
        return BREAKER_OPEN;
    return breaker->is_careful ? BREAKER_CAREFUL : BREAKER_CLOSED;
}

int64_t breaker_wait_ms(const struct breaker *breaker, int64_t now_ms)
{
    if (breaker_state(breaker, now_ms) != BREAKER_OPEN)
        return 0;
    return breaker->open_until_ms - now_ms;
}

bool breaker_succeeded(struct breaker *breaker)
{
    bool was_opened = breaker->open_until_ms != 0;

    breaker_init(breaker, false);
    return was_opened;
}

bool breaker_failed(struct breaker *breaker, int64_t now_ms,
                    int64_t retry_after_s)
{
    bool was_open = breaker_state(breaker, now_ms) == BREAKER_OPEN;
    int64_t until_ms = breaker->open_until_ms;

    breaker->is_careful = true;
    if (breaker->failures < INT_MAX)
        breaker->failures++;
    if (!was_open && breaker->failures >= BREAKER_THRESHOLD) {
        breaker->open_ms = next_open_ms(breaker);
        until_ms = now_ms + backoff_with_jitter(breaker->open_ms);
    }
    if (retry_after_s > LONGEST_RETRY_AFTER_S)
        retry_after_s = LONGEST_RETRY_AFTER_S;
    if (retry_after_s > 0 && now_ms + retry_after_s * 1000 > until_ms)
        until_ms = now_ms + retry_after_s * 1000;
    breaker->open_until_ms = until_ms;
    return !was_open && now_ms < until_ms;
}

static int64_t next_open_ms(const struct breaker *breaker)
{
    if (breaker->open_ms == 0)
        return FIRST_OPEN_MS;
    return breaker->open_ms > LONGEST_OPEN_MS / 2 ? LONGEST_OPEN_MS
                                                  : breaker->open_ms * 2;
}
