/*
 * 10,000 graders, each on a connection that it keeps, ask one empty queue once
 * a second. What that costs the server, beside a bare evhttp that answers
 * them the same; and how many statements it makes at the database, all that
 * an idle server does of itself included.
 */
#include "tests/bench/support/bench.h"
#include "tests/bench/support/cost.h"
#include "tests/bench/support/http_load.h"
#include "tests/bench/support/latencies.h"
#include "tests/bench/support/raw_http.h"
#include "tests/bench/support/requests.h"
#include "tests/support/service_story.h"

#include "server/base/clock.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#define PATH   "/xqueue/get_submission/?queue_name=q"
#define ANSWER "{\"return_code\": 1, \"content\": \"Queue 'q' is empty\"}"

enum {
    POLLERS = 10000,
    FEW = 100,        /* for the short form */
    RAMP_US = 3000000 /* until all are connected, and it goes evenly */
};

/* What is counted while they poll. */
struct tally {
    int64_t time_us;
    double cpu_seconds;
    int64_t statements;
    int64_t polls;
};

struct load {
    struct raw_http *raw;
    char cookie[64];
    pid_t pid; /* whose CPU time is counted */
    int64_t from_us;
    int64_t until_us;
    int64_t polls; /* answered */
    struct tally begin;
    struct tally end;
    struct latencies latencies; /* between the two */
    int64_t failed;
    struct series rate;
    struct series statements;
    struct series p50;
    struct series p99;
};

static void count(const struct load *load, struct tally *tally)
{
    tally->time_us = clock_monotonic_us();
    tally->cpu_seconds = process_cpu_seconds(load->pid);
    tally->polls = load->polls;
    tally->statements = database_counter("Questions");
}

/* Without those of the second count itself: a connection, and the question. */
static double statements_per_second(const struct load *load)
{
    int64_t cost = database_counter("Questions") - load->end.statements;
    double count =
        (double)(load->end.statements - load->begin.statements - cost);

    return count * 1e6 / (double)(load->end.time_us - load->begin.time_us);
}

static enum http_load_go next(struct http_load_client *speaker,
                              struct buffer *request, void *context)
{
    struct load *load = context;
    int64_t now_us = clock_monotonic_us();

    if (load->begin.time_us == 0 && now_us >= load->from_us)
        count(load, &load->begin);
    if (load->end.time_us == 0 && now_us >= load->until_us)
        count(load, &load->end);
    if (load->end.time_us != 0)
        return HTTP_LOAD_END;
    (void)speaker;
    write_get(request, PATH, load->cookie);
    return HTTP_LOAD_GO;
}

static bool answered(struct http_load_client *speaker,
                     const struct http_load_reply *reply, void *context)
{
    struct load *load = context;

    (void)speaker;
    load->polls++;
    if (load->begin.time_us != 0 && load->end.time_us == 0)
        latencies_add(&load->latencies, reply->latency_us);
    return reply->status == 200 && text_equal_string(reply->body, ANSWER);
}

/* Microseconds of the server's CPU for a poll. */
static double poll_for_a_while(struct load *load, uint16_t port)
{
    int64_t now_us = clock_monotonic_us();
    struct http_load_result result;

    load->from_us = now_us + RAMP_US;
    load->until_us = load->from_us + (int64_t)(bench_seconds() * 2e6);
    load->begin.time_us = 0;
    load->end.time_us = 0;
    load->latencies = (struct latencies){.total = 0};
    result = http_load_run(&(struct http_load_settings){
        .port = port,
        .clients = bench_size(POLLERS, FEW),
        .seconds = (double)(load->until_us - now_us) / 1e6 + 1,
        .rate = 1,
        .next = next,
        .answered = answered,
        .context = load,
    });
    load->failed += result.failed;
    return (load->end.cpu_seconds - load->begin.cpu_seconds) * 1e6 /
           (double)(load->end.polls - load->begin.polls);
}

static double ours(void *context)
{
    struct load *load = context;
    double cost_us;

    load->pid = service_pid(service);
    cost_us = poll_for_a_while(load, service_port(service));
    series_add(&load->statements, statements_per_second(load));
    series_add(&load->rate,
               (double)(load->end.polls - load->begin.polls) * 1e6 /
                   (double)(load->end.time_us - load->begin.time_us));
    series_add(&load->p50, latencies_quantile_ms(&load->latencies, 0.5));
    series_add(&load->p99, latencies_quantile_ms(&load->latencies, 0.99));
    return cost_us;
}

static double bare(void *context)
{
    struct load *load = context;

    load->pid = raw_http_pid(load->raw);
    return poll_for_a_while(load, raw_http_port(load->raw));
}

/* Statements a second of a server that nobody asks anything. */
static double nothing(void *context)
{
    struct load *load = context;

    load->pid = service_pid(service);
    count(load, &load->begin);
    poll(NULL, 0, (int)(bench_seconds() * 2000));
    count(load, &load->end);
    return statements_per_second(load);
}

static void run(void)
{
    static const struct raw_answer answers[] = {
        {.path = PATH,
         .status = 200,
         .headers = "X-Content-Type-Options: nosniff\r\n"
                    "Content-Type: text/html; charset=utf-8\r\n",
         .body = ANSWER}};
    struct load load = {.raw = raw_http_start(answers, 1)};
    struct series idle = {.count = 0};
    struct series cost = {.count = 0};
    struct series bare_cost = {.count = 0};

    own_service_begin(&(struct service_settings){
        .queues = "{q: null}",
        .more = "MAX_CONNECTIONS: 13000\n",
    });
    snprintf(load.cookie, sizeof load.cookie, "%s",
             http_cookie(client, "sessionid"));
    report_progress("idle");
    bench_rounds_alone(nothing, &load, &idle);
    report_progress("%zu pollers", bench_size(POLLERS, FEW));
    bench_rounds(ours, bare, &load, &cost, &bare_cost);
    report_value("statements of an idle server", "/s", &idle, AT_MOST(10));
    report_value("statements while they poll", "/s", &load.statements,
                 AT_MOST(10));
    report_ratio("CPU for a poll", "us", &cost, &bare_cost, "R4", AT_MOST(2));
    report_value("polls", "/s", &load.rate, NO_TARGET);
    report_value("p50 of a poll", "ms", &load.p50, NO_TARGET);
    report_value("p99 of a poll", "ms", &load.p99, NO_TARGET);
    report_check(load.failed == 0, "%lld polls failed", (long long)load.failed);
    own_service_end();
    raw_http_stop(load.raw);
}

BENCH("pollers", "10,000 graders ask an empty queue once a second", run)
