/*
 * For loads that do not wait for the server.
 */
#include "tests/support/due.h"

#include <errno.h>
#include <time.h>

/* clock_monotonic_us() is of the same clock. */
void wait_until_due(int64_t due_us)
{
    struct timespec time = {.tv_sec = due_us / 1000000,
                            .tv_nsec = due_us % 1000000 * 1000};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) ==
           EINTR)
        continue;
}
