/*
 * What a whole active cycle costs the server's processor, beside the least
 * that its libraries take for the same bytes: three requests to a bare evhttp,
 * and one post of a bare curl.
 */
#include "tests/bench/support/active.h"
#include "tests/bench/support/bench.h"
#include "tests/bench/support/cost.h"
#include "tests/bench/support/raw_http.h"
#include "tests/bench/support/raw_post.h"
#include "tests/support/service_story.h"

#include <stdio.h>

enum {
    REQUESTS = 3, /* of a cycle */
    POSTS_AT_ONCE = 16,
    POSTS = 10000,
    HEADER_SIZE = 256
};

#define REPLY_FIELDS "Content-Type: text/html; charset=utf-8\r\n"

struct rounds {
    struct active active;
    struct raw_http *http;
    char header[HEADER_SIZE];
    struct buffer callback;
    char url[64];
    struct series requests; /* microseconds of R4, three of them */
    struct series post;     /* of R5 */
};

static double run_ours(void *context)
{
    struct rounds *rounds = context;
    double cpu = process_cpu_seconds(service_pid(service));
    struct cycle_result result = cycle_run(&rounds->active.load);

    cpu = process_cpu_seconds(service_pid(service)) - cpu;
    return cpu * 1e6 / (double)result.cycles;
}

static enum http_load_go next_raw(struct http_load_client *load,
                                  struct buffer *request, void *context)
{
    const struct rounds *rounds = context;
    const struct cycle_words *words = rounds->active.words;

    switch (load->requests % REQUESTS) {
    case 0:
        cycle_write_submit(words, request, load->requests);
        break;
    case 1:
        cycle_write_pull(words, request);
        break;
    default:
        cycle_write_result(words, request, rounds->header);
    }
    return HTTP_LOAD_GO;
}

static double cost_of_requests(struct rounds *rounds)
{
    const struct cycle_settings *ours = &rounds->active.load;
    pid_t pid = raw_http_pid(rounds->http);
    double cpu = process_cpu_seconds(pid);
    struct http_load_result load = http_load_run(&(struct http_load_settings){
        .port = raw_http_port(rounds->http),
        .clients = ours->submitters + ours->pollers,
        .seconds = bench_seconds() / 2,
        .next = next_raw,
        .context = rounds,
    });

    report_check(load.failed == 0, "%lld bare requests failed",
                 (long long)load.failed);
    cpu = process_cpu_seconds(pid) - cpu;
    return cpu * 1e6 / (double)load.answered * REQUESTS;
}

/* Callbacks leave on kept connections. */
static double cost_of_post(const struct rounds *rounds)
{
    int64_t count = (int64_t)bench_size(POSTS, POSTS / 10);
    struct raw_post_result result = raw_post_run(&(struct raw_post_settings){
        .url = rounds->url,
        .body = buffer_text(&rounds->callback),
        .content_type = "application/x-www-form-urlencoded",
        .concurrency = POSTS_AT_ONCE,
        .count = count,
    });

    return result.cpu_seconds * 1e6 / (double)count;
}

static double run_raw(void *context)
{
    struct rounds *rounds = context;
    double requests = cost_of_requests(rounds);
    double post = cost_of_post(rounds);

    series_add(&rounds->requests, requests);
    series_add(&rounds->post, post);
    return requests + post;
}

static void start_raw(struct rounds *rounds, const struct buffer *pulled)
{
    const struct raw_answer answers[] = {
        {"/xqueue/submit/", 200, REPLY_FIELDS,
         "{\"return_code\": 0, \"content\": \"1\"}", false},
        {"/xqueue/get_submission/", 200, REPLY_FIELDS, pulled->data, false},
        {"/xqueue/put_result/", 200, REPLY_FIELDS,
         "{\"return_code\": 0, \"content\": \"\"}", false},
        {"/", 200, REPLY_FIELDS, "", false}, /* an LMS */
    };

    rounds->http = raw_http_start(answers, ARRAY_LENGTH(answers));
    snprintf(rounds->url, sizeof rounds->url, "http://127.0.0.1:%u/1",
             (unsigned)raw_http_port(rounds->http));
}

static void tell(struct rounds *rounds)
{
    struct series ours = {.count = 0};
    struct series raw = {.count = 0};

    bench_rounds(run_ours, run_raw, rounds, &ours, &raw);
    report_ratio("CPU of a cycle, 1 KB", "us", &ours, &raw, "3 x R4 + R5",
                 AT_MOST(1.5));
    report_value("three requests of R4", "us", &rounds->requests, NO_TARGET);
    report_value("a post of R5", "us", &rounds->post, NO_TARGET);
}

static void run(void)
{
    struct rounds rounds = {.post = {.count = 0}};
    struct buffer pulled = {NULL, 0, 0};

    active_begin(&rounds.active, NULL);
    cycle_write_pulled(rounds.active.words, &pulled);
    cycle_write_callback(rounds.active.words, &rounds.callback, 1);
    ck_assert(cycle_read_pulled(buffer_text(&pulled), rounds.header,
                                sizeof rounds.header));
    start_raw(&rounds, &pulled);
    tell(&rounds);
    raw_http_stop(rounds.http);
    active_end(&rounds.active);
    buffer_free(&pulled);
    buffer_free(&rounds.callback);
}

BENCH("cpu", "processor time of an active cycle", run)
