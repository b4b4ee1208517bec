/*
 * Do large uploads harm the others, and what memory do they take? 32 clients
 * upload 20 MB each at the same time, with a light load of other requests
 * beside them, and in every second round there is the light load alone. Once
 * with BODY_MEMORY of 64 MB, once with 256 MB.
 *
 * Prints the highest resident memory of each round and the latencies of the
 * light load, from when a request was due. It fails when an upload fails, a
 * file is not what was sent, or the memory is more than BODY_MEMORY + 64 MB.
 * Settings: BENCH_ROUNDS pairs of rounds (5), BENCH_RATE light requests a
 * second (100), BENCH_SECONDS of a round without uploads (6),
 * BENCH_UPLOAD_RATE bytes a second of each client (0: as fast as it goes).
 */
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
    SLACK_MB = 64,
    MOST_ROUNDS = 50
};

struct round {
    double seconds;
    double memory_mb; /* the highest of the round */
    double p50_ms[LIGHT_KINDS];
    double p99_ms[LIGHT_KINDS];
};

static const char *const kinds[LIGHT_KINDS] = {"get_queuelen", "submit"};

static double setting(const char *name, double otherwise)
{
    const char *value = getenv(name);

    return value != NULL ? strtod(value, NULL) : otherwise;
}

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

static FILE *open_process_file(const char *name, const char *mode)
{
    FILE *file = fopen(
        arena_printf(scratch, "/proc/%d/%s", (int)service_pid(service), name),
        mode);

    ck_assert_ptr_nonnull(file);
    return file;
}

/* The highest resident memory is from now on. */
static void reset_memory(void)
{
    FILE *file = open_process_file("clear_refs", "we");

    fputs("5", file);
    ck_assert_int_eq(fclose(file), 0);
}

static double read_memory_mb(const char *field)
{
    FILE *file = open_process_file("status", "re");
    char line[256];
    double memory_mb = 0;

    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, field, strlen(field)) == 0)
            memory_mb = strtod(line + strlen(field), NULL) / 1024;
    }
    fclose(file);
    ck_assert(memory_mb > 0);
    return memory_mb;
}

static void wait_seconds(double seconds)
{
    const struct timespec time = {
        .tv_sec = (time_t)seconds,
        .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};

    (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL);
}

static int compare(const void *left, const void *right)
{
    double difference = *(const double *)left - *(const double *)right;

    return (difference > 0) - (difference < 0);
}

/* `part` from 0 to 1; sorts. */
static double quantile(double *values, size_t count, double part)
{
    qsort(values, count, sizeof *values, compare);
    return values[(size_t)(part * (double)(count - 1))];
}

static struct round run(bool with_uploads, size_t number, const char *filler)
{
    const struct light_load_settings settings = {
        .port = service_port(service),
        .cookie = http_cookie(client, "sessionid"),
        .queue = "light",
        .rate = setting("BENCH_RATE", 100),
        .threads = THREADS,
    };
    const struct upload_wave wave = {
        .port = settings.port,
        .cookie = settings.cookie,
        .clients = CLIENTS,
        .bytes = FILE_BYTES,
        .filler = filler,
        .rate = setting("BENCH_UPLOAD_RATE", 0),
        .number = number,
    };
    struct light_load *load;
    struct light_result result;
    struct round round;
    int64_t begin_us = clock_monotonic_us();

    reset_memory();
    load = light_load_start(&settings);
    if (with_uploads)
        ck_assert_uint_eq(upload_wave_run(&wave), CLIENTS);
    else
        wait_seconds(setting("BENCH_SECONDS", 6));
    round.seconds = (double)(clock_monotonic_us() - begin_us) / 1e6;
    result = light_load_end(load);
    round.memory_mb = read_memory_mb("VmHWM:");
    if (with_uploads)
        ck_assert_uint_eq(upload_wave_verify(&wave), CLIENTS);
    ck_assert_uint_eq(result.failed, 0);
    for (size_t kind = 0; kind < LIGHT_KINDS; kind++) {
        double *latencies_ms = result.latencies_ms[kind];

        ck_assert_uint_gt(result.counts[kind], 0);
        round.p50_ms[kind] = quantile(latencies_ms, result.counts[kind], 0.5);
        round.p99_ms[kind] = quantile(latencies_ms, result.counts[kind], 0.99);
        free(latencies_ms);
    }
    return round;
}

static void run_and_tell(bool with_uploads, size_t number, const char *filler,
                         struct round *ret_round)
{
    *ret_round = run(with_uploads, number, filler);
    printf("round %2zu, %s: %5.1f s, %6.1f MB;", number,
           with_uploads ? "uploads" : "idle   ", ret_round->seconds,
           ret_round->memory_mb);
    for (size_t kind = 0; kind < LIGHT_KINDS; kind++)
        printf(" %s p50 %.2f p99 %.2f ms%s", kinds[kind],
               ret_round->p50_ms[kind], ret_round->p99_ms[kind],
               kind + 1 < LIGHT_KINDS ? "," : "\n");
    fflush(stdout);
}

/* Of the medians of all rounds. */
static void tell(const char *what, const char *kind, double *idle,
                 double *uploads, double *ratios, size_t count)
{
    printf("%-13s %s %9.2f %9.2f %9.2f\n", kind, what,
           quantile(idle, count, 0.5), quantile(uploads, count, 0.5),
           quantile(ratios, count, 0.5));
}

/* Rounds of a pair are neighbours in time: what else goes on hits both. */
static void tell_kind(size_t kind, const struct round *idle,
                      const struct round *uploads, size_t count)
{
    double values[3][MOST_ROUNDS];

    for (size_t i = 0; i < count; i++) {
        values[0][i] = idle[i].p50_ms[kind];
        values[1][i] = uploads[i].p50_ms[kind];
        values[2][i] = values[1][i] / values[0][i];
    }
    tell("p50 ms", kinds[kind], values[0], values[1], values[2], count);
    for (size_t i = 0; i < count; i++) {
        values[0][i] = idle[i].p99_ms[kind];
        values[1][i] = uploads[i].p99_ms[kind];
        values[2][i] = values[1][i] / values[0][i];
    }
    tell("p99 ms", kinds[kind], values[0], values[1], values[2], count);
}

static void measure(int body_memory_mb)
{
    const size_t pairs = (size_t)setting("BENCH_ROUNDS", 5);
    struct round idle[MOST_ROUNDS];
    struct round uploads[MOST_ROUNDS];
    char *filler = upload_wave_filler(FILE_BYTES);
    double highest_mb = 0;

    ck_assert_uint_ge(pairs, 1);
    ck_assert_uint_le(pairs, MOST_ROUNDS);
    serve(body_memory_mb);
    printf("\nBODY_MEMORY %d MB; %.1f MB before\n", body_memory_mb,
           read_memory_mb("VmRSS:"));
    for (size_t i = 0; i < pairs; i++) {
        bool is_first = i % 2 == 1;

        run_and_tell(is_first, 2 * i + 1, filler,
                     is_first ? &uploads[i] : &idle[i]);
        run_and_tell(!is_first, 2 * i + 2, filler,
                     is_first ? &idle[i] : &uploads[i]);
        if (uploads[i].memory_mb > highest_mb)
            highest_mb = uploads[i].memory_mb;
    }
    printf("medians of %zu pairs       idle   uploads     ratio\n", pairs);
    for (size_t kind = 0; kind < LIGHT_KINDS; kind++)
        tell_kind(kind, idle, uploads, pairs);
    printf("highest memory %.1f MB, of %d MB allowed\n", highest_mb,
           body_memory_mb + SLACK_MB);
    ck_assert(highest_mb <= body_memory_mb + SLACK_MB);
    own_service_end();
    free(filler);
}

START_TEST(uploads_with_64_mb)
{
    measure(64);
}
END_TEST

START_TEST(uploads_with_256_mb)
{
    measure(256);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {TELL(uploads_with_64_mb),
                                              TELL(uploads_with_256_mb)};
    static const struct story story = {
        .name = "uploads",
        .tests = tests,
        .count = ARRAY_LENGTH(tests),
        .before_all = mariadb_start_own,
        .after_all = mariadb_stop,
        .timeout_s = 1800,
    };

    return story_run(&story);
}
