/*
 * Pollers of one queue in which plenty waits, 1 KB each, from one poller to
 * 512. Nothing is handed out twice. The baseline is a bare loop over as many
 * connections to the database as the server has.
 */
#include "tests/bench/support/bench.h"
#include "tests/bench/support/raw_steps.h"
#include "tests/bench/support/seeds.h"
#include "tests/bench/support/steps.h"
#include "tests/support/service_story.h"

#include <stdlib.h>

enum { CONNECTIONS = 8, BODY_BYTES = 1024, ENOUGH_PER_SECOND = 30000 };

static const size_t pollers[] = {1, 8, 64, 512};
enum { LEVELS = ARRAY_LENGTH(pollers) };

static double run_ours(struct steps *steps, size_t count);
static double run_raw(const struct db_settings *database);
static void tell(const struct series *ours, const struct series *raw);
static void verify(const struct steps *steps);

static void run(void)
{
    struct series ours[LEVELS] = {{.count = 0}};
    struct series raw = {.count = 0};
    const struct db_settings *database = mariadb_database();
    struct steps *steps;

    own_service_begin(&(struct service_settings){
        .database = database,
        .queues = "{bench: null}",
        .more = "DB_CONNECTIONS: 8\nSUBMISSION_PROCESSING_DELAY: 60\n",
    });
    steps = steps_new(&(struct steps_settings){
        .port = service_port(service),
        .cookie = http_cookie(client, "sessionid"),
        .origin = "http://127.0.0.1:1",
        .body_bytes = BODY_BYTES,
    });
    for (size_t round = 0; round < bench_round_count(); round++) {
        report_progress("round %zu", round + 1);
        for (size_t i = 0; i < LEVELS; i++) {
            size_t level = round % 2 == 0 ? i : LEVELS - 1 - i;

            series_add(&ours[level], run_ours(steps, pollers[level]));
        }
        series_add(&raw, run_raw(database));
    }
    verify(steps);
    tell(ours, &raw);
    steps_free(steps);
    own_service_end();
}

static double run_ours(struct steps *steps, size_t count)
{
    struct steps_result result;

    seed_waiting_up_to("bench", (size_t)(bench_seconds() * ENOUGH_PER_SECOND),
                       BODY_BYTES);
    result = steps_run(steps, STEP_PULL, "bench", count, bench_seconds());
    report_check(result.empty == 0, "%lld pulls found nothing",
                 (long long)result.empty);
    return result.per_second;
}

static double run_raw(const struct db_settings *database)
{
    return raw_steps_run(&(struct raw_steps_settings){
        .database = database,
        .step = RAW_PULL,
        .connections = CONNECTIONS,
        .rows = 1,
        .body_bytes = BODY_BYTES,
        .seconds = bench_seconds(),
    });
}

static void tell(const struct series *ours, const struct series *raw)
{
    const struct series *peak = &ours[0];

    for (size_t i = 0; i < LEVELS; i++) {
        report_ratio(arena_printf(scratch, "%zu poller%s", pollers[i],
                                  pollers[i] == 1 ? "" : "s"),
                     "/s", &ours[i], raw, "R1, 8 connections", NO_TARGET);
        report_point("pull", "pollers", (double)pollers[i], "/s", &ours[i]);
        if (series_median(&ours[i]) > series_median(peak))
            peak = &ours[i];
    }
    report_ratio("512 pollers", "/s", &ours[LEVELS - 1], peak,
                 "the best number of pollers", AT_LEAST(0.9));
}

/* What was handed out is leased, each to one poller. */
static void verify(const struct steps *steps)
{
    long long leased =
        strtoll(mariadb_value("SELECT COUNT(*) FROM xqueue_live WHERE state = 1"
                              " AND attempts = 1"),
                NULL, 10);

    report_check(steps_duplicates(steps) == 0, "%lld handed out twice",
                 (long long)steps_duplicates(steps));
    report_check(leased == steps_pulled(steps),
                 "%lld leases of %lld that were handed out", leased,
                 (long long)steps_pulled(steps));
}

BENCH("pull", "one to 512 pollers of one queue, 1 KB", run)
