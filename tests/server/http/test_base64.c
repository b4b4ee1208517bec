/*
 * server/http/base64.c
 */
#include "server/http/base64.h"
#include "tests/support/story.h"

#include <string.h>

#define TEXT(literal) ((struct text){(literal), sizeof(literal) - 1})

static struct arena *arena;
static struct text bytes;

static void set_up(void)
{
    arena = arena_new();
}

static void tear_down(void)
{
    arena_free(arena);
}

static void expect_decoded(struct text lines, struct text decoded)
{
    ck_assert(base64_decode_lines(arena, lines, &bytes));
    ck_assert(text_equal(bytes, decoded));
}

START_TEST(every_length_is_decoded)
{
    expect_decoded(TEXT(""), TEXT(""));
    expect_decoded(TEXT("aA=="), TEXT("h"));
    expect_decoded(TEXT("aGU="), TEXT("he"));
    expect_decoded(TEXT("aGVs"), TEXT("hel"));
    expect_decoded(TEXT("aGVsbA=="), TEXT("hell"));
    expect_decoded(TEXT("AAH/+g=="), TEXT("\0\x01\xFF\xFA"));
}
END_TEST

START_TEST(blanks_and_line_ends_do_not_matter)
{
    expect_decoded(TEXT("\r\na GV\ts\r\nbG8\n=\r\n"), TEXT("hello"));
}
END_TEST

START_TEST(a_long_text_is_decoded_whole)
{
    char *letters = arena_alloc(arena, 200000);

    memset(letters, '/', 200000);
    ck_assert(
        base64_decode_lines(arena, (struct text){letters, 200000}, &bytes));
    ck_assert_uint_eq(bytes.size, 150000);
    ck_assert_int_eq(bytes.data[149999], '\xFF');
}
END_TEST

START_TEST(anything_else_is_refused)
{
    static const char *const bad[] = {
        "a",      "aGVsbG8",  "aGVs!G8=",     "a===", "=",         "aGVs=",
        "aGVs==", "aG=sbG8=", "aGVsbG8=aGVs", "====", "aGVsbG8==", "aA=a"};

    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        ck_assert_msg(!base64_decode_lines(arena, text_of(bad[i]), &bytes),
                      "%s", bad[i]);
    ck_assert(!base64_decode_lines(arena, TEXT("\0\0\0\0"), &bytes));
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(every_length_is_decoded),
        TELL(blanks_and_line_ends_do_not_matter),
        TELL(a_long_text_is_decoded_whole),
        TELL(anything_else_is_refused),
    };
    static const struct story story = {
        .name = "base64",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_each = set_up,
        .after_each = tear_down,
    };

    return story_run(&story);
}
