/*
 * server/http/multipart.c: what python-requests, curl and browsers
 * send, and what nobody should.
 */
#include "server/http/multipart.h"

#include "server/base/buffer.h"
#include "tests/support/story.h"

#include <stdlib.h>
#include <string.h>

#define TEXT(literal) ((struct text){(literal), sizeof(literal) - 1})
#define FIELD(name)   "Content-Disposition: form-data; name=\"" name "\"\r\n\r\n"
#define FILE_PART(name, file)                                                  \
    "Content-Disposition: form-data; name=\"" name "\"; filename=\"" file      \
    "\"\r\n\r\n"

static const struct form_limits limits = {.max_fields = 1000, .max_files = 100};
static struct arena *arena;
static struct form form;

static void set_up(void)
{
    arena = arena_new();
    form = (struct form){.field_count = 0};
}

static void tear_down(void)
{
    arena_free(arena);
}

static enum form_status status_of(struct text body)
{
    return multipart_parse(arena, text_of("b"), body, &limits, &form);
}

static void parse(struct text body)
{
    ck_assert_int_eq(status_of(body), FORM_OK);
}

static void expect_malformed(struct text body)
{
    ck_assert_int_eq(status_of(body), FORM_MALFORMED);
    ck_assert_uint_eq(form.field_count + form.file_count, 0);
}

static void expect_field(const char *name, struct text value)
{
    ck_assert(text_equal(form_get(&form, name), value));
}

static void expect_file(size_t number, struct text name, const char *file_name,
                        struct text content)
{
    ck_assert_uint_lt(number, form.file_count);
    ck_assert(text_equal(form.files[number].name, name));
    ck_assert(text_equal_string(form.files[number].file_name, file_name));
    ck_assert(text_equal(form.files[number].content, content));
}

static struct text repeated(const char *first, const char *piece, size_t count,
                            const char *last)
{
    struct buffer buffer = {NULL, 0, 0};
    struct text text;

    buffer_append_string(&buffer, first);
    for (size_t i = 0; i < count; i++)
        buffer_append_string(&buffer, piece);
    buffer_append_string(&buffer, last);
    text = arena_copy(arena, buffer_text(&buffer));
    buffer_free(&buffer);
    return text;
}

START_TEST(an_lms_submission_with_a_file_is_read)
{
    const char *boundary = "0b9d1b2c6c1e4c0f8a7d5e3f2b1a0c9d";
    struct text body = TEXT(
        "--0b9d1b2c6c1e4c0f8a7d5e3f2b1a0c9d\r\n"
        "Content-Disposition: form-data; name=\"xqueue_header\"\r\n\r\n"
        "{\"lms_key\": \"k\"}\r\n"
        "--0b9d1b2c6c1e4c0f8a7d5e3f2b1a0c9d\r\n"
        "Content-Disposition: form-data; name=\"xqueue_body\"\r\n\r\n"
        "{}\r\n"
        "--0b9d1b2c6c1e4c0f8a7d5e3f2b1a0c9d\r\n"
        "Content-Disposition: form-data; name=\"r\xC3\xA9sum\xC3\xA9.py\"; "
        "filename=\"r\xC3\xA9sum\xC3\xA9.py\"\r\n\r\n"
        "print(1)\r\n\r\n"
        "--0b9d1b2c6c1e4c0f8a7d5e3f2b1a0c9d--\r\n");

    ck_assert_int_eq(
        multipart_parse(arena, text_of(boundary), body, &limits, &form),
        FORM_OK);
    ck_assert_uint_eq(form.field_count, 2);
    expect_field("xqueue_header", TEXT("{\"lms_key\": \"k\"}"));
    expect_field("xqueue_body", TEXT("{}"));
    ck_assert_uint_eq(form.file_count, 1);
    expect_file(0, TEXT("r\xC3\xA9sum\xC3\xA9.py"), "r\xC3\xA9sum\xC3\xA9.py",
                TEXT("print(1)\r\n"));
}
END_TEST

START_TEST(what_curl_sends_is_read)
{
    struct text body = TEXT("--------------------------d74496d66958873e\r\n"
                            "Content-Disposition: form-data; name=\"note\"\r\n"
                            "Content-Type: text/plain\r\n\r\n"
                            "hello\r\n"
                            "--------------------------d74496d66958873e\r\n"
                            "Content-Disposition: form-data; name=\"f\"; "
                            "filename=\"we\\\"ird\\\\.txt\"\r\n"
                            "Content-Type: application/octet-stream\r\n\r\n"
                            "\0\x01\xFF\r\n"
                            "--------------------------d74496d66958873e--\r\n");
    struct text boundary;

    ck_assert(multipart_boundary(
        arena,
        text_of("multipart/form-data; "
                "boundary=------------------------d74496d66958873e"),
        &boundary));
    ck_assert_int_eq(multipart_parse(arena, boundary, body, &limits, &form),
                     FORM_OK);
    expect_field("note", TEXT("hello"));
    expect_file(0, TEXT("f"), ".txt", TEXT("\0\x01\xFF"));
}
END_TEST

START_TEST(an_empty_file_is_a_file)
{
    parse(TEXT("--b\r\n" FILE_PART("f", "e") "\r\n--b--\r\n"));
    expect_file(0, TEXT("f"), "e", TEXT(""));
}
END_TEST

START_TEST(a_part_may_end_with_its_header)
{
    parse(TEXT("--b\r\n" FIELD("a") "--b--\r\n"));
    expect_field("a", TEXT(""));
}
END_TEST

START_TEST(the_last_of_two_files_of_one_name_wins_whole)
{
    parse(TEXT("--b\r\n"
               "Content-Disposition: form-data; name=f; filename=1\r\n\r\n"
               "one\r\n"
               "--b\r\n"
               "Content-Disposition: form-data; name=g; filename=2\r\n\r\n"
               "two\r\n"
               "--b\r\n"
               "Content-Disposition: form-data; name=f; filename=3\r\n\r\n"
               "three\r\n"
               "--b--\r\n"));
    ck_assert_uint_eq(form.file_count, 2);
    expect_file(0, TEXT("f"), "3", TEXT("three"));
    expect_file(1, TEXT("g"), "2", TEXT("two"));
}
END_TEST

START_TEST(the_last_of_two_fields_wins)
{
    parse(TEXT("--b\r\n" FIELD("a") "1\r\n--b\r\n" FIELD("a") "2\r\n--b--"));
    expect_field("a", TEXT("2"));
}
END_TEST

START_TEST(the_boundary_inside_data_is_data_unless_a_line_begins_with_it)
{
    struct text value = TEXT("x--b \n--b \r--b \r\n-b \r\n --b \r\r\n--");

    parse(repeated("--b\r\n" FIELD("a"), value.data, 1, "\r\n--b--\r\n"));
    expect_field("a", value);
}
END_TEST

START_TEST(something_glued_to_the_boundary_is_refused)
{
    expect_malformed(TEXT("--b\r\n" FIELD("a") "1\r\n--bc\r\n--b--\r\n"));
    expect_malformed(TEXT("--b\r\n" FIELD("a") "1\r\n--b--c\r\n--b--\r\n"));
    expect_malformed(TEXT("--b\n" FIELD("a") "1\r\n--b--\r\n"));
}
END_TEST

START_TEST(blanks_may_follow_a_delimiter)
{
    parse(TEXT("--b \t\r\n" FIELD("a") "1\r\n--b-- \r\n"));
    expect_field("a", TEXT("1"));
}
END_TEST

START_TEST(what_is_before_and_after_the_parts_is_ignored)
{
    parse(TEXT("hello --b\r\n--b\r\n" FIELD("a") "1\r\n--b--\r\n\r\n--b\r\n"));
    ck_assert_uint_eq(form.field_count, 1);
    expect_field("a", TEXT("1"));
}
END_TEST

START_TEST(more_than_64_kib_around_the_parts_is_refused)
{
    const char *body = "\r\n--b\r\n" FIELD("a") "1\r\n--b--\r\n";

    parse(repeated("", "x", 65536, body));
    expect_field("a", TEXT("1"));
    parse(repeated(body + 2, "x", 65536, ""));
    form.field_count = 0;
    expect_malformed(repeated("", "x", 65537, body));
    expect_malformed(repeated(body + 2, "x", 65537, ""));
}
END_TEST

START_TEST(an_empty_form_is_an_empty_form)
{
    parse(TEXT("--b--\r\n"));
    ck_assert_uint_eq(form.field_count + form.file_count, 0);
    parse(TEXT("--b--"));
}
END_TEST

START_TEST(a_cut_body_is_refused_wherever_it_is_cut)
{
    struct text body = TEXT("--b\r\n" FIELD("a") "1\r\n--b\r\n" FILE_PART(
        "f", "f") "content\r\n--b--");

    parse(body);
    form = (struct form){.field_count = 0};
    for (size_t size = 0; size < body.size; size++) {
        char *cut = malloc(size + 1); /* so that ASan guards its end */

        memcpy(cut, body.data, size);
        expect_malformed((struct text){cut, size});
        free(cut);
    }
}
END_TEST

START_TEST(a_boundary_that_never_appears_is_refused)
{
    expect_malformed(TEXT(""));
    expect_malformed(TEXT("a=1&b=2"));
    expect_malformed(TEXT("--c\r\n" FIELD("a") "1\r\n--c--\r\n"));
    expect_malformed(TEXT_ABSENT);
}
END_TEST

START_TEST(parts_without_a_name_are_skipped)
{
    parse(TEXT("--b\r\n\r\nno header\r\n"
               "--b\r\nContent-Type: text/plain\r\n\r\nno name\r\n"
               "--b\r\nContent-Disposition: form-data\r\n\r\nno name\r\n"
               "--b\r\nContent-Disposition: attachment; name=\"z\"\r\n\r\nz\r\n"
               "--b\r\n--b\r\n" FIELD("a") "1\r\n--b--\r\n"));
    ck_assert_uint_eq(form.field_count + form.file_count, 1);
    expect_field("a", TEXT("1"));
}
END_TEST

START_TEST(damaged_utf8_is_replaced_in_fields_and_kept_in_files)
{
    parse(TEXT("--b\r\n" FIELD("a\xFF") "\xE9\r\n--b\r\n" FILE_PART(
        "f\xFF", "f") "\xE9\r\n--b--\r\n"));
    expect_field("a\xEF\xBF\xBD", TEXT("\xEF\xBF\xBD"));
    expect_file(0, TEXT("f\xEF\xBF\xBD"), "f", TEXT("\xE9"));
}
END_TEST

START_TEST(base64_parts_are_decoded)
{
    parse(TEXT("--b\r\nContent-Transfer-Encoding: BASE64\r\n" FIELD(
        "a") "aGVs\r\nbG8=\r\n--b\r\nContent-Transfer-Encoding: "
             "base64\r\n" FILE_PART("f", "f") "AAH/\r\n--b--\r\n"));
    expect_field("a", TEXT("hello"));
    expect_file(0, TEXT("f"), "f", TEXT("\0\x01\xFF"));
}
END_TEST

START_TEST(a_part_with_a_bad_header_spoils_the_body)
{
    expect_malformed(TEXT("--b\r\nno colon\r\n" FIELD("a") "x\r\n--b--"));
    expect_malformed(TEXT("--b\r\nContent-Disposition: form-data; "
                          "name=\"a\"\r\n--b--\r\n"));
}
END_TEST

START_TEST(bad_base64_spoils_the_body)
{
    expect_malformed(TEXT("--b\r\nContent-Transfer-Encoding: base64\r\n" FIELD(
        "a") "aGVs!\r\n--b--\r\n"));
}
END_TEST

START_TEST(other_transfer_encodings_and_charsets_keep_the_bytes)
{
    parse(TEXT("--b\r\nContent-Transfer-Encoding: quoted-printable\r\n"
               "Content-Type: text/plain; charset=utf-16\r\n" FIELD(
                   "a") "=41\r\n--b--\r\n"));
    expect_field("a", TEXT("=41"));
}
END_TEST

START_TEST(a_nested_multipart_is_bytes)
{
    parse(TEXT("--b\r\nContent-Type: multipart/mixed; boundary=c\r\n" FIELD(
        "a") "--c\r\n\r\n1\r\n--c--\r\n--b--\r\n"));
    expect_field("a", TEXT("--c\r\n\r\n1\r\n--c--"));
}
END_TEST

START_TEST(a_file_without_a_name_spoils_the_body)
{
    expect_malformed(TEXT("--b\r\n" FILE_PART("", "f") "x\r\n--b--\r\n"));
    expect_malformed(TEXT("--b\r\n" FILE_PART(" \t ", "f") "x\r\n--b--\r\n"));
    expect_malformed(TEXT("--b\r\nContent-Disposition: form-data; name=; "
                          "filename=f\r\n\r\nx\r\n--b--\r\n"));
}
END_TEST

START_TEST(a_field_may_have_an_empty_name)
{
    parse(TEXT("--b\r\n" FIELD("") "x\r\n--b--\r\n"));
    expect_field("", TEXT("x"));
}
END_TEST

START_TEST(a_length_that_a_part_gives_itself_is_not_believed)
{
    parse(TEXT("--b\r\n"
               "Content-Length: 1\r\n"
               "Content-Disposition: form-data; name=f; filename=f\r\n\r\n"
               "content\r\n"
               "--b\r\n"
               "Content-Length: 999999\r\n"
               "Content-Disposition: form-data; name=g; filename=g\r\n\r\n"
               "x\r\n"
               "--b--\r\n"));
    expect_file(0, TEXT("f"), "f", TEXT("content"));
    expect_file(1, TEXT("g"), "g", TEXT("x"));
}
END_TEST

START_TEST(a_name_of_64_kib_is_refused)
{
    expect_malformed(repeated("--b\r\nContent-Disposition: form-data; name=\"",
                              "n", 65536,
                              "\"; filename=f\r\n\r\nx\r\n--b--\r\n"));
    expect_malformed(
        repeated("--b\r\nContent-Disposition: form-data; name=f; filename=\"",
                 "n", 65536, "\"\r\n\r\nx\r\n--b--\r\n"));
}
END_TEST

static void expect_too_many(const char *part, size_t count)
{
    ck_assert_int_eq(status_of(repeated("", part, count, "--b--")),
                     FORM_TOO_MANY);
}

START_TEST(ten_thousand_parts_are_too_many_whatever_they_are)
{
    expect_too_many("--b\r\n", 10000);
    expect_too_many("--b\r\n\r\nx\r\n", 10000);
    expect_too_many("--b\r\n" FIELD("a") "x\r\n", 10000);
    expect_too_many("--b\r\n" FILE_PART("f", "f") "x\r\n", 10000);
}
END_TEST

START_TEST(parts_without_a_name_count)
{
    parse(repeated("", "--b\r\n\r\nx\r\n", 1100, "--b--"));
    expect_too_many("--b\r\n\r\nx\r\n", 1101);
}
END_TEST

START_TEST(a_hundred_files_are_read_and_one_more_is_too_many)
{
    struct buffer body = {NULL, 0, 0};
    const char *part = "--b\r\n" FILE_PART("f", "f") "x\r\n";

    for (int i = 0; i < 100; i++)
        buffer_printf(&body, "--b\r\n" FILE_PART("%d", "f") "x\r\n", i);
    buffer_append_string(&body, "--b--");
    parse(buffer_text(&body));
    ck_assert_uint_eq(form.file_count, 100);
    buffer_free(&body);
    parse(repeated("", part, 100, "--b--"));
    ck_assert_uint_eq(form.file_count, 1);
    ck_assert_int_eq(status_of(repeated("", part, 101, "--b--")),
                     FORM_TOO_MANY);
}
END_TEST

START_TEST(a_thousand_fields_are_read_and_one_more_is_too_many)
{
    const char *part = "--b\r\n" FIELD("a") "x\r\n";

    parse(repeated("", part, 1000, "--b--"));
    ck_assert_uint_eq(form.field_count, 1000);
    ck_assert_int_eq(status_of(repeated("", part, 1001, "--b--")),
                     FORM_TOO_MANY);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(an_lms_submission_with_a_file_is_read),
        TELL(what_curl_sends_is_read),
        TELL(an_empty_file_is_a_file),
        TELL(a_part_may_end_with_its_header),
        TELL(the_last_of_two_files_of_one_name_wins_whole),
        TELL(the_last_of_two_fields_wins),
        TELL(the_boundary_inside_data_is_data_unless_a_line_begins_with_it),
        TELL(something_glued_to_the_boundary_is_refused),
        TELL(blanks_may_follow_a_delimiter),
        TELL(what_is_before_and_after_the_parts_is_ignored),
        TELL(more_than_64_kib_around_the_parts_is_refused),
        TELL(an_empty_form_is_an_empty_form),
        TELL(a_cut_body_is_refused_wherever_it_is_cut),
        TELL(a_boundary_that_never_appears_is_refused),
        TELL(parts_without_a_name_are_skipped),
        TELL(damaged_utf8_is_replaced_in_fields_and_kept_in_files),
        TELL(base64_parts_are_decoded),
        TELL(a_part_with_a_bad_header_spoils_the_body),
        TELL(bad_base64_spoils_the_body),
        TELL(other_transfer_encodings_and_charsets_keep_the_bytes),
        TELL(a_nested_multipart_is_bytes),
        TELL(a_file_without_a_name_spoils_the_body),
        TELL(a_field_may_have_an_empty_name),
        TELL(a_length_that_a_part_gives_itself_is_not_believed),
        TELL(a_name_of_64_kib_is_refused),
        TELL(ten_thousand_parts_are_too_many_whatever_they_are),
        TELL(parts_without_a_name_count),
        TELL(a_hundred_files_are_read_and_one_more_is_too_many),
        TELL(a_thousand_fields_are_read_and_one_more_is_too_many),
    };
    static const struct story story = {
        .name = "multipart",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_each = set_up,
        .after_each = tear_down,
    };

    return story_run(&story);
}
