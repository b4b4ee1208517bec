/*
 * How a server ends in the middle of a push, and that nothing is lost by it.
 */
#include "tests/support/port.h"
#include "tests/support/push_story.h"

#include "server/base/clock.h"

#include <signal.h>
#include <stdio.h>

static struct sink *lms;
static struct peer *grader;

static void begin(const char *url, const char *more)
{
    char queues[200];

    snprintf(queues, sizeof queues, "{q: '%s'}", url);
    lms = sink_start(0);
    own_service_begin(&(struct service_settings){
        .database = mariadb_database(),
        .queues = queues,
        .more = more,
    });
}

static void end(void)
{
    own_service_end();
    sink_stop(lms);
    peer_stop(grader);
}

/* A grader with this rule has got a submission. */
static void begin_push(struct peer_rule rule, const char *more)
{
    grader = peer_start_one(rule);
    begin(peer_url(grader, "/"), more);
    push_submit("q", sink_url(lms, "/"), "body");
    ck_assert(peer_wait(grader, 1, 10000));
}

/* A grader that is not there is asked again and again. */
static void begin_retries(void)
{
    char url[60];

    snprintf(url, sizeof url, "http://127.0.0.1:%u/", (unsigned)port_reserve());
    begin(url, "PUSH_RETRY_SECONDS: 60\n");
    push_submit("q", sink_url(lms, "/"), "body");
    /* A wait of some seconds. */
    for (int i = 0; i < 4; i++)
        service_wait_for_log(service, "result=retry");
}

static int64_t shut_down_ms(void)
{
    int64_t before_ms = clock_monotonic_ms();

    service_shut_down(service);
    return clock_monotonic_ms() - before_ms;
}

static void expect_given_back(const char *attempts)
{
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_push");
    ck_assert_value("1", "SELECT COUNT(*) FROM xqueue_ready");
    ck_assert_value(attempts, "SELECT attempts FROM xqueue_live");
    ck_assert_str_eq(push_fate("q"),
                     "sent 0 back 0 failures 0 ack 0 retired 0");
}

START_TEST(a_push_that_the_grader_has_got_is_finished)
{
    begin_push((struct peer_rule){.body = "right", .delay_ms = 1000}, NULL);
    ck_assert_int_lt(shut_down_ms(), 5000);
    ck_assert_str_eq(push_fate("q"),
                     "sent 1 back 1 failures 0 ack 0 retired 0");
    service_serve(service);
    push_expect_result(lms, "q", "right");
    ck_assert_uint_eq(peer_request_count(grader), 1);
    end();
}
END_TEST

START_TEST(a_push_that_takes_too_long_is_given_back)
{
    begin_push((struct peer_rule){.manner = PEER_STALL}, "STOP_TIMEOUT: 1\n");
    ck_assert_int_lt(shut_down_ms(), 4000);
    expect_given_back("1");
    service_serve(service);
    ck_assert(peer_wait(grader, 2, 10000));
    end();
}
END_TEST

START_TEST(a_push_that_waits_for_its_grader_is_given_back_at_once)
{
    begin_retries();
    ck_assert_int_lt(shut_down_ms(), 1500);
    expect_given_back("0");
    service_serve(service);
    end();
}
END_TEST

START_TEST(a_second_signal_ends_it_whatever_is_pushed)
{
    begin_push((struct peer_rule){.manner = PEER_STALL}, NULL);
    service_signal(service, SIGTERM, "info stop ");
    ck_assert_int_lt(shut_down_ms(), 1500);
    ck_assert_value("1", "SELECT COUNT(*) FROM xqueue_push");
    service_serve(service);
    end();
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(a_push_that_the_grader_has_got_is_finished),
        TELL(a_push_that_takes_too_long_is_given_back),
        TELL(a_push_that_waits_for_its_grader_is_given_back_at_once),
        TELL(a_second_signal_ends_it_whatever_is_pushed),
    };
    static const struct story story = {
        .name = "stopping in mid-push",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_all = mariadb_start,
        .after_all = mariadb_stop,
        .timeout_s = 120,
    };

    return story_run(&story);
}
