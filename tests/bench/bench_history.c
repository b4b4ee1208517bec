/*
 * Do finished submissions cost anything? All three steps with 10^5 to 10^7
 * finished ones in the table (BENCH_HISTORY says how many at most; ten million
 * take minutes to make), and a buffer pool of about a twentieth of a million.
 *
 * An exponent of e means: ten times as many cost 10^e times as much.
 */
#include "tests/bench/support/bench.h"
#include "tests/bench/support/cost.h"
#include "tests/bench/support/peers.h"
#include "tests/bench/support/seeds.h"
#include "tests/bench/support/steps.h"
#include "tests/support/service_story.h"

#include <stdio.h>
#include <stdlib.h>

enum { SIZES = 3, CLIENTS = 32, STEPS = 3 };

static const enum step order[STEPS] = {STEP_SUBMIT, STEP_PULL, STEP_RESULT};
static const char *const names[STEPS] = {"submit", "pull", "put_result"};

struct size {
    double finished;
    struct series ms[STEPS];    /* of a request */
    struct series reads[STEPS]; /* pages from the disk, of a request */
};

static size_t choose_sizes(struct size *sizes);
static void measure(struct steps *steps, struct size *size);
static void measure_step(struct steps *steps, size_t step, struct size *size);
static void wait_until_at_rest(void);
static void tell(size_t step, struct size *sizes, size_t count);

static void run(void)
{
    struct size sizes[SIZES] = {{.finished = 0}};
    size_t count = choose_sizes(sizes);
    const struct db_settings *database = mariadb_database();
    struct fast_lms *lms = fast_lms_start();
    struct steps *steps;
    char origin[64];

    snprintf(origin, sizeof origin, "http://127.0.0.1:%u",
             (unsigned)fast_lms_port(lms));
    own_service_begin(&(struct service_settings){
        .database = database,
        .queues = "{bench: null}",
        .more = "DB_CONNECTIONS: 8\nCALLBACK_DELAY: 0\n"
                "SUBMISSION_PROCESSING_DELAY: 60\n",
    });
    steps = steps_new(&(struct steps_settings){
        .port = service_port(service),
        .cookie = http_cookie(client, "sessionid"),
        .origin = origin,
        .is_scattered = true,
        .body_bytes = 100,
    });
    for (size_t i = 0; i < count; i++) {
        report_progress("up to %.0f finished submissions", sizes[i].finished);
        seed_history((size_t)sizes[i].finished, origin);
        for (size_t round = 0; round < bench_round_count(); round++)
            measure(steps, &sizes[i]);
    }
    report_check(steps_duplicates(steps) == 0, "%lld handed out twice",
                 (long long)steps_duplicates(steps));
    for (size_t step = 0; step < STEPS; step++)
        tell(step, sizes, count);
    steps_free(steps);
    own_service_end();
    fast_lms_stop(lms);
}

static size_t choose_sizes(struct size *sizes)
{
    double most = bench_setting("BENCH_HISTORY", bench_is_short() ? 2e4 : 1e7);
    size_t count = 0;

    for (double finished = bench_is_short() ? 2e3 : 1e5;
         finished <= most && count < SIZES; finished *= 10)
        sizes[count++].finished = finished;
    return count;
}

static void measure(struct steps *steps, struct size *size)
{
    for (size_t step = 0; step < STEPS; step++)
        measure_step(steps, step, size);
}

static void measure_step(struct steps *steps, size_t step, struct size *size)
{
    double seconds = bench_seconds() / 2;
    struct steps_result result;
    int64_t reads;

    wait_until_at_rest();
    reads = database_counter("Innodb_buffer_pool_reads");
    result = steps_run(steps, order[step], "bench", CLIENTS, seconds);
    reads = database_counter("Innodb_buffer_pool_reads") - reads;
    series_add(&size->ms[step], CLIENTS * 1e3 / result.per_second);
    series_add(&size->reads[step],
               (double)reads / (result.per_second * seconds));
}

/* What a step leaves to be done later is not the next one's cost. */
static void wait_until_at_rest(void)
{
    mariadb_wait_for_value("0", "SELECT COUNT(*) FROM xqueue_outbox");
    database_wait_for_purge();
}

/* The exponents of all rounds, and the curve. */
static void tell(size_t step, struct size *sizes, size_t count)
{
    struct series exponents = {.count = 0};
    double x[SIZES];
    double y[SIZES];

    for (size_t i = 0; i < count; i++) {
        x[i] = sizes[i].finished;
        report_point(names[step], "finished submissions", x[i], "ms",
                     &sizes[i].ms[step]);
        report_value(arena_printf(scratch, "%s, pages read, %.0e finished",
                                  names[step], x[i]),
                     "", &sizes[i].reads[step], NO_TARGET);
    }
    for (size_t round = 0; round < sizes[0].ms[step].count; round++) {
        for (size_t i = 0; i < count; i++)
            y[i] = sizes[i].ms[step].values[round];
        series_add(&exponents, exponent(x, y, count));
    }
    report_value(arena_printf(scratch, "%s, exponent", names[step]), "",
                 &exponents, AT_MOST(0.03));
}

int main(void)
{
    static const char *const small_pool[] = {"--innodb-buffer-pool-size=32M",
                                             NULL};
    static const struct bench bench = {
        .name = "history",
        .what = "finished submissions that nobody needs any more",
        .run = run,
        .database = small_pool,
    };

    return bench_main(&bench);
}
