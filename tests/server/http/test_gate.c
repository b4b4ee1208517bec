/*
 * server/http/gate.c: versions, targets, fields.
 */
#include "server/http/gate.h"
#include "tests/support/gate_story.h"

#include <string.h>

static void expect_target(const char *target, int status)
{
    request.target = text_of(target);
    expect_verdict(status);
}

static void expect_version(int major, int minor, int status)
{
    request.major = major;
    request.minor = minor;
    expect_verdict(status);
}

START_TEST(an_ordinary_get_passes)
{
    add_field("User-Agent", "python-requests/2.32.3");
    add_field("Accept-Encoding", "gzip, deflate");
    add_field("Accept", "*/*");
    add_field("Connection", "keep-alive");
    add_field("Cookie", "sessionid=abc");
    add_field("Authorization", "Basic YTpi");
    expect_verdict(0);
}
END_TEST

START_TEST(other_versions_are_505_and_nonsense_400)
{
    expect_version(1, 0, 0);
    expect_version(1, 2, 505);
    expect_version(2, 0, 505);
    expect_version(0, 9, 505);
    expect_version(1, 10, 400);
    expect_version(-1, 5, 400);
    expect_version(1, -1, 400);
    expect_version(99999, 1, 400);
}
END_TEST

START_TEST(a_target_is_a_path)
{
    expect_target("http://localhost/xqueue/status/", 400);
    expect_target("localhost:80", 400);
    expect_target("*", 400);
    expect_target("", 400);
    request.target = TEXT_ABSENT;
    expect_verdict(400);
}
END_TEST

START_TEST(a_target_is_visible_ascii_without_a_fragment)
{
    expect_target("/a b", 400);
    expect_target("/a\tb", 400);
    expect_target("/caf\xC3\xA9", 400);
    expect_target("/a\x7F", 400);
    expect_target("/a#b", 400);
    request.target = TEXT("/a\0b");
    expect_verdict(400);
}
END_TEST

START_TEST(odd_paths_are_left_to_the_router)
{
    expect_target("//xqueue/status/", 0);
    expect_target("/xqueue/./status/", 0);
    expect_target("/x/../xqueue/status/", 0);
    expect_target("/xqueue/%73tatus/", 0);
    expect_target("/xqueue\\status", 0);
    expect_target("/%0", 0);
}
END_TEST

START_TEST(an_escaped_nul_is_refused_in_the_path_only)
{
    expect_target("/xqueue/status/%00", 400);
    expect_target("/%00?a", 400);
    expect_target("/xqueue/get_queuelen/?queue_name=%00", 0);
}
END_TEST

START_TEST(a_target_of_8192_bytes_passes_and_one_more_is_414)
{
    char target[8193];

    memset(target, 'a', sizeof target);
    target[0] = '/';
    request.target = (struct text){target, 8192};
    expect_verdict(0);
    request.target = (struct text){target, 8193};
    expect_verdict(414);
}
END_TEST

START_TEST(sixty_four_fields_pass_and_one_more_is_431)
{
    while (request.field_count < 64)
        add_field("X", "y");
    expect_verdict(0);
    add_field("X", "y");
    expect_verdict(431);
}
END_TEST

START_TEST(field_names_are_tokens)
{
    expect_with("X-Real-IP", "1.2.3.4", 0);
    expect_with("!#$%&'*+-.^_`|~09azAZ", "", 0);
    expect_with("", "x", 400);
    expect_with("Content-Length ", "5", 400);
    expect_with("Transfer-Encoding\t", "chunked", 400);
    expect_with("X(y)", "x", 400);
    expect_with("X\x01", "x", 400);
    expect_with("X\xC3\xA9", "x", 400);
    fields[request.field_count++] =
        (struct gate_field){TEXT("X\0Y"), TEXT("x")};
    expect_verdict(400);
}
END_TEST

START_TEST(field_values_hold_no_control_characters)
{
    expect_with("X", "", 0);
    expect_with("X", "a\tb \xC3\xA9", 0);
    expect_with("X", "a\rb", 400);
    expect_with("X", "a\nb", 400);
    expect_with("X", "a\x01", 400);
    expect_with("X", "a\x7F", 400);
    fields[request.field_count++] =
        (struct gate_field){TEXT("X"), TEXT("a\0b")};
    expect_verdict(400);
}
END_TEST

START_TEST(one_host_is_needed_on_1_1)
{
    add_field("host", "localhost");
    expect_verdict(400);
    request.field_count = 0;
    expect_verdict(400);
}
END_TEST

START_TEST(at_most_one_host_is_allowed_on_1_0)
{
    request.minor = 0;
    expect_verdict(0);
    add_field("HOST", "localhost");
    expect_verdict(400);
    request.field_count = 0;
    expect_verdict(0);
}
END_TEST

START_TEST(a_host_is_a_name_or_an_address_and_a_port)
{
    static const char *const good[] = {
        "localhost",        "edx.devstack.xqueue:18040",
        "127.0.0.1:80",     "[::1]:8040",
        "[fe80::1%25eth0]", "xqueue_app_server",
        "a-b.example",      "host:"};
    static const char *const bad[] = {
        "",          "a b",         "user@host", "host/path",
        "host:80a",  "[::1",        "[]",        ":80",
        "a,b",       "host:123456", "[::1]x",    "a?b",
        "h\xC3\xA9", "host:-1",     "::1",       "http://localhost"};

    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        fields[0].value = text_of(good[i]);
        expect_verdict(0);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        fields[0].value = text_of(bad[i]);
        expect_verdict(400);
    }
}
END_TEST

START_TEST(fields_that_decide_come_once)
{
    static const char *const names[] = {"Content-Type", "Cookie",
                                        "Authorization"};

    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        add_field(names[i], "a");
        expect_verdict(0);
        expect_with(names[i], "a", 400);
        request.field_count--;
    }
    add_field("X-Forwarded-For", "a");
    expect_with("X-Forwarded-For", "b", 0);
}
END_TEST

START_TEST(what_has_no_meaning_here_is_ignored)
{
    add_field("Upgrade", "h2c");
    add_field("TE", "trailers");
    add_field("Trailer", "X");
    add_field("Keep-Alive", "timeout=5");
    add_field("Proxy-Connection", "keep-alive");
    add_field("Range", "bytes=0-1");
    add_field("Connection", "close, foo");
    expect_verdict(0);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(an_ordinary_get_passes),
        TELL(other_versions_are_505_and_nonsense_400),
        TELL(a_target_is_a_path),
        TELL(a_target_is_visible_ascii_without_a_fragment),
        TELL(odd_paths_are_left_to_the_router),
        TELL(an_escaped_nul_is_refused_in_the_path_only),
        TELL(a_target_of_8192_bytes_passes_and_one_more_is_414),
        TELL(sixty_four_fields_pass_and_one_more_is_431),
        TELL(field_names_are_tokens),
        TELL(field_values_hold_no_control_characters),
        TELL(one_host_is_needed_on_1_1),
        TELL(at_most_one_host_is_allowed_on_1_0),
        TELL(a_host_is_a_name_or_an_address_and_a_port),
        TELL(fields_that_decide_come_once),
        TELL(what_has_no_meaning_here_is_ignored),
    };
    static const struct story story = {
        .name = "gate",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_each = gate_story_begin,
    };

    return story_run(&story);
}
