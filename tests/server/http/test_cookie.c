/*
 * server/http/cookie.c
 */
#include "server/http/cookie.h"
#include "tests/support/story.h"

#include <string.h>
#include <time.h>

#define TEXT(literal) ((struct text){(literal), sizeof(literal) - 1})

static struct arena *arena;

static void set_up(void)
{
    arena = arena_new();
}

static void tear_down(void)
{
    arena_free(arena);
}

static void expect_session(struct text field, const char *value)
{
    ck_assert(text_equal_string(cookie_get(field, "sessionid"), value));
}

static void expect_no_session(struct text field)
{
    ck_assert(text_is_absent(cookie_get(field, "sessionid")));
}

START_TEST(a_cookie_is_found_among_others)
{
    expect_session(TEXT("sessionid=abc"), "abc");
    expect_session(TEXT("csrftoken=x; sessionid=abc; z=1"), "abc");
    expect_session(TEXT("a=1;sessionid=abc"), "abc");
    expect_session(TEXT(" sessionid\t= abc \t;"), "abc");
}
END_TEST

START_TEST(the_first_of_two_wins)
{
    expect_session(TEXT("sessionid=first; sessionid=second"), "first");
    expect_session(TEXT("sessionid=; sessionid=second"), "");
}
END_TEST

START_TEST(one_pair_of_quotes_comes_off)
{
    expect_session(TEXT("sessionid=\"abc\""), "abc");
    expect_session(TEXT("sessionid=\"\"abc\"\""), "\"abc\"");
    expect_session(TEXT("sessionid=\"abc"), "\"abc");
    expect_session(TEXT("sessionid=\""), "\"");
    expect_session(TEXT("sessionid=\"\""), "");
}
END_TEST

START_TEST(a_value_may_hold_equals_signs)
{
    expect_session(TEXT("sessionid=a=b=="), "a=b==");
}
END_TEST

START_TEST(what_is_no_cookie_of_that_name_is_passed_over)
{
    expect_no_session(TEXT(""));
    expect_no_session(TEXT_ABSENT);
    expect_no_session(TEXT(";;; ; ="));
    expect_no_session(TEXT("sessionid"));
    expect_no_session(TEXT("sessionid; x=1"));
    expect_no_session(TEXT("SessionID=abc"));
    expect_no_session(TEXT("xsessionid=abc"));
    expect_no_session(TEXT("sessionid2=abc"));
    expect_no_session(TEXT("sessionid\0=abc"));
    ck_assert(text_is_absent(cookie_get(TEXT("$Path=/"), "$Path")));
    expect_session(TEXT("$Version=1; sessionid=abc"), "abc");
}
END_TEST

START_TEST(binary_and_long_values_are_taken_whole)
{
    char field[4096];

    memset(field, '\xFF', sizeof field);
    memcpy(field, "sessionid=", 10);
    ck_assert_uint_eq(
        cookie_get((struct text){field, sizeof field}, "sessionid").size, 4086);
    ck_assert(text_equal(cookie_get(TEXT("a=x\0y"), "a"), TEXT("x\0y")));
}
END_TEST

START_TEST(a_cookie_to_be_deleted_expires_in_1970)
{
    struct cookie cookie = {
        .name = "sessionid", .value = "gone", .same_site = "Lax"};

    ck_assert_str_eq(cookie_format(arena, &cookie),
                     "sessionid=\"\"; expires=Thu, 01 Jan 1970 00:00:00 GMT; "
                     "HttpOnly; Max-Age=0; Path=/; SameSite=Lax");
}
END_TEST

START_TEST(attributes_stand_in_djangos_order)
{
    struct cookie cookie = {.name = "sessionid",
                            .value = "abc",
                            .max_age_s = 1209600,
                            .secure = true,
                            .same_site = "None"};
    const char *field = cookie_format(arena, &cookie);
    const char *after_date;

    ck_assert(text_starts_with(text_of(field), "sessionid=abc; expires="));
    after_date = strstr(field, " GMT");
    ck_assert_ptr_nonnull(after_date);
    ck_assert_str_eq(after_date, " GMT; HttpOnly; Max-Age=1209600; Path=/; "
                                 "SameSite=None; Secure");
}
END_TEST

START_TEST(same_site_may_be_left_out)
{
    struct cookie cookie = {.name = "a", .value = "b", .max_age_s = -1};

    ck_assert_str_eq(cookie_format(arena, &cookie),
                     "a=\"\"; expires=Thu, 01 Jan 1970 00:00:00 GMT; "
                     "HttpOnly; Max-Age=0; Path=/");
}
END_TEST

START_TEST(the_date_is_now_and_the_age)
{
    struct cookie cookie = {.name = "a", .value = "b", .max_age_s = 3600};
    time_t before = time(NULL);
    const char *date = strstr(cookie_format(arena, &cookie), "expires=");
    struct tm parts = {.tm_isdst = 0};
    time_t expiry;

    ck_assert_ptr_nonnull(date);
    ck_assert_ptr_nonnull(
        strptime(date, "expires=%a, %d %b %Y %H:%M:%S GMT", &parts));
    expiry = timegm(&parts);
    ck_assert_int_ge(expiry, before + 3600);
    ck_assert_int_le(expiry, time(NULL) + 3600);
}
END_TEST

START_TEST(an_endless_age_ends_with_the_year_9999)
{
    struct cookie cookie = {.name = "a", .value = "b", .max_age_s = INT64_MAX};

    ck_assert_str_eq(cookie_format(arena, &cookie),
                     "a=b; expires=Fri, 31 Dec 9999 23:59:59 GMT; HttpOnly; "
                     "Max-Age=9223372036854775807; Path=/");
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(a_cookie_is_found_among_others),
        TELL(the_first_of_two_wins),
        TELL(one_pair_of_quotes_comes_off),
        TELL(a_value_may_hold_equals_signs),
        TELL(what_is_no_cookie_of_that_name_is_passed_over),
        TELL(binary_and_long_values_are_taken_whole),
        TELL(a_cookie_to_be_deleted_expires_in_1970),
        TELL(attributes_stand_in_djangos_order),
        TELL(same_site_may_be_left_out),
        TELL(the_date_is_now_and_the_age),
        TELL(an_endless_age_ends_with_the_year_9999),
    };
    static const struct story story = {
        .name = "cookie",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_each = set_up,
        .after_each = tear_down,
    };

    return story_run(&story);
}
