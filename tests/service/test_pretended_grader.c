/*
 * tests/support/grader.c: the pretended grader grades, counts, and misbehaves
 * as it is told.
 */
#include "tests/support/expect.h"
#include "tests/support/grader.h"
#include "tests/support/story.h"

#include <stdio.h>
#include <string.h>

enum { WAIT_MS = 5000 };

static struct grader *grader;
static struct http_client *client;

static uint16_t port_of(const char *url)
{
    unsigned port = 0;

    ck_assert_int_eq(sscanf(url, "http://127.0.0.1:%u/", &port), 1);
    return (uint16_t)port;
}

static void start(void)
{
    grader = grader_start(100, 2);
    client = http_client_new(port_of(grader_url(grader, 0, "/")));
}

static void stop(void)
{
    http_client_free(client);
    grader_stop(grader);
}

#define PUSH_OF(number)                                                        \
    "{\"xqueue_body\": \"" number " xxx\", \"xqueue_files\": \"{}\"}"

static const struct reply *push(const char *path, const char *body)
{
    return http_send(client, &(struct http_message){.method = "POST",
                                                    .path = path,
                                                    .body = text_of(body)});
}

/* Without waiting for the answer. */
static struct http_client *begin_push(const char *path, const char *body)
{
    struct http_client *other =
        http_client_new(port_of(grader_url(grader, 1, "/")));
    char request[500];

    snprintf(request, sizeof request,
             "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n"
             "\r\n%s",
             path, strlen(body), body);
    ck_assert(http_send_bytes(other, text_of(request)));
    return other;
}

START_TEST(a_grade_names_the_submission_and_how_often_it_came)
{
    expect_status(push("/q", PUSH_OF("12")), 200,
                  "{\"correct\": true, \"score\": 1, \"msg\":"
                  " \"<p>submission 12, time 1</p>\"}");
    expect_status(push("/q", PUSH_OF("12")), 200,
                  "{\"correct\": true, \"score\": 1, \"msg\":"
                  " \"<p>submission 12, time 2</p>\"}");
    expect_status(push("/q", PUSH_OF("word")), 200,
                  "{\"correct\": true, \"score\": 1, \"msg\":"
                  " \"<p>submission -1, time 1</p>\"}");
}
END_TEST

START_TEST(every_push_is_remembered_in_order)
{
    struct graded_list list;

    expect_status(push("/q", PUSH_OF("5")), 200, NULL);
    expect_status(push("/status/500/q", PUSH_OF("6")), 500, NULL);
    list = grader_wait(grader, 1, 2, WAIT_MS);
    ck_assert_uint_eq(list.count, 2);
    ck_assert_int_eq(list.items[0].number, 1);
    ck_assert_int_eq(list.items[0].submission, 5);
    ck_assert_int_eq(list.items[0].status, 200);
    expect_text(list.items[0].path, "/q");
    ck_assert_int_eq(list.items[1].submission, 6);
    ck_assert_int_eq(list.items[1].status, 500);
    ck_assert_uint_eq(grader_wait(grader, 2, 2, WAIT_MS).count, 1);
}
END_TEST

START_TEST(what_is_in_hand_is_counted_for_each_path)
{
    struct http_client *first = begin_push("/slow/300/q", PUSH_OF("1"));
    struct http_client *twin = begin_push("/slow/300/q", PUSH_OF("1"));
    struct graded_list list = grader_wait(grader, 1, 2, WAIT_MS);

    ck_assert_int_eq(list.items[1].in_hand, 2);
    ck_assert_int_eq(list.items[1].twins, 2);
    ck_assert_int_eq(grader_path(grader, "/slow/300/q").in_hand, 2);
    expect_status(http_read_reply(first), 200, NULL);
    expect_status(http_read_reply(twin), 200, NULL);
    ck_assert_int_eq(grader_path(grader, "/slow/300/q").in_hand, 0);
    ck_assert_int_eq(grader_path(grader, "/slow/300/q").most, 2);
    ck_assert_int_eq(grader_path(grader, "/slow/300/q").came, 2);
    ck_assert_int_eq(grader_path(grader, "/other").came, 0);
    http_client_free(first);
    http_client_free(twin);
}
END_TEST

START_TEST(a_stalled_path_is_never_answered)
{
    struct http_client *stalled = begin_push("/stall/q", PUSH_OF("1"));

    (void)grader_wait(grader, 1, 1, WAIT_MS);
    expect_status(push("/q", PUSH_OF("2")), 200, NULL);
    ck_assert(!http_has_input(stalled));
    ck_assert_int_eq(grader_path(grader, "/stall/q").in_hand, 1);
    http_client_free(stalled);
}
END_TEST

START_TEST(a_path_may_close_the_connection)
{
    ck_assert_int_eq(push("/drop/q", PUSH_OF("1"))->status, 0);
    ck_assert_int_eq(grader_path(grader, "/drop/q").came, 1);
}
END_TEST

START_TEST(what_is_no_submission_is_refused)
{
    expect_status(push("/q", "xqueue_body=1"), 400, NULL);
    expect_status(push("/q", "{\"xqueue_body\": \"1 x\"}"), 400, NULL);
    expect_status(push("/q", "{\"xqueue_body\": 1, \"xqueue_files\": \"\"}"),
                  400, NULL);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(a_grade_names_the_submission_and_how_often_it_came),
        TELL(every_push_is_remembered_in_order),
        TELL(what_is_in_hand_is_counted_for_each_path),
        TELL(a_stalled_path_is_never_answered),
        TELL(a_path_may_close_the_connection),
        TELL(what_is_no_submission_is_refused),
    };
    static const struct story story = {
        .name = "pretended grader",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_each = start,
        .after_each = stop,
    };

    return story_run(&story);
}
