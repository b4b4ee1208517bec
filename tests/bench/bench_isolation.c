/*
 * Does a dead grader harm the others? Fifty queues, each with a grader of its
 * own, under a load that is the same all the time; in every second round the
 * first queue's grader accepts connections and never answers. Each round has
 * a database and a server of its own.
 *
 * Tells the rate of the other 49 queues and how long a submission takes to
 * its grader, from when it was due; the baseline is the rounds in which all
 * are alive. BENCH_SECONDS is 5 here, BENCH_RATE submissions a second are 300.
 */
#include "tests/bench/support/bench.h"
#include "tests/support/grader.h"
#include "tests/support/open_load.h"
#include "tests/support/service_story.h"
#include "tests/support/sink.h"

#include "server/base/clock.h"
#include "server/base/memory.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    QUEUES = 50,
    CONCURRENCY = 4,
    THREADS = 64,
    KEEP = 200000,
    WARM_UP_S = 2,
    LATE_US = 20000
};

struct rounds {
    struct series rate; /* pushes a second that came to the 49 */
    struct series p50_ms;
    struct series p99_ms;
};

struct both {
    struct rounds alive;
    struct rounds dead;
};

static const char *queue_of(int64_t number, void *context)
{
    const char *const *names = context;

    return names[number % QUEUES];
}

/* A dead grader's pushes time out during a round. */
static void serve(struct grader *grader, bool is_dead)
{
    struct buffer queues = {NULL, 0, 0};

    for (size_t i = 0; i < QUEUES; i++)
        buffer_printf(
            &queues, "%sq%zu: {url: '%s', concurrency: %d}",
            i == 0 ? "{" : ", ", i,
            grader_url(grader, i, i == 0 && is_dead ? "/stall/q" : "/q"),
            CONCURRENCY);
    buffer_append_string(&queues, "}");
    own_service_begin(&(struct service_settings){
        .queues = queues.data,
        .more = "GRADING_TIMEOUT: 2\nSTOP_TIMEOUT: 1\n",
    });
    buffer_free(&queues);
}

/* Everything of the 49 was graded and told, by what the database says. */
static void verify(const struct sent *sent, int64_t count)
{
    int64_t acknowledged = 0;

    for (int64_t i = 0; i < count; i++) {
        ck_assert_msg(sent[i].acknowledged, "submission %lld was not taken",
                      (long long)i);
        acknowledged += i % QUEUES != 0;
    }
    mariadb_wait_for_value(
        arena_printf(scratch, "%lld", (long long)acknowledged),
        "SELECT COUNT(*) FROM queue_submission WHERE queue_name <> 'q0' AND"
        " retired = 1 AND lms_ack = 1 AND num_failures = 0 AND grader_reply"
        " LIKE '%%<p>submission%%'");
}

/* Of those that came, and were due, after the warm-up. */
static void evaluate(struct graded_list list, const struct sent *sent,
                     int64_t count, double seconds, struct rounds *rounds)
{
    double *latencies_ms = xcalloc(list.count + 1, sizeof *latencies_ms);
    int64_t begin_us = sent[0].due_us + WARM_UP_S * INT64_C(1000000);
    int64_t end_us = begin_us + (int64_t)(seconds * 1e6);
    size_t measured = 0;
    size_t came = 0;

    for (size_t i = 0; i < list.count; i++) {
        const struct graded *graded = &list.items[i];

        if (graded->submission < 0 || graded->submission >= count ||
            graded->submission % QUEUES == 0)
            continue;
        came += graded->at_us >= begin_us && graded->at_us < end_us;
        if (sent[graded->submission].due_us >= begin_us)
            latencies_ms[measured++] =
                (double)(graded->at_us - sent[graded->submission].due_us) / 1e3;
    }
    ck_assert_uint_gt(measured, 0);
    series_add(&rounds->rate, (double)came / seconds);
    series_add(&rounds->p50_ms, quantile(latencies_ms, measured, 0.5));
    series_add(&rounds->p99_ms, quantile(latencies_ms, measured, 0.99));
    free(latencies_ms);
}

static void tell_late(const struct sent *sent, int64_t count)
{
    int64_t late = 0;

    for (int64_t i = 0; i < count; i++)
        late += sent[i].sent_us - sent[i].due_us > LATE_US;
    if (late > 0)
        report_progress("the load was more than %d ms late with %lld of %lld",
                        LATE_US / 1000, (long long)late, (long long)count);
}

static void run_round(bool is_dead, struct rounds *rounds)
{
    double seconds = bench_setting("BENCH_SECONDS", 5);
    double rate = bench_setting("BENCH_RATE", 300);
    int64_t count = (int64_t)((seconds + WARM_UP_S) * rate);
    struct grader *grader = grader_start(KEEP, QUEUES);
    struct sink *lms = sink_start(1);
    const char *names[QUEUES];
    struct sent *sent;

    report_progress(is_dead ? "one grader dead" : "all alive");
    serve(grader, is_dead);
    for (size_t i = 0; i < QUEUES; i++)
        names[i] = arena_printf(scratch, "q%zu", i);
    sent = open_load_run(&(struct open_load_settings){
        .port = service_port(service),
        .cookie = http_cookie(client, "sessionid"),
        .origin = sink_url(lms, ""),
        .queue = queue_of,
        .context = names,
        .rate = rate,
        .count = count,
        .threads = THREADS,
    });
    verify(sent, count);
    ck_assert_int_eq(grader_path(grader, "/stall/q").came > 0, is_dead);
    evaluate(grader_graded(grader), sent, count, seconds, rounds);
    tell_late(sent, count);
    free(sent);
    own_service_end();
    sink_stop(lms);
    grader_stop(grader);
}

static double one_dead(void *context)
{
    struct both *both = context;

    run_round(true, &both->dead);
    return both->dead.rate.values[both->dead.rate.count - 1];
}

static double all_alive(void *context)
{
    struct both *both = context;

    run_round(false, &both->alive);
    return both->alive.rate.values[both->alive.rate.count - 1];
}

static void run(void)
{
    static struct both both;
    struct series dead = {.count = 0};
    struct series alive = {.count = 0};

    bench_rounds(one_dead, all_alive, &both, &dead, &alive);
    report_ratio("pushes to the other 49", "/s", &dead, &alive, "all alive",
                 NO_TARGET);
    report_ratio("until pushed, half", "ms", &both.dead.p50_ms,
                 &both.alive.p50_ms, "all alive", NO_TARGET);
    report_ratio("until pushed, 99 of 100", "ms", &both.dead.p99_ms,
                 &both.alive.p99_ms, "all alive", NO_TARGET);
}

BENCH("isolation", "fifty graders, of which one is dead", run)
