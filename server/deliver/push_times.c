/*
 * How long a push may take, and how long it waits.
 */
#include "server/deliver/push_times.h"

#include "server/deliver/backoff.h"

enum {
    RECORD_MS = 12000,
    US_PER_SECOND = 1000000,
    US_PER_MINUTE = 60 * US_PER_SECOND
};

int64_t push_lease_us(const struct config *config,
                      const struct config_queue *settings)
{
    double needed_us =
        config->push_retry_s * US_PER_SECOND +
        (double)(PUSH_LINE_MS + push_try_ms(settings) + RECORD_MS) * 1000;
    double asked_us = settings->processing_delay_min * US_PER_MINUTE;
    bool is_asked =
        settings->processing_delay_min != config->processing_delay_min;

    return (int64_t)(is_asked && asked_us > needed_us ? asked_us : needed_us);
}

int64_t push_try_ms(const struct config_queue *settings)
{
    return 2 * (int64_t)(settings->timeout_s * 1000);
}

int64_t push_backoff_ms(int64_t tries)
{
    static const int64_t waits_ms[] = {500, 1000, 2000, 4000, 8000};

    return backoff_ms(waits_ms, ARRAY_LENGTH(waits_ms), tries);
}
