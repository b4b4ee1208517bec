/*
 * A grader hands in a result: R6, R8, R12, R20, R22, R23, R38, R49, R50, R51,
 * R54.
 */
#include "tests/support/service_story.h"
#include "tests/support/sink.h"

#include <string.h>

#define INCORRECT "\"Incorrect reply format\""
#define NO_SUCH   "\"Submission does not exist\""
#define WRONG_KEY "\"Incorrect key for submission\""

static const struct service_settings settings = {
    .more = "SUBMISSION_MAX_BYTES: 2 MB",
};

static const char *header_of(const char *id, const char *key)
{
    return arena_printf(
        scratch, "{\"submission_id\": %s, \"submission_key\": %s}", id, key);
}

/* A column of a submission's row. */
static const char *row(const struct pulled *pulled, const char *column)
{
    return mariadb_value("SELECT %s FROM queue_submission WHERE id = %lld",
                         column, (long long)pulled->id);
}

START_TEST(a_result_is_stored_and_reaches_the_lms)
{
    struct sink *lms = sink_start(0);
    struct pulled pulled;
    struct received_list received;

    log_in(client);
    expect_status(
        lms_submit(lms_header("test-pull", sink_url(lms, "/a//b?key=c+d")),
                   "b"),
        200, NULL);
    pulled = grader_pull("test-pull");
    expect_reply(grader_put_result(pulled.header, "right"), 0, "\"\"");
    received = sink_wait(lms, 1, 20000);
    expect_text(received.items[0].path, "/a//b?key=c+d");
    expect_text(received.items[0].body, "right");
    mariadb_wait_for_value("1",
                           "SELECT retired FROM queue_submission WHERE id ="
                           " %lld",
                           (long long)pulled.id);
    ck_assert_str_eq(row(&pulled, "CONCAT_WS('|', grader_reply, lms_ack,"
                                  " num_failures, return_time >= pull_time)"),
                     "right|1|0|1");
    sink_stop(lms);
}
END_TEST

START_TEST(a_result_is_stored_although_nobody_is_at_the_lms)
{
    struct pulled pulled;

    log_in(client);
    pulled = submit_and_pull("test-pull");
    expect_reply(grader_put_result(pulled.header, "right"), 0, "\"\"");
    ck_assert_str_eq(row(&pulled, "CONCAT_WS('|', grader_reply, lms_ack,"
                                  " retired, return_time IS NULL)"),
                     "right|0|0|0");
    mariadb_wait_for_value("1",
                           "SELECT num_failures FROM queue_submission WHERE"
                           " id = %lld",
                           (long long)pulled.id);
    expect_reply(get_submission("test-pull"), 1,
                 "\"Queue 'test-pull' is empty\"");
}
END_TEST

START_TEST(a_result_may_be_handed_in_again)
{
    struct sink *lms = sink_start(0);
    struct received_list received;
    struct pulled pulled;

    log_in(client);
    expect_status(lms_submit(lms_header("test-pull", sink_url(lms, "/x")), "b"),
                  200, NULL);
    pulled = grader_pull("test-pull");
    expect_reply(grader_put_result(pulled.header, "first"), 0, "\"\"");
    expect_reply(grader_put_result(pulled.header, "second"), 0, "\"\"");
    received = sink_wait(lms, 2, 20000);
    expect_text(received.items[0].body, "first");
    expect_text(received.items[1].body, "second");
    mariadb_wait_for_value("1",
                           "SELECT retired FROM queue_submission WHERE id ="
                           " %lld",
                           (long long)pulled.id);
    expect_reply(grader_put_result(pulled.header, "third"), 0, "\"\"");
    expect_text(sink_wait(lms, 3, 20000).items[2].body, "third");
    ck_assert_str_eq(row(&pulled, "grader_reply"), "third");
    sink_stop(lms);
}
END_TEST

START_TEST(the_id_may_be_a_string_and_other_keys_are_ignored)
{
    struct pulled pulled;

    log_in(client);
    pulled = submit_and_pull("test-pull");
    expect_reply(
        grader_put_result(
            arena_printf(scratch,
                         "{\"submission_id\": \"%lld\", \"submission_key\":"
                         " \"%s\", \"more\": [1, {}]}",
                         (long long)pulled.id, pulled.key),
            "right"),
        0, "\"\"");
    expect_reply(
        grader_put_result(arena_printf(scratch,
                                       " { \"submission_key\":\"%s\",\n"
                                       "\"submission_id\":\" %lld \" } ",
                                       pulled.key, (long long)pulled.id),
                          "right"),
        0, "\"\"");
}
END_TEST

START_TEST(a_multipart_result_is_as_good)
{
    struct pulled pulled;

    log_in(client);
    pulled = submit_and_pull("test-pull");
    expect_reply(
        http_post_multipart(client, "/xqueue/put_result/?queue_name=ignored",
                            HTTP_FORM({"xqueue_header", pulled.header, NULL},
                                      {"xqueue_body", "a\r\nb", NULL})),
        0, "\"\"");
    ck_assert_str_eq(row(&pulled, "HEX(grader_reply)"), "610D0A62");
}
END_TEST

START_TEST(a_get_is_told_to_post)
{
    log_in(client);
    expect_reply(http_get(client, "/xqueue/put_result/"), 1,
                 "\"'put_result' must use HTTP POST\"");
}
END_TEST

START_TEST(a_form_that_lacks_something_is_incorrect)
{
    log_in(client);
    expect_reply(http_post_form(client, "/xqueue/put_result/",
                                HTTP_FORM({"xqueue_body", "b", NULL})),
                 1, INCORRECT);
    expect_reply(http_post_form(client, "/xqueue/put_result/",
                                HTTP_FORM({"xqueue_header",
                                           header_of("1", "\"k\""), NULL})),
                 1, INCORRECT);
    expect_reply(http_send(client,
                           &(struct http_message){
                               .method = "POST",
                               .path = "/xqueue/put_result/",
                               .fields = "Content-Type: application/json\r\n",
                               .body = text_of("{\"xqueue_header\": {},"
                                               " \"xqueue_body\": \"\"}")}),
                 1, INCORRECT);
}
END_TEST

START_TEST(a_header_that_is_none_is_incorrect)
{
    const char *const headers[] = {
        "",
        "junk",
        "null",
        "[]",
        "{}",
        "{\"submission_id\": 1}",
        "{\"submission_key\": \"k\"}",
        header_of("1", "\"k\"} x"),
        header_of("\"abc\"", "\"k\""),
        header_of("\"\"", "\"k\""),
        header_of("1.5", "\"k\""),
        header_of("\"1.5\"", "\"k\""),
        header_of("1e3", "\"k\""),
        header_of("9223372036854775808", "\"k\""),
        header_of("true", "\"k\""),
        header_of("null", "\"k\""),
        header_of("[1]", "\"k\""),
        header_of("{\"a\": 1}", "\"k\""),
        header_of("NaN", "\"k\""),
        header_of(arena_printf(scratch, "1%0*d", 400, 0), "\"k\""),
    };

    log_in(client);
    for (size_t i = 0; i < ARRAY_LENGTH(headers); i++)
        expect_reply(grader_put_result(headers[i], "b"), 1, INCORRECT);
}
END_TEST

START_TEST(an_unknown_submission_does_not_exist)
{
    const char *const ids[] = {"0",          "-1",
                               "999999",     "2147483648",
                               "4294967297", "9223372036854775807",
                               "\"-5\""};

    log_in(client);
    for (size_t i = 0; i < ARRAY_LENGTH(ids); i++)
        expect_reply(grader_put_result(header_of(ids[i], "\"k\""), "b"), 1,
                     NO_SUCH);
}
END_TEST

START_TEST(another_key_is_incorrect)
{
    struct pulled pulled;
    const char *id;

    log_in(client);
    pulled = submit_and_pull("test-pull");
    id = arena_printf(scratch, "%lld", (long long)pulled.id);
    {
        const char *const keys[] = {
            "\"\"",
            "null",
            "5",
            "[]",
            "\"wrong\"",
            "\"00000000000000000000000000000000\"",
            arena_printf(scratch, "\"%.31s\"", pulled.key),
            arena_printf(scratch, "\"%sx\"", pulled.key),
            arena_printf(scratch, "\"%s \"", pulled.key),
            arena_printf(scratch, "\"%s\\u0000\"", pulled.key),
            arena_printf(scratch, "\"%0*d\"", 1000000, 0),
        };

        for (size_t i = 0; i < ARRAY_LENGTH(keys); i++)
            expect_reply(grader_put_result(header_of(id, keys[i]), "wrong"), 1,
                         WRONG_KEY);
    }
    ck_assert_str_eq(row(&pulled, "grader_reply"), "");
    expect_reply(grader_put_result(pulled.header, "right"), 0, "\"\"");
}
END_TEST

START_TEST(what_nobody_pulled_has_no_key)
{
    const char *id;

    log_in(client);
    expect_reply(lms_submit(lms_header("test-pull", NULL), "b"), 0, "\"1\"");
    id = mariadb_value("SELECT MAX(id) FROM queue_submission");
    expect_reply(grader_put_result(header_of(id, "\"\""), "b"), 1, WRONG_KEY);
    (void)grader_pull("test-pull");
}
END_TEST

START_TEST(a_late_result_counts_until_somebody_else_has_pulled)
{
    struct pulled first;
    struct pulled second;

    log_in(client);
    first = submit_and_pull("test-pull");
    mariadb_run("UPDATE xqueue_live SET expires_us = 1 WHERE id = %lld",
                (long long)first.id);
    mariadb_wait_for_value("1", "SELECT COUNT(*) FROM xqueue_ready");
    second = grader_pull("test-pull");
    ck_assert_int_eq(second.id, first.id);
    expect_reply(grader_put_result(first.header, "late"), 1, WRONG_KEY);
    mariadb_run("UPDATE xqueue_live SET expires_us = 1 WHERE id = %lld",
                (long long)first.id);
    mariadb_wait_for_value("1", "SELECT COUNT(*) FROM xqueue_ready");
    expect_reply(grader_put_result(second.header, "late too"), 0, "\"\"");
    expect_reply(get_submission("test-pull"), 1,
                 "\"Queue 'test-pull' is empty\"");
}
END_TEST

/* A watcher waits for a second and then leaves (R12). */
START_TEST(a_result_is_taken_from_a_client_that_hangs_up)
{
    struct sink *lms = sink_start(0);
    struct pulled pulled;
    const char *form;

    log_in(client);
    expect_status(lms_submit(lms_header("test-pull", sink_url(lms, "/x")), "b"),
                  200, NULL);
    pulled = grader_pull("test-pull");
    form = arena_printf(scratch, "xqueue_header=%s&xqueue_body=right",
                        encoded(pulled.header));
    ck_assert(http_send_bytes(
        client, text_of(arena_printf(
                    scratch,
                    "POST /xqueue/put_result/ HTTP/1.1\r\nHost: x\r\n"
                    "Cookie: sessionid=%s\r\n"
                    "Content-Type: application/x-www-form-urlencoded\r\n"
                    "Content-Length: %zu\r\n\r\n%s",
                    http_cookie(client, "sessionid"), strlen(form), form))));
    http_client_close(client);
    expect_text(sink_wait(lms, 1, 20000).items[0].body, "right");
    ck_assert_str_eq(row(&pulled, "grader_reply"), "right");
    sink_stop(lms);
}
END_TEST

START_TEST(a_reply_may_hold_anything)
{
    const char *const replies[] = {
        "",
        "not json",
        "{\"correct\": true, \"score\": 1, \"msg\": \"<p>\\u00e9</p>\"}",
        "é \xF0\x9F\x90\x8D\r\n\t\x01&=+%",
        arena_printf(scratch, "%0*d", 1000000, 5),
    };
    struct sink *lms = sink_start(0);

    log_in(client);
    for (size_t i = 0; i < ARRAY_LENGTH(replies); i++) {
        struct pulled pulled;

        expect_status(
            lms_submit(lms_header("test-pull", sink_url(lms, "/x")), "b"), 200,
            NULL);
        pulled = grader_pull("test-pull");
        expect_reply(grader_put_result(pulled.header, replies[i]), 0, "\"\"");
        ck_assert_str_eq(row(&pulled, "grader_reply"), replies[i]);
        expect_text(sink_wait(lms, (int64_t)i + 1, 20000).items[i].body,
                    replies[i]);
    }
    sink_stop(lms);
}
END_TEST

START_TEST(a_reply_that_is_too_large_is_refused_and_the_lease_kept)
{
    struct pulled pulled;

    log_in(client);
    pulled = submit_and_pull("test-pull");
    expect_reply(
        grader_put_result(pulled.header, arena_printf(scratch, "%0*d",
                                                      2 * 1024 * 1024 + 1, 5)),
        1, "\"Result is larger than 2097152 bytes\"");
    expect_reply(grader_put_result(pulled.header, "right"), 0, "\"\"");
}
END_TEST

SERVICE_STORY("put_result", &settings,
              TELL(a_result_is_stored_and_reaches_the_lms),
              TELL(a_result_is_stored_although_nobody_is_at_the_lms),
              TELL(a_result_may_be_handed_in_again),
              TELL(the_id_may_be_a_string_and_other_keys_are_ignored),
              TELL(a_multipart_result_is_as_good), TELL(a_get_is_told_to_post),
              TELL(a_form_that_lacks_something_is_incorrect),
              TELL(a_header_that_is_none_is_incorrect),
              TELL(an_unknown_submission_does_not_exist),
              TELL(another_key_is_incorrect),
              TELL(what_nobody_pulled_has_no_key),
              TELL(a_late_result_counts_until_somebody_else_has_pulled),
              TELL(a_result_is_taken_from_a_client_that_hangs_up),
              TELL(a_reply_may_hold_anything),
              TELL(a_reply_that_is_too_large_is_refused_and_the_lease_kept))
