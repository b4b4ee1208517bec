/*
 * Does a dead grader harm the others? Fifty queues, each with a grader of its
 * own, under a load that is the same all the time; in every second round the
 * first queue's grader accepts connections and never answers. Each round has
 * a database and a server of its own.
 *
 * Prints the rate of the other 49 queues and how long a submission takes to
 * its grader, from when it was due. Settings: BENCH_ROUNDS pairs of rounds
 * (5), BENCH_SECONDS each (10), BENCH_RATE submissions a second (300).
 */
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
    MOST_ROUNDS = 50,
    LATE_US = 20000
};

struct round {
    double rate; /* pushes a second that came to the 49 */
    double p50_ms;
    double p99_ms;
};

static double setting(const char *name, double otherwise)
{
    const char *value = getenv(name);

    return value != NULL ? strtod(value, NULL) : otherwise;
}

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

/* Of those that came, and were due, after the warm-up. */
static struct round evaluate(struct graded_list list, const struct sent *sent,
                             int64_t count, double seconds)
{
    double *latencies_ms = xcalloc(list.count + 1, sizeof *latencies_ms);
    int64_t begin_us = sent[0].due_us + WARM_UP_S * INT64_C(1000000);
    int64_t end_us = begin_us + (int64_t)(seconds * 1e6);
    struct round round = {0, 0, 0};
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
    round.rate = (double)came / seconds;
    round.p50_ms = quantile(latencies_ms, measured, 0.5);
    round.p99_ms = quantile(latencies_ms, measured, 0.99);
    free(latencies_ms);
    return round;
}

static void tell_late(const struct sent *sent, int64_t count)
{
    int64_t late = 0;

    for (int64_t i = 0; i < count; i++)
        late += sent[i].sent_us - sent[i].due_us > LATE_US;
    if (late > 0)
        printf("    the load was more than %d ms late with %lld of %lld\n",
               LATE_US / 1000, (long long)late, (long long)count);
}

static struct round run(bool is_dead)
{
    double seconds = setting("BENCH_SECONDS", 10);
    double rate = setting("BENCH_RATE", 300);
    int64_t count = (int64_t)((seconds + WARM_UP_S) * rate);
    struct grader *grader = grader_start(KEEP, QUEUES);
    struct sink *lms = sink_start(1);
    const char *names[QUEUES];
    struct sent *sent;
    struct round round;

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
    round = evaluate(grader_graded(grader), sent, count, seconds);
    tell_late(sent, count);
    free(sent);
    own_service_end();
    sink_stop(lms);
    grader_stop(grader);
    return round;
}

static void run_and_tell(bool is_dead, size_t number, struct round *ret_round)
{
    *ret_round = run(is_dead);
    printf("round %2zu, %s: %7.1f/s, p50 %6.2f ms, p99 %6.2f ms\n", number,
           is_dead ? "one grader dead" : "all alive      ", ret_round->rate,
           ret_round->p50_ms, ret_round->p99_ms);
    fflush(stdout);
}

static double median_of(const struct round *rounds, size_t count,
                        double (*value)(const struct round *round))
{
    double values[MOST_ROUNDS];

    for (size_t i = 0; i < count; i++)
        values[i] = value(&rounds[i]);
    return quantile(values, count, 0.5);
}

static double rate_of(const struct round *round)
{
    return round->rate;
}

static double p50_of(const struct round *round)
{
    return round->p50_ms;
}

static double p99_of(const struct round *round)
{
    return round->p99_ms;
}

/* Rounds of a pair are neighbours in time: what else goes on hits both. */
static void tell(const char *what, const struct round *alive,
                 const struct round *dead, size_t count,
                 double (*value)(const struct round *round))
{
    double ratios[MOST_ROUNDS];

    for (size_t i = 0; i < count; i++)
        ratios[i] = value(&dead[i]) / value(&alive[i]);
    printf("%-10s %9.2f %9.2f %9.3f\n", what, median_of(alive, count, value),
           median_of(dead, count, value), quantile(ratios, count, 0.5));
}

START_TEST(one_dead_grader_of_fifty)
{
    size_t pairs = (size_t)setting("BENCH_ROUNDS", 5);
    struct round alive[MOST_ROUNDS];
    struct round dead[MOST_ROUNDS];

    ck_assert_uint_ge(pairs, 1);
    ck_assert_uint_le(pairs, MOST_ROUNDS);
    for (size_t i = 0; i < pairs; i++) {
        bool is_first = i % 2 == 1;

        run_and_tell(is_first, 2 * i + 1, is_first ? &dead[i] : &alive[i]);
        run_and_tell(!is_first, 2 * i + 2, is_first ? &alive[i] : &dead[i]);
    }
    printf("\nthe other 49, medians of %zu pairs of rounds\n"
           "           all alive  one dead     ratio\n",
           pairs);
    tell("pushes/s", alive, dead, pairs, rate_of);
    tell("p50 ms", alive, dead, pairs, p50_of);
    tell("p99 ms", alive, dead, pairs, p99_of);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {TELL(one_dead_grader_of_fifty)};
    static const struct story story = {
        .name = "isolation",
        .tests = tests,
        .count = ARRAY_LENGTH(tests),
        .before_all = mariadb_start_own,
        .after_all = mariadb_stop,
        .timeout_s = 3600,
    };

    return story_run(&story);
}
