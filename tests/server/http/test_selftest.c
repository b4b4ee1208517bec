#include "server/http/selftest.h"

#include "server/base/clock.h"
#include "tests/support/story.h"

START_TEST(the_libevent_here_is_a_repaired_one)
{
    const char *error = "none";

    ck_assert_msg(http_selftest(&error), "%s", error);
}
END_TEST

START_TEST(it_does_not_delay_the_start)
{
    const int64_t before_ms = clock_monotonic_ms();
    const char *error = NULL;

    ck_assert(http_selftest(&error));
    ck_assert_int_lt(clock_monotonic_ms() - before_ms, 1000);
}
END_TEST

STORY("self-test", TELL(the_libevent_here_is_a_repaired_one),
      TELL(it_does_not_delay_the_start))
