/*
 * Whole active cycles at saturation: submitted, pulled, answered, called back,
 * with everything durable and over HTTP, beside the slowest of the three steps
 * in a bare driver loop, one durable transaction each.
 *
 * A commit is a durable transaction of the server, counted by the row that
 * each of them leaves.
 */
#include "tests/bench/support/bench.h"
#include "tests/bench/support/cost.h"
#include "tests/bench/support/cycle.h"
#include "tests/bench/support/raw_steps.h"
#include "tests/support/service_story.h"

enum {
    SUBMITTERS = 64,
    POLLERS = 64,
    MOST_OPEN = 1000,
    BODY_BYTES = 1024,
    REPLY_BYTES = 200,
    CONNECTIONS = 8
};

struct rounds {
    const struct db_settings *database;
    struct cycle_settings cycle;
    int64_t next_number;
    struct series commits;
    struct series cpu; /* microseconds of the server, each cycle */
};

static double run_ours(void *context)
{
    struct rounds *rounds = context;
    double cpu = process_cpu_seconds(service_pid(service));
    struct cycle_result result = cycle_run(&rounds->cycle);

    cpu = process_cpu_seconds(service_pid(service)) - cpu;
    series_add(&rounds->commits, result.commits);
    series_add(&rounds->cpu, cpu * 1e6 / (double)result.cycles);
    return result.per_second;
}

static double run_raw(void *context)
{
    static const enum raw_step steps[] = {RAW_SUBMIT, RAW_PULL, RAW_RESULT};
    const struct rounds *rounds = context;
    double slowest = 0;

    for (size_t i = 0; i < ARRAY_LENGTH(steps); i++) {
        double rate = raw_steps_run(&(struct raw_steps_settings){
            .database = rounds->database,
            .step = steps[i],
            .connections = CONNECTIONS,
            .rows = 1,
            .body_bytes = BODY_BYTES,
            .seconds = bench_seconds() / 3,
        });

        slowest = i == 0 || rate < slowest ? rate : slowest;
    }
    return slowest;
}

static void run(void)
{
    struct series ours = {.count = 0};
    struct series raw = {.count = 0};
    struct fast_lms *lms = fast_lms_start();
    struct rounds rounds = {.database = mariadb_database()};

    own_service_begin(&(struct service_settings){
        .database = rounds.database,
        .queues = "{bench: null}",
    });
    rounds.cycle = (struct cycle_settings){
        .port = service_port(service),
        .words = cycle_words_new(&(struct cycle_words_settings){
            .queue = "bench",
            .cookie = http_cookie(client, "sessionid"),
            .lms_port = fast_lms_port(lms),
            .body_bytes = BODY_BYTES,
            .reply_bytes = REPLY_BYTES,
        }),
        .lms = lms,
        .submitters = SUBMITTERS,
        .pollers = POLLERS,
        .most_open = MOST_OPEN,
        .seconds = bench_seconds(),
        .next_number = &rounds.next_number,
    };
    bench_rounds(run_ours, run_raw, &rounds, &ours, &raw);
    report_ratio("cycles, 1 KB", "/s", &ours, &raw,
                 "R1, slowest of three steps", AT_LEAST(0.5));
    report_value("durable commits of a cycle", "", &rounds.commits,
                 AT_MOST(0.3));
    report_value("CPU of the server", "us", &rounds.cpu, NO_TARGET);
    own_service_end();
    fast_lms_stop(lms);
}

BENCH("cycle", "whole active cycles at saturation", run)
