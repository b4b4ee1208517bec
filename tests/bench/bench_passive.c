/*
 * Whole passive cycles: submitted, pushed to a grader, called back, beside a
 * bare curl that posts the same bytes to the same grader with the same
 * concurrency: each on a connection of its own, as pushes leave by default, or
 * on kept connections.
 */
#include "tests/bench/support/bench.h"
#include "tests/bench/support/cycle.h"
#include "tests/bench/support/raw_post.h"
#include "tests/support/service_story.h"

#include <stdio.h>

enum {
    SUBMITTERS = 32,
    OPEN_BESIDES = 500, /* submitted and not pushed yet, at most */
    BODY_BYTES = 1024,
    REPLY_BYTES = 200,
    POSTS = 6000
};

static const size_t concurrencies[] = {1, 16, 64};

struct rounds {
    struct cycle_settings cycle;
    size_t concurrency;
    bool is_kept;
    const char *url;
    struct buffer push;
    struct fast_grader *grader;
};

static double run_ours(void *context)
{
    struct rounds *rounds = context;
    struct cycle_result result;

    fast_grader_reset(rounds->grader);
    result = cycle_run(&rounds->cycle);
    report_check(fast_grader_pushes(rounds->grader) == result.cycles,
                 "%lld pushes of %lld submissions",
                 (long long)fast_grader_pushes(rounds->grader),
                 (long long)result.cycles);
    report_check(
        fast_grader_at_once(rounds->grader) <= (int64_t)rounds->concurrency,
        "%lld pushes at once", (long long)fast_grader_at_once(rounds->grader));
    return result.per_second;
}

static double run_raw(void *context)
{
    const struct rounds *rounds = context;

    return raw_post_run(&(struct raw_post_settings){
                            .url = rounds->url,
                            .body = buffer_text(&rounds->push),
                            .concurrency = rounds->concurrency,
                            .count = (int64_t)bench_size(POSTS, POSTS / 10),
                            .fresh = !rounds->is_kept,
                        })
        .per_second;
}

/* "fresh16" or "kept16". */
static void name_queue(char *ret_name, size_t size, size_t concurrency,
                       bool is_kept)
{
    snprintf(ret_name, size, "%s%zu", is_kept ? "kept" : "fresh", concurrency);
}

static void serve(const char *url)
{
    struct buffer queues = {NULL, 0, 0};
    char name[32];

    for (size_t i = 0; i < 2 * ARRAY_LENGTH(concurrencies); i++) {
        size_t concurrency = concurrencies[i / 2];

        name_queue(name, sizeof name, concurrency, i % 2 != 0);
        buffer_printf(&queues,
                      "%s%s: {url: '%s', concurrency: %zu, keep_alive: %s}",
                      i == 0 ? "{" : ", ", name, url, concurrency,
                      i % 2 != 0 ? "true" : "false");
    }
    buffer_append_string(&queues, "}");
    own_service_begin(&(struct service_settings){.queues = queues.data});
    buffer_free(&queues);
}

static void run_queue(struct rounds *rounds, size_t concurrency, bool is_kept)
{
    struct cycle_words *words;
    struct series ours = {.count = 0};
    struct series raw = {.count = 0};
    char name[32];
    char row[64];

    name_queue(name, sizeof name, concurrency, is_kept);
    words = cycle_words_new(&(struct cycle_words_settings){
        .queue = name,
        .cookie = http_cookie(client, "sessionid"),
        .lms_port = fast_lms_port(rounds->cycle.lms),
        .body_bytes = BODY_BYTES,
        .reply_bytes = REPLY_BYTES,
    });
    buffer_clear(&rounds->push);
    cycle_write_push(words, &rounds->push);
    rounds->cycle.words = words;
    rounds->cycle.most_open = OPEN_BESIDES + (int64_t)concurrency;
    rounds->concurrency = concurrency;
    rounds->is_kept = is_kept;
    bench_rounds(run_ours, run_raw, rounds, &ours, &raw);
    snprintf(row, sizeof row, "concurrency %zu, %s connections", concurrency,
             is_kept ? "kept" : "fresh");
    report_ratio(row, "/s", &ours, &raw, "R5, the same",
                 concurrency == 16 && !is_kept ? AT_LEAST(0.5) : NO_TARGET);
    cycle_words_free(words);
}

static void run(void)
{
    struct fast_lms *lms = fast_lms_start();
    struct fast_grader *grader = fast_grader_start(
        "{\"correct\": true, \"score\": 1, \"msg\": \"<p>Well done.</p>\"}");
    int64_t next_number = 0;
    char url[64];
    struct rounds rounds = {.url = url, .grader = grader};

    snprintf(url, sizeof url, "http://127.0.0.1:%u/grade",
             (unsigned)fast_grader_port(grader));
    serve(url);
    rounds.cycle = (struct cycle_settings){
        .port = service_port(service),
        .lms = lms,
        .submitters = SUBMITTERS,
        .seconds = bench_seconds(),
        .next_number = &next_number,
    };
    for (size_t i = 0; i < 2 * ARRAY_LENGTH(concurrencies); i++)
        run_queue(&rounds, concurrencies[i / 2], i % 2 != 0);
    buffer_free(&rounds.push);
    own_service_end();
    fast_grader_stop(grader);
    fast_lms_stop(lms);
}

BENCH("passive", "whole passive cycles, 1 KB", run)
