/*
 * Whole active cycles at saturation: submitted, pulled, answered, called back,
 * with everything durable and over HTTP, beside the slowest of the three steps
 * in a bare driver loop, one durable transaction each.
 *
 * A commit is a durable transaction of the server, counted by the row that
 * each of them leaves.
 */
#include "tests/bench/support/active.h"
#include "tests/bench/support/bench.h"
#include "tests/bench/support/cost.h"
#include "tests/bench/support/raw_steps.h"
#include "tests/support/service_story.h"

enum { CONNECTIONS = 8 };

struct rounds {
    struct active active;
    struct series commits;
    struct series cpu; /* microseconds of the server, each cycle */
};

static double run_ours(void *context)
{
    struct rounds *rounds = context;
    double cpu = process_cpu_seconds(service_pid(service));
    struct cycle_result result = cycle_run(&rounds->active.load);

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
            .database = rounds->active.database,
            .step = steps[i],
            .connections = CONNECTIONS,
            .rows = 1,
            .body_bytes = ACTIVE_BODY_BYTES,
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
    struct rounds rounds = {.cpu = {.count = 0}};

    active_begin(&rounds.active, NULL);
    bench_rounds(run_ours, run_raw, &rounds, &ours, &raw);
    report_ratio("cycles, 1 KB", "/s", &ours, &raw,
                 "R1, slowest of three steps", AT_LEAST(0.5));
    report_value("durable commits of a cycle", "", &rounds.commits,
                 AT_MOST(0.3));
    report_value("CPU of the server", "us", &rounds.cpu, NO_TARGET);
    active_end(&rounds.active);
}

BENCH("cycle", "whole active cycles at saturation", run)
