/*
 * A grader pulls: R6, R7, R13, R27, R41, R44, R53, R61.
 */
#include "tests/support/service_story.h"

#include <string.h>

static const struct service_settings settings = {
    .queues = "{test-pull: null, exact: null, Exact: null, order: null,"
              " 'a b+c&d=é': null, pushed: 'http://127.0.0.1:1/', crowd: null}",
};

/* The key of a reply, which is the only part that nobody can foresee. */
static const char *key_of(const struct reply *reply)
{
    return read_pulled(reply).key;
}

START_TEST(the_reply_is_what_python_writes)
{
    const struct reply *reply;
    struct pulled pulled;

    log_in(client);
    expect_status(lms_submit(lms_header("exact", NULL),
                             "a\"é\n\t/\\\x01\x7f\xF0\x9F\x98\x80"),
                  200, NULL);
    reply = get_submission("exact");
    pulled = read_pulled(reply);
    expect_reply(
        reply, 0,
        arena_printf(
            scratch,
            "\"{\\\"xqueue_header\\\": "
            "\\\"{\\\\\\\"submission_id\\\\\\\": %lld, "
            "\\\\\\\"submission_key\\\\\\\": \\\\\\\"%s\\\\\\\"}\\\", "
            "\\\"xqueue_body\\\": "
            "\\\"a\\\\\\\"\\\\u00e9\\\\n\\\\t/\\\\\\\\\\\\u0001\\\\u007f"
            "\\\\ud83d\\\\ude00\\\", "
            "\\\"xqueue_files\\\": \\\"{}\\\"}\"",
            (long long)pulled.id, pulled.key));
}
END_TEST

START_TEST(a_key_is_32_digits_and_never_the_same)
{
    const char *first;
    const char *second;

    log_in(client);
    first = submit_and_pull("test-pull").key;
    second = submit_and_pull("test-pull").key;
    ck_assert_str_ne(first, second);
    ck_assert_uint_eq(strspn(first, "0123456789abcdef"), 32);
    ck_assert_uint_eq(strlen(first), 32);
}
END_TEST

START_TEST(what_one_grader_has_no_other_gets)
{
    log_in(client);
    (void)submit_and_pull("test-pull");
    expect_reply(get_submission("test-pull"), 1,
                 "\"Queue 'test-pull' is empty\"");
}
END_TEST

START_TEST(they_come_in_the_order_of_their_arrival)
{
    log_in(client);
    expect_reply(lms_submit(lms_header("order", NULL), "first"), 0, "\"1\"");
    expect_reply(lms_submit(lms_header("order", NULL), "second"), 0, "\"2\"");
    expect_reply(lms_submit(lms_header("order", NULL), "third"), 0, "\"3\"");
    expect_text(grader_pull("order").body, "first");
    expect_text(grader_pull("order").body, "second");
    expect_text(grader_pull("order").body, "third");
}
END_TEST

START_TEST(after_a_while_it_is_offered_again_with_another_key)
{
    const char *old_key;
    const struct reply *reply;

    log_in(client);
    old_key = submit_and_pull("test-pull").key;
    ck_assert_value("60",
                    "SELECT ROUND((expires_us - pulled_us) / 1000000)"
                    " FROM xqueue_live WHERE pullkey = '%s'",
                    old_key);
    mariadb_run("UPDATE xqueue_live SET expires_us = 1 WHERE pullkey = '%s'",
                old_key);
    mariadb_wait_for_value("1", "SELECT COUNT(*) FROM xqueue_ready");
    reply = get_submission("test-pull");
    ck_assert_str_ne(key_of(reply), old_key);
    expect_text(read_pulled(reply).body, "body");
}
END_TEST

START_TEST(a_pull_is_written_down_as_django_does)
{
    struct pulled pulled;

    log_in(client);
    expect_status(lms_submit(lms_header("test-pull", NULL), "b"), 200, NULL);
    pulled = read_pulled(http_send(
        client, &(struct http_message){
                    .method = "GET",
                    .path = "/xqueue/get_submission/?queue_name=test-pull",
                    .fields = "X-Real-IP: 10.1.2.3\r\n"}));
    expect_reply(grader_put_result(pulled.header, "right"), 0, "\"\"");
    ck_assert_value(arena_printf(scratch, "%s|10.1.2.3|1", pulled.key),
                    "SELECT CONCAT_WS('|', pullkey, grader_id,"
                    " pull_time >= arrival_time) FROM queue_submission"
                    " WHERE id = %lld",
                    (long long)pulled.id);
    pulled = submit_and_pull("test-pull");
    expect_reply(grader_put_result(pulled.header, "right"), 0, "\"\"");
    ck_assert_value("127.0.0.1",
                    "SELECT grader_id FROM queue_submission WHERE id = %lld",
                    (long long)pulled.id);
}
END_TEST

START_TEST(an_unknown_queue_is_not_found)
{
    const char *const cases[][2] = {
        {"nothing", "nothing"},
        {"Test-Pull", "Test-Pull"},
        {"test-pull%20", "test-pull "},
        {"", ""},
        {"%22%27%3Cb%3E%5C", "\\\"'<b>\\\\"},
        {"%00", "\\u0000"},
        {"test-pull%00x", "test-pull\\u0000x"},
        {"%C3%A9", "\\u00e9"},
        {"%FF", "\\ufffd"},
        {"%zz%4", "%zz%4"},
        {"a+b", "a b"},
    };

    log_in(client);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        expect_reply(
            http_get(client,
                     arena_printf(scratch,
                                  "/xqueue/get_submission/?queue_name=%s",
                                  cases[i][0])),
            1, arena_printf(scratch, "\"Queue '%s' not found\"", cases[i][1]));
}
END_TEST

START_TEST(an_empty_queue_is_named)
{
    log_in(client);
    expect_reply(get_submission("a b+c&d=é"), 1,
                 "\"Queue 'a b+c&d=\\u00e9' is empty\"");
    expect_reply(get_submission("pushed"), 1, "\"Queue 'pushed' is empty\"");
}
END_TEST

/* From a process that pushes nothing, for else it might be pushed first. */
START_TEST(a_grader_may_pull_from_a_queue_that_is_pushed)
{
    struct service *second = service_new(&(struct service_settings){
        .database = story_database(),
        .queues = "{pushed too: 'http://127.0.0.1:1/'}",
        .options = (const char *const[]){"--role", "web", NULL}});
    struct pulled pulled;

    service_serve(second);
    http_client_set_port(client, service_port(second));
    log_in(client);
    expect_reply(lms_submit(lms_header("pushed too", NULL), "b"), 0, "\"1\"");
    expect_reply(get_queuelen("pushed too"), 0, "1");
    pulled = grader_pull("pushed too");
    expect_text(pulled.body, "b");
    expect_reply(grader_put_result(pulled.header, "right"), 0, "\"\"");
    service_stop(second);
}
END_TEST

START_TEST(a_name_must_be_given)
{
    log_in(client);
    expect_reply(http_get(client, "/xqueue/get_submission/"), 1,
                 "\"'get_submission' must provide parameter 'queue_name'\"");
    expect_reply(http_get(client, "/xqueue/get_submission/?queue=test-pull"), 1,
                 "\"'get_submission' must provide parameter 'queue_name'\"");
}
END_TEST

START_TEST(upper_and_lower_case_are_two_queues)
{
    log_in(client);
    expect_reply(lms_submit(lms_header("Exact", NULL), "of Exact"), 0, "\"1\"");
    expect_reply(get_submission("exact"), 1, "\"Queue 'exact' is empty\"");
    expect_text(grader_pull("Exact").body, "of Exact");
}
END_TEST

START_TEST(of_many_graders_at_once_one_gets_it)
{
    enum { GRADERS = 64 };
    struct http_client *graders[GRADERS];
    const char *request;
    int lucky = 0;

    log_in(client);
    request = arena_printf(scratch,
                           "GET /xqueue/get_submission/?queue_name=crowd"
                           " HTTP/1.1\r\nHost: x\r\nCookie: sessionid=%s\r\n"
                           "\r\n",
                           http_cookie(client, "sessionid"));
    expect_reply(lms_submit(lms_header("crowd", NULL), "one"), 0, "\"1\"");
    for (int i = 0; i < GRADERS; i++) {
        graders[i] = http_client_new(service_port(service));
        ck_assert(http_send_bytes(graders[i], text_of(request)));
    }
    for (int i = 0; i < GRADERS; i++) {
        const struct reply *reply = http_read_reply(graders[i]);

        if (text_starts_with(reply->body, "{\"return_code\": 0"))
            lucky++;
        else
            expect_reply(reply, 1, "\"Queue 'crowd' is empty\"");
        http_client_free(graders[i]);
    }
    ck_assert_int_eq(lucky, 1);
}
END_TEST

/* What the Django server has stored of a submission with files. */
START_TEST(the_map_of_files_is_given_as_it_is_stored)
{
    const char *files = "{\"m\\u00e4rchen.py\": \"http://h/media/q/1\"}";

    log_in(client);
    expect_status(lms_submit(lms_header("test-pull", NULL), "b"), 200, NULL);
    mariadb_run("UPDATE queue_submission SET s3_urls = '{\"m\\\\u00e4rchen.py"
                "\": \"http://h/media/q/1\"}' ORDER BY id DESC LIMIT 1");
    expect_text(grader_pull("test-pull").files, files);
}
END_TEST

SERVICE_STORY("get_submission", &settings,
              TELL(the_reply_is_what_python_writes),
              TELL(a_key_is_32_digits_and_never_the_same),
              TELL(what_one_grader_has_no_other_gets),
              TELL(they_come_in_the_order_of_their_arrival),
              TELL(after_a_while_it_is_offered_again_with_another_key),
              TELL(a_pull_is_written_down_as_django_does),
              TELL(an_unknown_queue_is_not_found),
              TELL(an_empty_queue_is_named),
              TELL(a_grader_may_pull_from_a_queue_that_is_pushed),
              TELL(a_name_must_be_given),
              TELL(upper_and_lower_case_are_two_queues),
              TELL(of_many_graders_at_once_one_gets_it),
              TELL(the_map_of_files_is_given_as_it_is_stored))
