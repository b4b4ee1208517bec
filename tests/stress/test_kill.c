/*
 * The load of test_exactly_once.c while the server is killed again and again,
 * and then the database: nothing that was acknowledged is lost, nothing is in
 * two hands, and what comes twice has a reason. Some graders drop what they
 * have, or are late with it.
 *
 * 3 kills of the server and 1 of the database; with XQUEUE_STRESS=full, 20
 * and 5.
 */
#include "tests/support/backlog.h"
#include "tests/support/load.h"
#include "tests/support/service_story.h"
#include "tests/support/stress.h"

#include <stdio.h>
#include <string.h>

enum {
    CLIENTS = 64,
    SERVERS = 2,
    /*
     * 16 on their way to an LMS and 96 claimed ahead: while the database is
     * away all of them may be posted, and none recorded.
     */
    CALLBACKS = 16 + 96,
    LEASE_US = 3000000, /* 0.05 minutes */
    DELIVERY_LEASE_S = 105,
    MOST_OPEN = 1000,
    MOST_RECEIVED = 500000
};

static struct service *servers[SERVERS];
static size_t server_count;
static struct history *history;
static struct sink *sink;
static struct load *load;
static char last_kill[32]; /* by the database's clock */

static int times(int few, int many)
{
    return stress_is_full() ? many : few;
}

static void start_servers(size_t count)
{
    const struct db_settings *database = mariadb_database();

    add_user("lms");
    server_count = count;
    for (size_t i = 0; i < count; i++) {
        servers[i] = service_new(&(struct service_settings){
            .database = database,
            .more = "SUBMISSION_PROCESSING_DELAY: 0.05\nMAX_ATTEMPTS: 1000\n",
        });
        service_serve(servers[i]);
    }
}

static void begin(size_t count)
{
    uint16_t ports[SERVERS] = {0};

    db_library_start();
    history = history_new("test-pull");
    sink = sink_start(MOST_RECEIVED);
    start_servers(count);
    for (size_t i = 0; i < count; i++)
        ports[i] = service_port(servers[i]);
    client = http_client_new(ports[0]);
    log_in(client);
    load = load_start(&(struct load_settings){
        .history = history,
        .cookie = http_cookie(client, "sessionid"),
        .origin = sink_url(sink, ""),
        .ports = ports,
        .port_count = count,
        .submitters = CLIENTS,
        .pollers = CLIENTS,
        .most_open = MOST_OPEN,
        .drop_every = (size_t)times(6, 20),
        .late_every = (size_t)times(7, 27),
        .late_ms = LEASE_US / 1000 + 500,
    });
}

static void end(void)
{
    history_free(history);
    http_client_free(client);
    for (size_t i = 0; i < server_count; i++)
        service_stop(servers[i]);
    sink_stop(sink);
    db_library_stop();
}

/* A part of all is served by what is there now. */
static void wait_for_progress(void)
{
    int64_t submits = history_count(history, EVENT_SUBMIT, OUTCOME_OK);
    int64_t results = history_count(history, EVENT_PUT, OUTCOME_OK);

    load_wait_for_submits(load, submits + times(100, 20000 / 26));
    load_wait_for_results(load, results + 50);
    stress_wait_up_to(300);
}

static void kill_servers(int count)
{
    for (int i = 0; i < count; i++) {
        struct service *victim = servers[(size_t)i % server_count];

        wait_for_progress();
        service_kill(victim);
        history_add_kill(history);
        snprintf(last_kill, sizeof last_kill, "%s",
                 mariadb_value("SELECT CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000"
                               " AS SIGNED)"));
        service_serve(victim);
    }
}

static void kill_database(int count)
{
    for (int i = 0; i < count; i++) {
        wait_for_progress();
        mariadb_kill();
        stress_wait_up_to(500);
        mariadb_restart();
    }
    wait_for_progress();
}

/*
 * What a killed server was delivering is due again when its lease ends. That
 * is now; of the servers that live nothing is touched.
 */
static void end_leases_of_the_dead(void)
{
    const char *orphans = mariadb_value(
        "SELECT GROUP_CONCAT(seq) FROM xqueue_outbox WHERE owner IS NOT NULL"
        " AND due_us < %s + %d * 1000000",
        last_kill, DELIVERY_LEASE_S);

    if (strcmp(orphans, "NULL") != 0)
        mariadb_run("UPDATE xqueue_outbox SET due_us = 0 WHERE seq IN (%s)",
                    orphans);
}

/* Everything that was stored is graded and told. */
static void drain(void)
{
    load_end_submits(load);
    backlog_wait("SELECT COUNT(*) FROM xqueue_live WHERE state IN (0, 1)");
    end_leases_of_the_dead();
    backlog_wait("SELECT COUNT(*) FROM xqueue_live");
    load_end(load);
}

static void check(int kills, int database_kills)
{
    struct history_counts counts;

    stress_expect_no_problems(history_check(history,
                                            &(struct history_facts){
                                                .origin = sink_url(sink, ""),
                                                .received = sink_received(sink),
                                                .lease_us = LEASE_US,
                                                .deliveries_at_once = CALLBACKS,
                                                .has_faults = true,
                                            },
                                            &counts));
    stress_expect_no_problems(history_check_database(history));
    printf("%d kills of %zu servers, %d of the database: %lld submissions"
           " acknowledged, none lost; of %lld unknown ones %lld were stored;"
           " %lld leased again, %lld told again\n",
           kills, server_count, database_kills, (long long)counts.submitted,
           (long long)counts.unknown, (long long)counts.recovered,
           (long long)counts.pulled_again, (long long)counts.received_again);
}

static void survive(size_t count, int kills, int database_kills)
{
    begin(count);
    kill_servers(kills);
    kill_database(database_kills);
    drain();
    check(kills, database_kills);
    end();
}

START_TEST(nothing_is_lost_when_the_server_and_the_database_are_killed)
{
    survive(1, times(3, 20), times(1, 5));
}
END_TEST

START_TEST(nor_when_one_of_two_servers_is_killed_while_the_other_goes_on)
{
    survive(2, times(2, 20), times(1, 5));
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(nothing_is_lost_when_the_server_and_the_database_are_killed),
        TELL(nor_when_one_of_two_servers_is_killed_while_the_other_goes_on),
    };
    static const struct story story = {
        .name = "kill",
        .tests = tests,
        .count = ARRAY_LENGTH(tests),
        .before_all = mariadb_start_own,
        .after_all = mariadb_stop,
        .timeout_s = 600,
    };

    return story_run(&story);
}
