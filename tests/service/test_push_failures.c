/*
 * Graders that fail: whatever they do, the LMS gets our failure message, once,
 * and the submission is retired (R35). Only a grader that nobody answers for
 * is asked again: it has graded nothing.
 */
#include "tests/support/port.h"
#include "tests/support/push_story.h"

#include "server/base/clock.h"

#include <string.h>

static const struct service_settings settings = {
    .more = "GRADING_TIMEOUT: 1\nPUSH_RETRY_SECONDS: 2\n"
            "GRADER_REPLY_LIMIT: 1000000\n",
};

static struct sink *begin(void)
{
    log_in(client);
    return sink_start(0);
}

/* One submission, pushed there, fails. */
static void expect_failure_at(const char *queue, const char *url)
{
    struct sink *lms = begin();

    push_queues("{%s: '%s'}", queue, url);
    push_submit(queue, sink_url(lms, "/"), "body");
    push_expect_failure(lms, queue);
    sink_stop(lms);
}

/* It was asked once. */
static void expect_failure_of(const char *queue, struct peer_rule rule)
{
    struct peer *grader = peer_start_one(rule);

    expect_failure_at(queue, peer_url(grader, "/"));
    ck_assert_uint_eq(peer_request_count(grader), 1);
    peer_stop(grader);
}

START_TEST(no_status_but_200_is_a_grade)
{
    static const int statuses[] = {201, 204, 400, 401, 404, 429, 500, 503};

    for (size_t i = 0; i < ARRAY_LENGTH(statuses); i++)
        expect_failure_of(arena_printf(scratch, "status %d", statuses[i]),
                          (struct peer_rule){.status = statuses[i],
                                             .body = "{\"correct\": true}"});
}
END_TEST

START_TEST(a_reset_is_no_grade)
{
    expect_failure_of("reset",
                      (struct peer_rule){.manner = PEER_RESET, .bytes = 0});
    expect_failure_of(
        "reset late",
        (struct peer_rule){.manner = PEER_RESET, .body = "right", .bytes = 30});
}
END_TEST

START_TEST(an_answer_that_breaks_off_is_no_grade)
{
    expect_failure_of(
        "lie", (struct peer_rule){.raw = "HTTP/1.1 200 OK\r\n"
                                         "Content-Length: 100\r\n\r\nright",
                                  .manner = PEER_ANSWER_AND_DROP});
    expect_failure_of(
        "chunk", (struct peer_rule){.raw = "HTTP/1.1 200 OK\r\n"
                                           "Transfer-Encoding: chunked\r\n\r\n"
                                           "5\r\nright\r\n",
                                    .manner = PEER_ANSWER_AND_DROP});
}
END_TEST

START_TEST(no_http_is_no_grade)
{
    expect_failure_of(
        "junk",
        (struct peer_rule){.raw = "right\r\n", .manner = PEER_ANSWER_AND_DROP});
}
END_TEST

START_TEST(a_grader_that_says_nothing_is_waited_for_so_long)
{
    int64_t before_ms = clock_monotonic_ms();

    expect_failure_of("stall", (struct peer_rule){.manner = PEER_STALL});
    ck_assert_int_ge(clock_monotonic_ms() - before_ms, 1000);
    ck_assert_int_lt(clock_monotonic_ms() - before_ms, 5000);
}
END_TEST

START_TEST(a_grader_that_never_ends_is_cut_off)
{
    int64_t before_ms = clock_monotonic_ms();

    expect_failure_of("trickle", (struct peer_rule){.manner = PEER_TRICKLE,
                                                    .filler = 1000,
                                                    .pace_ms = 100});
    ck_assert_int_ge(clock_monotonic_ms() - before_ms, 2000);
    ck_assert_int_lt(clock_monotonic_ms() - before_ms, 6000);
}
END_TEST

START_TEST(an_answer_may_not_be_larger_than_the_limit)
{
    struct peer *grader;
    struct sink *lms;

    expect_failure_of("huge", (struct peer_rule){.filler = 50000000});
    expect_failure_of("one more", (struct peer_rule){.filler = 1000001});

    grader = peer_start_one((struct peer_rule){.filler = 1000000});
    lms = begin();
    push_queues("{full: '%s'}", peer_url(grader, "/"));
    push_submit("full", sink_url(lms, "/"), "body");
    ck_assert_uint_eq(sink_wait(lms, 1, 10000).items[0].body.size, 1000000);
    push_expect_fate("full", "sent 1 back 1 failures 0 ack 1 retired 1");
    peer_stop(grader);
    sink_stop(lms);
}
END_TEST

START_TEST(a_head_without_end_is_no_grade)
{
    static const char field[] = "X-Field: and so on\r\n";
    size_t count = 50000;
    char *headers = arena_alloc(scratch, count * (sizeof field - 1) + 1);

    for (size_t i = 0; i < count; i++)
        memcpy(headers + i * (sizeof field - 1), field, sizeof field);
    expect_failure_of("head", (struct peer_rule){.headers = headers});
}
END_TEST

START_TEST(a_redirect_without_end_is_no_grade)
{
    struct peer *grader = peer_start_one(
        (struct peer_rule){.status = 307, .headers = "Location: /\r\n"});

    expect_failure_at("round", peer_url(grader, "/"));
    peer_stop(grader);
}
END_TEST

START_TEST(a_link_local_address_is_never_called)
{
    struct peer *grader = peer_start_one((struct peer_rule){
        .status = 307, .headers = "Location: http://169.254.169.254/\r\n"});

    expect_failure_at("local", "http://169.254.169.254/latest");
    expect_failure_at("led there", peer_url(grader, "/"));
    peer_stop(grader);
}
END_TEST

START_TEST(a_grader_that_is_not_there_yet_is_asked_again)
{
    const struct peer_rule rule = {.body = "right"};
    uint16_t port = port_reserve();
    struct peer *grader;
    struct sink *lms = begin();

    push_queues("{later: 'http://127.0.0.1:%u/'}", (unsigned)port);
    push_submit("later", sink_url(lms, "/"), "body");
    mariadb_wait_for_value("1", "SELECT COUNT(*) FROM xqueue_push p JOIN"
                                " xqueue_queue q ON q.id = p.queue_id"
                                " WHERE q.name = 'later'");
    ck_assert_uint_eq(sink_received(lms).count, 0);
    grader = peer_start_at(port, &rule, 1);
    push_expect_result(lms, "later", "right");
    ck_assert_uint_eq(peer_request_count(grader), 1);
    peer_stop(grader);
    sink_stop(lms);
}
END_TEST

START_TEST(a_grader_that_is_never_there_fails_in_the_end)
{
    int64_t before_ms = clock_monotonic_ms();

    expect_failure_at("never", arena_printf(scratch, "http://127.0.0.1:%u/",
                                            (unsigned)port_reserve()));
    ck_assert_int_ge(clock_monotonic_ms() - before_ms, 2000);
    ck_assert_int_lt(clock_monotonic_ms() - before_ms, 6000);
}
END_TEST

START_TEST(a_grader_that_never_accepts_fails_in_the_end)
{
    struct peer *grader = peer_start_deaf();

    expect_failure_at("deaf", peer_url(grader, "/"));
    peer_stop(grader);
}
END_TEST

START_TEST(a_host_without_an_address_fails_in_the_end)
{
    expect_failure_at("nowhere", "http://grader.invalid/");
}
END_TEST

START_TEST(a_queue_whose_grader_fails_harms_no_other)
{
    struct peer *dead =
        peer_start_one((struct peer_rule){.manner = PEER_STALL});
    struct peer *grader = peer_start_one((struct peer_rule){.body = "right"});
    int64_t before_ms;
    struct sink *lms = begin();

    push_queues("{dead: {url: '%s', timeout: 60}, alive: '%s'}",
                peer_url(dead, "/"), peer_url(grader, "/"));
    for (int i = 0; i < 20; i++)
        push_submit("dead", NULL, "body");
    before_ms = clock_monotonic_ms();
    push_submit("alive", sink_url(lms, "/"), "body");
    push_expect_result(lms, "alive", "right");
    ck_assert_int_lt(clock_monotonic_ms() - before_ms, 2000);
    peer_stop(dead);
    peer_stop(grader);
    sink_stop(lms);
}
END_TEST

SERVICE_STORY("push failures", &settings, TELL(no_status_but_200_is_a_grade),
              TELL(a_reset_is_no_grade),
              TELL(an_answer_that_breaks_off_is_no_grade),
              TELL(no_http_is_no_grade),
              TELL(a_grader_that_says_nothing_is_waited_for_so_long),
              TELL(a_grader_that_never_ends_is_cut_off),
              TELL(an_answer_may_not_be_larger_than_the_limit),
              TELL(a_head_without_end_is_no_grade),
              TELL(a_redirect_without_end_is_no_grade),
              TELL(a_link_local_address_is_never_called),
              TELL(a_grader_that_is_not_there_yet_is_asked_again),
              TELL(a_grader_that_is_never_there_fails_in_the_end),
              TELL(a_grader_that_never_accepts_fails_in_the_end),
              TELL(a_host_without_an_address_fails_in_the_end),
              TELL(a_queue_whose_grader_fails_harms_no_other))
