/*
 * What a grader has said, in the charset that it declares (R35).
 */
#include "server/deliver/grader_reply.h"

#include "server/base/utf8.h"
#include "tests/support/expect.h"
#include "tests/support/story.h"

#include <stdlib.h>
#include <string.h>

static struct arena *arena;

static void begin(void)
{
    arena = arena_new();
}

static void end(void)
{
    arena_free(arena);
}

#define expect_reply_text(type, bytes, expected)                               \
    expect_text(grader_reply_text(arena, text_of(bytes), (type)), (expected))

START_TEST(utf8_is_kept_byte_for_byte)
{
    static const char *const types[] = {
        NULL,
        "",
        "text/html",
        "application/json",
        "text/html; charset=utf-8",
        "text/html;charset=UTF-8",
        "text/plain; charset=\"utf8\"",
        "text/plain; charset='utf-8'",
        "text/plain; boundary=x; Charset = UTF_8 ; q=1",
    };

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        expect_reply_text(types[i], "d\xC3\xA9j\xC3\xA0 \xF0\x9F\x98\x80\r\n ",
                          "d\xC3\xA9j\xC3\xA0 \xF0\x9F\x98\x80\r\n ");
}
END_TEST

START_TEST(nothing_is_copied_that_need_not_be)
{
    struct text bytes = text_of("d\xC3\xA9j\xC3\xA0");

    ck_assert_ptr_eq(grader_reply_text(arena, bytes, NULL).data, bytes.data);
    ck_assert_ptr_eq(
        grader_reply_text(arena, bytes, "text/html; charset=utf-8").data,
        bytes.data);
}
END_TEST

START_TEST(a_nul_byte_is_kept)
{
    struct text bytes = {"a\0b", 3};
    struct text text = grader_reply_text(arena, bytes, NULL);

    ck_assert(text_equal(text, bytes));
    text = grader_reply_text(arena, bytes, "text/html; charset=iso-8859-1");
    ck_assert(text_equal(text, bytes));
}
END_TEST

START_TEST(no_text_stays_no_text)
{
    expect_reply_text(NULL, "", "");
    expect_reply_text("text/html; charset=utf-8", "", "");
    expect_reply_text("text/html; charset=koi8-r", "", "");
}
END_TEST

START_TEST(a_byte_order_mark_of_utf8_is_kept)
{
    expect_reply_text(NULL, "\xEF\xBB\xBF{}", "\xEF\xBB\xBF{}");
    expect_reply_text("text/html; charset=utf-8", "\xEF\xBB\xBF{}",
                      "\xEF\xBB\xBF{}");
}
END_TEST

START_TEST(without_a_charset_other_bytes_are_latin_1)
{
    expect_reply_text(NULL, "d\xE9j\xE0 \x80\xFF", "déjà \xC2\x80ÿ");
    expect_reply_text("text/html", "\xE9", "é");
    expect_reply_text("application/json; charset=", "\xE9", "é");
}
END_TEST

START_TEST(bad_bytes_of_declared_utf8_are_marked)
{
    expect_reply_text("text/html; charset=utf-8", "d\xE9j\xC3\xA0 \x80",
                      "d\xEF\xBF\xBDjà \xEF\xBF\xBD");
}
END_TEST

START_TEST(another_charset_is_converted)
{
    expect_reply_text("text/html; charset=iso-8859-1", "d\xE9j\xE0", "déjà");
    expect_reply_text("text/html; charset=Windows-1252", "\x80", "€");
    expect_reply_text("text/html; charset=koi8-r", "\xD0\xD2\xC1\xD7\xC4\xC1",
                      "правда");
    expect_reply_text("text/html; charset=\"Shift_JIS\"", "\x93\xFA\x96\x7B",
                      "日本");
    expect_reply_text("text/html; charset=gb18030", "\x94\x39\xFC\x36", "😀");
    expect_reply_text("text/html; charset=us-ascii", "{}", "{}");
}
END_TEST

START_TEST(what_is_no_character_of_its_charset_is_marked)
{
    expect_reply_text("text/html; charset=us-ascii", "a\xE9z",
                      "a\xEF\xBF\xBDz");
    expect_reply_text("text/html; charset=shift_jis", "a\x93", "a\xEF\xBF\xBD");
    ck_assert(
        text_equal(grader_reply_text(arena, (struct text){"a\0\0\xDCz\0b", 7},
                                     "text/html; charset=utf-16le"),
                   text_of("a\xEF\xBF\xBDz\xEF\xBF\xBD")));
}
END_TEST

START_TEST(utf16_goes_by_its_mark)
{
    ck_assert(
        text_equal(grader_reply_text(arena, (struct text){"\xFE\xFF\0a\0b", 6},
                                     "text/html; charset=utf-16"),
                   text_of("ab")));
}
END_TEST

START_TEST(a_charset_that_nobody_knows_counts_as_none)
{
    static const char *const types[] = {
        "text/html; charset=klingon",
        "text/html; charset=utf-8//TRANSLIT",
        "text/html; charset=koi8-r,latin1",
        "text/html; charset=../../etc/passwd",
        "text/html; charset=koi8-r; charset=latin1",
        "text/html; charset=\"koi8-r",
        "text/html; charset",
        "charset=koi8-r",
        "; ; =; charset",
        "text/html; "
        "charset="
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    };

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        expect_reply_text(types[i], "d\xC3\xA9j\xC3\xA0", "déjà");
        expect_reply_text(types[i], "d\xE9j\xE0", "déjà");
    }
}
END_TEST

START_TEST(large_answers_are_converted_whole)
{
    enum { SIZE = 200000 };
    char *bytes = malloc(SIZE);
    struct text text;

    ck_assert_ptr_nonnull(bytes);
    memset(bytes, 0xC1, SIZE);
    text = grader_reply_text(arena, (struct text){bytes, SIZE},
                             "text/html; charset=koi8-r");
    ck_assert_uint_eq(text.size, 2 * SIZE);
    ck_assert(text_starts_with(text, "ааа"));
    text = grader_reply_text(arena, (struct text){bytes, SIZE},
                             "text/html; charset=us-ascii");
    ck_assert_uint_eq(text.size, 3 * SIZE);
    ck_assert(utf8_is_valid(text));
    free(bytes);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(utf8_is_kept_byte_for_byte),
        TELL(nothing_is_copied_that_need_not_be),
        TELL(a_nul_byte_is_kept),
        TELL(no_text_stays_no_text),
        TELL(a_byte_order_mark_of_utf8_is_kept),
        TELL(without_a_charset_other_bytes_are_latin_1),
        TELL(bad_bytes_of_declared_utf8_are_marked),
        TELL(another_charset_is_converted),
        TELL(what_is_no_character_of_its_charset_is_marked),
        TELL(utf16_goes_by_its_mark),
        TELL(a_charset_that_nobody_knows_counts_as_none),
        TELL(large_answers_are_converted_whole),
    };
    static const struct story story = {
        .name = "a grader's reply",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_each = begin,
        .after_each = end,
    };

    return story_run(&story);
}
