/*
 * server/http/part.c: the header of one part.
 */
#include "server/http/part.h"
#include "tests/support/story.h"

#include <string.h>

#define TEXT(literal)     ((struct text){(literal), sizeof(literal) - 1})
#define DISPOSITION(rest) "Content-Disposition: form-data; " rest "\r\n"

static struct arena *arena;
static struct part part;

static void set_up(void)
{
    arena = arena_new();
}

static void tear_down(void)
{
    arena_free(arena);
}

static void parse(struct text lines)
{
    ck_assert(part_parse_header(arena, lines, &part));
}

static void expect_refused(struct text lines)
{
    ck_assert(!part_parse_header(arena, lines, &part));
}

static void expect_names(struct text lines, const char *name,
                         const char *file_name)
{
    parse(lines);
    ck_assert(text_equal(part.name, text_of(name)));
    ck_assert(text_equal(part.file_name, text_of(file_name)));
}

/* The label that a file with this file name gets. */
static void expect_label(const char *file_name, const char *label)
{
    expect_names(
        text_of(arena_printf(arena, DISPOSITION("name=\"f\"; filename=\"%s\""),
                             file_name)),
        "f", label);
}

/* `first`, then `piece` so many times, then `last`. */
static struct text repeated(const char *first, const char *piece, size_t count,
                            const char *last)
{
    size_t size = strlen(piece);
    char *middle = arena_alloc(arena, count * size + 1);

    for (size_t i = 0; i < count; i++)
        memcpy(middle + i * size, piece, size);
    middle[count * size] = '\0';
    return text_of(arena_printf(arena, "%s%s%s", first, middle, last));
}

START_TEST(a_part_is_a_field_or_a_file)
{
    expect_names(TEXT(DISPOSITION("name=\"a\"")), "a", NULL);
    expect_names(TEXT(DISPOSITION("name=\"a\"; filename=\"f.py\"")), "a",
                 "f.py");
}
END_TEST

START_TEST(without_a_form_data_name_it_is_neither)
{
    expect_names(TEXT(""), NULL, NULL);
    expect_names(TEXT("Content-Type: text/plain\r\n"), NULL, NULL);
    expect_names(TEXT("Content-Disposition: form-data\r\n"), NULL, NULL);
    expect_names(TEXT("Content-Disposition: attachment; name=\"a\"\r\n"), NULL,
                 NULL);
}
END_TEST

START_TEST(fields_and_parameters_are_read_in_any_case)
{
    expect_names(TEXT("content-DISPOSITION:Form-Data;NAME=a ;FileName=b\r\n"),
                 "a", "b");
}
END_TEST

START_TEST(old_urllib3_names_are_decoded)
{
    expect_names(TEXT(DISPOSITION("name*=utf-8''r%C3%A9sum%C3%A9.py; "
                                  "filename*=utf-8''r%C3%A9sum%C3%A9+1.py")),
                 "r\xC3\xA9sum\xC3\xA9.py", "r\xC3\xA9sum\xC3\xA9+1.py");
}
END_TEST

START_TEST(the_extended_name_wins_over_the_plain_one)
{
    expect_names(TEXT(DISPOSITION("name*=utf-8''good; name=bad; "
                                  "filename=\"bad\"; "
                                  "filename*=UTF-8'en'go%6Fd")),
                 "good", "good");
}
END_TEST

START_TEST(an_extended_name_without_its_charset_is_taken_as_it_is)
{
    expect_names(TEXT(DISPOSITION("name*=it's%20me")), "it's%20me", NULL);
}
END_TEST

START_TEST(new_urllib3_and_browser_escapes_stay_in_the_name)
{
    expect_names(TEXT(DISPOSITION("name=\"a%22b%0D%0A\"; "
                                  "filename=\"a%22b.txt\"")),
                 "a%22b%0D%0A", "a%22b.txt");
}
END_TEST

START_TEST(backslashes_escape_quotes_and_themselves_only)
{
    expect_names(TEXT(DISPOSITION("name=\"a\\\"b\\\\c\\d;e\"")), "a\"b\\c\\d;e",
                 NULL);
}
END_TEST

START_TEST(an_empty_file_name_makes_a_field)
{
    expect_names(TEXT(DISPOSITION("name=\"a\"; filename=\"\"")), "a", NULL);
}
END_TEST

START_TEST(damaged_utf8_is_replaced)
{
    expect_names(TEXT(DISPOSITION("name=\"a\xFF\"; filename*=utf-8''%FF")),
                 "a\xEF\xBF\xBD", "\xEF\xBF\xBD");
}
END_TEST

START_TEST(blanks_around_a_name_do_not_count)
{
    expect_names(TEXT(DISPOSITION("name=\" \ta b \"; filename=\" f \"")), "a b",
                 " f ");
    expect_names(TEXT(DISPOSITION("name*=utf-8''%0D%0Aa%20%09")), "a", NULL);
    expect_names(TEXT(DISPOSITION("name=\"  \"")), "", NULL);
}
END_TEST

START_TEST(a_name_may_hold_anything_once_it_is_decoded)
{
    parse(TEXT(DISPOSITION("name*=utf-8''..%2F%00%0D%0A%22x; "
                           "filename*=utf-8''..%2F%00%0D%0A%22x")));
    ck_assert(text_equal(part.name, TEXT("../\0\r\n\"x")));
    ck_assert(text_equal(part.file_name, TEXT("\"x")));
}
END_TEST

START_TEST(a_file_name_is_a_label_without_any_path)
{
    expect_label("../../etc/passwd", "passwd");
    expect_label("C:\\temp\\a.txt", "a.txt");
    expect_label("a\\b/c\\d", "d");
    expect_label("tab\there\x7F", "tabhere");
    expect_label("dir/", "");
    expect_label("..", "..");
    expect_label("CON", "CON");
}
END_TEST

START_TEST(a_label_has_at_most_255_characters)
{
    parse(repeated("Content-Disposition: form-data; name=f; filename=\"",
                   "\xC3\xA9", 300, "\"\r\n"));
    ck_assert_uint_eq(part.file_name.size, 510);
}
END_TEST

START_TEST(only_base64_is_an_encoding_that_counts)
{
    parse(TEXT("Content-Transfer-Encoding: BASE64\r\n"));
    ck_assert(part.is_base64);
    parse(TEXT("Content-Transfer-Encoding: quoted-printable\r\n"));
    ck_assert(!part.is_base64);
    parse(TEXT("Content-Transfer-Encoding: 8bit\r\n"));
    ck_assert(!part.is_base64);
}
END_TEST

/* As urllib3 before 1.25 sends a file's name, twice. */
START_TEST(a_name_as_long_as_any_file_system_has_is_read)
{
    struct text name = repeated("", "%D0%B6", 127, "");

    parse(text_of(arena_printf(arena,
                               "Content-Disposition: form-data;"
                               " name*=utf-8''%s; filename*=utf-8''%s\r\n",
                               name.data, name.data)));
    ck_assert_uint_eq(part.name.size, 254);
}
END_TEST

START_TEST(a_header_of_8192_bytes_is_read_and_one_more_is_refused)
{
    parse(repeated("X: ", "x", 8187, "\r\n"));
    expect_refused(repeated("X: ", "x", 8188, "\r\n"));
}
END_TEST

START_TEST(sixteen_fields_are_read_and_one_more_is_refused)
{
    parse(repeated("", "X: y\r\n", 16, ""));
    expect_refused(repeated("", "X: y\r\n", 17, ""));
}
END_TEST

START_TEST(lines_that_readers_might_take_differently_are_refused)
{
    expect_refused(TEXT("X: y\r\n folded\r\n"));
    expect_refused(TEXT("X: y\r\n\tfolded\r\n"));
    expect_refused(TEXT("no colon\r\n"));
    expect_refused(TEXT("X: a\nb\r\n"));
    expect_refused(TEXT("X: a\rb\r\n"));
    expect_refused(TEXT("X: a\0b\r\n"));
    expect_refused(TEXT("X: no end"));
}
END_TEST

START_TEST(what_is_said_twice_is_refused)
{
    expect_refused(TEXT(DISPOSITION("name=a") DISPOSITION("name=a")));
    expect_refused(TEXT(DISPOSITION("name=a; name=\"b\"")));
    expect_refused(TEXT(DISPOSITION("name=a; name*=b; name*=c")));
    expect_refused(TEXT(DISPOSITION("name=a; filename=b; filename=c")));
    expect_refused(TEXT("Content-Transfer-Encoding: base64\r\n"
                        "Content-Transfer-Encoding: 8bit\r\n"));
}
END_TEST

START_TEST(a_quote_that_never_ends_is_refused)
{
    expect_refused(TEXT(DISPOSITION("name=\"a")));
    expect_refused(TEXT(DISPOSITION("name=\"a\\\"")));
    expect_refused(TEXT(DISPOSITION("name=a; x=\"")));
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(a_part_is_a_field_or_a_file),
        TELL(without_a_form_data_name_it_is_neither),
        TELL(fields_and_parameters_are_read_in_any_case),
        TELL(old_urllib3_names_are_decoded),
        TELL(the_extended_name_wins_over_the_plain_one),
        TELL(an_extended_name_without_its_charset_is_taken_as_it_is),
        TELL(new_urllib3_and_browser_escapes_stay_in_the_name),
        TELL(backslashes_escape_quotes_and_themselves_only),
        TELL(an_empty_file_name_makes_a_field),
        TELL(damaged_utf8_is_replaced),
        TELL(blanks_around_a_name_do_not_count),
        TELL(a_name_may_hold_anything_once_it_is_decoded),
        TELL(a_file_name_is_a_label_without_any_path),
        TELL(a_label_has_at_most_255_characters),
        TELL(only_base64_is_an_encoding_that_counts),
        TELL(a_name_as_long_as_any_file_system_has_is_read),
        TELL(a_header_of_8192_bytes_is_read_and_one_more_is_refused),
        TELL(sixteen_fields_are_read_and_one_more_is_refused),
        TELL(lines_that_readers_might_take_differently_are_refused),
        TELL(what_is_said_twice_is_refused),
        TELL(a_quote_that_never_ends_is_refused),
    };
    static const struct story story = {
        .name = "part",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_each = set_up,
        .after_each = tear_down,
    };

    return story_run(&story);
}
