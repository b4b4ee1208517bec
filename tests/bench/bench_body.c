/*
 * Whole active cycles with bodies of 1 KB, 64 KB and 1 MB, beside a bare
 * driver loop that stores such a body, one in a durable transaction.
 */
#include "tests/bench/support/bench.h"
#include "tests/bench/support/cost.h"
#include "tests/bench/support/cycle.h"
#include "tests/bench/support/raw_steps.h"
#include "tests/support/service_story.h"

enum { REPLY_BYTES = 200, CONNECTIONS = 8 };

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
    const struct db_settings *database;
    const struct size *size;
    struct cycle_settings cycle;
};

static double run_ours(void *context)
{
    struct rounds *rounds = context;

    return cycle_run(&rounds->cycle).per_second;
}

static double run_raw(void *context)
{
    const struct rounds *rounds = context;

    return raw_steps_run(&(struct raw_steps_settings){
        .database = rounds->database,
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
    struct series ours = {.count = 0};
    struct series raw = {.count = 0};
    struct cycle_words *words = cycle_words_new(&(struct cycle_words_settings){
        .queue = "bench",
        .cookie = http_cookie(client, "sessionid"),
        .lms_port = fast_lms_port(rounds->cycle.lms),
        .body_bytes = size->bytes,
        .reply_bytes = REPLY_BYTES,
    });

    rounds->cycle.words = words;
    rounds->cycle.submitters = size->clients;
    rounds->cycle.pollers = size->clients;
    rounds->cycle.most_open = size->most_open;
    bench_rounds(run_ours, run_raw, rounds, &ours, &raw);
    report_ratio(size->name, "/s", &ours, &raw, "R1, submit", NO_TARGET);
    report_point("cycle", "bytes of a body", (double)size->bytes, "/s", &ours);
    cycle_words_free(words);
}

static void run(void)
{
    struct fast_lms *lms = fast_lms_start();
    int64_t next_number = 0;
    struct rounds rounds = {.database = mariadb_database()};

    own_service_begin(&(struct service_settings){
        .database = rounds.database,
        .queues = "{bench: null}",
    });
    rounds.cycle = (struct cycle_settings){
        .port = service_port(service),
        .lms = lms,
        .seconds = bench_seconds(),
        .next_number = &next_number,
    };
    for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
        rounds.size = &sizes[i];
        report_progress("%s", sizes[i].name);
        run_size(&rounds);
    }
    own_service_end();
    fast_lms_stop(lms);
}

BENCH("body", "whole active cycles by the size of a body", run)
