/*
 * The frame of a benchmark: a private, durable MariaDB as it comes out of its
 * box, the report, and rounds.
 *
 *     static void run(void)
 *     {
 *         own_service_begin(&(struct service_settings){...});
 *         bench_rounds(ours, raw, &context, &a, &b);
 *         report_ratio("32 clients", "/s", &a, &b, "R1", AT_LEAST(0.6));
 *         own_service_end();
 *     }
 *     BENCH("submit", "submissions with a session, 1 KB", run)
 *
 * Settings of the environment: BENCH_ROUNDS (5), BENCH_SECONDS of a round
 * (1.5), and BENCH_SHORT=1 for one round of a moment, which shows that it all
 * works, and no figures.
 */
#ifndef XQUEUE_BENCH_BENCH_H
#define XQUEUE_BENCH_BENCH_H

#include "tests/bench/support/report.h"

#include <stdbool.h>
#include <stddef.h>

struct bench {
    const char *name;
    const char *what;
    void (*run)(void);
    /* Further options of the database server, up to a NULL; may be NULL. */
    const char *const *database;
};

/* The exit status of main(). */
int bench_main(const struct bench *bench);

#define BENCH(bench_name, bench_what, bench_run)                               \
    int main(void)                                                             \
    {                                                                          \
        static const struct bench bench = {                                    \
            .name = (bench_name),                                              \
            .what = (bench_what),                                              \
            .run = (bench_run),                                                \
        };                                                                     \
        return bench_main(&bench);                                             \
    }

/* A number of the environment. */
double bench_setting(const char *name, double otherwise);

bool bench_is_short(void);
size_t bench_round_count(void);
double bench_seconds(void);

/* `whole`, or in the short form `little`. */
size_t bench_size(size_t whole, size_t little);

/* One round; gives its figure. */
typedef double bench_round(void *context);

/*
 * Rounds of both in turns, first ours then the baseline, then the other way
 * round: what else the machine does hits both. Appends to the series.
 */
void bench_rounds(bench_round *ours, bench_round *base, void *context,
                  struct series *ret_ours, struct series *ret_base);

/* The same of one alone. */
void bench_rounds_alone(bench_round *ours, void *context,
                        struct series *ret_ours);

#endif
