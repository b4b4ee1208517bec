/*
 * An LMS that is down or overloaded is left alone, costs next to nothing, and
 * gets all that it missed as soon as it is back.
 */
#include "tests/support/service_story.h"

#include "server/base/clock.h"
#include "tests/support/peer.h"
#include "tests/support/sink.h"

#include <stdlib.h>
#include <string.h>

static struct sink *lms;

static void begin(void)
{
    lms = sink_start(1000);
    own_service_begin(&(struct service_settings){.more = ""});
}

static void end(void)
{
    own_service_end();
    sink_stop(lms);
}

static void answer_at(const char *url, int count)
{
    for (int i = 0; i < count; i++)
        submit_and_answer(arena_printf(scratch, "%s%d", url, i), "right");
}

static void wait_for_breaker(uint16_t port, const char *state)
{
    const char *words = arena_printf(
        scratch, "breaker of=callbacks lane=http://127.0.0.1:%u state=%s",
        (unsigned)port, state);

    service_wait_for_log(service, words);
}

static void expect_nothing_left(void)
{
    mariadb_wait_for_value("0", "SELECT COUNT(*) FROM xqueue_outbox");
}

START_TEST(an_lms_that_was_dead_gets_all_within_seconds_when_it_is_back)
{
    enum { COUNT = 300 };
    struct received_list received;

    begin();
    sink_kill(lms);
    answer_at(sink_url(lms, "/"), COUNT);
    wait_for_breaker(sink_port(lms), "open");
    sink_restart(lms);
    received = sink_wait(lms, COUNT, 80000);
    ck_assert_uint_eq(received.count, COUNT);
    ck_assert_int_lt(received.items[COUNT - 1].at_us - received.items[0].at_us,
                     5000000);
    wait_for_breaker(sink_port(lms), "closed");
    expect_nothing_left();
    /* Those that the server found out with, and no others. */
    ck_assert_value("1", "SELECT COUNT(*) >= 290 FROM queue_submission"
                         " WHERE lms_ack = 1 AND num_failures = 0");
    ck_assert_value("1", "SELECT MAX(num_failures) <= 2"
                         " FROM queue_submission");
    end();
}
END_TEST

/* In the eight seconds there is one probe, two at most. */
START_TEST(a_dead_lms_is_asked_by_few)
{
    struct peer *peer = peer_start_one((struct peer_rule){
        .manner = PEER_CUT,
    });
    uint16_t port = peer_port(peer);
    size_t asked;

    begin();
    answer_at(peer_url(peer, "/"), 50);
    wait_for_breaker(port, "open");
    asked = peer_request_count(peer);
    ck_assert_uint_ge(asked, 5);
    ck_assert_uint_le(asked, 6);
    wait_for_breaker(port, "open");
    ck_assert_uint_le(peer_request_count(peer), asked + 2);
    ck_assert_value("1", "SELECT COUNT(*) >= 40 FROM xqueue_outbox"
                         " WHERE attempts = 0 AND owner IS NULL"
                         " AND due_us < UNIX_TIMESTAMP() * 1000000");
    peer_stop(peer);
    end();
}
END_TEST

START_TEST(an_lms_that_asks_for_time_gets_it)
{
    struct peer_rule rules[] = {
        {.times = 1, .status = 503, .headers = "Retry-After: 3\r\n"},
        {.body = "ok"},
    };
    struct peer *peer = peer_start(rules, ARRAY_LENGTH(rules));
    int64_t before_ms;

    begin();
    answer_at(peer_url(peer, "/"), 1);
    ck_assert(peer_wait(peer, 1, 10000));
    before_ms = clock_monotonic_ms();
    answer_at(peer_url(peer, "/more/"), 10);
    ck_assert(peer_wait(peer, 2, 10000));
    ck_assert_int_ge(clock_monotonic_ms() - before_ms, 2500);
    ck_assert(peer_wait(peer, 12, 5000));
    expect_nothing_left();
    ck_assert_value("1", "SELECT SUM(num_failures) FROM queue_submission");
    peer_stop(peer);
    end();
}
END_TEST

/* What an LMS refuses says nothing of the others. */
START_TEST(an_lms_that_answers_is_well_whatever_it_says)
{
    static const char *const statuses[] = {"400", "404", "500", "501"};

    begin();
    for (size_t i = 0; i < ARRAY_LENGTH(statuses); i++)
        answer_at(
            sink_url(lms, arena_printf(scratch, "/status/%s/", statuses[i])),
            5);
    answer_at(sink_url(lms, "/"), 10);
    mariadb_wait_for_value("10", "SELECT COUNT(*) FROM queue_submission"
                                 " WHERE lms_ack = 1");
    ck_assert_ptr_null(
        strstr(arena_string(scratch, service_log(service)), "breaker"));
    end();
}
END_TEST

START_TEST(an_overloaded_lms_is_not_well)
{
    static const char *const statuses[] = {"429", "502", "503", "504", "503"};

    begin();
    for (size_t i = 0; i < ARRAY_LENGTH(statuses); i++)
        answer_at(
            sink_url(lms, arena_printf(scratch, "/status/%s/", statuses[i])),
            1);
    wait_for_breaker(sink_port(lms), "open");
    end();
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(an_lms_that_was_dead_gets_all_within_seconds_when_it_is_back),
        TELL(a_dead_lms_is_asked_by_few),
        TELL(an_lms_that_asks_for_time_gets_it),
        TELL(an_lms_that_answers_is_well_whatever_it_says),
        TELL(an_overloaded_lms_is_not_well),
    };
    static const struct story story = {
        .name = "callback breaker",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_all = mariadb_start,
        .after_all = mariadb_stop,
        .timeout_s = 120,
    };

    return story_run(&story);
}
