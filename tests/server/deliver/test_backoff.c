/*
 * server/deliver/backoff.c
 */
#include "server/deliver/backoff.h"

#include "server/base/compiler.h"
#include "tests/support/story.h"

#include <stdbool.h>

static const int64_t waits_ms[] = {1000, 5000, 60000};

static void expect_wait(int64_t tries, int64_t least_ms, int64_t most_ms)
{
    for (int i = 0; i < 1000; i++) {
        int64_t wait_ms = backoff_ms(waits_ms, ARRAY_LENGTH(waits_ms), tries);

        ck_assert_int_ge(wait_ms, least_ms);
        ck_assert_int_le(wait_ms, most_ms);
    }
}

START_TEST(each_try_has_its_wait)
{
    expect_wait(1, 800, 1200);
    expect_wait(2, 4000, 6000);
    expect_wait(3, 48000, 72000);
}
END_TEST

START_TEST(the_last_wait_is_for_all_that_follow)
{
    expect_wait(4, 48000, 72000);
    expect_wait(INT64_MAX, 48000, 72000);
}
END_TEST

START_TEST(waits_differ)
{
    int64_t first_ms = backoff_with_jitter(60000);
    bool differs = false;

    for (int i = 0; i < 1000 && !differs; i++)
        differs = backoff_with_jitter(60000) != first_ms;
    ck_assert(differs);
}
END_TEST

STORY("backoff", TELL(each_try_has_its_wait),
      TELL(the_last_wait_is_for_all_that_follow), TELL(waits_differ))
