/*
 * server/http/pace.c: 1,000 bytes a second, in windows of 10 s.
 */
#include "server/http/pace.h"

#include "tests/support/story.h"

static const struct pace_limits limits = {.min_rate = 1000, .window_ms = 10000};

START_TEST(who_takes_nothing_is_too_slow_when_the_window_ends)
{
    struct pace pace;

    pace_start(&pace, 500, 1000);
    ck_assert(pace_holds(&pace, 500, true, &limits, 10999));
    ck_assert(!pace_holds(&pace, 500, true, &limits, 11000));
}
END_TEST

START_TEST(a_window_needs_its_share)
{
    struct pace pace;

    pace_start(&pace, 500, 1000);
    ck_assert(!pace_holds(&pace, 10499, true, &limits, 11000));
    pace_start(&pace, 500, 1000);
    ck_assert(pace_holds(&pace, 10500, true, &limits, 11000));
}
END_TEST

START_TEST(a_quick_start_is_no_credit)
{
    struct pace pace;

    pace_start(&pace, 0, 0);
    ck_assert(pace_holds(&pace, 50000000, true, &limits, 500));
    ck_assert(pace_holds(&pace, 50000000, true, &limits, 10499));
    ck_assert(!pace_holds(&pace, 50000000, true, &limits, 10500));
}
END_TEST

START_TEST(a_steady_slow_client_goes_on)
{
    struct pace pace;

    pace_start(&pace, 0, 0);
    for (int64_t now_ms = 0; now_ms <= 100000; now_ms += 500)
        ck_assert(pace_holds(&pace, (uint64_t)now_ms * 11 / 10, true, &limits,
                             now_ms));
}
END_TEST

START_TEST(nobody_is_blamed_while_there_is_nothing_to_take)
{
    struct pace pace;

    pace_start(&pace, 0, 0);
    ck_assert(pace_holds(&pace, 0, false, &limits, 60000));
    ck_assert(pace_holds(&pace, 0, true, &limits, 69999));
    ck_assert(!pace_holds(&pace, 0, true, &limits, 70000));
}
END_TEST

STORY("pace", TELL(who_takes_nothing_is_too_slow_when_the_window_ends),
      TELL(a_window_needs_its_share), TELL(a_quick_start_is_no_credit),
      TELL(a_steady_slow_client_goes_on),
      TELL(nobody_is_blamed_while_there_is_nothing_to_take))
