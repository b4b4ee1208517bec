/*
 * server/base/json.c and its companions. What is accepted, and the texts that
 * come out, are what Python 3.11 accepts and writes (R61).
 */
#include "server/base/json.h"
#include "server/base/utf8.h"
#include "tests/support/story.h"

#include <stdlib.h>
#include <string.h>

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

static const struct json_value *member(struct text source, const char *key)
{
    const struct json_value *object;

    ck_assert(json_parse_object(arena, source, &object));
    return json_get(object, key);
}

static void expect_python(struct text source, const char *expected)
{
    const struct json_value *value = member(source, "k");

    ck_assert_ptr_nonnull(value);
    ck_assert_str_eq(json_as_python_text(arena, value).data, expected);
}

static void expect_written(struct text text, const char *expected)
{
    struct buffer buffer = {NULL, 0, 0};

    json_append_string(&buffer, text);
    ck_assert_str_eq(buffer.data, expected);
    buffer_free(&buffer);
}

/* A text written as JSON and read again is the same. */
static void expect_kept(struct text text)
{
    struct buffer source = {NULL, 0, 0};

    buffer_append_string(&source, "{\"k\":");
    json_append_string(&source, text);
    buffer_append_char(&source, '}');
    ck_assert(text_equal(json_text(member(buffer_text(&source), "k")), text));
    buffer_free(&source);
}

/* `depth` opening brackets, a 1, as many closing ones. */
static struct text nested(char open, char close, size_t depth)
{
    char *source = arena_alloc(arena, 2 * depth + 2);

    memset(source, open, depth);
    source[depth] = '1';
    memset(source + depth + 1, close, depth);
    source[2 * depth + 1] = '\0';
    return (struct text){source, 2 * depth + 1};
}

START_TEST(values_of_every_kind_are_json)
{
    ck_assert(json_is_valid(TEXT("{}")));
    ck_assert(json_is_valid(TEXT(" \t\r\n[ ] ")));
    ck_assert(json_is_valid(TEXT("{\"a\": [1, {\"b\": null}], \"c\": true}")));
    ck_assert(json_is_valid(TEXT("\"x\"")));
    ck_assert(json_is_valid(TEXT("null")));
    ck_assert(json_is_valid(TEXT("[0, -0, 1.5, 1e9, 1E+9, -1.0e-9, 0.0]")));
}
END_TEST

START_TEST(what_python_accepts_beyond_the_standard_is_accepted)
{
    ck_assert(json_is_valid(TEXT("[NaN, Infinity, -Infinity]")));
    ck_assert(json_is_valid(TEXT("\"\\ud800\"")));
    ck_assert(json_is_valid(TEXT("\"\\udc00\\ud800\"")));
    ck_assert(json_is_valid(TEXT("{\"a\": 1, \"a\": 2}")));
    ck_assert(json_is_valid(TEXT("1e999")));
    ck_assert(json_is_valid(TEXT("\"\x7F\"")));
}
END_TEST

START_TEST(what_json_c_lets_pass_is_refused)
{
    ck_assert(!json_is_valid(TEXT("{'a': 1}")));
    ck_assert(!json_is_valid(TEXT("[1.]")));
    ck_assert(!json_is_valid(TEXT("\"a\tb\"")));
    ck_assert(!json_is_valid(TEXT("\"\x01\"")));
    ck_assert(!json_is_valid(TEXT("\"\xED\xA0\x80\"")));
    ck_assert(!json_is_valid(TEXT("[1] // one")));
    ck_assert(!json_is_valid(TEXT("/* one */ [1]")));
}
END_TEST

START_TEST(broken_structure_is_refused)
{
    static const char *const sources[] = {
        "",           " ",         "{",         "}",
        "[",          "]",         "[1",        "[1,]",
        "[,1]",       "[1 2]",     "{\"a\"}",   "{\"a\":}",
        "{\"a\":1,}", "{,}",       "{1:2}",     "[1]]",
        "[1}",        "{\"a\":1]", "{} x",      "{}{}",
        "[1],",       "{a:1}",     "{\"a\" 1}", "{\"a\"::1}",
        "\"a",        "{\"a\":1",  "{\"a",      "[\"a\" \"b\"]"};

    for (size_t i = 0; i < ARRAY_LENGTH(sources); i++)
        ck_assert_msg(!json_is_valid(text_of(sources[i])), "%s", sources[i]);
    ck_assert(!json_is_valid(TEXT_ABSENT));
}
END_TEST

START_TEST(broken_scalars_are_refused)
{
    static const char *const sources[] = {
        "01",       "-",           "+1",         ".5",          "1e",
        "1e+",      "-01",         "1.e5",       "0x1",         "nul",
        "nulll",    "True",        "nan",        "inf",         "-NaN",
        "Infinit",  "--1",         "1_000",      "\"\\x\"",     "\"\\\"",
        "\"\\u12",  "\"\\u12g4\"", "\"\\u123\"", "\"\\U1234\"", "undefined",
        "-Infinit", "\"\\ud8\""};

    for (size_t i = 0; i < ARRAY_LENGTH(sources); i++)
        ck_assert_msg(!json_is_valid(text_of(sources[i])), "%s", sources[i]);
}
END_TEST

START_TEST(a_nul_is_no_blank_and_a_byte_order_mark_no_start)
{
    ck_assert(!json_is_valid(TEXT("{}\0")));
    ck_assert(!json_is_valid(TEXT("\0{}")));
    ck_assert(!json_is_valid(TEXT("\"a\0b\"")));
    ck_assert(!json_is_valid(TEXT("\"\\\0\"")));
    ck_assert(!json_is_valid(TEXT("\xEF\xBB\xBF{}")));
}
END_TEST

START_TEST(sixty_four_levels_are_enough_and_one_more_is_too_many)
{
    ck_assert(json_is_valid(nested('[', ']', 64)));
    ck_assert(!json_is_valid(nested('[', ']', 65)));
    ck_assert(!json_is_valid(nested('[', ']', 100000)));
    ck_assert(!json_is_valid(nested('{', '}', 100000)));
}
END_TEST

START_TEST(the_deepest_accepted_source_is_parsed_too)
{
    struct text deep = nested('[', ']', 63);
    char *source = arena_printf(arena, "{\"k\": %s}", deep.data);

    ck_assert_int_eq(json_kind(member(text_of(source), "k")), JSON_ARRAY);
}
END_TEST

START_TEST(integers_have_as_many_digits_as_python_converts)
{
    char *digits = arena_alloc(arena, 4302);

    memset(digits, '7', 4301);
    digits[4301] = '\0';
    ck_assert(!json_is_valid((struct text){digits, 4301}));
    ck_assert(json_is_valid((struct text){digits, 4300}));
}
END_TEST

START_TEST(only_an_object_is_parsed)
{
    const struct json_value *object;

    ck_assert(!json_parse_object(arena, TEXT("[]"), &object));
    ck_assert(!json_parse_object(arena, TEXT("null"), &object));
    ck_assert(!json_parse_object(arena, TEXT("\"x\""), &object));
    ck_assert(!json_parse_object(arena, TEXT("7"), &object));
    ck_assert(!json_parse_object(arena, TEXT(""), &object));
    ck_assert(!json_parse_object(arena, TEXT_ABSENT, &object));
    ck_assert(!json_parse_object(arena, TEXT("{} {}"), &object));
    ck_assert(json_parse_object(arena, TEXT(" {} "), &object));
}
END_TEST

START_TEST(each_kind_is_told)
{
    struct text source = TEXT("{\"n\":null,\"b\":false,\"i\":1,\"r\":1.0,"
                              "\"s\":\"\",\"a\":[],\"o\":{}}");

    ck_assert_int_eq(json_kind(member(source, "n")), JSON_NULL);
    ck_assert_int_eq(json_kind(member(source, "b")), JSON_BOOLEAN);
    ck_assert_int_eq(json_kind(member(source, "i")), JSON_INTEGER);
    ck_assert_int_eq(json_kind(member(source, "r")), JSON_REAL);
    ck_assert_int_eq(json_kind(member(source, "s")), JSON_STRING);
    ck_assert_int_eq(json_kind(member(source, "a")), JSON_ARRAY);
    ck_assert_int_eq(json_kind(member(source, "o")), JSON_OBJECT);
    ck_assert_ptr_null(member(source, "x"));
}
END_TEST

START_TEST(a_string_is_absent_when_it_is_none)
{
    struct text source = TEXT("{\"i\":1,\"n\":null,\"e\":\"\"}");

    ck_assert(text_is_absent(json_text(member(source, "i"))));
    ck_assert(text_is_absent(json_text(member(source, "n"))));
    ck_assert(text_equal_string(json_text(member(source, "e")), ""));
}
END_TEST

START_TEST(escapes_are_decoded)
{
    ck_assert(text_equal(
        json_text(member(
            TEXT("{\"k\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20AC\"}"), "k")),
        TEXT("\"\\/\b\f\n\r\t\xC3\xA9\xE2\x82\xAC")));
    ck_assert(
        text_equal(json_text(member(TEXT("{\"k\":\"\\ud83d\\ude00\"}"), "k")),
                   TEXT("\xF0\x9F\x98\x80")));
    ck_assert(text_equal(json_text(member(TEXT("{\"k\":\"a\\\\\"}"), "k")),
                         TEXT("a\\")));
}
END_TEST

/* json-c reads U+FFFD where the last 16 bits are those of a surrogate. */
START_TEST(every_pair_of_surrogates_is_its_character)
{
    enum { TOGETHER = 0x400 };
    char bytes[TOGETHER * UTF8_MAX_SIZE];

    for (uint32_t first = 0x10000; first < 0x110000; first += TOGETHER) {
        struct text text = {bytes, 0};

        for (uint32_t i = 0; i < TOGETHER; i++)
            text.size += utf8_encode(first + i, bytes + text.size);
        expect_kept(text);
    }
}
END_TEST

START_TEST(a_nul_in_a_string_does_not_cut_it)
{
    ck_assert(text_equal(json_text(member(TEXT("{\"k\":\"a\\u0000b\"}"), "k")),
                         TEXT("a\0b")));
}
END_TEST

START_TEST(lone_surrogates_stay_what_they_are)
{
    ck_assert(text_equal(json_text(member(TEXT("{\"k\":\"\\uD800x\"}"), "k")),
                         TEXT("\xED\xA0\x80x")));
    ck_assert(text_equal(
        json_text(member(TEXT("{\"k\":\"\\ud800\\n\\udfff\"}"), "k")),
        TEXT("\xED\xA0\x80\n\xED\xBF\xBF")));
    ck_assert(text_equal(
        json_text(member(TEXT("{\"k\":\"\\ud800\\ud83d\\ude00\"}"), "k")),
        TEXT("\xED\xA0\x80\xF0\x9F\x98\x80")));
}
END_TEST

START_TEST(a_key_with_a_nul_is_another_key)
{
    struct text source = TEXT("{\"a\": 1, \"a\\u0000b\": 2}");
    int64_t number;

    ck_assert(json_integer(member(source, "a"), &number));
    ck_assert_int_eq(number, 1);
}
END_TEST

START_TEST(a_key_written_with_escapes_is_the_same_key)
{
    struct text source = TEXT("{\"ab\": 1, \"a\\u0062\": 2}");
    int64_t number;

    ck_assert(json_integer(member(source, "ab"), &number));
    ck_assert_int_eq(number, 2);
}
END_TEST

START_TEST(the_last_of_two_equal_keys_wins)
{
    ck_assert(text_equal_string(
        json_text(member(TEXT("{\"k\":1,\"x\":2,\"k\":\"last\"}"), "k")),
        "last"));
}
END_TEST

START_TEST(integers_fit_or_are_refused_and_never_clamped)
{
    int64_t number = 7;

    ck_assert(!json_integer(member(TEXT("{\"k\":9223372036854775808}"), "k"),
                            &number));
    ck_assert(!json_integer(member(TEXT("{\"k\":-9223372036854775809}"), "k"),
                            &number));
    ck_assert(!json_integer(member(TEXT("{\"k\":1.0}"), "k"), &number));
    ck_assert(!json_integer(member(TEXT("{\"k\":\"1\"}"), "k"), &number));
    ck_assert(!json_integer(member(TEXT("{\"k\":true}"), "k"), &number));
    ck_assert_int_eq(number, 7);
    ck_assert(json_integer(member(TEXT("{\"k\":-9223372036854775808}"), "k"),
                           &number));
    ck_assert_int_eq(number, INT64_MIN);
}
END_TEST

START_TEST(scalars_become_the_text_python_gives)
{
    expect_python(TEXT("{\"k\":5}"), "5");
    expect_python(TEXT("{\"k\":-0}"), "0");
    expect_python(TEXT("{\"k\":123456789012345678901234567890}"),
                  "123456789012345678901234567890");
    expect_python(TEXT("{\"k\":true}"), "True");
    expect_python(TEXT("{\"k\":false}"), "False");
    expect_python(TEXT("{\"k\":null}"), "None");
    expect_python(TEXT("{\"k\":\"it's\"}"), "it's");
}
END_TEST

START_TEST(reals_become_the_text_python_gives)
{
    expect_python(TEXT("{\"k\":1.0}"), "1.0");
    expect_python(TEXT("{\"k\":0.1}"), "0.1");
    expect_python(TEXT("{\"k\":-0.0}"), "-0.0");
    expect_python(TEXT("{\"k\":1e2}"), "100.0");
    expect_python(TEXT("{\"k\":0.30000000000000004}"), "0.30000000000000004");
    expect_python(TEXT("{\"k\":1e15}"), "1000000000000000.0");
    expect_python(TEXT("{\"k\":1e16}"), "1e+16");
    expect_python(TEXT("{\"k\":123456789.125e8}"), "1.23456789125e+16");
    expect_python(TEXT("{\"k\":0.0001}"), "0.0001");
    expect_python(TEXT("{\"k\":0.000015}"), "1.5e-05");
    expect_python(TEXT("{\"k\":5e-324}"), "5e-324");
    expect_python(TEXT("{\"k\":1e999}"), "inf");
    expect_python(TEXT("{\"k\":-Infinity}"), "-inf");
    expect_python(TEXT("{\"k\":NaN}"), "nan");
}
END_TEST

START_TEST(lists_and_objects_become_the_text_python_gives)
{
    expect_python(TEXT("{\"k\":[]}"), "[]");
    expect_python(TEXT("{\"k\":[1, \"a\", [null]]}"), "[1, 'a', [None]]");
    expect_python(TEXT("{\"k\":{\"a\": true, \"b\": 1.5}}"),
                  "{'a': True, 'b': 1.5}");
    expect_python(TEXT("{\"k\":[\"it's\", \"\\\"\", \"'\\\"\"]}"),
                  "[\"it's\", '\"', '\\'\"']");
    expect_python(TEXT("{\"k\":[\"\\r\\t\\ud800\\u00e9\"]}"),
                  "['\\r\\t\\ud800\xC3\xA9']");
    expect_python(TEXT("{\"k\":{\"a\\u0000b\": 1}}"), "{'a\\x00b': 1}");
    expect_python(TEXT("{\"k\":[\"\\n\\\\\\u0001\"]}"), "['\\n\\\\\\x01']");
}
END_TEST

START_TEST(plain_text_is_written_as_it_is)
{
    expect_written(TEXT(""), "\"\"");
    expect_written(TEXT("a/b <c> '~'"), "\"a/b <c> '~'\"");
}
END_TEST

START_TEST(short_escapes_are_used_where_there_are_any)
{
    expect_written(TEXT("\"\\\b\f\n\r\t"), "\"\\\"\\\\\\b\\f\\n\\r\\t\"");
}
END_TEST

START_TEST(everything_else_is_a_lower_case_escape)
{
    expect_written(TEXT("\0\x1F\x7F"), "\"\\u0000\\u001f\\u007f\"");
    expect_written(TEXT("\xC3\xA9\xE2\x82\xAC"), "\"\\u00e9\\u20ac\"");
    expect_written(TEXT("\xF0\x9F\x98\x80\xF4\x8F\xBF\xBF"),
                   "\"\\ud83d\\ude00\\udbff\\udfff\"");
    expect_written(TEXT("\xED\xA0\x80z"), "\"\\ud800z\"");
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(values_of_every_kind_are_json),
        TELL(what_python_accepts_beyond_the_standard_is_accepted),
        TELL(what_json_c_lets_pass_is_refused),
        TELL(broken_structure_is_refused),
        TELL(broken_scalars_are_refused),
        TELL(a_nul_is_no_blank_and_a_byte_order_mark_no_start),
        TELL(sixty_four_levels_are_enough_and_one_more_is_too_many),
        TELL(the_deepest_accepted_source_is_parsed_too),
        TELL(integers_have_as_many_digits_as_python_converts),
        TELL(only_an_object_is_parsed),
        TELL(each_kind_is_told),
        TELL(a_string_is_absent_when_it_is_none),
        TELL(escapes_are_decoded),
        TELL(every_pair_of_surrogates_is_its_character),
        TELL(a_nul_in_a_string_does_not_cut_it),
        TELL(lone_surrogates_stay_what_they_are),
        TELL(a_key_with_a_nul_is_another_key),
        TELL(a_key_written_with_escapes_is_the_same_key),
        TELL(the_last_of_two_equal_keys_wins),
        TELL(integers_fit_or_are_refused_and_never_clamped),
        TELL(scalars_become_the_text_python_gives),
        TELL(reals_become_the_text_python_gives),
        TELL(lists_and_objects_become_the_text_python_gives),
        TELL(plain_text_is_written_as_it_is),
        TELL(short_escapes_are_used_where_there_are_any),
        TELL(everything_else_is_a_lower_case_escape),
    };
    static const struct story story = {
        .name = "json",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_each = set_up,
        .after_each = tear_down,
    };

    return story_run(&story);
}
