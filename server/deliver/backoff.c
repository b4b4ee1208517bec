/*
 * How long to wait before another try.
 */
#include "server/deliver/backoff.h"

#include "server/base/crypto.h"

int64_t backoff_ms(const int64_t *waits_ms, size_t count, int64_t tries)
{
    size_t place = tries > (int64_t)count ? count : (size_t)tries;

    return backoff_with_jitter(waits_ms[place - 1]);
}

int64_t backoff_with_jitter(int64_t wait_ms)
{
    uint16_t random;

    crypto_random(&random, sizeof random);
    return wait_ms * (800 + random % 401) / 1000;
}
