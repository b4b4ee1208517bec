/*
 * server/http/multipart.c: the boundary in a content type.
 */
#include "server/http/multipart.h"
#include "tests/support/story.h"

#include <string.h>

static struct arena *arena;

static void set_up(void)
{
    arena = arena_new();
}

static void tear_down(void)
{
    arena_free(arena);
}

static void expect_boundary(const char *content_type, const char *boundary)
{
    struct text found;

    ck_assert_msg(multipart_boundary(arena, text_of(content_type), &found),
                  "%s", content_type);
    ck_assert(text_equal_string(found, boundary));
}

static void expect_no_boundary(const char *content_type)
{
    struct text found;

    ck_assert_msg(!multipart_boundary(arena, text_of(content_type), &found),
                  "%s", content_type);
}

START_TEST(boundaries_come_quoted_or_not)
{
    expect_boundary("multipart/form-data; boundary=abc", "abc");
    expect_boundary("Multipart/Form-Data;BOUNDARY=\"a b:c\"", "a b:c");
    expect_boundary("multipart/form-data; charset=utf-8; boundary=abc ; x=y",
                    "abc");
    expect_boundary("multipart/form-data; x=\";boundary=no\"; boundary=\"y\"",
                    "y");
    expect_boundary("multipart/form-data; boundary=\"a\\\"b\"", "a\"b");
}
END_TEST

START_TEST(illegal_boundaries_are_refused)
{
    char long_one[202];

    memset(long_one, 'x', 201);
    long_one[201] = '\0';
    expect_no_boundary(
        arena_printf(arena, "multipart/form-data; boundary=%s", long_one));
    expect_boundary(
        arena_printf(arena, "multipart/form-data; boundary=%s", long_one + 1),
        long_one + 1);
    expect_no_boundary("multipart/form-data");
    expect_no_boundary("multipart/form-data; boundary");
    expect_no_boundary("multipart/form-data; boundary=");
    expect_no_boundary("multipart/form-data; boundary=\"\"");
    expect_no_boundary("multipart/form-data; boundary=\"a \"");
    expect_no_boundary("multipart/form-data; boundary=\"a");
    expect_no_boundary("multipart/form-data; boundary=\"a\x01\"");
    expect_no_boundary("multipart/form-data; boundary=\xC3\xA9");
    expect_no_boundary("multipart/form-data; boundary=a; boundary=a");
    expect_no_boundary("multipart/mixed; boundary=a");
    expect_no_boundary("");
    expect_no_boundary(NULL);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(boundaries_come_quoted_or_not),
        TELL(illegal_boundaries_are_refused),
    };
    static const struct story story = {
        .name = "multipart: boundaries",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_each = set_up,
        .after_each = tear_down,
    };

    return story_run(&story);
}
