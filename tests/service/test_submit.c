/*
 * An LMS submits: R6, R8, R19, R25, R38, R41, R50, R51, R52, R53. What it
 * may put into the body is in test_submit_bodies.c.
 */
#include "server/base/buffer.h"
#include "tests/support/service_story.h"

#include <string.h>

#define INVALID "\"Queue request has invalid format\""

static const struct service_settings settings = {
    .queues = "{test-pull: null, other: null, 'a b+c&d=é': null, counting:"
              " null, '5': null, None: null}",
};

static const struct reply *post_raw(const char *type, const char *body)
{
    return http_send(client, &(struct http_message){
                                 .method = "POST",
                                 .path = "/xqueue/submit/",
                                 .fields = arena_printf(
                                     scratch, "Content-Type: %s\r\n", type),
                                 .body = text_of(body)});
}

static const struct reply *post_form_text(const char *body)
{
    return post_raw("application/x-www-form-urlencoded", body);
}

static const char *newest(const char *column)
{
    return mariadb_value("SELECT %s FROM queue_submission ORDER BY id DESC"
                         " LIMIT 1",
                         column);
}

static const char *stored_count(void)
{
    return mariadb_value("SELECT COUNT(*) FROM queue_submission");
}

/* Nobody waits in it afterwards. */
static void drain(const char *queue)
{
    const char *empty = arena_printf(
        scratch, "{\"return_code\": 1, \"content\": \"Queue '%s' is empty\"}",
        queue);

    while (!text_equal_string(get_submission(queue)->body, empty))
        continue;
}

START_TEST(the_answer_is_the_number_that_wait_as_a_string)
{
    log_in(client);
    expect_reply(lms_submit(lms_header("counting", NULL), "b"), 0, "\"1\"");
    expect_reply(lms_submit(lms_header("counting", NULL), "b"), 0, "\"2\"");
    (void)grader_pull("counting");
    expect_reply(lms_submit(lms_header("counting", NULL), "b"), 0, "\"2\"");
}
END_TEST

START_TEST(a_row_as_django_makes_it_is_stored)
{
    const char *header = lms_header("other", "http://127.0.0.1:1/a?b=c");

    log_in(client);
    expect_status(lms_submit(header, "the body"), 200, NULL);
    ck_assert_str_eq(newest("xqueue_header"), header);
    ck_assert_str_eq(newest("xqueue_body"), "the body");
    ck_assert_str_eq(newest("queue_name"), "other");
    ck_assert_str_eq(newest("lms_callback_url"), "http://127.0.0.1:1/a?b=c");
    ck_assert_str_eq(newest("CONCAT_WS('|', s3_keys, s3_urls, grader_id,"
                            " pullkey, grader_reply, num_failures, lms_ack,"
                            " retired)"),
                     "{}|{}||||0|0|0");
    ck_assert_str_eq(newest("CONCAT_WS('|', pull_time, push_time,"
                            " return_time)"),
                     "");
    ck_assert_str_eq(newest("ABS(TIMESTAMPDIFF(SECOND, arrival_time,"
                            " UTC_TIMESTAMP())) < 60"),
                     "1");
}
END_TEST

START_TEST(a_multipart_submission_is_as_good)
{
    const char *header = lms_header("other", NULL);

    log_in(client);
    expect_status(
        http_post_multipart(client, "/xqueue/submit/",
                            HTTP_FORM({"xqueue_header", header, NULL},
                                      {"xqueue_body", "one\r\ntwo", NULL})),
        200, NULL);
    ck_assert_str_eq(newest("xqueue_header"), header);
    ck_assert_str_eq(newest("HEX(xqueue_body)"), "6F6E650D0A74776F");
}
END_TEST

START_TEST(a_get_is_told_to_post)
{
    log_in(client);
    expect_reply(http_get(client, "/xqueue/submit/"), 1,
                 "\"Queue requests should use HTTP POST\"");
}
END_TEST

START_TEST(a_form_that_lacks_a_field_is_invalid)
{
    log_in(client);
    expect_reply(http_post_form(client, "/xqueue/submit/",
                                HTTP_FORM({"xqueue_body", "b", NULL})),
                 1, INVALID);
    expect_reply(http_post_form(client, "/xqueue/submit/",
                                HTTP_FORM({"xqueue_header",
                                           lms_header("other", NULL), NULL})),
                 1, INVALID);
    expect_reply(post_form_text(""), 1, INVALID);
    expect_reply(post_form_text("&&=&xqueue_header"), 1, INVALID);
}
END_TEST

START_TEST(json_is_no_form)
{
    log_in(client);
    expect_reply(
        post_raw("application/json",
                 "{\"xqueue_header\": {\"lms_callback_url\": \"http://h/\","
                 " \"lms_key\": \"k\", \"queue_name\": \"other\"},"
                 " \"xqueue_body\": \"b\"}"),
        1, INVALID);
    expect_reply(post_raw("text/plain", "xqueue_header=%7B%7D&xqueue_body=b"),
                 1, INVALID);
}
END_TEST

START_TEST(a_header_that_is_none_is_invalid)
{
    const char *const headers[] = {
        "",
        "null",
        "true",
        "5",
        "\"text\"",
        "[]",
        "{}",
        "{\"lms_callback_url\": \"u\", \"lms_key\": \"k\"}",
        "{\"lms_callback_url\": \"u\", \"queue_name\": \"other\"}",
        "{\"lms_key\": \"k\", \"queue_name\": \"other\"}",
        "{\"lms_callback\": \"u\", \"lms_key\": \"k\","
        " \"queue_name\": \"other\"}",
        "{\"lms_callback_url\": 5, \"lms_key\": \"k\","
        " \"queue_name\": \"other\"}",
        "{\"lms_callback_url\": \"ftp://h/\", \"lms_key\": \"k\","
        "\"queue_name\": \"other\"}",
        "{\"lms_callback_url\": null, \"lms_key\": \"k\","
        " \"queue_name\": \"other\"}",
        "{\"lms_callback_url\": [\"u\"], \"lms_key\": \"k\","
        " \"queue_name\": \"other\"}",
        "{\"lms_callback_url\": \"u\", \"lms_key\": \"k\","
        " \"queue_name\": \"other\"} x",
        "{\"lms_callback_url\": \"u\", \"lms_key\": \"k\","
        " \"queue_name\": \"other\",}",
        "{'lms_callback_url': 'u', 'lms_key': 'k', 'queue_name': 'other'}",
        "{\"lms_callback_url\": \"\x01\", \"lms_key\": \"k\","
        " \"queue_name\": \"other\"}",
        arena_printf(scratch, "{\"x\": %0*d, \"y\": ", 10000, 0),
    };
    const char *before;

    log_in(client);
    before = stored_count();
    for (size_t i = 0; i < ARRAY_LENGTH(headers); i++)
        expect_reply(lms_submit(headers[i], "b"), 1, INVALID);
    ck_assert_str_eq(stored_count(), before);
}
END_TEST

START_TEST(an_unknown_queue_is_not_found_and_named_as_it_is)
{
    const char *const names[][2] = {
        {"\"nothing\"", "nothing"},
        {"\"Test-Pull\"", "Test-Pull"},
        {"\"test-pull \"", "test-pull "},
        {"\"\"", ""},
        {"\"../../etc\"", "../../etc"},
        {"\"<b>'\\\"&\"", "<b>'\\\"&"},
        {"\"\\u00e9\\ud83d\\ude00\"", "\\u00e9\\ud83d\\ude00"},
        {"\"a\\u0000b\"", "a\\u0000b"},
        {"\"test-pull\\u0000\"", "test-pull\\u0000"},
        {"\"\\ud836\\ude28\"", "\\ud836\\ude28"},
        {"\"\\ud800\"", "\\ufffd\\ufffd\\ufffd"},
        {"7", "7"},
        {"true", "True"},
        {"[]", "[]"},
    };

    log_in(client);
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        expect_reply(
            lms_submit(arena_printf(scratch,
                                    "{\"lms_callback_url\": \"http://h/\","
                                    " \"lms_key\": \"k\", \"queue_name\": %s}",
                                    names[i][0]),
                       "b"),
            1, arena_printf(scratch, "\"Queue '%s' not found\"", names[i][1]));
}
END_TEST

START_TEST(a_queue_may_have_any_name)
{
    const char *const names[][2] = {
        {"\"a b+c&d=\\u00e9\"", "a b+c&d=é"},
        {"\"a b+c&d=é\"", "a b+c&d=é"},
        {"5", "5"},
        {"null", "None"},
    };

    log_in(client);
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        expect_status(
            lms_submit(arena_printf(scratch,
                                    "{\"lms_callback_url\": \"http://h/%zu\","
                                    " \"lms_key\": \"k\", \"queue_name\": %s}",
                                    i, names[i][0]),
                       "b"),
            200, NULL);
        expect_text(grader_pull(names[i][1]).body, "b");
    }
}
END_TEST

START_TEST(the_last_of_two_fields_counts)
{
    log_in(client);
    expect_reply(
        http_post_form(
            client, "/xqueue/submit/",
            HTTP_FORM(
                {"xqueue_header", "junk", NULL}, {"xqueue_body", "first", NULL},
                {"unknown", "ignored", NULL}, {"xqueue_body", "last", NULL},
                {"xqueue_header", lms_header("other", NULL), NULL})),
        0,
        arena_printf(scratch, "\"%s\"",
                     mariadb_value("SELECT COUNT(*) + 1 FROM xqueue_ready r"
                                   " JOIN xqueue_queue q ON q.id ="
                                   " r.queue_id WHERE q.name = 'other'")));
    ck_assert_str_eq(newest("xqueue_body"), "last");
}
END_TEST

START_TEST(a_new_submission_of_a_problem_retires_the_older)
{
    const char *url = "http://127.0.0.1:1/update_certificate?key=a";

    log_in(client);
    drain("other");
    expect_status(lms_submit(lms_header("other", url), "older"), 200, NULL);
    expect_status(
        lms_submit(
            lms_header("other", "http://127.0.0.1:1/update_certificate?key=A"),
            "not the same"),
        200, NULL);
    expect_status(lms_submit(lms_header("other", url), "newer"), 200, NULL);
    ck_assert_value("1", "SELECT retired FROM queue_submission"
                         " WHERE xqueue_body = 'older'");
    expect_text(grader_pull("other").body, "not the same");
    expect_text(grader_pull("other").body, "newer");
}
END_TEST

START_TEST(only_the_whole_address_makes_it_the_same_problem)
{
    const char *prefix =
        arena_printf(scratch, "http://127.0.0.1:1/%0*d", 300, 0);

    log_in(client);
    expect_status(
        lms_submit(lms_header("other", arena_printf(scratch, "%sa", prefix)),
                   "of one"),
        200, NULL);
    expect_status(
        lms_submit(lms_header("other", arena_printf(scratch, "%sb", prefix)),
                   "of another"),
        200, NULL);
    ck_assert_value("0", "SELECT retired FROM queue_submission"
                         " WHERE xqueue_body = 'of one'");
}
END_TEST

static const char *requester_of(const char *fields)
{
    struct buffer body = {NULL, 0, 0};

    buffer_printf(&body, "xqueue_header=%s&xqueue_body=b",
                  encoded(lms_header("other", NULL)));
    expect_status(
        http_send(client,
                  &(struct http_message){
                      .method = "POST",
                      .path = "/xqueue/submit/",
                      .fields = arena_printf(
                          scratch,
                          "Content-Type: application/x-www-form-urlencoded\r\n"
                          "%s",
                          fields),
                      .body = buffer_text(&body)}),
        200, NULL);
    buffer_free(&body);
    return newest("requester_id");
}

START_TEST(who_submitted_is_written_down)
{
    log_in(client);
    ck_assert_str_eq(requester_of(""), "127.0.0.1");
    ck_assert_str_eq(requester_of("X-Real-IP: \r\n"), "127.0.0.1");
    ck_assert_str_eq(requester_of("X-Real-IP: 2001:db8::7\r\n"), "2001:db8::7");
    ck_assert_str_eq(requester_of("X-Forwarded-For: 10.0.0.1\r\n"),
                     "127.0.0.1");
    ck_assert_uint_eq(strlen(requester_of(arena_printf(
                          scratch, "X-Real-IP: %0*d\r\n", 200, 0))),
                      128);
}
END_TEST

START_TEST(a_form_that_cannot_be_read_is_refused)
{
    struct buffer many = {NULL, 0, 0};

    log_in(client);
    expect_status(post_raw("multipart/form-data", "x"), 400, NULL);
    expect_status(post_raw("multipart/form-data; boundary=b",
                           "--b\r\nContent-Disposition: form-data;"
                           " name=\"xqueue_header\"\r\n\r\n{}"),
                  400,
                  "{\"return_code\": 1, \"content\":"
                  " \"The form is malformed\"}");
    expect_status(
        post_raw("application/x-www-form-urlencoded; charset=utf-7", "a=b"),
        415, NULL);
    for (int i = 0; i < 1001; i++)
        buffer_append_string(&many, "a=b&");
    expect_status(post_form_text(many.data), 400, NULL);
    buffer_free(&many);
    expect_reply(post_form_text("a=b"), 1, INVALID);
}
END_TEST

SERVICE_STORY("submit", &settings,
              TELL(the_answer_is_the_number_that_wait_as_a_string),
              TELL(a_row_as_django_makes_it_is_stored),
              TELL(a_multipart_submission_is_as_good),
              TELL(a_get_is_told_to_post),
              TELL(a_form_that_lacks_a_field_is_invalid), TELL(json_is_no_form),
              TELL(a_header_that_is_none_is_invalid),
              TELL(an_unknown_queue_is_not_found_and_named_as_it_is),
              TELL(a_queue_may_have_any_name),
              TELL(the_last_of_two_fields_counts),
              TELL(a_new_submission_of_a_problem_retires_the_older),
              TELL(only_the_whole_address_makes_it_the_same_problem),
              TELL(who_submitted_is_written_down),
              TELL(a_form_that_cannot_be_read_is_refused))
