/*
 * Does a long queue cost more? Five queues, of 10^2 to 10^6 waiting
 * submissions; in each the same clients submit and pull in turns, so that as
 * many wait as before, and others ask for its length. Rounds of all depths
 * take turns: what else the machine does hits all of them.
 *
 * An exponent of e means: ten times as many cost 10^e times as much.
 */
#include "tests/bench/support/bench.h"
#include "tests/bench/support/seeds.h"
#include "tests/bench/support/steps.h"
#include "tests/support/service_story.h"

#include <stdio.h>
#include <stdlib.h>

enum { DEPTHS = 5, FIRST_DEPTH = 100, PAIR_CLIENTS = 32, LENGTH_CLIENTS = 8 };

struct depth {
    char queue[24];
    double waiting;
    struct series submit_ms;
    struct series pull_ms;
    struct series length_ms;
    struct series pairs; /* a second */
};

static void name_depths(struct depth *depths, size_t count);
static void seed(struct depth *depths, size_t count);
static void measure(struct steps *steps, struct depth *depth);
static void tell(const char *name, const struct depth *depths, size_t count,
                 const struct series *(*of)(const struct depth *depth));
static void verify(const struct steps *steps);

static const struct series *submit_ms(const struct depth *depth)
{
    return &depth->submit_ms;
}

static const struct series *pull_ms(const struct depth *depth)
{
    return &depth->pull_ms;
}

static const struct series *length_ms(const struct depth *depth)
{
    return &depth->length_ms;
}

static void run(void)
{
    struct depth depths[DEPTHS] = {{.waiting = 0}};
    size_t count = bench_size(DEPTHS, 2);
    const struct db_settings *database = mariadb_database();
    struct steps *steps;

    name_depths(depths, count);
    seed(depths, count);
    own_service_begin(&(struct service_settings){
        .database = database,
        .queues = "{d0: null, d1: null, d2: null, d3: null, d4: null}",
        .more = "DB_CONNECTIONS: 8\nSUBMISSION_PROCESSING_DELAY: 60\n",
    });
    steps = steps_new(&(struct steps_settings){
        .port = service_port(service),
        .cookie = http_cookie(client, "sessionid"),
        .origin = "http://127.0.0.1:1",
        .body_bytes = 100,
    });
    for (size_t round = 0; round < bench_round_count(); round++) {
        report_progress("round %zu", round + 1);
        for (size_t i = 0; i < count; i++)
            measure(steps, &depths[round % 2 == 0 ? i : count - 1 - i]);
    }
    verify(steps);
    tell("submit", depths, count, submit_ms);
    tell("pull", depths, count, pull_ms);
    tell("get_queuelen", depths, count, length_ms);
    steps_free(steps);
    own_service_end();
}

static void name_depths(struct depth *depths, size_t count)
{
    double waiting = FIRST_DEPTH;

    for (size_t i = 0; i < count; i++) {
        snprintf(depths[i].queue, sizeof depths[i].queue, "d%zu", i);
        depths[i].waiting = waiting;
        waiting *= 10;
    }
}

static void seed(struct depth *depths, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        report_progress("%.0f submissions begin to wait", depths[i].waiting);
        seed_waiting(depths[i].queue, (size_t)depths[i].waiting, 100);
    }
}

static void measure(struct steps *steps, struct depth *depth)
{
    struct steps_result pairs = steps_run(steps, STEP_PAIR, depth->queue,
                                          PAIR_CLIENTS, bench_seconds());
    struct steps_result lengths = steps_run(
        steps, STEP_LENGTH, depth->queue, LENGTH_CLIENTS, bench_seconds() / 5);

    series_add(&depth->submit_ms, pairs.submit_ms);
    series_add(&depth->pull_ms, pairs.pull_ms);
    series_add(&depth->pairs, pairs.per_second / 2);
    series_add(&depth->length_ms, LENGTH_CLIENTS * 1e3 / lengths.per_second);
}

/* The exponent of each round, and the curve. */
static void tell(const char *name, const struct depth *depths, size_t count,
                 const struct series *(*of)(const struct depth *depth))
{
    struct series exponents = {.count = 0};
    double x[DEPTHS];
    double y[DEPTHS];

    for (size_t i = 0; i < count; i++) {
        x[i] = depths[i].waiting;
        report_point(name, "waiting submissions", x[i], "ms", of(&depths[i]));
    }
    for (size_t round = 0; round < of(&depths[0])->count; round++) {
        for (size_t i = 0; i < count; i++)
            y[i] = of(&depths[i])->values[round];
        series_add(&exponents, exponent(x, y, count));
    }
    report_value(arena_printf(scratch, "%s, exponent", name), "", &exponents,
                 AT_MOST(0.05));
}

static void verify(const struct steps *steps)
{
    long long leased = strtoll(
        mariadb_value("SELECT COUNT(*) FROM xqueue_live WHERE state = 1"), NULL,
        10);

    report_check(steps_duplicates(steps) == 0, "%lld handed out twice",
                 (long long)steps_duplicates(steps));
    report_check(leased == steps_pulled(steps),
                 "%lld leases of %lld that were handed out", leased,
                 (long long)steps_pulled(steps));
}

BENCH("depth", "a queue of 100 to a million waiting submissions", run)
