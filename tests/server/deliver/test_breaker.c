/*
 * server/deliver/breaker.c
 */
#include "server/deliver/breaker.h"

#include "tests/support/story.h"

/* Fails so often that it opens, if it did not before; how long it is open. */
static int64_t fail_until_open(struct breaker *breaker, int64_t now_ms)
{
    while (!breaker_failed(breaker, now_ms, 0))
        ck_assert_int_lt(breaker->failures, 100);
    return breaker_wait_ms(breaker, now_ms);
}

START_TEST(a_new_one_is_closed_or_careful_as_told)
{
    struct breaker breaker;

    breaker_init(&breaker, false);
    ck_assert_int_eq(breaker_state(&breaker, 1000), BREAKER_CLOSED);
    breaker_init(&breaker, true);
    ck_assert_int_eq(breaker_state(&breaker, 1000), BREAKER_CAREFUL);
    ck_assert_int_eq(breaker_wait_ms(&breaker, 1000), 0);
}
END_TEST

START_TEST(one_failure_makes_it_careful_and_one_answer_closes_it)
{
    struct breaker breaker;

    breaker_init(&breaker, false);
    ck_assert(!breaker_failed(&breaker, 1000, 0));
    ck_assert_int_eq(breaker_state(&breaker, 1000), BREAKER_CAREFUL);
    ck_assert(!breaker_succeeded(&breaker));
    ck_assert_int_eq(breaker_state(&breaker, 1000), BREAKER_CLOSED);
}
END_TEST

START_TEST(the_fifth_failure_running_opens_it_for_about_5_s)
{
    struct breaker breaker;
    int64_t wait_ms;

    breaker_init(&breaker, false);
    for (int i = 0; i < 4; i++)
        ck_assert(!breaker_failed(&breaker, 1000, 0));
    ck_assert_int_eq(breaker_state(&breaker, 1000), BREAKER_CAREFUL);
    ck_assert(breaker_failed(&breaker, 1000, 0));
    wait_ms = breaker_wait_ms(&breaker, 1000);
    ck_assert_int_ge(wait_ms, 4000);
    ck_assert_int_le(wait_ms, 6000);
    ck_assert_int_eq(breaker_state(&breaker, 999 + wait_ms), BREAKER_OPEN);
    ck_assert_int_eq(breaker_wait_ms(&breaker, 999 + wait_ms), 1);
    ck_assert_int_eq(breaker_state(&breaker, 1000 + wait_ms), BREAKER_CAREFUL);
}
END_TEST

START_TEST(an_answer_between_failures_starts_the_count_again)
{
    struct breaker breaker;

    breaker_init(&breaker, false);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 4; i++)
            ck_assert(!breaker_failed(&breaker, 1000, 0));
        ck_assert(!breaker_succeeded(&breaker));
    }
}
END_TEST

START_TEST(each_open_time_is_twice_the_one_before_up_to_a_minute)
{
    static const int64_t expected_s[] = {5, 10, 20, 40, 60, 60};
    struct breaker breaker;
    int64_t now_ms = 1000;

    breaker_init(&breaker, true);
    for (size_t i = 0; i < sizeof expected_s / sizeof expected_s[0]; i++) {
        int64_t wait_ms = fail_until_open(&breaker, now_ms);

        ck_assert_int_ge(wait_ms, expected_s[i] * 800);
        ck_assert_int_le(wait_ms, expected_s[i] * 1200);
        now_ms += wait_ms;
        ck_assert_int_eq(breaker_state(&breaker, now_ms), BREAKER_CAREFUL);
    }
    ck_assert_int_eq(breaker.failures, 10);
    ck_assert(breaker_succeeded(&breaker));
    ck_assert_int_le(fail_until_open(&breaker, now_ms), 6000);
}
END_TEST

START_TEST(open_times_differ)
{
    int64_t least = INT64_MAX;
    int64_t most = 0;

    for (int i = 0; i < 100; i++) {
        struct breaker breaker;
        int64_t wait_ms;

        breaker_init(&breaker, false);
        wait_ms = fail_until_open(&breaker, 1000);
        least = wait_ms < least ? wait_ms : least;
        most = wait_ms > most ? wait_ms : most;
    }
    ck_assert_int_lt(least, 4500);
    ck_assert_int_gt(most, 5500);
}
END_TEST

START_TEST(failures_of_what_was_under_way_do_not_make_it_longer)
{
    struct breaker breaker;
    int64_t wait_ms;

    breaker_init(&breaker, false);
    wait_ms = fail_until_open(&breaker, 1000);
    for (int i = 0; i < 20; i++)
        ck_assert(!breaker_failed(&breaker, 1100, 0));
    ck_assert_int_eq(breaker_wait_ms(&breaker, 1000), wait_ms);
    ck_assert_int_ge(fail_until_open(&breaker, 20000), 8000);
}
END_TEST

START_TEST(an_answer_to_what_was_under_way_closes_it)
{
    struct breaker breaker;

    breaker_init(&breaker, false);
    fail_until_open(&breaker, 1000);
    ck_assert(breaker_succeeded(&breaker));
    ck_assert_int_eq(breaker_state(&breaker, 1100), BREAKER_CLOSED);
}
END_TEST

START_TEST(a_peer_that_asks_to_be_left_alone_is_at_once)
{
    struct breaker breaker;

    breaker_init(&breaker, false);
    ck_assert(breaker_failed(&breaker, 1000, 7));
    ck_assert_int_eq(breaker_wait_ms(&breaker, 1000), 7000);
    ck_assert_int_eq(breaker_state(&breaker, 8000), BREAKER_CAREFUL);
    ck_assert(breaker_succeeded(&breaker));
}
END_TEST

START_TEST(but_for_five_minutes_at_most)
{
    struct breaker breaker;

    breaker_init(&breaker, false);
    ck_assert(breaker_failed(&breaker, 1000, 86400));
    ck_assert_int_eq(breaker_wait_ms(&breaker, 1000), 300000);
}
END_TEST

START_TEST(of_its_wish_and_our_own_time_the_longer_counts)
{
    struct breaker breaker;

    breaker_init(&breaker, false);
    fail_until_open(&breaker, 1000);
    ck_assert(!breaker_failed(&breaker, 1000, 1));
    ck_assert_int_ge(breaker_wait_ms(&breaker, 1000), 4000);
    ck_assert(!breaker_failed(&breaker, 1000, 20));
    ck_assert_int_eq(breaker_wait_ms(&breaker, 1000), 20000);
}
END_TEST

STORY("breaker", TELL(a_new_one_is_closed_or_careful_as_told),
      TELL(one_failure_makes_it_careful_and_one_answer_closes_it),
      TELL(the_fifth_failure_running_opens_it_for_about_5_s),
      TELL(an_answer_between_failures_starts_the_count_again),
      TELL(each_open_time_is_twice_the_one_before_up_to_a_minute),
      TELL(open_times_differ),
      TELL(failures_of_what_was_under_way_do_not_make_it_longer),
      TELL(an_answer_to_what_was_under_way_closes_it),
      TELL(a_peer_that_asks_to_be_left_alone_is_at_once),
      TELL(but_for_five_minutes_at_most),
      TELL(of_its_wish_and_our_own_time_the_longer_counts))
