/*
 * How long a push may take, and how long it waits before it is tried again.
 */
#include "server/deliver/push_times.h"

#include "tests/support/story.h"

static const struct config config = {
    .push_retry_s = 60,
    .processing_delay_min = 1,
};

static int64_t lease_s(double timeout_s, double processing_delay_min)
{
    const struct config_queue queue = {
        .timeout_s = timeout_s,
        .processing_delay_min = processing_delay_min,
    };

    return push_lease_us(&config, &queue) / 1000000;
}

START_TEST(a_lease_is_longer_than_a_push_with_all_its_tries)
{
    ck_assert_int_eq(lease_s(30, 1), 135);
    ck_assert_int_eq(lease_s(0.5, 1), 76);
    ck_assert_int_eq(lease_s(3600, 1), 7275);
}
END_TEST

START_TEST(a_queue_may_ask_for_a_longer_lease_but_for_no_shorter_one)
{
    ck_assert_int_eq(lease_s(30, 10), 600);
    ck_assert_int_eq(lease_s(30, 2), 135);
    ck_assert_int_eq(lease_s(30, 0.1), 135);
}
END_TEST

START_TEST(a_try_may_take_twice_the_timeout)
{
    const struct config_queue queue = {.timeout_s = 0.25};

    ck_assert_int_eq(push_try_ms(&queue), 500);
}
END_TEST

START_TEST(the_wait_doubles_up_to_eight_seconds)
{
    static const int64_t expected_ms[] = {500, 1000, 2000, 4000, 8000, 8000};

    for (int64_t i = 0; i < 6; i++) {
        for (int j = 0; j < 100; j++) {
            int64_t wait_ms = push_backoff_ms(i + 1);

            ck_assert_int_ge(wait_ms, expected_ms[i] * 8 / 10);
            ck_assert_int_le(wait_ms, expected_ms[i] * 12 / 10);
        }
    }
    ck_assert_int_le(push_backoff_ms(1000000), 9600);
}
END_TEST

STORY("the times of a push",
      TELL(a_lease_is_longer_than_a_push_with_all_its_tries),
      TELL(a_queue_may_ask_for_a_longer_lease_but_for_no_shorter_one),
      TELL(a_try_may_take_twice_the_timeout),
      TELL(the_wait_doubles_up_to_eight_seconds))
