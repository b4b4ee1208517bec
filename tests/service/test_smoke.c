/*
 * The whole way once, with the real server: an LMS submits, a grader pulls
 * and puts the result, the LMS gets it.
 */
#include "tests/support/expect.h"
#include "tests/support/mariadb.h"
#include "tests/support/service.h"
#include "tests/support/sink.h"
#include "tests/support/story.h"

#include "server/base/json.h"

#include <string.h>

static struct arena *arena;
static struct sink *lms;
static struct service *service;
static struct http_client *client;

static void start(void)
{
    db_library_start();
    arena = arena_new();
    lms = sink_start(0);
    service = service_start(&(struct service_settings){0});
    client = http_client_new(service_port(service));
}

static void stop(void)
{
    http_client_free(client);
    service_stop(service);
    sink_stop(lms);
    arena_free(arena);
    db_library_stop();
}

static void log_in(void)
{
    expect_reply(http_post_form(client, "/xqueue/login/",
                                HTTP_FORM({"username", "lms", NULL},
                                          {"password", "password", NULL})),
                 0, "\"Logged in\"");
}

static const char *header_for_lms(void)
{
    return arena_printf(arena,
                        "{\"lms_callback_url\": \"%s\", "
                        "\"lms_key\": \"key of the lms\", "
                        "\"queue_name\": \"test-pull\"}",
                        sink_url(lms, "/course//x+y/score_update"));
}

static void submit(const char *header)
{
    expect_reply(http_post_form(client, "/xqueue/submit/",
                                HTTP_FORM({"xqueue_header", header, NULL},
                                          {"xqueue_body", "print('é')", NULL})),
                 0, "\"1\"");
}

/* The header of the submission, as the grader sends it back. */
static const char *pull(void)
{
    const struct reply *reply =
        http_get(client, "/xqueue/get_submission/?queue_name=test-pull");
    const struct json_value *answer;
    const struct json_value *content;

    expect_status(reply, 200, NULL);
    ck_assert(json_parse_object(arena, reply->body, &answer));
    ck_assert_msg(json_parse_object(
                      arena, json_text(json_get(answer, "content")), &content),
                  "%.*s", TEXT_ARGUMENTS(reply->body));
    expect_text(json_text(json_get(content, "xqueue_body")), "print('é')");
    expect_text(json_text(json_get(content, "xqueue_files")), "{}");
    return arena_string(arena, json_text(json_get(content, "xqueue_header")));
}

START_TEST(a_result_comes_back_to_the_lms)
{
    const char *header = header_for_lms();
    struct received_list received;

    log_in();
    submit(header);
    expect_reply(http_post_form(client, "/xqueue/put_result/",
                                HTTP_FORM({"xqueue_header", pull(), NULL},
                                          {"xqueue_body", "right\n", NULL})),
                 0, "\"\"");
    received = sink_wait(lms, 1, 20000);
    ck_assert_uint_eq(received.count, 1);
    expect_text(received.items[0].path, "/course//x+y/score_update");
    expect_text(received.items[0].content_type,
                "application/x-www-form-urlencoded");
    expect_text(received.items[0].header, header);
    expect_text(received.items[0].body, "right\n");
    expect_reply(
        http_get(client, "/xqueue/get_submission/?queue_name=test-pull"), 1,
        "\"Queue 'test-pull' is empty\"");
}
END_TEST

START_TEST(what_was_acknowledged_survives_a_killed_server)
{
    const char *header = header_for_lms();

    log_in();
    submit(header);
    service_kill(service);
    expect_status(http_get(client, "/xqueue/status/"), 0, NULL);
    service_serve(service);
    expect_reply(http_get(client, "/xqueue/status/"), 0, "\"OK\"");
    ck_assert_ptr_nonnull(strstr(pull(), "submission_key"));
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(a_result_comes_back_to_the_lms),
        TELL(what_was_acknowledged_survives_a_killed_server),
    };
    static const struct story story = {
        .name = "smoke",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_all = mariadb_start,
        .after_all = mariadb_stop,
        .before_each = start,
        .after_each = stop,
        .timeout_s = 120,
    };

    return story_run(&story);
}
