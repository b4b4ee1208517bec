/*
 * A window ends early when its share has been taken: so a client that stops
 * is noticed one window later, whatever it did before.
 */
#include "server/http/pace.h"

void pace_start(struct pace *pace, uint64_t taken, int64_t now_ms)
{
    pace->since_ms = now_ms;
    pace->before = taken;
}

bool pace_holds(struct pace *pace, uint64_t taken, bool waiting,
                const struct pace_limits *limits, int64_t now_ms)
{
    const uint64_t share =
        limits->min_rate * (uint64_t)limits->window_ms / 1000;

    if (!waiting || taken >= pace->before + share) {
        pace_start(pace, taken, now_ms);
        return true;
    }
    return now_ms - pace->since_ms < limits->window_ms;
}
