/*
 * server/http/multipart.c: bodies in the form that clients give them: several
 * generations of python-requests, curl and browsers.
 *
 * How they write a name that is not plain:
 *   requests up to 1.1          raw UTF-8, and a Content-Type for each file
 *   urllib3 up to 1.24          name*=utf-8''... if not ASCII, else as it is
 *   urllib3 1.25 and 1.26       raw UTF-8, '"' as %22, '\' doubled
 *   urllib3 2, curl from 7.81, browsers    raw UTF-8, '"' as %22
 *   curl up to 7.80             raw, '"' and '\' with a '\' before them
 * What is %22 stays %22, as in Django: nobody can tell it from three letters.
 */
#include "server/http/form.h"
#include "tests/support/story.h"

#define TEXT(literal) ((struct text){(literal), sizeof(literal) - 1})

#define HEX_BOUNDARY    "5a1f0c3e9b7d4c2a8e6f1b0d3c5a7e91"
#define CURL_BOUNDARY   "------------------------a2319fabeeb70f91"
#define WEBKIT_BOUNDARY "----WebKitFormBoundaryk3Qy8rT1uVbN0xZw"

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

static void parse(const char *content_type, struct text body)
{
    ck_assert_int_eq(
        form_parse_body(arena, text_of(content_type), body, &limits, &form),
        FORM_OK);
}

static void expect_field(const char *name, const char *value)
{
    ck_assert(text_equal_string(form_get(&form, name), value));
}

static void expect_file(size_t number, const char *name, const char *file_name,
                        struct text content)
{
    ck_assert_uint_lt(number, form.file_count);
    ck_assert(text_equal_string(form.files[number].name, name));
    ck_assert(text_equal_string(form.files[number].file_name, file_name));
    ck_assert(text_equal(form.files[number].content, content));
}

START_TEST(the_first_requests)
{
    parse("multipart/form-data; boundary=" HEX_BOUNDARY,
          TEXT("--" HEX_BOUNDARY "\r\n"
               "Content-Disposition: form-data; name=\"xqueue_header\"\r\n"
               "Content-Type: text/plain\r\n"
               "\r\n"
               "{\"lms_key\": \"k\"}\r\n"
               "--" HEX_BOUNDARY "\r\n"
               "Content-Disposition: form-data; name=\"l\xC3\xB6sung 1.py\"; "
               "filename=\"l\xC3\xB6sung 1.py\"\r\n"
               "Content-Type: text/x-python\r\n"
               "\r\n"
               "print(1)\n\r\n"
               "--" HEX_BOUNDARY "--\r\n"));
    expect_field("xqueue_header", "{\"lms_key\": \"k\"}");
    ck_assert_uint_eq(form.file_count, 1);
    expect_file(0, "l\xC3\xB6sung 1.py", "l\xC3\xB6sung 1.py",
                TEXT("print(1)\n"));
}
END_TEST

START_TEST(requests_with_urllib3_1_24)
{
    parse("multipart/form-data; boundary=" HEX_BOUNDARY,
          TEXT("--" HEX_BOUNDARY "\r\n"
               "Content-Disposition: form-data; name=\"xqueue_body\"\r\n"
               "\r\n"
               "\xC3\xA9\r\n"
               "--" HEX_BOUNDARY "\r\n"
               "Content-Disposition: form-data; name=\"plain.py\"; "
               "filename=\"plain.py\"\r\n"
               "\r\n"
               "1\r\n"
               "--" HEX_BOUNDARY "\r\n"
               "Content-Disposition: form-data; "
               "name*=utf-8''%D0%B4%D0%BE%D0%BC%201%2B1.py; "
               "filename*=utf-8''%D0%B4%D0%BE%D0%BC%201%2B1.py\r\n"
               "\r\n"
               "2\r\n"
               "--" HEX_BOUNDARY "\r\n"
               "Content-Disposition: form-data; name*=utf-8''a%22b%5Cc; "
               "filename=\"d.txt\"\r\n"
               "Content-Type: text/plain\r\n"
               "\r\n"
               "3\r\n"
               "--" HEX_BOUNDARY "--\r\n"));
    expect_field("xqueue_body", "\xC3\xA9");
    ck_assert_uint_eq(form.file_count, 3);
    expect_file(0, "plain.py", "plain.py", TEXT("1"));
    expect_file(1, "\xD0\xB4\xD0\xBE\xD0\xBC 1+1.py",
                "\xD0\xB4\xD0\xBE\xD0\xBC 1+1.py", TEXT("2"));
    expect_file(2, "a\"b\\c", "d.txt", TEXT("3"));
}
END_TEST

START_TEST(requests_with_urllib3_1_26)
{
    parse("multipart/form-data; boundary=" HEX_BOUNDARY,
          TEXT("--" HEX_BOUNDARY "\r\n"
               "Content-Disposition: form-data; "
               "name=\"\xE8\xA7\xA3 %22a%22 C:\\\\tmp.py\"; "
               "filename=\"\xE8\xA7\xA3 %22a%22 C:\\\\tmp.py\"\r\n"
               "\r\n"
               "\0\xFF\r\n"
               "--" HEX_BOUNDARY "--\r\n"));
    expect_file(0, "\xE8\xA7\xA3 %22a%22 C:\\tmp.py", "tmp.py", TEXT("\0\xFF"));
}
END_TEST

START_TEST(requests_with_urllib3_2)
{
    parse("multipart/form-data; boundary=" HEX_BOUNDARY,
          TEXT("--" HEX_BOUNDARY "\r\n"
               "Content-Disposition: form-data; name=\"xqueue_header\"\r\n"
               "\r\n"
               "{}\r\n"
               "--" HEX_BOUNDARY "\r\n"
               "Content-Disposition: form-data; "
               "name=\"r\xC3\xA9sum\xC3\xA9 %22a%22\\x.py\"; "
               "filename=\"r\xC3\xA9sum\xC3\xA9 %22a%22\\x.py\"\r\n"
               "\r\n"
               "print(1)\r\n\r\n"
               "--" HEX_BOUNDARY "\r\n"
               "Content-Disposition: form-data; name=\"empty.txt\"; "
               "filename=\"empty.txt\"\r\n"
               "\r\n"
               "\r\n"
               "--" HEX_BOUNDARY "\r\n"
               "Content-Disposition: form-data; name=\"f%0D%0A\"; "
               "filename=\"\"\r\n"
               "\r\n"
               "no file\r\n"
               "--" HEX_BOUNDARY "--\r\n"));
    expect_field("xqueue_header", "{}");
    ck_assert_uint_eq(form.file_count, 2);
    expect_file(0, "r\xC3\xA9sum\xC3\xA9 %22a%22\\x.py", "x.py",
                TEXT("print(1)\r\n"));
    expect_file(1, "empty.txt", "empty.txt", TEXT(""));
    expect_field("f%0D%0A", "no file");
}
END_TEST

START_TEST(curl_before_7_81)
{
    parse("multipart/form-data; boundary=" CURL_BOUNDARY,
          TEXT("--" CURL_BOUNDARY "\r\n"
               "Content-Disposition: form-data; name=\"note\"\r\n"
               "\r\n"
               "hello\r\n"
               "--" CURL_BOUNDARY "\r\n"
               "Content-Disposition: form-data; name=\"a\\\"b\\\\c\"; "
               "filename=\"we\\\"ird.txt\"\r\n"
               "Content-Type: text/plain\r\n"
               "\r\n"
               "x\n\r\n"
               "--" CURL_BOUNDARY "--\r\n"));
    expect_field("note", "hello");
    expect_file(0, "a\"b\\c", "we\"ird.txt", TEXT("x\n"));
}
END_TEST

START_TEST(curl_7_88)
{
    parse("multipart/form-data; boundary=" CURL_BOUNDARY,
          TEXT("--" CURL_BOUNDARY "\r\n"
               "Content-Disposition: form-data; name=\"note\"\r\n"
               "\r\n"
               "hello\r\n"
               "--" CURL_BOUNDARY "\r\n"
               "Content-Disposition: form-data; "
               "name=\"r\xC3\xA9sum\xC3\xA9\"; "
               "filename=\"we%22ird \xC3\xA9.txt\"\r\n"
               "Content-Type: text/plain\r\n"
               "\r\n"
               "x\n\r\n"
               "--" CURL_BOUNDARY "\r\n"
               "Content-Disposition: form-data; name=\"e\"; "
               "filename=\"empty\"\r\n"
               "Content-Type: application/octet-stream\r\n"
               "\r\n"
               "\r\n"
               "--" CURL_BOUNDARY "--\r\n"));
    expect_field("note", "hello");
    ck_assert_uint_eq(form.file_count, 2);
    expect_file(0, "r\xC3\xA9sum\xC3\xA9", "we%22ird \xC3\xA9.txt",
                TEXT("x\n"));
    expect_file(1, "e", "empty", TEXT(""));
}
END_TEST

START_TEST(chromium)
{
    parse("multipart/form-data; boundary=" WEBKIT_BOUNDARY,
          TEXT("--" WEBKIT_BOUNDARY "\r\n"
               "Content-Disposition: form-data; name=\"xqueue_body\"\r\n"
               "\r\n"
               "two\r\nlines\r\n"
               "--" WEBKIT_BOUNDARY "\r\n"
               "Content-Disposition: form-data; "
               "name=\"\xE2\x82\xAC %22a%22%0D%0A.py\"; "
               "filename=\"\xE2\x82\xAC%22%0A.py\"\r\n"
               "Content-Type: text/x-python-script\r\n"
               "\r\n"
               "print(1)\n\r\n"
               "--" WEBKIT_BOUNDARY "\r\n"
               "Content-Disposition: form-data; name=\"nothing chosen\"; "
               "filename=\"\"\r\n"
               "Content-Type: application/octet-stream\r\n"
               "\r\n"
               "\r\n"
               "--" WEBKIT_BOUNDARY "--\r\n"));
    expect_field("xqueue_body", "two\r\nlines");
    ck_assert_uint_eq(form.file_count, 1);
    expect_file(0, "\xE2\x82\xAC %22a%22%0D%0A.py", "\xE2\x82\xAC%22%0A.py",
                TEXT("print(1)\n"));
    expect_field("nothing chosen", "");
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(the_first_requests),
        TELL(requests_with_urllib3_1_24),
        TELL(requests_with_urllib3_1_26),
        TELL(requests_with_urllib3_2),
        TELL(curl_before_7_81),
        TELL(curl_7_88),
        TELL(chromium),
    };
    static const struct story story = {
        .name = "multipart: clients",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_each = set_up,
        .after_each = tear_down,
    };

    return story_run(&story);
}
