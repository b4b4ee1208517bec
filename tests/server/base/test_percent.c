/*
 * server/base/percent.c
 */
#include "server/base/percent.h"
#include "tests/support/story.h"

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

static void expect_decoded(struct text text, struct text decoded)
{
    ck_assert(
        text_equal(percent_decode(arena, text, PERCENT_PLUS_STAYS), decoded));
}

START_TEST(two_digits_are_a_byte)
{
    expect_decoded(TEXT("a%2Fb%2fc"), TEXT("a/b/c"));
    expect_decoded(TEXT("%C3%A9"), TEXT("\xC3\xA9"));
    expect_decoded(TEXT("a%00b"), TEXT("a\0b"));
    expect_decoded(TEXT(""), TEXT(""));
}
END_TEST

START_TEST(any_other_percent_sign_stands_for_itself)
{
    expect_decoded(TEXT("100%"), TEXT("100%"));
    expect_decoded(TEXT("%4"), TEXT("%4"));
    expect_decoded(TEXT("%zz%4z"), TEXT("%zz%4z"));
    expect_decoded(TEXT("%%34"), TEXT("%4"));
}
END_TEST

START_TEST(a_plus_is_a_space_where_it_is_said)
{
    expect_decoded(TEXT("1+1"), TEXT("1+1"));
    ck_assert(text_equal(
        percent_decode(arena, TEXT("1+1%2B1"), PERCENT_PLUS_IS_SPACE),
        TEXT("1 1+1")));
}
END_TEST

START_TEST(bytes_that_are_no_utf8_are_repaired)
{
    expect_decoded(TEXT("a%FFb"), TEXT("a\xEF\xBF\xBD"
                                       "b"));
}
END_TEST

START_TEST(the_result_ends_with_a_nul)
{
    char source[] = {'a', '%', '4', '1', 'b', 'c'};
    struct text decoded =
        percent_decode(arena, (struct text){source, 4}, PERCENT_PLUS_STAYS);

    ck_assert_str_eq(decoded.data, "aA");
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(two_digits_are_a_byte),
        TELL(any_other_percent_sign_stands_for_itself),
        TELL(a_plus_is_a_space_where_it_is_said),
        TELL(bytes_that_are_no_utf8_are_repaired),
        TELL(the_result_ends_with_a_nul),
    };
    static const struct story story = {
        .name = "percent",
        .tests = tests,
        .count = ARRAY_LENGTH(tests),
        .before_each = set_up,
        .after_each = tear_down,
    };

    return story_run(&story);
}
