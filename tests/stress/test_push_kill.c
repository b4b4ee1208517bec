/*
 * Submissions that are pushed to a passive grader while the server is killed
 * again and again: each is graded, has one result, and is told to the LMS;
 * what comes twice was under way at a kill.
 *
 * 600 submissions and 3 kills; with XQUEUE_STRESS=full, 10,000 and 20.
 */
#include "tests/support/backlog.h"
#include "tests/support/load.h"
#include "tests/support/service_story.h"
#include "tests/support/stress.h"

#include <stdio.h>

enum {
    CLIENTS = 8,
    PAUSE_MS = 8, /* the queue is neither empty nor long */
    CONCURRENCY = 16,
    PUSHES = CONCURRENCY + 96, /* answered ones, whose grades are not stored */
    CALLBACKS = 16 + 96,       /* see test_kill.c */
    MOST_RECEIVED = 100000,
    STALL_MS = 60000,
    NATURAL = 10 /* of so many kills one has its pushes' leases end in time */
};

/*
 * With nobody alive all leases are the dead one's: they end now. Those of
 * callbacks always, which would last longer than anybody waits here.
 */
static void end_leases(bool is_natural)
{
    mariadb_run("UPDATE xqueue_outbox SET due_us = 0 WHERE owner IS NOT NULL");
    if (is_natural)
        return;
    mariadb_run("UPDATE xqueue_live SET expires_us = 1 WHERE state = 1");
    mariadb_run("UPDATE xqueue_push SET expires_us = 1");
}

/* `came`: to the grader, before the kill. */
static void kill_server(struct history *history, struct grader *grader,
                        int64_t came, bool is_natural)
{
    (void)grader_wait(grader, came, came, STALL_MS);
    stress_wait_up_to(100);
    service_kill(service);
    history_add_kill(history);
    end_leases(is_natural);
    service_serve(service);
}

static void check(struct history *history, struct grader *grader,
                  struct sink *sink, int64_t wanted)
{
    struct history_counts counts;

    stress_expect_no_problems(history_check(history,
                                            &(struct history_facts){
                                                .origin = sink_url(sink, ""),
                                                .received = sink_received(sink),
                                                .deliveries_at_once = CALLBACKS,
                                                .graded = grader_graded(grader),
                                                .pushes_at_once = PUSHES,
                                                .has_faults = true,
                                            },
                                            &counts));
    stress_expect_no_problems(history_check_database(history));
    printf("%lld submissions acknowledged, none lost; of %lld unknown ones"
           " %lld were stored; %lld pushed again, %lld told again\n",
           (long long)counts.submitted, (long long)counts.unknown,
           (long long)counts.recovered, (long long)counts.graded_again,
           (long long)counts.received_again);
    ck_assert_int_ge(counts.submitted + counts.unknown, wanted);
}

/* Leases of 1 + 2 * 5 + 15 seconds; see end_leases(). */
static void serve(struct grader *grader)
{
    const char *url = grader_url(grader, 0, "/slow/15/grade");
    char queues[200];

    snprintf(queues, sizeof queues, "{test-push: {url: '%s', concurrency: %d}}",
             url, CONCURRENCY);
    own_service_begin(&(struct service_settings){
        .queues = queues,
        .more = "PUSH_RETRY_SECONDS: 1\nGRADING_TIMEOUT: 5\n"
                "MAX_ATTEMPTS: 1000\n",
    });
}

START_TEST(pushes_survive_the_kills_of_their_server)
{
    int64_t wanted = stress_is_full() ? 10000 : 600;
    int kills = stress_is_full() ? 20 : 3;
    struct history *history = history_new_pushed("test-push");
    struct grader *grader = grader_start(MOST_RECEIVED, 1);
    struct sink *sink = sink_start(MOST_RECEIVED);
    struct load *load;
    uint16_t port;

    serve(grader);
    port = service_port(service);
    load = load_start(&(struct load_settings){
        .history = history,
        .cookie = http_cookie(client, "sessionid"),
        .origin = sink_url(sink, ""),
        .ports = &port,
        .port_count = 1,
        .submitters = CLIENTS,
        .enough = wanted,
        .pause_ms = PAUSE_MS,
    });
    for (int i = 0; i < kills; i++)
        kill_server(history, grader, wanted * (i + 1) / (kills + 1),
                    stress_is_full() && i % NATURAL == NATURAL - 1);
    load_wait_for_enough(load);
    backlog_wait("SELECT COUNT(*) FROM xqueue_live WHERE state IN (0, 1)");
    backlog_wait("SELECT COUNT(*) FROM xqueue_live");
    load_end(load);
    printf("%d kills: ", kills);
    check(history, grader, sink, wanted);
    history_free(history);
    own_service_end();
    sink_stop(sink);
    grader_stop(grader);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(pushes_survive_the_kills_of_their_server),
    };
    static const struct story story = {
        .name = "push kill",
        .tests = tests,
        .count = ARRAY_LENGTH(tests),
        .before_all = mariadb_start_own,
        .after_all = mariadb_stop,
        .timeout_s = 580,
    };

    return story_run(&story);
}
