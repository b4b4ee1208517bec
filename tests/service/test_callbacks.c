/*
 * What the LMS is sent, where to, and what counts as its consent.
 */
#include "tests/support/service_story.h"

#include "tests/support/peer.h"
#include "tests/support/port.h"
#include "tests/support/sink.h"

#include <string.h>

static const struct service_settings settings = {
    .more = "REQUESTS_TIMEOUT: 1\nREQUESTS_BASIC_AUTH: [xq, 'p:w']\n",
};

static struct sink *lms;

/* From the submission to the accepted result; the number it has. */
static int64_t put_result(const char *header, const char *result)
{
    struct pulled pulled;

    log_in(client);
    expect_status(lms_submit(header, "body"), 200, NULL);
    pulled = grader_pull("test-pull");
    expect_reply(grader_put_result(pulled.header, result), 0, "\"\"");
    return pulled.id;
}

static const char *fate(int64_t id)
{
    return mariadb_value("SELECT CONCAT_WS(' ', 'ack', lms_ack, 'retired',"
                         " retired, 'failures', num_failures)"
                         " FROM queue_submission WHERE id = %lld",
                         (long long)id);
}

/* The first attempt has ended, and another one is to come. */
static void expect_failed_once(int64_t id)
{
    mariadb_wait_for_value("1",
                           "SELECT COUNT(*) FROM xqueue_outbox WHERE id = %lld"
                           " AND attempts = 1 AND owner IS NULL",
                           (long long)id);
    ck_assert_str_eq(fate(id), "ack 0 retired 0 failures 1");
}

static void expect_finished(int64_t id)
{
    mariadb_wait_for_value("0",
                           "SELECT COUNT(*) FROM xqueue_outbox WHERE id = %lld",
                           (long long)id);
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_live WHERE id = %lld",
                    (long long)id);
}

START_TEST(a_callback_is_a_form_of_two_fields)
{
    struct peer *peer = peer_start_one((struct peer_rule){.body = "ok"});
    const char *url = peer_url(peer, "/a");
    const char *header =
        arena_printf(scratch,
                     "{\"queue_name\":\"test-pull\",  \"lms_key\": \"\\u00e9\","
                     "\"lms_callback_url\": \"%s\"}",
                     url);
    const struct peer_request *request;

    put_result(header, "right & \"é\"+~\n\t100%");
    request = peer_request(peer, 0);
    ck_assert_str_eq(request->line, "POST /a HTTP/1.1");
    expect_text(request->body,
                arena_printf(scratch,
                             "xqueue_header=%%7B%%22queue_name%%22%%3A%%22"
                             "test-pull%%22%%2C++%%22lms_key%%22%%3A+%%22"
                             "%%5Cu00e9%%22%%2C%%22lms_callback_url%%22%%3A+"
                             "%%22http%%3A%%2F%%2F127.0.0.1%%3A%u%%2Fa%%22%%7D"
                             "&xqueue_body=right+%%26+%%22%%C3%%A9%%22%%2B~"
                             "%%0A%%09100%%25",
                             (unsigned)peer_port(peer)));
    expect_text(peer_header(request, "Content-Type"),
                "application/x-www-form-urlencoded");
    expect_text(peer_header(request, "Authorization"), "Basic eHE6cDp3");
    expect_text(peer_header(request, "Content-Length"),
                arena_printf(scratch, "%zu", request->body.size));
    ck_assert(text_is_absent(peer_header(request, "Expect")));
    ck_assert(text_is_absent(peer_header(request, "Transfer-Encoding")));
    peer_stop(peer);
}
END_TEST

START_TEST(the_url_is_called_as_it_stands)
{
    static const char target[] =
        "/course//x+y:z@1;v=2/../%2f/score_update?key=a+b&c=/?%20";
    struct peer *peer = peer_start_one((struct peer_rule){.body = "ok"});

    put_result(lms_header("test-pull", peer_url(peer, target)), "right");
    ck_assert_str_eq(peer_request(peer, 0)->line,
                     arena_printf(scratch, "POST %s HTTP/1.1", target));
    peer_stop(peer);
}
END_TEST

START_TEST(a_url_longer_than_its_column_is_called_in_full)
{
    char path[600] = "/";
    int64_t id;

    memset(path + 1, 'x', sizeof path - 2);
    lms = sink_start(0);
    id = put_result(lms_header("test-pull", sink_url(lms, path)), "right");
    expect_text(sink_wait(lms, 1, 10000).items[0].path, path);
    ck_assert_value("128",
                    "SELECT CHAR_LENGTH(lms_callback_url)"
                    " FROM queue_submission WHERE id = %lld",
                    (long long)id);
}
END_TEST

START_TEST(a_large_result_arrives_whole)
{
    enum { SIZE = 3000000 };
    char *result = arena_alloc(scratch, SIZE + 1);

    memset(result, '&', SIZE);
    result[SIZE] = '\0';
    lms = sink_start(0);
    put_result(lms_header("test-pull", sink_url(lms, "/large")), result);
    expect_text(sink_wait(lms, 1, 20000).items[0].body, result);
}
END_TEST

START_TEST(a_delivered_result_is_on_record)
{
    int64_t id;

    lms = sink_start(0);
    id = put_result(lms_header("test-pull", sink_url(lms, "/")), "right");
    expect_finished(id);
    ck_assert_str_eq(fate(id), "ack 1 retired 1 failures 0");
    ck_assert_value("right 1 1",
                    "SELECT CONCAT_WS(' ', grader_reply,"
                    " return_time BETWEEN pull_time AND UTC_TIMESTAMP(6),"
                    " pull_time BETWEEN arrival_time AND UTC_TIMESTAMP(6))"
                    " FROM queue_submission WHERE id = %lld",
                    (long long)id);
    ck_assert_uint_eq(sink_received(lms).count, 1);
}
END_TEST

START_TEST(no_status_but_200_is_consent)
{
    static const int statuses[] = {201, 204, 400, 404, 500, 503};
    int64_t ids[ARRAY_LENGTH(statuses)];

    lms = sink_start(0);
    for (size_t i = 0; i < ARRAY_LENGTH(statuses); i++)
        ids[i] = put_result(
            lms_header("test-pull",
                       sink_url(lms, arena_printf(scratch, "/status/%d/x",
                                                  statuses[i]))),
            "right");
    for (size_t i = 0; i < ARRAY_LENGTH(statuses); i++)
        expect_failed_once(ids[i]);
}
END_TEST

START_TEST(the_lms_may_answer_200_with_anything)
{
    struct peer *peer = peer_start_one((struct peer_rule){.filler = 200000});
    int64_t id =
        put_result(lms_header("test-pull", peer_url(peer, "/a")), "right");

    expect_finished(id);
    ck_assert_str_eq(fate(id), "ack 1 retired 1 failures 0");
    peer_stop(peer);
}
END_TEST

START_TEST(a_302_leads_to_a_get_that_fails)
{
    struct peer_rule rules[] = {
        {.path = "/old", .status = 302, .headers = "Location: /new\r\n"},
        {.path = "/new", .status = 404},
    };
    struct peer *peer = peer_start(rules, ARRAY_LENGTH(rules));

    expect_failed_once(
        put_result(lms_header("test-pull", peer_url(peer, "/old")), "right"));
    ck_assert_str_eq(peer_request(peer, 1)->line, "GET /new HTTP/1.1");
    peer_stop(peer);
}
END_TEST

START_TEST(a_307_leads_to_the_same_form)
{
    struct peer_rule rules[] = {
        {.path = "/old", .status = 307, .headers = "Location: /new\r\n"},
        {.path = "/new", .body = "ok"},
    };
    struct peer *peer = peer_start(rules, ARRAY_LENGTH(rules));
    int64_t id =
        put_result(lms_header("test-pull", peer_url(peer, "/old")), "right");

    expect_finished(id);
    ck_assert_str_eq(peer_request(peer, 1)->line, "POST /new HTTP/1.1");
    ck_assert(
        text_equal(peer_request(peer, 0)->body, peer_request(peer, 1)->body));
    peer_stop(peer);
}
END_TEST

START_TEST(a_refused_connection_is_a_failure)
{
    expect_failed_once(put_result(
        lms_header("test-pull", arena_printf(scratch, "http://127.0.0.1:%u/",
                                             (unsigned)port_reserve())),
        "right"));
}
END_TEST

START_TEST(a_reset_is_a_failure)
{
    struct peer *peer =
        peer_start_one((struct peer_rule){.manner = PEER_RESET, .bytes = 5});

    expect_failed_once(
        put_result(lms_header("test-pull", peer_url(peer, "/a")), "right"));
    peer_stop(peer);
}
END_TEST

START_TEST(an_lms_that_says_nothing_is_a_failure)
{
    struct peer *peer =
        peer_start_one((struct peer_rule){.manner = PEER_STALL});

    expect_failed_once(
        put_result(lms_header("test-pull", peer_url(peer, "/a")), "right"));
    peer_stop(peer);
}
END_TEST

START_TEST(a_url_that_is_none_is_given_up_at_once)
{
    static const char *const urls[] = {"", "not a url", "/a/path/alone"};

    for (size_t i = 0; i < ARRAY_LENGTH(urls); i++) {
        int64_t id = put_result(lms_header("test-pull", urls[i]), "right");

        expect_finished(id);
        ck_assert_str_eq(fate(id), "ack 0 retired 1 failures 1");
    }
}
END_TEST

START_TEST(a_link_local_address_is_never_called)
{
    int64_t id = put_result(
        lms_header("test-pull", "http://169.254.169.254/latest"), "right");
    const char *line;

    expect_failed_once(id);
    do
        line =
            arena_string(scratch, service_wait_for_log(service, "callback "));
    while (strstr(line, "to=http://169.254.169.254 ") == NULL);
    ck_assert_ptr_nonnull(strstr(line, " status=0 "));
    ck_assert_ptr_nonnull(strstr(line, " result=retry "));
}
END_TEST

START_TEST(the_log_holds_nothing_that_a_student_or_grader_wrote)
{
    char *log;
    int64_t id;

    lms = sink_start(0);
    id = put_result(
        lms_header("test-pull", sink_url(lms, "/path-of-a-student?k=1")),
        "words of the grader");
    expect_finished(id);
    log = arena_string(scratch, service_log(service));
    ck_assert_ptr_nonnull(strstr(log, "callback req="));
    ck_assert_ptr_null(strstr(log, "words of the grader"));
    ck_assert_ptr_null(strstr(log, "path-of-a-student"));
    ck_assert_ptr_null(strstr(log, "p:w"));
}
END_TEST

SERVICE_STORY("callbacks", &settings, TELL(a_callback_is_a_form_of_two_fields),
              TELL(the_url_is_called_as_it_stands),
              TELL(a_url_longer_than_its_column_is_called_in_full),
              TELL(a_large_result_arrives_whole),
              TELL(a_delivered_result_is_on_record),
              TELL(no_status_but_200_is_consent),
              TELL(the_lms_may_answer_200_with_anything),
              TELL(a_302_leads_to_a_get_that_fails),
              TELL(a_307_leads_to_the_same_form),
              TELL(a_refused_connection_is_a_failure),
              TELL(a_reset_is_a_failure),
              TELL(an_lms_that_says_nothing_is_a_failure),
              TELL(a_url_that_is_none_is_given_up_at_once),
              TELL(a_link_local_address_is_never_called),
              TELL(the_log_holds_nothing_that_a_student_or_grader_wrote))
