#include "server/deliver/callback_identity.h"

#include "server/base/arena.h"
#include "tests/support/expect.h"
#include "tests/support/story.h"

#include <string.h>

static const char *const url =
    "http://lms.example/courses/c/xqueue/1/b/score_update";

/* The first half of SHA-256 of the URL, and the first 8 bytes of that of
 * "http://lms.example". */
static const unsigned char problem_of_url[PROBLEM_SIZE] = {
    0x65, 0xbf, 0x2f, 0x08, 0xb9, 0xbb, 0xdd, 0x8f,
    0x61, 0x37, 0xbb, 0x09, 0xad, 0x2a, 0x98, 0x1a};
static const int64_t destination_of_url = INT64_C(4314241152197005428);

static bool is_same_problem(const char *left, const char *right)
{
    unsigned char one[PROBLEM_SIZE];
    unsigned char other[PROBLEM_SIZE];

    callback_problem(text_of(left), one);
    callback_problem(text_of(right), other);
    return memcmp(one, other, PROBLEM_SIZE) == 0;
}

static bool is_same_destination(const char *left, const char *right)
{
    return callback_destination(text_of(left)) ==
           callback_destination(text_of(right));
}

START_TEST(a_problem_and_a_destination_stay_the_same_for_ever)
{
    unsigned char problem[PROBLEM_SIZE];

    callback_problem(text_of(url), problem);
    ck_assert_mem_eq(problem, problem_of_url, PROBLEM_SIZE);
    ck_assert_int_eq(callback_destination(text_of(url)), destination_of_url);
}
END_TEST

START_TEST(a_problem_is_the_whole_url_byte_by_byte)
{
    ck_assert(is_same_problem(url, url));
    ck_assert(!is_same_problem("http://h/?key=a", "http://h/?key=b"));
    ck_assert(!is_same_problem("http://h/?key=a", "http://h/?key=A"));
    ck_assert(!is_same_problem("http://h/a", "http://h/a "));
    ck_assert(!is_same_problem("http://h/a", "http://h//a"));
    ck_assert(!is_same_problem("http://h/%61", "http://h/a"));
}
END_TEST

START_TEST(a_destination_is_scheme_host_and_port_in_any_case)
{
    ck_assert(is_same_destination("http://h", "http://h/a/b?c#d"));
    ck_assert(is_same_destination("http://h/a", "http://h?b"));
    ck_assert(is_same_destination("http://h/a", "http://h#b"));
    ck_assert(
        is_same_destination("HTTP://Host.Example/a", "http://hOST.eXAMPLE/A"));
    ck_assert(!is_same_destination("http://h/", "https://h/"));
    ck_assert(!is_same_destination("http://h/", "http://h:8000/"));
    ck_assert(!is_same_destination("http://h/", "http://i/"));
}
END_TEST

START_TEST(what_is_no_url_has_one_destination)
{
    ck_assert(is_same_destination("", "/a/b"));
    ck_assert(is_same_destination("", "mailto:a@b"));
    ck_assert(!is_same_destination("", "http://h/"));
}
END_TEST

START_TEST(what_can_never_be_delivered_is_impossible)
{
    ck_assert(callback_is_possible(text_of(url)));
    ck_assert(callback_is_possible(text_of("https://h:8000//a+b:c@d?e=f g")));
    ck_assert(callback_is_possible(text_of("http://h/\xc3\xa9")));
    ck_assert(callback_is_possible(text_of("/a path alone/")));
    ck_assert(!callback_is_possible(text_of("ftp://h/")));
    ck_assert(!callback_is_possible(text_of("gopher://h/")));
    ck_assert(!callback_is_possible(text_of("javascript://h/")));
    ck_assert(!callback_is_possible(text_of("http://user:secret@h/")));
    ck_assert(!callback_is_possible(text_of("http://h:99999/")));
    ck_assert(!callback_is_possible(text_of("http:///a")));
    ck_assert(!callback_is_possible((struct text){"http://h/\0x", 11}));
}
END_TEST

START_TEST(an_origin_is_shown_unless_it_holds_a_secret)
{
    expect_text(callback_origin(text_of("http://Host:8000/a?b")),
                "http://Host:8000");
    expect_text(callback_origin(text_of("https://[::1]:1")), "https://[::1]:1");
    expect_text(callback_origin(text_of("http://h/x+y:z@w")), "http://h");
    ck_assert(
        text_is_absent(callback_origin(text_of("http://user:secret@host/"))));
    ck_assert(text_is_absent(callback_origin(text_of("/a/b"))));
    ck_assert(text_is_absent(callback_origin(text_of("a secret"))));
    ck_assert(text_is_absent(callback_origin(text_of(""))));
}
END_TEST

START_TEST(the_url_is_read_from_the_header)
{
    struct arena *arena = arena_new();

    expect_text(callback_url(arena, text_of("{\"lms_callback_url\":"
                                            " \"http:\\/\\/h\\/\\u00e9\","
                                            " \"x\": 1}")),
                "http://h/é");
    ck_assert(text_is_absent(callback_url(arena, text_of("{}"))));
    ck_assert(text_is_absent(callback_url(arena, text_of("junk"))));
    ck_assert(text_is_absent(
        callback_url(arena, text_of("{\"lms_callback_url\": 5}"))));
    arena_free(arena);
}
END_TEST

START_TEST(a_header_identifies_both)
{
    unsigned char problem[PROBLEM_SIZE];
    int64_t destination;

    ck_assert(callback_identify(
        text_of("{\"lms_callback_url\": \"http://lms.example/courses/c/xqueue"
                "/1/b/score_update\", \"lms_key\": \"k\"}"),
        problem, &destination));
    ck_assert_mem_eq(problem, problem_of_url, PROBLEM_SIZE);
    ck_assert_int_eq(destination, destination_of_url);
}
END_TEST

START_TEST(a_header_without_a_url_identifies_nothing)
{
    unsigned char problem[PROBLEM_SIZE] = {7};
    int64_t destination = 7;

    ck_assert(!callback_identify(text_of("[]"), problem, &destination));
    ck_assert_int_eq(problem[0], 7);
    ck_assert_int_eq(destination, 7);
}
END_TEST

STORY("callback identity",
      TELL(a_problem_and_a_destination_stay_the_same_for_ever),
      TELL(a_problem_is_the_whole_url_byte_by_byte),
      TELL(a_destination_is_scheme_host_and_port_in_any_case),
      TELL(what_is_no_url_has_one_destination),
      TELL(what_can_never_be_delivered_is_impossible),
      TELL(an_origin_is_shown_unless_it_holds_a_secret),
      TELL(the_url_is_read_from_the_header), TELL(a_header_identifies_both),
      TELL(a_header_without_a_url_identifies_nothing))
