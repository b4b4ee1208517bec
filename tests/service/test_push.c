/*
 * What a passive grader is sent, when, and what becomes of its answer: R33,
 * R34, R35, R36, R44.
 */
#include "tests/support/push_story.h"

#include "server/base/clock.h"
#include "tests/support/tls_peer.h"

#include <event2/event.h>
#include <string.h>

static const struct service_settings settings = {
    .more = "GRADING_TIMEOUT: 2\nPUSH_RETRY_SECONDS: 2\n"
            "REQUESTS_BASIC_AUTH: [xq, 'p:w']\n",
};

static struct sink *lms;
static struct peer *grader;

/* `queue` is pushed to a grader with this one rule. */
static void begin(const char *queue, struct peer_rule rule)
{
    grader = peer_start_one(rule);
    lms = sink_start(0);
    log_in(client);
    push_queues("{%s: '%s'}", queue, peer_url(grader, "/grade?a=1"));
}

static void end(void)
{
    peer_stop(grader);
    sink_stop(lms);
}

START_TEST(a_push_is_a_plain_post_of_json)
{
    const struct peer_request *request;

    begin("plain", (struct peer_rule){.body = "right"});
    push_submit("plain", sink_url(lms, "/"),
                "a\"\xC3\xA9\n/\\\x7F\xF0\x9F\x98\x80");
    request = peer_request(grader, 0);
    expect_text(
        request->bytes,
        arena_printf(scratch,
                     "POST /grade?a=1 HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n"
                     "Authorization: Basic eHE6cDp3\r\n"
                     "User-Agent: XQueue/" XQUEUE_VERSION "\r\n"
                     "Accept: */*\r\nContent-Length: 73\r\n\r\n"
                     "{\"xqueue_body\": \"a\\\"\\u00e9\\n/\\\\\\u007f"
                     "\\ud83d\\ude00\", \"xqueue_files\": \"{}\"}",
                     (unsigned)peer_port(grader)));
    push_expect_result(lms, "plain", "right");
    end();
}
END_TEST

START_TEST(the_map_of_files_is_given_as_it_is_stored)
{
    begin("files", (struct peer_rule){.manner = PEER_STALL});
    /* The first one holds the queue until the second has a map. */
    push_submit("files", sink_url(lms, "/"), "body 1");
    ck_assert(peer_wait(grader, 1, 10000));
    push_submit("files", sink_url(lms, "/2"), "body 2");
    mariadb_run("UPDATE queue_submission SET s3_urls ="
                " '{\"a.py\": \"http://f/\\\\u00e9\"}'"
                " WHERE xqueue_body = 'body 2'");
    expect_text(peer_request(grader, 1)->body,
                "{\"xqueue_body\": \"body 2\", \"xqueue_files\":"
                " \"{\\\"a.py\\\": \\\"http://f/\\\\u00e9\\\"}\"}");
    end();
}
END_TEST

START_TEST(a_large_submission_arrives_whole)
{
    size_t size = 3000000;
    char *body = arena_alloc(scratch, size + 1);

    memset(body, 'x', size);
    body[size] = '\0';
    begin("large", (struct peer_rule){.body = "right"});
    push_submit("large", sink_url(lms, "/"), body);
    expect_text(peer_header(peer_request(grader, 0), "Content-Length"),
                "3000041");
    ck_assert_uint_eq(peer_request(grader, 0)->body.size, 3000041);
    ck_assert(text_is_absent(peer_header(peer_request(grader, 0), "Expect")));
    push_expect_result(lms, "large", "right");
    end();
}
END_TEST

/* Were it only looked for, once a second, these would take five seconds. */
START_TEST(a_push_starts_as_soon_as_it_is_submitted)
{
    int64_t before_ms;

    begin("soon", (struct peer_rule){.body = "right"});
    before_ms = clock_monotonic_ms();
    for (size_t i = 1; i <= 5; i++) {
        push_submit("soon", NULL, "body");
        ck_assert(peer_wait(grader, i, 10000));
    }
    ck_assert_int_lt(clock_monotonic_ms() - before_ms, 2500);
    end();
}
END_TEST

static const char *count_of_returned(const char *queue)
{
    return mariadb_value("SELECT COUNT(*) FROM queue_submission"
                         " WHERE queue_name = '%s' AND return_time IS NOT NULL",
                         queue);
}

START_TEST(pushes_follow_one_another_oldest_first)
{
    static const char *const counts[] = {"0", "1", "2", "3"};

    begin("serial", (struct peer_rule){.body = "right", .delay_ms = 200});
    for (size_t i = 0; i < ARRAY_LENGTH(counts); i++)
        push_submit("serial", NULL, arena_printf(scratch, "body %zu", i));
    for (size_t i = 0; i < ARRAY_LENGTH(counts); i++) {
        const char *body = arena_string(scratch, peer_request(grader, i)->body);

        ck_assert_str_eq(count_of_returned("serial"), counts[i]);
        ck_assert_ptr_nonnull(
            strstr(body, arena_printf(scratch, "body %zu", i)));
    }
    end();
}
END_TEST

START_TEST(as_many_at_a_time_as_the_queue_says)
{
    const struct peer_rule rules[] = {
        {.times = 1, .body = "right"},
        {.manner = PEER_STALL},
    };

    grader = peer_start(rules, ARRAY_LENGTH(rules));
    lms = sink_start(0);
    log_in(client);
    push_queues("{many: {url: '%s', concurrency: 3, timeout: 5}}",
                peer_url(grader, "/"));
    push_submit("many", sink_url(lms, "/1"), "body");
    push_expect_result(lms, "many", "right");
    for (int i = 0; i < 5; i++)
        push_submit("many", NULL, "body");
    ck_assert(peer_wait(grader, 4, 10000));
    ck_assert(!peer_wait(grader, 5, 1500));
    ck_assert_value("3", "SELECT COUNT(*) FROM xqueue_push p JOIN"
                         " xqueue_queue q ON q.id = p.queue_id"
                         " WHERE q.name = 'many'");
    end();
}
END_TEST

START_TEST(a_queue_has_a_password_of_its_own)
{
    const struct peer_request *request;

    grader = peer_start_one((struct peer_rule){.body = "right"});
    lms = sink_start(0);
    log_in(client);
    push_queues("{own: {url: '%s', basic_auth: [me, mine]}}",
                peer_url(grader, "/"));
    push_submit("own", sink_url(lms, "/"), "body");
    request = peer_request(grader, 0);
    expect_text(peer_header(request, "Authorization"), "Basic bWU6bWluZQ==");
    push_expect_result(lms, "own", "right");
    end();
}
END_TEST

static void expect_text_of(const char *queue, const char *headers,
                           const char *reply, const char *text)
{
    begin(queue, (struct peer_rule){.headers = headers, .body = reply});
    push_submit(queue, sink_url(lms, "/"), "body");
    push_expect_result(lms, queue, text);
    ck_assert_str_eq(mariadb_value("SELECT HEX(grader_reply) ="
                                   " HEX('%s') FROM queue_submission"
                                   " WHERE queue_name = '%s'",
                                   text, queue),
                     "1");
    end();
}

START_TEST(an_answer_reaches_the_lms_as_it_is)
{
    expect_text_of("untouched", NULL,
                   "{\"msg\": \"<b>\xC3\xA9\xF0\x9F\x98\x80</b>\"}\r\n ",
                   "{\"msg\": \"<b>\xC3\xA9\xF0\x9F\x98\x80</b>\"}\r\n ");
}
END_TEST

START_TEST(an_answer_in_another_charset_is_converted)
{
    expect_text_of("charset", "Content-Type: text/html; charset=koi8-r\r\n",
                   "\xD0\xD2\xC1\xD7\xC4\xC1", "правда");
}
END_TEST

START_TEST(an_answer_that_is_no_utf8_is_latin_1)
{
    expect_text_of("latin", "Content-Type: text/html\r\n", "d\xE9j\xE0",
                   "d\xC3\xA9j\xC3\xA0");
}
END_TEST

START_TEST(an_empty_answer_is_one)
{
    expect_text_of("empty", NULL, "", "");
}
END_TEST

START_TEST(a_push_is_on_record)
{
    begin("record", (struct peer_rule){.body = "right"});
    push_submit("record", sink_url(lms, "/"), "body");
    push_expect_result(lms, "record", "right");
    ck_assert_str_eq(
        mariadb_value("SELECT CONCAT_WS(' ', grader_id, grader_reply,"
                      " num_failures, lms_ack, retired,"
                      " arrival_time <= push_time, push_time <= return_time,"
                      " return_time <= UTC_TIMESTAMP(6), pull_time IS NULL)"
                      " FROM queue_submission WHERE queue_name = 'record'"),
        arena_printf(scratch, "%s right 0 1 1 1 1 1 1",
                     peer_url(grader, "/grade?a=1")));
    end();
}
END_TEST

static void begin_redirected(const char *queue, int status)
{
    const struct peer_rule rules[] = {
        {.path = "/old", .status = status, .headers = "Location: /new\r\n"},
        {.path = "/new", .body = "right"},
    };

    grader = peer_start(rules, ARRAY_LENGTH(rules));
    lms = sink_start(0);
    log_in(client);
    push_queues("{%s: '%s'}", queue, peer_url(grader, "/old"));
    push_submit(queue, sink_url(lms, "/"), "body");
    push_expect_result(lms, queue, "right");
}

START_TEST(a_302_leads_to_a_get)
{
    begin_redirected("found", 302);
    ck_assert_str_eq(peer_request(grader, 1)->line, "GET /new HTTP/1.1");
    end();
}
END_TEST

START_TEST(a_307_leads_to_the_same_push)
{
    begin_redirected("again", 307);
    ck_assert_str_eq(peer_request(grader, 1)->line, "POST /new HTTP/1.1");
    ck_assert(text_equal(peer_request(grader, 0)->body,
                         peer_request(grader, 1)->body));
    end();
}
END_TEST

START_TEST(what_waits_for_its_push_can_be_pulled)
{
    struct pulled pulled;

    begin("both", (struct peer_rule){.manner = PEER_STALL});
    push_submit("both", NULL, "pushed");
    ck_assert(peer_wait(grader, 1, 10000));
    push_submit("both", sink_url(lms, "/"), "pulled");
    pulled = grader_pull("both");
    expect_text(pulled.body, "pulled");
    expect_reply(grader_put_result(pulled.header, "right"), 0, "\"\"");
    expect_text(sink_wait(lms, 1, 10000).items[0].body, "right");
    ck_assert_uint_eq(peer_request_count(grader), 1);
    end();
}
END_TEST

START_TEST(of_two_submissions_to_a_problem_the_later_one_is_delivered)
{
    const struct peer_rule rules[] = {
        {.times = 1, .body = "early", .delay_ms = 500},
        {.body = "late"},
    };

    grader = peer_start(rules, ARRAY_LENGTH(rules));
    lms = sink_start(0);
    log_in(client);
    push_queues("{twice: '%s'}", peer_url(grader, "/"));
    push_submit("twice", sink_url(lms, "/same"), "body 1");
    ck_assert(peer_wait(grader, 1, 10000));
    push_submit("twice", sink_url(lms, "/same"), "body 2");
    expect_text(sink_wait(lms, 1, 10000).items[0].body, "late");
    ck_assert_value("early", "SELECT grader_reply FROM queue_submission"
                             " WHERE xqueue_body = 'body 1'"
                             " AND queue_name = 'twice'");
    ck_assert_uint_eq(sink_received(lms).count, 1);
    end();
}
END_TEST

/* The queue `name` with more in its entry than the URL of a TLS grader. */
static void push_over_tls(const char *queue, const char *more)
{
    struct tls_peer *peer = tls_peer_start("DNS:localhost", NULL);
    struct event_base *base = event_base_new();
    const struct timeval moment = {.tv_usec = 20000};

    grader = NULL;
    lms = sink_start(0);
    log_in(client);
    push_queues("{%s: {url: '%s'%s%s}}", queue, tls_peer_url(peer), more,
                more[0] == '\0' ? "" : tls_peer_certificate(peer));
    push_submit(queue, sink_url(lms, "/"), "body");
    tls_peer_serve(peer, base);
    while (sink_received(lms).count == 0) {
        event_base_loopexit(base, &moment);
        event_base_dispatch(base);
    }
    tls_peer_stop(peer);
    event_base_free(base);
}

START_TEST(a_queue_trusts_an_authority_of_its_own)
{
    push_over_tls("trusting", ", ca_file: ");
    push_expect_fate("trusting", "sent 1 back 1 failures 0 ack 1 retired 1");
    end();
}
END_TEST

START_TEST(a_grader_that_nobody_vouches_for_gets_nothing)
{
    push_over_tls("wary", "");
    push_expect_failure(lms, "wary");
    end();
}
END_TEST

START_TEST(the_log_holds_nothing_that_a_student_or_grader_wrote)
{
    char *log;

    begin("log", (struct peer_rule){.body = "words of the grader"});
    push_submit("log", sink_url(lms, "/"), "words of a student");
    push_expect_result(lms, "log", "words of the grader");
    log = arena_string(scratch, service_log(service));
    ck_assert_ptr_nonnull(strstr(log, " push req="));
    ck_assert_ptr_nonnull(strstr(log, " queue=log "));
    ck_assert_ptr_nonnull(strstr(log, " result=graded"));
    ck_assert_ptr_null(strstr(log, "words of"));
    ck_assert_ptr_null(strstr(log, "/grade"));
    ck_assert_ptr_null(strstr(log, "p:w"));
    end();
}
END_TEST

SERVICE_STORY("pushes", &settings, TELL(a_push_is_a_plain_post_of_json),
              TELL(the_map_of_files_is_given_as_it_is_stored),
              TELL(a_large_submission_arrives_whole),
              TELL(a_push_starts_as_soon_as_it_is_submitted),
              TELL(pushes_follow_one_another_oldest_first),
              TELL(as_many_at_a_time_as_the_queue_says),
              TELL(a_queue_has_a_password_of_its_own),
              TELL(an_answer_reaches_the_lms_as_it_is),
              TELL(an_answer_in_another_charset_is_converted),
              TELL(an_answer_that_is_no_utf8_is_latin_1),
              TELL(an_empty_answer_is_one), TELL(a_push_is_on_record),
              TELL(a_302_leads_to_a_get), TELL(a_307_leads_to_the_same_push),
              TELL(what_waits_for_its_push_can_be_pulled),
              TELL(of_two_submissions_to_a_problem_the_later_one_is_delivered),
              TELL(a_queue_trusts_an_authority_of_its_own),
              TELL(a_grader_that_nobody_vouches_for_gets_nothing),
              TELL(the_log_holds_nothing_that_a_student_or_grader_wrote))
