/*
 * Do large uploads harm the others, and what memory do they take? 32 clients
 * upload 20 MB each at the same time, with a light load of other requests
 * beside them, and in every second round there is the light load alone. Once
 * with BODY_MEMORY of 64 MB, once with 256 MB.
 *
 * Tells the highest resident memory and the latencies of the light load, from
 * when a request was due; the baseline is the light load alone. It fails when
 * an upload fails, a file is not what was sent, or the memory is more than
 * BODY_MEMORY + 64 MB. BENCH_SECONDS of a round without uploads are 3 here,
 * BENCH_RATE light requests a second 100, BENCH_UPLOAD_RATE bytes a second of
 * each client 0: as fast as it goes.
 */
#include "tests/bench/support/bench.h"
#include "tests/bench/support/cost.h"
#include "tests/support/light_load.h"
#include "tests/support/service_story.h"
#include "tests/support/upload_wave.h"

#include "server/base/buffer.h"
#include "server/base/clock.h"
#include "server/base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    CLIENTS = 32,
    THREADS = 16,
    MEGABYTE = 1024 * 1024,
    FILE_BYTES = 20 * MEGABYTE,
    SLACK_MB = 64
};

struct rounds {
    struct series seconds;
    struct series memory_mb; /* the highest of each round */
    struct series p50_ms[LIGHT_KINDS];
    struct series p99_ms[LIGHT_KINDS];
};

struct both {
    struct rounds idle;
    struct rounds uploads;
    size_t number; /* of the round */
    const char *filler;
};

static const char *const kinds[LIGHT_KINDS] = {"get_queuelen", "submit"};

static void serve(int body_memory_mb)
{
    struct buffer queues = {NULL, 0, 0};
    struct buffer more = {NULL, 0, 0};

    buffer_append_string(&queues, "{light: null");
    for (size_t i = 0; i < CLIENTS; i++)
        buffer_printf(&queues, ", up%zu: null", i);
    buffer_append_string(&queues, "}");
    buffer_printf(&more, "BODY_MEMORY: %d MB\nREQUEST_MAX_BYTES: 64 MB\n",
                  body_memory_mb);
    own_service_begin(&(struct service_settings){
        .queues = queues.data,
        .more = more.data,
    });
    buffer_free(&queues);
    buffer_free(&more);
}

static void wait_seconds(double seconds)
{
    const struct timespec time = {
        .tv_sec = (time_t)seconds,
        .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};

    (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL);
}

static void run_round(struct both *both, bool with_uploads)
{
    struct rounds *rounds = with_uploads ? &both->uploads : &both->idle;
    const struct light_load_settings settings = {
        .port = service_port(service),
        .cookie = http_cookie(client, "sessionid"),
        .queue = "light",
        .rate = bench_setting("BENCH_RATE", 100),
        .threads = THREADS,
    };
    const struct upload_wave wave = {
        .port = settings.port,
        .cookie = settings.cookie,
        .clients = CLIENTS,
        .bytes = FILE_BYTES,
        .filler = both->filler,
        .rate = bench_setting("BENCH_UPLOAD_RATE", 0),
        .number = ++both->number,
    };
    struct light_load *load;
    struct light_result result;
    int64_t begin_us = clock_monotonic_us();

    report_progress(with_uploads ? "uploads" : "idle");
    process_reset_peak_memory(service_pid(service));
    load = light_load_start(&settings);
    if (with_uploads)
        ck_assert_uint_eq(upload_wave_run(&wave), CLIENTS);
    else
        wait_seconds(bench_setting("BENCH_SECONDS", 3));
    series_add(&rounds->seconds,
               (double)(clock_monotonic_us() - begin_us) / 1e6);
    result = light_load_end(load);
    series_add(&rounds->memory_mb,
               process_peak_memory_mb(service_pid(service)));
    if (with_uploads)
        ck_assert_uint_eq(upload_wave_verify(&wave), CLIENTS);
    ck_assert_uint_eq(result.failed, 0);
    for (size_t kind = 0; kind < LIGHT_KINDS; kind++) {
        double *latencies_ms = result.latencies_ms[kind];
        size_t count = result.counts[kind];

        ck_assert_uint_gt(count, 0);
        series_add(&rounds->p50_ms[kind], quantile(latencies_ms, count, 0.5));
        series_add(&rounds->p99_ms[kind], quantile(latencies_ms, count, 0.99));
        free(latencies_ms);
    }
}

static double with_uploads(void *context)
{
    struct both *both = context;

    run_round(both, true);
    return both->uploads.seconds.values[both->uploads.seconds.count - 1];
}

static double without(void *context)
{
    struct both *both = context;

    run_round(both, false);
    return both->idle.seconds.values[both->idle.seconds.count - 1];
}

static void tell(const struct both *both, int body_memory_mb)
{
    const struct series *memory_mb = &both->uploads.memory_mb;
    int most_mb = body_memory_mb + SLACK_MB;

    report_value(
        arena_printf(scratch, "memory, BODY_MEMORY %d", body_memory_mb), "MB",
        memory_mb, AT_MOST(most_mb));
    report_check(series_highest(memory_mb) <= most_mb, "%.1f MB of %d",
                 series_highest(memory_mb), most_mb);
    report_value("32 uploads of 20 MB", "s", &both->uploads.seconds, NO_TARGET);
    for (size_t kind = 0; kind < LIGHT_KINDS; kind++) {
        report_ratio(arena_printf(scratch, "%s, half", kinds[kind]), "ms",
                     &both->uploads.p50_ms[kind], &both->idle.p50_ms[kind],
                     "without uploads", NO_TARGET);
        report_ratio(arena_printf(scratch, "%s, 99 of 100", kinds[kind]), "ms",
                     &both->uploads.p99_ms[kind], &both->idle.p99_ms[kind],
                     "without uploads", NO_TARGET);
    }
}

static void measure(int body_memory_mb)
{
    struct both *both = xcalloc(1, sizeof *both);
    char *filler = upload_wave_filler(FILE_BYTES);
    struct series uploads = {.count = 0};
    struct series idle = {.count = 0};

    report_progress("BODY_MEMORY %d MB", body_memory_mb);
    serve(body_memory_mb);
    both->filler = filler;
    bench_rounds(with_uploads, without, both, &uploads, &idle);
    tell(both, body_memory_mb);
    own_service_end();
    free(filler);
    free(both);
}

static void run(void)
{
    measure(64);
    measure(256);
}

BENCH("uploads", "other requests beside 32 uploads", run)
