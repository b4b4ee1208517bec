/*
 * server/http/form.c: what Django makes of the same bytes.
 */
#include "server/http/form.h"
#include "tests/support/story.h"

#include <stdlib.h>
#include <string.h>

#define TEXT(literal) ((struct text){(literal), sizeof(literal) - 1})

static const struct form_limits limits = {.max_fields = 1000, .max_files = 100};
static struct arena *arena;
static struct form form;

static void set_up(void)
{
    arena = arena_new();
}

static void tear_down(void)
{
    arena_free(arena);
}

static void parse(struct text source)
{
    ck_assert_int_eq(form_parse_urlencoded(arena, source, &limits, &form),
                     FORM_OK);
}

static enum form_status parse_body(const char *content_type, struct text body)
{
    return form_parse_body(arena, text_of(content_type), body, &limits, &form);
}

static void expect_value(const char *name, struct text value)
{
    ck_assert(text_equal(form_get(&form, name), value));
}

/* "a&a&...&a" with that many fields. */
static struct text fields(size_t count)
{
    char *source = arena_alloc(arena, 2 * count);

    for (size_t i = 0; i < count; i++)
        memcpy(source + 2 * i, "a&", 2);
    return (struct text){source, 2 * count - 1};
}

START_TEST(what_python_requests_sends_is_read)
{
    ck_assert_int_eq(
        parse_body("application/x-www-form-urlencoded",
                   TEXT("xqueue_header=%7B%22lms_key%22%3A+%22k%22%7D&"
                        "xqueue_body=%7B%22answer%22%3A+%22caf%C3%A9+"
                        "1%2B1%22%7D")),
        FORM_OK);
    expect_value("xqueue_header", TEXT("{\"lms_key\": \"k\"}"));
    expect_value("xqueue_body", TEXT("{\"answer\": \"caf\xC3\xA9 1+1\"}"));
}
END_TEST

START_TEST(plus_and_percent_twenty_are_a_space)
{
    parse(TEXT("a+b=c%20d+e"));
    expect_value("a b", TEXT("c d e"));
}
END_TEST

START_TEST(a_field_without_equals_has_an_empty_value)
{
    parse(TEXT("a&b=&=c"));
    ck_assert_uint_eq(form.field_count, 3);
    expect_value("a", TEXT(""));
    expect_value("b", TEXT(""));
    expect_value("", TEXT("c"));
}
END_TEST

START_TEST(the_first_equals_ends_the_name)
{
    parse(TEXT("a=b=c"));
    expect_value("a", TEXT("b=c"));
}
END_TEST

START_TEST(the_last_of_two_fields_wins)
{
    parse(TEXT("queue_name=first&x=1&queue_name=last"));
    expect_value("queue_name", TEXT("last"));
}
END_TEST

START_TEST(a_field_that_is_not_there_is_absent)
{
    parse(TEXT("a=1"));
    ck_assert(text_is_absent(form_get(&form, "b")));
    ck_assert(text_is_absent(form_get(&form, "A")));
    ck_assert(text_is_absent(form_get(&form, "")));
}
END_TEST

START_TEST(empty_sources_and_empty_fields_give_nothing)
{
    parse(TEXT(""));
    ck_assert_uint_eq(form.field_count, 0);
    parse(TEXT_ABSENT);
    ck_assert_uint_eq(form.field_count, 0);
    parse(TEXT("&&&"));
    ck_assert_uint_eq(form.field_count, 0);
    parse(TEXT("&a=1&"));
    ck_assert_uint_eq(form.field_count, 1);
}
END_TEST

START_TEST(a_bad_percent_escape_stays_as_it_is)
{
    parse(TEXT("a=%&b=%4&c=%zz&d=%%34&e=%4z%41&f=100%"));
    expect_value("a", TEXT("%"));
    expect_value("b", TEXT("%4"));
    expect_value("c", TEXT("%zz"));
    expect_value("d", TEXT("%4"));
    expect_value("e", TEXT("%4zA"));
    expect_value("f", TEXT("100%"));
}
END_TEST

START_TEST(an_escaped_nul_cuts_nothing)
{
    parse(TEXT("a=x%00y&b%00c=1"));
    expect_value("a", TEXT("x\0y"));
    ck_assert(text_is_absent(form_get(&form, "b")));
}
END_TEST

START_TEST(damaged_utf8_is_replaced)
{
    parse(TEXT("a=%FF&b=%C0%80&c=%ED%A0%80&d=x\xE9y&e%80=1"));
    expect_value("a", TEXT("\xEF\xBF\xBD"));
    expect_value("b", TEXT("\xEF\xBF\xBD\xEF\xBF\xBD"));
    expect_value("c", TEXT("\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"));
    expect_value("d", TEXT("x\xEF\xBF\xBDy"));
    expect_value("e\xEF\xBF\xBD", TEXT("1"));
}
END_TEST

START_TEST(raw_utf8_is_taken_as_it_is)
{
    parse(TEXT("a=\xC3\xA9"));
    expect_value("a", TEXT("\xC3\xA9"));
}
END_TEST

START_TEST(a_semicolon_separates_nothing)
{
    parse(TEXT("a=1;b=2"));
    expect_value("a", TEXT("1;b=2"));
}
END_TEST

START_TEST(a_byte_order_mark_is_part_of_the_first_name)
{
    parse(TEXT("\xEF\xBB\xBF"
               "a=1"));
    expect_value("\xEF\xBB\xBF"
                 "a",
                 TEXT("1"));
}
END_TEST

START_TEST(a_thousand_fields_are_read_and_one_more_is_too_many)
{
    parse(fields(1000));
    ck_assert_uint_eq(form.field_count, 1000);
    ck_assert_int_eq(form_parse_urlencoded(arena, fields(1001), &limits, &form),
                     FORM_TOO_MANY);
    ck_assert_uint_eq(form.field_count, 1000);
}
END_TEST

START_TEST(other_content_types_are_an_empty_form)
{
    static const char *const types[] = {NULL,
                                        "",
                                        "text/plain",
                                        "application/json",
                                        "multipart/mixed; boundary=b",
                                        "application/x-www-form-urlencodedx",
                                        "text/plain; charset=utf-7"};

    for (size_t i = 0; i < ARRAY_LENGTH(types); i++) {
        ck_assert_int_eq(parse_body(types[i], TEXT("a=1")), FORM_OK);
        ck_assert_uint_eq(form.field_count + form.file_count, 0);
    }
}
END_TEST

START_TEST(the_type_is_read_in_any_case_and_with_parameters)
{
    ck_assert_int_eq(
        parse_body(" Application/X-WWW-Form-UrlEncoded ; Charset=\"UTF-8\"",
                   TEXT("a=1")),
        FORM_OK);
    expect_value("a", TEXT("1"));
}
END_TEST

START_TEST(any_charset_but_utf8_is_unsupported)
{
    ck_assert_int_eq(
        parse_body("application/x-www-form-urlencoded; charset=utf-7",
                   TEXT("a=1")),
        FORM_UNSUPPORTED);
    ck_assert_int_eq(
        parse_body("application/x-www-form-urlencoded; charset=", TEXT("a=1")),
        FORM_UNSUPPORTED);
    ck_assert_int_eq(
        parse_body("multipart/form-data; boundary=b; charset=latin-1",
                   TEXT("--b--")),
        FORM_UNSUPPORTED);
}
END_TEST

START_TEST(two_charsets_are_malformed)
{
    ck_assert_int_eq(parse_body("application/x-www-form-urlencoded; "
                                "charset=utf-8; charset=utf-7",
                                TEXT("a=1")),
                     FORM_MALFORMED);
}
END_TEST

START_TEST(an_urlencoded_body_is_not_multipart)
{
    ck_assert_int_eq(
        parse_body("multipart/form-data; boundary=b", TEXT("a=1&b=2")),
        FORM_MALFORMED);
    ck_assert_int_eq(parse_body("multipart/form-data", TEXT("a=1&b=2")),
                     FORM_MALFORMED);
}
END_TEST

START_TEST(a_multipart_body_is_handed_on)
{
    ck_assert_int_eq(parse_body("multipart/form-data; boundary=b",
                                TEXT("--b\r\nContent-Disposition: form-data; "
                                     "name=\"a\"\r\n\r\n1\r\n--b--\r\n")),
                     FORM_OK);
    expect_value("a", TEXT("1"));
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(what_python_requests_sends_is_read),
        TELL(plus_and_percent_twenty_are_a_space),
        TELL(a_field_without_equals_has_an_empty_value),
        TELL(the_first_equals_ends_the_name),
        TELL(the_last_of_two_fields_wins),
        TELL(a_field_that_is_not_there_is_absent),
        TELL(empty_sources_and_empty_fields_give_nothing),
        TELL(a_bad_percent_escape_stays_as_it_is),
        TELL(an_escaped_nul_cuts_nothing),
        TELL(damaged_utf8_is_replaced),
        TELL(raw_utf8_is_taken_as_it_is),
        TELL(a_semicolon_separates_nothing),
        TELL(a_byte_order_mark_is_part_of_the_first_name),
        TELL(a_thousand_fields_are_read_and_one_more_is_too_many),
        TELL(other_content_types_are_an_empty_form),
        TELL(the_type_is_read_in_any_case_and_with_parameters),
        TELL(any_charset_but_utf8_is_unsupported),
        TELL(two_charsets_are_malformed),
        TELL(an_urlencoded_body_is_not_multipart),
        TELL(a_multipart_body_is_handed_on),
    };
    static const struct story story = {
        .name = "form",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_each = set_up,
        .after_each = tear_down,
    };

    return story_run(&story);
}
