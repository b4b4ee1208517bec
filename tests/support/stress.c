/*
 * What tests under stress have in common.
 */
#include "tests/support/stress.h"

#include "server/base/crypto.h"

#include <check.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

bool stress_is_full(void)
{
    const char *size = getenv("XQUEUE_STRESS");

    return size != NULL && strcmp(size, "full") == 0;
}

void stress_expect_no_problems(char *problems)
{
    if (problems != NULL)
        ck_abort_msg("%s", problems);
}

void stress_wait_up_to(unsigned most_ms)
{
    uint16_t random;

    crypto_random(&random, sizeof random);
    poll(NULL, 0, (int)(random % (most_ms + 1)));
}
