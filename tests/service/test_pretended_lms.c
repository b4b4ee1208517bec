/*
 * tests/support/sink.c, http_client.c: the pretended LMS does what it is told
 * and the client reads what comes.
 */
#include "tests/support/expect.h"
#include "tests/support/sink.h"
#include "tests/support/story.h"

#include "server/base/clock.h"

static struct sink *lms;
static struct http_client *client;

static void start(void)
{
    lms = sink_start(3);
    client = http_client_new(sink_port(lms));
}

static void stop(void)
{
    http_client_free(client);
    sink_stop(lms);
}

static struct http_form callback(const char *body)
{
    static struct http_part parts[2];

    parts[0] =
        (struct http_part){"xqueue_header", "{\"lms_key\": \"k\"}", NULL};
    parts[1] = (struct http_part){"xqueue_body", body, NULL};
    return (struct http_form){parts, 2};
}

START_TEST(a_callback_is_taken_byte_for_byte)
{
    struct received_list list;

    expect_status(http_post_form(client, "/a//b?c=d", callback("\"é\n &=+%")),
                  200, "");
    list = sink_wait(lms, 1, 5000);
    ck_assert_uint_eq(list.count, 1);
    ck_assert_int_eq(list.items[0].number, 1);
    ck_assert_int_eq(list.items[0].status, 200);
    expect_text(list.items[0].path, "/a//b?c=d");
    expect_text(list.items[0].content_type,
                "application/x-www-form-urlencoded");
    expect_text(list.items[0].header, "{\"lms_key\": \"k\"}");
    expect_text(list.items[0].body, "\"é\n &=+%");
    ck_assert(text_is_absent(list.items[0].authorization));
}
END_TEST

START_TEST(a_multipart_form_is_read_too)
{
    expect_status(http_post_multipart(client, "/", callback("1")), 200, "");
    expect_text(sink_received(lms).items[0].body, "1");
}
END_TEST

START_TEST(only_the_last_ones_are_kept)
{
    struct received_list list;

    for (int i = 0; i < 5; i++)
        expect_status(http_post_form(client, "/", callback("1")), 200, "");
    list = sink_wait(lms, 5, 5000);
    ck_assert_uint_eq(list.count, 3);
    ck_assert_int_eq(list.items[0].number, 3);
    ck_assert_int_eq(list.items[2].number, 5);
}
END_TEST

START_TEST(a_path_may_ask_for_a_status)
{
    expect_status(http_post_form(client, "/status/503/x", callback("1")), 503,
                  "");
    ck_assert_int_eq(sink_received(lms).items[0].status, 503);
}
END_TEST

START_TEST(a_path_may_fail_at_first)
{
    const char *path = "/fail/2/500/x";

    expect_status(http_post_form(client, path, callback("1")), 500, "");
    expect_status(http_post_form(client, path, callback("1")), 500, "");
    expect_status(http_post_form(client, path, callback("1")), 200, "");
    expect_status(http_post_form(client, "/fail/2/500/y", callback("1")), 500,
                  "");
}
END_TEST

START_TEST(a_path_may_be_slow)
{
    int64_t before_ms = clock_monotonic_ms();

    expect_status(
        http_post_form(client, "/slow/200/status/404/", callback("1")), 404,
        "");
    ck_assert_int_ge(clock_monotonic_ms() - before_ms, 200);
}
END_TEST

START_TEST(a_path_may_redirect)
{
    const struct reply *reply =
        http_post_form(client, "/redirect/307/there", callback("1"));

    expect_status(reply, 307, "");
    expect_field(reply, "Location", "/there");
    expect_status(http_get(client, "/there"), 404, "");
}
END_TEST

START_TEST(a_path_may_hang_up)
{
    expect_status(http_post_form(client, "/drop/x", callback("1")), 0, NULL);
    expect_status(http_post_form(client, "/x", callback("1")), 200, "");
}
END_TEST

START_TEST(an_lms_that_is_killed_comes_back_on_its_port)
{
    sink_kill(lms);
    expect_status(http_post_form(client, "/x", callback("1")), 0, NULL);
    sink_restart(lms);
    expect_status(http_post_form(client, "/x", callback("1")), 200, "");
    ck_assert_uint_eq(sink_wait(lms, 1, 5000).count, 1);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(a_callback_is_taken_byte_for_byte),
        TELL(a_multipart_form_is_read_too),
        TELL(only_the_last_ones_are_kept),
        TELL(a_path_may_ask_for_a_status),
        TELL(a_path_may_fail_at_first),
        TELL(a_path_may_be_slow),
        TELL(a_path_may_redirect),
        TELL(a_path_may_hang_up),
        TELL(an_lms_that_is_killed_comes_back_on_its_port),
    };
    static const struct story story = {
        .name = "pretended LMS",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_each = start,
        .after_each = stop,
    };

    return story_run(&story);
}
