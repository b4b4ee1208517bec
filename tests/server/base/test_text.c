/*
 * server/base/text.c
 */
#include "server/base/text.h"
#include "tests/support/story.h"

START_TEST(a_number_is_digits_and_nothing_else)
{
    int64_t number = 7;

    ck_assert(text_to_integer(text_of("-12"), &number));
    ck_assert_int_eq(number, -12);
    ck_assert(!text_to_integer(text_of("12 "), &number));
    ck_assert(!text_to_integer(text_of("+1"), &number));
    ck_assert(!text_to_integer(text_of("-"), &number));
    ck_assert(!text_to_integer(text_of(""), &number));
    ck_assert_int_eq(number, -12);
}
END_TEST

START_TEST(the_ends_of_the_range_fit_and_one_more_does_not)
{
    int64_t number;

    ck_assert(text_to_integer(text_of("9223372036854775807"), &number));
    ck_assert_int_eq(number, INT64_MAX);
    ck_assert(text_to_integer(text_of("-9223372036854775808"), &number));
    ck_assert_int_eq(number, INT64_MIN);
    ck_assert(!text_to_integer(text_of("9223372036854775808"), &number));
    ck_assert(!text_to_integer(text_of("99999999999999999999"), &number));
}
END_TEST

START_TEST(absent_and_empty_differ)
{
    ck_assert(!text_equal(TEXT_ABSENT, text_of("")));
    ck_assert(text_equal(text_of(""), text_of("")));
    ck_assert(text_is_absent(text_of(NULL)));
}
END_TEST

START_TEST(trimming_takes_blanks_and_tabs_only)
{
    ck_assert(text_equal_string(text_trim(text_of(" \ta b\n ")), "a b\n"));
    ck_assert(text_equal_string(text_trim(text_of("  ")), ""));
}
END_TEST

STORY("text", TELL(a_number_is_digits_and_nothing_else),
      TELL(the_ends_of_the_range_fit_and_one_more_does_not),
      TELL(absent_and_empty_differ), TELL(trimming_takes_blanks_and_tabs_only))
