/*
 * Whole active cycles with bodies of 1 KB, 64 KB and 1 MB, beside a bare
 * driver loop that stores such a body, one in a durable transaction.
 */
#include "tests/bench/support/active.h"
#include "tests/bench/support/bench.h"
#include "tests/bench/support/raw_steps.h"

enum { CONNECTIONS = 8 };

static const struct size {
    const char *name;
    size_t bytes;
    size_t clients; /* that submit, and as many that pull */
    int64_t most_open;
} sizes[] = {
    {"1 KB", 1024, 64, 1000},
    {"64 KB", (size_t)64 * 1024, 32, 200},
    {"1 MB", (size_t)1024 * 1024, 8, 32},
};

struct rounds {
    const struct size *size;
    struct active active;
};

static double run_ours(void *context)
{
    struct rounds *rounds = context;

    return cycle_run(&rounds->active.load).per_second;
}

static double run_raw(void *context)
{
    const struct rounds *rounds = context;

    return raw_steps_run(&(struct raw_steps_settings){
        .database = rounds->active.database,
        .step = RAW_SUBMIT,
        .connections = CONNECTIONS,
        .rows = 1,
        .body_bytes = rounds->size->bytes,
        .seconds = bench_seconds() / 2,
    });
}

static void run_size(struct rounds *rounds)
{
    const struct size *size = rounds->size;
    struct cycle_settings *load = &rounds->active.load;
    struct series ours = {.count = 0};
    struct series raw = {.count = 0};

    active_set_body_bytes(&rounds->active, size->bytes);
    load->submitters = size->clients;
    load->pollers = size->clients;
    load->most_open = size->most_open;
    bench_rounds(run_ours, run_raw, rounds, &ours, &raw);
    report_ratio(size->name, "/s", &ours, &raw, "R1, submit", NO_TARGET);
    report_point("cycle", "KB of a body", (double)size->bytes / 1024, "/s",
                 &ours);
}

static void run(void)
{
    struct rounds rounds;

    active_begin(&rounds.active, NULL);
    for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
        rounds.size = &sizes[i];
        report_progress("%s", sizes[i].name);
        run_size(&rounds);
    }
    active_end(&rounds.active);
}

BENCH("body", "whole active cycles by the size of a body", run)
