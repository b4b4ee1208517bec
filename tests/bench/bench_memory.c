/*
 * Resident memory: of a server that does nothing, of one with 10,000
 * connections that have asked something and are kept, and the highest at full
 * load with bodies of 1 KB.
 */
#include "tests/bench/support/active.h"
#include "tests/bench/support/bench.h"
#include "tests/bench/support/cost.h"
#include "tests/bench/support/http_load.h"
#include "tests/bench/support/requests.h"
#include "tests/support/service_story.h"

#include "server/base/clock.h"

#include <string.h>

enum {
    CLIENTS = 10000,
    FEW = 100,          /* for the short form */
    IDLE_US = 500000,   /* after the last answer */
    MOST_US = 20000000, /* until then; each asks within two seconds */
    WORKING = 128       /* that submit, and as many that pull */
};

/* The target: so much, and so much for each connection. */
enum { MOST_MB = 64, MOST_KB_EACH = 4, MOST_MB_LOADED = 30 };

/* What each of the clients says once. */
enum word { POLL, SUBMIT };

struct resting {
    struct active active;
    enum word word;
    size_t clients;
    size_t answered;
    int64_t look_us; /* when to look */
    double rested_mb;
};

/* Each speaks once, and again when all have spoken and been looked at. */
static enum http_load_go next(struct http_load_client *speaker,
                              struct buffer *request, void *context)
{
    struct resting *resting = context;
    struct active *active = &resting->active;

    if (resting->rested_mb == 0 && clock_monotonic_us() >= resting->look_us)
        resting->rested_mb = process_memory_mb(service_pid(service));
    if (resting->rested_mb > 0)
        return HTTP_LOAD_END;
    if (speaker->requests > 0)
        return HTTP_LOAD_REST;
    if (resting->word == SUBMIT)
        cycle_write_submit(active->words, request, active->next_number++);
    else
        cycle_write_pull(active->words, request);
    return HTTP_LOAD_GO;
}

static bool answered(struct http_load_client *speaker,
                     const struct http_load_reply *reply, void *context)
{
    struct resting *resting = context;

    (void)speaker;
    if (++resting->answered == resting->clients)
        resting->look_us = clock_monotonic_us() + IDLE_US;
    return reply->status == 200;
}

/* Of the server, while that many connections rest. */
static double rest(struct resting *resting, size_t clients, enum word word)
{
    struct http_load_result result;

    resting->word = word;
    resting->rested_mb = 0;
    resting->clients = clients;
    resting->answered = 0;
    resting->look_us = clock_monotonic_us() + MOST_US;
    result = http_load_run(&(struct http_load_settings){
        .port = service_port(service),
        .clients = clients,
        .rate = 0.5,
        .next = next,
        .answered = answered,
        .context = resting,
    });
    report_check(result.failed == 0 && result.answered == (int64_t)clients,
                 "%lld of %zu clients were answered, %lld were refused",
                 (long long)result.answered, clients, (long long)result.failed);
    return resting->rested_mb;
}

/* A new server for each: what was used once may stay with the process. */
static void begin(struct active *active)
{
    active_begin(active, "MAX_CONNECTIONS: 13000\n");
}

static void tell(const char *name, const char *unit, double value,
                 struct target target)
{
    struct series series = {.count = 0};

    series_add(&series, value);
    report_value(name, unit, &series, target);
}

static void measure_rest(enum word word, const char *name)
{
    size_t clients = bench_size(CLIENTS, FEW);
    struct resting resting;
    double alone_mb;
    double rested_mb;

    begin(&resting.active);
    report_progress("%zu connections, %s", clients, name);
    alone_mb = process_memory_mb(service_pid(service));
    rested_mb = rest(&resting, clients, word);
    if (word == POLL)
        tell("doing nothing", "MB", alone_mb, AT_MOST(MOST_MB_LOADED));
    tell(arena_printf(scratch, "%zu connections, %s", clients, name), "MB",
         rested_mb, AT_MOST(MOST_MB + (double)clients * MOST_KB_EACH / 1024));
    tell(arena_printf(scratch, "a connection, %s", name), "KB",
         (rested_mb - alone_mb) * 1024 / (double)clients, NO_TARGET);
    active_end(&resting.active);
}

static double run_loaded(void *context)
{
    const struct active *active = context;

    process_reset_peak_memory(service_pid(service));
    (void)cycle_run(&active->load);
    return process_peak_memory_mb(service_pid(service));
}

static void measure_load(void)
{
    struct series peaks = {.count = 0};
    struct active active;

    begin(&active);
    active.load.submitters = WORKING;
    active.load.pollers = WORKING;
    report_progress("full load");
    bench_rounds_alone(run_loaded, &active, &peaks);
    report_value("highest at full load, 1 KB", "MB", &peaks,
                 AT_MOST(MOST_MB_LOADED));
    active_end(&active);
}

static void run(void)
{
    measure_rest(POLL, "after a poll");
    measure_rest(SUBMIT, "after a submission");
    measure_load();
}

BENCH("memory", "resident memory", run)
