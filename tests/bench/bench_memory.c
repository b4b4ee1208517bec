/*
 * Resident memory: of a server that does nothing, of one with 10,000
 * connections that have asked something and are kept, and the highest at full
 * load with bodies of 1 KB.
 */
#include "tests/bench/support/bench.h"
#include "tests/bench/support/cost.h"
#include "tests/bench/support/cycle.h"
#include "tests/bench/support/http_load.h"
#include "tests/bench/support/requests.h"
#include "tests/support/service_story.h"

#include "server/base/clock.h"

#include <string.h>

enum {
    CLIENTS = 10000,
    FEW = 100,         /* for the short form */
    IDLE_US = 2500000, /* until all have asked, and rest */
    SUBMITTERS = 128,
    POLLERS = 128,
    MOST_OPEN = 1000,
    BODY_BYTES = 1024,
    REPLY_BYTES = 200
};

/* The target: so much, and so much for each connection. */
enum { MOST_MB = 64, MOST_KB_EACH = 4, MOST_MB_LOADED = 30 };

/* What each of the clients says once. */
enum word { POLL, SUBMIT };

struct load {
    struct cycle_words *words;
    int64_t next_number;
    enum word word;
    int64_t look_us; /* when to look */
    double rested_mb;
};

/* Each speaks once, and again when all have spoken and been looked at. */
static enum http_load_go next(struct http_load_client *speaker,
                              struct buffer *request, void *context)
{
    struct load *load = context;

    if (load->rested_mb == 0 && clock_monotonic_us() >= load->look_us)
        load->rested_mb = process_memory_mb(service_pid(service));
    if (load->rested_mb > 0)
        return HTTP_LOAD_END;
    if (speaker->requests > 0)
        return HTTP_LOAD_REST;
    if (load->word == SUBMIT)
        cycle_write_submit(load->words, request, load->next_number++);
    else
        cycle_write_pull(load->words, request);
    return HTTP_LOAD_GO;
}

/* Of the server, while that many connections rest. */
static double rest(struct load *load, size_t clients, enum word word)
{
    struct http_load_result result;

    load->word = word;
    load->rested_mb = 0;
    load->look_us = clock_monotonic_us() + IDLE_US;
    result = http_load_run(&(struct http_load_settings){
        .port = service_port(service),
        .clients = clients,
        .rate = 1,
        .next = next,
        .context = load,
    });
    report_check(result.failed == 0 && result.answered == (int64_t)clients,
                 "%lld of %zu clients were answered",
                 (long long)result.answered, clients);
    return load->rested_mb;
}

static void begin(struct load *load, const struct fast_lms *lms)
{
    own_service_begin(&(struct service_settings){
        .queues = "{bench: null}",
        .more = "MAX_CONNECTIONS: 13000\n",
    });
    load->words = cycle_words_new(&(struct cycle_words_settings){
        .queue = "bench",
        .cookie = http_cookie(client, "sessionid"),
        .lms_port = fast_lms_port(lms),
        .body_bytes = BODY_BYTES,
        .reply_bytes = REPLY_BYTES,
    });
}

static void end(struct load *load)
{
    cycle_words_free(load->words);
    own_service_end();
}

static void tell(const char *name, const char *unit, double value,
                 struct target target)
{
    struct series series = {.count = 0};

    series_add(&series, value);
    report_value(name, unit, &series, target);
}

/* A new server for each: what was used once may stay with the process. */
static void measure_rest(const struct fast_lms *lms, enum word word,
                         const char *name)
{
    size_t clients = bench_size(CLIENTS, FEW);
    struct load load = {.next_number = 0};
    double alone_mb;
    double rested_mb;

    begin(&load, lms);
    report_progress("%zu connections, %s", clients, name);
    alone_mb = process_memory_mb(service_pid(service));
    rested_mb = rest(&load, clients, word);
    if (word == POLL)
        tell("doing nothing", "MB", alone_mb, AT_MOST(MOST_MB_LOADED));
    tell(arena_printf(scratch, "%zu connections, %s", clients, name), "MB",
         rested_mb, AT_MOST(MOST_MB + (double)clients * MOST_KB_EACH / 1024));
    tell(arena_printf(scratch, "a connection, %s", name), "KB",
         (rested_mb - alone_mb) * 1024 / (double)clients, NO_TARGET);
    end(&load);
}

static double run_loaded(void *context)
{
    const struct cycle_settings *cycle = context;

    process_reset_peak_memory(service_pid(service));
    (void)cycle_run(cycle);
    return process_peak_memory_mb(service_pid(service));
}

static void measure_load(const struct fast_lms *lms)
{
    struct load load = {.next_number = 0};
    struct series peaks = {.count = 0};
    struct cycle_settings cycle = {
        .lms = lms,
        .submitters = SUBMITTERS,
        .pollers = POLLERS,
        .most_open = MOST_OPEN,
        .seconds = bench_seconds(),
        .next_number = &load.next_number,
    };

    begin(&load, lms);
    report_progress("full load");
    cycle.words = load.words;
    cycle.port = service_port(service);
    bench_rounds_alone(run_loaded, &cycle, &peaks);
    report_value("highest at full load, 1 KB", "MB", &peaks,
                 AT_MOST(MOST_MB_LOADED));
    end(&load);
}

static void run(void)
{
    struct fast_lms *lms = fast_lms_start();

    measure_rest(lms, POLL, "after a poll");
    measure_rest(lms, SUBMIT, "after a submission");
    measure_load(lms);
    fast_lms_stop(lms);
}

BENCH("memory", "resident memory", run)
