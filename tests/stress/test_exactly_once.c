/*
 * 64 submitters and 64 pollers at once: every submission is handed out
 * exactly once, and every result arrives exactly once, as it was put.
 *
 * 2,000 submissions; with XQUEUE_STRESS=full, 20,000.
 */
#include "tests/support/load.h"
#include "tests/support/service_story.h"
#include "tests/support/stress.h"

#include "server/base/clock.h"

#include <stdio.h>

enum { CLIENTS = 64, CALLBACKS = 16, LEASE_MIN = 10 };

static int64_t wanted(void)
{
    return stress_is_full() ? 20000 : 2000;
}

/* Also the submits that were under way when it was enough. */
static void drain(struct history *history, struct load *load, struct sink *sink,
                  int64_t *ret_answered_ms)
{
    load_end_submits(load);
    load_wait_for_results(load,
                          history_count(history, EVENT_SUBMIT, OUTCOME_OK));
    *ret_answered_ms = clock_monotonic_ms();
    sink_wait(sink, history_count(history, EVENT_SUBMIT, OUTCOME_OK), 300000);
    mariadb_wait_for_value("0", "SELECT COUNT(*) FROM xqueue_live");
    load_end(load);
}

static void check(struct history *history, struct sink *sink)
{
    struct history_counts counts;

    stress_expect_no_problems(
        history_check(history,
                      &(struct history_facts){
                          .origin = sink_url(sink, ""),
                          .received = sink_received(sink),
                          .lease_us = LEASE_MIN * INT64_C(60000000),
                          .deliveries_at_once = CALLBACKS,
                      },
                      &counts));
    stress_expect_no_problems(history_check_database(history));
    ck_assert_int_ge(counts.submitted, wanted());
    ck_assert_int_eq(counts.pulled_again, 0);
    ck_assert_int_eq(counts.received_again, 0);
}

static double rate(int64_t count, int64_t from_ms, int64_t to_ms)
{
    return (double)count * 1000 / (double)(to_ms - from_ms);
}

START_TEST(everything_is_handed_out_once_and_delivered_once)
{
    struct history *history = history_new("test-pull");
    struct sink *sink = sink_start((size_t)wanted() * 2);
    uint16_t port = service_port(service);
    struct load *load;
    int64_t begin_ms;
    int64_t submitted_ms;
    int64_t answered_ms;
    int64_t count;

    log_in(client);
    begin_ms = clock_monotonic_ms();
    load = load_start(&(struct load_settings){
        .history = history,
        .cookie = http_cookie(client, "sessionid"),
        .origin = sink_url(sink, ""),
        .ports = &port,
        .port_count = 1,
        .submitters = CLIENTS,
        .pollers = CLIENTS,
    });
    load_wait_for_submits(load, wanted());
    submitted_ms = clock_monotonic_ms();
    drain(history, load, sink, &answered_ms);
    count = history_count(history, EVENT_SUBMIT, OUTCOME_OK);
    printf("%lld submissions: %.0f/s submitted, %.0f/s graded too, %.0f/s"
           " told to the LMS too\n",
           (long long)count, rate(count, begin_ms, submitted_ms),
           rate(count, begin_ms, answered_ms),
           rate(count, begin_ms, clock_monotonic_ms()));
    check(history, sink);
    history_free(history);
    sink_stop(sink);
}
END_TEST

int main(void)
{
    static const struct service_settings settings = {
        .more = "SUBMISSION_PROCESSING_DELAY: 10\n",
    };
    static const struct story_test tests[] = {
        TELL(everything_is_handed_out_once_and_delivered_once),
    };
    static const struct story story = {
        .name = "exactly once",
        .tests = tests,
        .count = ARRAY_LENGTH(tests),
        .timeout_s = 600,
    };

    return service_story_run(&story, &settings);
}
