/*
 * Callbacks outlive the server and the LMS, leave from one process at a time,
 * and do not wait for an LMS that is not theirs.
 */
#include "tests/support/service_story.h"

#include "server/base/clock.h"
#include "tests/support/peer.h"
#include "tests/support/sink.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

static struct sink *lms;

static void begin(const char *more)
{
    lms = sink_start(1000);
    own_service_begin(&(struct service_settings){.more = more});
}

static void end(void)
{
    own_service_end();
    sink_stop(lms);
}

static void answer_at(const char *path, int count)
{
    for (int i = 0; i < count; i++)
        submit_and_answer(sink_url(lms, arena_printf(scratch, "%s%d", path, i)),
                          "right");
}

static void wait_until_delivered(const char *count)
{
    mariadb_wait_for_value(count, "SELECT COUNT(*) FROM queue_submission"
                                  " WHERE lms_ack = 1 AND retired = 1");
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_outbox");
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_live");
}

START_TEST(what_an_lms_missed_it_gets_when_it_is_back)
{
    begin("");
    sink_kill(lms);
    answer_at("/", 3);
    mariadb_wait_for_value("3", "SELECT COUNT(*) FROM xqueue_outbox"
                                " WHERE attempts > 0 AND owner IS NULL");
    sink_restart(lms);
    wait_until_delivered("3");
    ck_assert_uint_eq(sink_received(lms).count, 3);
    end();
}
END_TEST

START_TEST(what_waits_when_the_server_is_killed_is_delivered_by_the_next)
{
    begin("");
    sink_kill(lms);
    answer_at("/", 3);
    mariadb_wait_for_value("3", "SELECT COUNT(*) FROM xqueue_outbox"
                                " WHERE attempts > 0 AND owner IS NULL");
    service_kill(service);
    sink_restart(lms);
    service_serve(service);
    wait_until_delivered("3");
    ck_assert_uint_eq(sink_received(lms).count, 3);
    end();
}
END_TEST

START_TEST(what_nobody_tried_when_the_server_is_killed_is_delivered)
{
    begin("CALLBACK_DELAY: 2\n");
    answer_at("/", 3);
    service_kill(service);
    ck_assert_uint_eq(sink_received(lms).count, 0);
    service_serve(service);
    wait_until_delivered("3");
    ck_assert_uint_eq(sink_received(lms).count, 3);
    end();
}
END_TEST

/* Nobody knows whether the LMS took those: it gets them again. */
START_TEST(what_is_on_its_way_when_the_server_is_killed_is_sent_again)
{
    size_t under_way;

    begin("");
    answer_at("/slow/1000/", 3);
    sink_wait(lms, 3, 10000);
    service_kill(service);
    under_way = strtoul(mariadb_value("SELECT COUNT(*) FROM xqueue_outbox"
                                      " WHERE owner IS NOT NULL"),
                        NULL, 10);
    ck_assert_uint_ge(under_way, 1);
    service_serve(service);
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_outbox"
                         " WHERE due_us < UNIX_TIMESTAMP() * 1000000"
                         " + 60000000");
    /* The end of the dead server's lease. */
    mariadb_run("UPDATE xqueue_outbox SET due_us = 0");
    wait_until_delivered("3");
    ck_assert_uint_eq(sink_received(lms).count, 3 + under_way);
    end();
}
END_TEST

START_TEST(what_is_on_its_way_when_the_server_is_stopped_arrives)
{
    begin("");
    answer_at("/slow/1000/", 3);
    sink_wait(lms, 3, 10000);
    service_shut_down(service);
    wait_until_delivered("3");
    ck_assert_uint_eq(sink_received(lms).count, 3);
    service_serve(service);
    end();
}
END_TEST

static void expect_deliveries(struct service *server)
{
    ck_assert_ptr_nonnull(
        strstr(arena_string(scratch, service_log(server)), "callback req="));
}

START_TEST(two_servers_never_deliver_the_same_at_once)
{
    enum { COUNT = 60 };
    unsigned calls[COUNT] = {0};
    struct received_list received;
    struct service_settings settings = {.more = "CALLBACK_CONCURRENCY: 4\n"};
    struct service *other;

    lms = sink_start(1000);
    settings.database = mariadb_database();
    own_service_begin(&settings);
    other = service_new(&settings);
    service_serve(other);
    /* Each fails once, after a while, and is tried again later. */
    answer_at("/slow/150/fail/1/500/", COUNT);
    wait_until_delivered("60");

    received = sink_received(lms);
    ck_assert_uint_eq(received.count, 2 * COUNT);
    for (size_t i = 0; i < received.count; i++) {
        const char *path = arena_string(scratch, received.items[i].path);

        ck_assert_int_eq(received.items[i].twins, 1);
        calls[strtol(strrchr(path, '/') + 1, NULL, 10)]++;
    }
    for (size_t i = 0; i < COUNT; i++)
        ck_assert_uint_eq(calls[i], 2);
    expect_deliveries(service);
    expect_deliveries(other);
    service_stop(other);
    end();
}
END_TEST

static void reload_with(const char *more)
{
    service_set_more(service, more);
    service_signal(service, SIGHUP, "reload ");
}

/* The configuration that it began with is gone when the redirect comes. */
START_TEST(what_is_on_its_way_at_a_reload_goes_where_it_was_allowed_to)
{
    struct peer_rule rules[] = {
        {.path = "/old",
         .status = 307,
         .headers = "Location: /new\r\n",
         .delay_ms = 1500},
        {.path = "/new", .body = "ok"},
    };
    struct peer *peer = peer_start(rules, ARRAY_LENGTH(rules));

    begin("");
    reload_with("CALLBACK_ALLOWED_HOSTS: [127.0.0.1]\n");
    submit_and_answer(peer_url(peer, "/old"), "right");
    ck_assert(peer_wait(peer, 1, 10000));
    reload_with("CALLBACK_ALLOWED_HOSTS: [lms.example.org]\n");
    wait_until_delivered("1");
    ck_assert_str_eq(peer_request(peer, 1)->line, "POST /new HTTP/1.1");
    submit_and_answer(peer_url(peer, "/new"), "right");
    mariadb_wait_for_value("1", "SELECT COUNT(*) FROM queue_submission"
                                " WHERE num_failures = 1");
    ck_assert_uint_eq(peer_request_count(peer), 2);
    peer_stop(peer);
    end();
}
END_TEST

/* 100 wait for the dead one, which has nobody else's place or time. */
static void expect_no_delay_by(const char *dead_url)
{
    int64_t before_ms;

    for (int i = 0; i < 100; i++)
        submit_and_answer(arena_printf(scratch, "%s%d", dead_url, i), "right");
    mariadb_wait_for_value("1", "SELECT COUNT(*) > 0 FROM xqueue_outbox"
                                " WHERE owner IS NOT NULL");
    before_ms = clock_monotonic_ms();
    answer_at("/", 10);
    sink_wait(lms, 10, 10000);
    ck_assert_int_lt(clock_monotonic_ms() - before_ms, 4500);
}

START_TEST(an_lms_that_never_answers_does_not_hold_up_another)
{
    struct peer *dead = peer_start_one((struct peer_rule){
        .manner = PEER_STALL,
    });

    begin("");
    expect_no_delay_by(peer_url(dead, "/"));
    ck_assert_uint_le(peer_request_count(dead), 16);
    peer_stop(dead);
    end();
}
END_TEST

START_TEST(an_lms_that_cannot_be_connected_to_does_not_either)
{
    struct peer *dead = peer_start_deaf();

    begin("");
    expect_no_delay_by(peer_url(dead, "/"));
    peer_stop(dead);
    end();
}
END_TEST

/* More of them than there are connections for. */
START_TEST(neither_do_many)
{
    enum { MANY = 30 };
    struct peer *dead[MANY];

    for (int i = 0; i < MANY; i++)
        dead[i] = peer_start_one((struct peer_rule){.manner = PEER_STALL});
    begin("REQUESTS_TIMEOUT: 1\n");
    for (int i = 0; i < MANY * 12; i++)
        submit_and_answer(
            arena_printf(scratch, "%s%d", peer_url(dead[i % MANY], "/"), i),
            "right");
    answer_at("/", 10);
    sink_wait(lms, 10, 10000);
    for (int i = 0; i < MANY; i++)
        peer_stop(dead[i]);
    end();
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(what_an_lms_missed_it_gets_when_it_is_back),
        TELL(what_waits_when_the_server_is_killed_is_delivered_by_the_next),
        TELL(what_nobody_tried_when_the_server_is_killed_is_delivered),
        TELL(what_is_on_its_way_when_the_server_is_killed_is_sent_again),
        TELL(what_is_on_its_way_when_the_server_is_stopped_arrives),
        TELL(two_servers_never_deliver_the_same_at_once),
        TELL(what_is_on_its_way_at_a_reload_goes_where_it_was_allowed_to),
        TELL(an_lms_that_never_answers_does_not_hold_up_another),
        TELL(an_lms_that_cannot_be_connected_to_does_not_either),
        TELL(neither_do_many),
    };
    static const struct story story = {
        .name = "callback recovery",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_all = mariadb_start,
        .after_all = mariadb_stop,
        .timeout_s = 120,
    };

    return story_run(&story);
}
