/*
 * A server that dies in the middle of a push, and a database that goes away:
 * every submission is graded, and every grade that came is delivered.
 */
#include "tests/support/push_story.h"

#include <signal.h>
#include <stdio.h>

static struct sink *lms;
static struct peer *grader;

static void begin(const struct peer_rule *rules, size_t count)
{
    char queues[200];

    grader = peer_start(rules, count);
    lms = sink_start(0);
    snprintf(queues, sizeof queues, "{q: '%s'}", peer_url(grader, "/"));
    own_service_begin(&(struct service_settings){
        .database = mariadb_database(),
        .queues = queues,
    });
    push_submit("q", sink_url(lms, "/"), "body");
    ck_assert(peer_wait(grader, 1, 10000));
}

static void end(void)
{
    own_service_end();
    sink_stop(lms);
    peer_stop(grader);
}

START_TEST(what_a_killed_server_was_pushing_is_pushed_again)
{
    const struct peer_rule rules[] = {
        {.times = 1, .manner = PEER_STALL},
        {.body = "right"},
    };

    begin(rules, ARRAY_LENGTH(rules));
    service_kill(service);
    ck_assert_value("1", "SELECT expires_us > 1000000 * UNIX_TIMESTAMP() AND"
                         " state = 1 FROM xqueue_live");
    service_serve(service);
    /* Now the lease ends. */
    mariadb_run("UPDATE xqueue_live SET expires_us = 1");
    mariadb_run("UPDATE xqueue_push SET expires_us = 1");
    push_expect_result(lms, "q", "right");
    ck_assert_uint_eq(peer_request_count(grader), 2);
    ck_assert(text_equal(peer_request(grader, 0)->body,
                         peer_request(grader, 1)->body));
    end();
}
END_TEST

START_TEST(a_grade_waits_for_a_database_that_is_away)
{
    const struct peer_rule rule = {.body = "right", .delay_ms = 1000};

    begin(&rule, 1);
    mariadb_kill();
    service_wait_for_log(service, "push_unrecorded");
    mariadb_restart();
    push_expect_result(lms, "q", "right");
    ck_assert_uint_eq(peer_request_count(grader), 1);
    end();
}
END_TEST

/* Somebody else may be pushing it by then. */
START_TEST(a_server_that_slept_past_its_lease_does_not_send_what_it_had)
{
    char queues[200];

    grader = peer_start(NULL, 0);
    snprintf(queues, sizeof queues, "{q: '%s'}", peer_url(grader, "/"));
    peer_stop(grader);
    lms = sink_start(0);
    own_service_begin(&(struct service_settings){
        .database = mariadb_database(),
        .queues = queues,
        .more = "PUSH_RETRY_SECONDS: 2\nGRADING_TIMEOUT: 0.1",
    });
    push_submit("q", sink_url(lms, "/"), "body");
    service_wait_for_log(service, "tries=1 status=0 ms=");
    kill(service_pid(service), SIGSTOP);
    mariadb_wait_for_value("1", "SELECT expires_us < 1000000 *"
                                " UNIX_TIMESTAMP() FROM xqueue_live");
    kill(service_pid(service), SIGCONT);
    service_wait_for_log(service, "reason=\"not sent any more\"");
    push_expect_failure(lms, "q");
    own_service_end();
    sink_stop(lms);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(what_a_killed_server_was_pushing_is_pushed_again),
        TELL(a_grade_waits_for_a_database_that_is_away),
        TELL(a_server_that_slept_past_its_lease_does_not_send_what_it_had),
    };
    static const struct story story = {
        .name = "pushes and what may fail",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_all = mariadb_start_own,
        .after_all = mariadb_stop,
        .timeout_s = 120,
    };

    return story_run(&story);
}
