/*
 * Whole passive cycles: submitted, pushed to a grader, called back, beside a
 * bare curl that posts the same bytes to the same grader with the same
 * concurrency: each on a connection of its own, as pushes leave by default, or
 * on kept connections; to a grader that answers at once, or to one that takes
 * its time, as real ones do.
 */
#include "tests/bench/support/bench.h"
#include "tests/bench/support/cost.h"
#include "tests/bench/support/cycle.h"
#include "tests/bench/support/raw_post.h"
#include "tests/support/service_story.h"

#include <stdio.h>

enum {
    SUBMITTERS = 32,
    OPEN_BESIDES = 500, /* submitted and not pushed yet, at most */
    BODY_BYTES = 1024,
    REPLY_BYTES = 200,
    POSTS = 6000,
    SLOW_MS = 10
};

static const struct load {
    const char *queue;
    const char *row;
    size_t concurrency;
    bool is_kept;
    bool is_slow;
    double target;
} loads[] = {
    {"fresh1", "concurrency 1, fresh connections", 1, false, false, 0},
    {"kept1", "concurrency 1, kept connections", 1, true, false, 0},
    {"fresh16", "concurrency 16, fresh connections", 16, false, false, 0.5},
    {"kept16", "concurrency 16, kept connections", 16, true, false, 0},
    {"fresh64", "concurrency 64, fresh connections", 64, false, false, 0},
    {"kept64", "concurrency 64, kept connections", 64, true, false, 0},
    {"slow16", "concurrency 16, a grader of 10 ms", 16, false, true, 0},
};

struct rounds {
    const struct load *load;
    struct cycle_settings cycle;
    struct fast_grader *graders[2]; /* at once, and slow */
    struct buffer push;
    struct series commits;
    struct series cpu; /* microseconds of the server, each cycle */
};

static struct fast_grader *grader_of(const struct rounds *rounds,
                                     const struct load *load)
{
    return rounds->graders[load->is_slow];
}

static double run_ours(void *context)
{
    struct rounds *rounds = context;
    struct fast_grader *grader = grader_of(rounds, rounds->load);
    double cpu = process_cpu_seconds(service_pid(service));
    struct cycle_result result;

    fast_grader_reset(grader);
    result = cycle_run(&rounds->cycle);
    cpu = process_cpu_seconds(service_pid(service)) - cpu;
    report_check(fast_grader_pushes(grader) == result.cycles,
                 "%lld pushes of %lld submissions",
                 (long long)fast_grader_pushes(grader),
                 (long long)result.cycles);
    report_check(fast_grader_at_once(grader) <=
                     (int64_t)rounds->load->concurrency,
                 "%lld pushes at once", (long long)fast_grader_at_once(grader));
    series_add(&rounds->commits, result.commits);
    series_add(&rounds->cpu, cpu * 1e6 / (double)result.cycles);
    return result.per_second;
}

static void write_url(const struct rounds *rounds, const struct load *load,
                      char *ret_url, size_t size)
{
    snprintf(ret_url, size, "http://127.0.0.1:%u/grade",
             (unsigned)fast_grader_port(grader_of(rounds, load)));
}

/* Of a slow grader in as many seconds as ours is given. */
static int64_t posts_of(const struct load *load)
{
    double slow = bench_seconds() * 1000 / SLOW_MS * (double)load->concurrency;

    return load->is_slow ? (int64_t)slow
                         : (int64_t)bench_size(POSTS, POSTS / 10);
}

static double run_raw(void *context)
{
    const struct rounds *rounds = context;
    char url[64];

    write_url(rounds, rounds->load, url, sizeof url);
    return raw_post_run(&(struct raw_post_settings){
                            .url = url,
                            .body = buffer_text(&rounds->push),
                            .concurrency = rounds->load->concurrency,
                            .count = posts_of(rounds->load),
                            .fresh = !rounds->load->is_kept,
                        })
        .per_second;
}

static void serve(const struct rounds *rounds)
{
    struct buffer queues = {NULL, 0, 0};
    char url[64];

    for (size_t i = 0; i < ARRAY_LENGTH(loads); i++) {
        const struct load *load = &loads[i];

        write_url(rounds, load, url, sizeof url);
        buffer_printf(&queues,
                      "%s%s: {url: '%s', concurrency: %zu, keep_alive: %s}",
                      i == 0 ? "{" : ", ", load->queue, url, load->concurrency,
                      load->is_kept ? "true" : "false");
    }
    buffer_append_string(&queues, "}");
    own_service_begin(&(struct service_settings){.queues = queues.data});
    buffer_free(&queues);
}

static void run_load(struct rounds *rounds, const struct load *load)
{
    struct series ours = {.count = 0};
    struct series raw = {.count = 0};
    struct cycle_words *words = cycle_words_new(&(struct cycle_words_settings){
        .queue = load->queue,
        .cookie = http_cookie(client, "sessionid"),
        .lms_port = fast_lms_port(rounds->cycle.lms),
        .body_bytes = BODY_BYTES,
        .reply_bytes = REPLY_BYTES,
    });

    buffer_clear(&rounds->push);
    cycle_write_push(words, &rounds->push);
    rounds->load = load;
    rounds->cycle.words = words;
    rounds->cycle.most_open = OPEN_BESIDES + (int64_t)load->concurrency;
    rounds->commits = rounds->cpu = (struct series){.count = 0};
    bench_rounds(run_ours, run_raw, rounds, &ours, &raw);
    report_ratio(load->row, "/s", &ours, &raw, "R5, the same",
                 load->target > 0 ? AT_LEAST(load->target) : NO_TARGET);
    if (load->target > 0) {
        report_value("durable commits of such a cycle", "", &rounds->commits,
                     NO_TARGET);
        report_value("CPU of the server", "us", &rounds->cpu, NO_TARGET);
    }
    cycle_words_free(words);
}

static void run(void)
{
    static const char grade[] =
        "{\"correct\": true, \"score\": 1, \"msg\": \"<p>Well done.</p>\"}";
    int64_t next_number = 0;
    struct fast_lms *lms = fast_lms_start();
    struct rounds rounds = {
        .graders = {fast_grader_start(grade, 0),
                    fast_grader_start(grade, SLOW_MS * 1000)},
    };

    serve(&rounds);
    rounds.cycle = (struct cycle_settings){
        .port = service_port(service),
        .lms = lms,
        .submitters = SUBMITTERS,
        .seconds = bench_seconds(),
        .next_number = &next_number,
    };
    for (size_t i = 0; i < ARRAY_LENGTH(loads); i++)
        run_load(&rounds, &loads[i]);
    buffer_free(&rounds.push);
    own_service_end();
    for (size_t i = 0; i < ARRAY_LENGTH(rounds.graders); i++)
        fast_grader_stop(rounds.graders[i]);
    fast_lms_stop(lms);
}

BENCH("passive", "whole passive cycles, 1 KB", run)
