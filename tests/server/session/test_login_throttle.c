/*
 * server/session/login_throttle.c
 */
#include "server/session/login_throttle.h"
#include "tests/support/story.h"

#include <stdio.h>

enum { NOW = 1000000, HOUR = 3600000 };

static struct login_throttle *throttle;

static void set_up(void)
{
    throttle = login_throttle_new();
}

static void tear_down(void)
{
    login_throttle_free(throttle);
}

static void fail_times(const char *name, int times)
{
    for (int i = 0; i < times; i++)
        login_throttle_failed(throttle, text_of(name), NOW);
}

static int64_t delay(const char *name, int64_t now_ms)
{
    return login_throttle_delay_ms(throttle, text_of(name), now_ms);
}

START_TEST(four_wrong_logins_cost_nothing)
{
    ck_assert_int_eq(delay("lms", NOW), 0);
    fail_times("lms", 4);
    ck_assert_int_eq(delay("lms", NOW), 0);
}
END_TEST

START_TEST(from_the_fifth_on_the_delay_doubles_up_to_thirty_seconds)
{
    fail_times("lms", 5);
    ck_assert_int_eq(delay("lms", NOW), 1000);
    fail_times("lms", 1);
    ck_assert_int_eq(delay("lms", NOW), 2000);
    fail_times("lms", 3);
    ck_assert_int_eq(delay("lms", NOW), 16000);
    fail_times("lms", 1);
    ck_assert_int_eq(delay("lms", NOW), 30000);
    fail_times("lms", 5000);
    ck_assert_int_eq(delay("lms", NOW), 30000);
}
END_TEST

START_TEST(whoever_has_waited_may_try)
{
    fail_times("lms", 50);
    ck_assert_int_eq(delay("lms", NOW + 10000), 20000);
    ck_assert_int_eq(delay("lms", NOW + 29999), 1);
    ck_assert_int_eq(delay("lms", NOW + 30000), 0);
}
END_TEST

START_TEST(a_right_password_ends_it)
{
    fail_times("lms", 50);
    login_throttle_succeeded(throttle, text_of("lms"));
    ck_assert_int_eq(delay("lms", NOW), 0);
    fail_times("lms", 4);
    ck_assert_int_eq(delay("lms", NOW), 0);
}
END_TEST

START_TEST(an_hour_without_a_wrong_password_ends_it)
{
    fail_times("lms", 50);
    login_throttle_failed(throttle, text_of("lms"), NOW + HOUR);
    ck_assert_int_eq(delay("lms", NOW + HOUR), 0);
    login_throttle_failed(throttle, text_of("grader"), NOW);
    fail_times("grader", 4);
    login_throttle_failed(throttle, text_of("grader"), NOW + HOUR - 1);
    ck_assert_int_eq(delay("grader", NOW + HOUR - 1), 2000);
}
END_TEST

START_TEST(other_names_are_not_slowed)
{
    fail_times("lms", 50);
    ck_assert_int_eq(delay("grader", NOW), 0);
    ck_assert_int_eq(delay("LMS", NOW), 0);
    ck_assert_int_eq(delay("", NOW), 0);
}
END_TEST

START_TEST(the_memory_is_bounded)
{
    char name[16];

    fail_times("first", 5);
    fail_times("second", 5);
    for (int i = 0; i < 16383; i++) {
        snprintf(name, sizeof name, "name%d", i);
        fail_times(name, 1);
    }
    ck_assert_int_eq(delay("first", NOW), 0);
    ck_assert_int_eq(delay("second", NOW), 1000);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(four_wrong_logins_cost_nothing),
        TELL(from_the_fifth_on_the_delay_doubles_up_to_thirty_seconds),
        TELL(whoever_has_waited_may_try),
        TELL(a_right_password_ends_it),
        TELL(an_hour_without_a_wrong_password_ends_it),
        TELL(other_names_are_not_slowed),
        TELL(the_memory_is_bounded),
    };
    static const struct story story = {
        .name = "login throttle",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_each = set_up,
        .after_each = tear_down,
    };

    return story_run(&story);
}
