/*
 * What a benchmark tells: a table for people on standard output, progress on
 * standard error, and, with BENCH_JSON=FILE in the environment, a JSON object
 * per row appended to that file, from which `make bench` makes one table, one
 * JSON file and the curves.
 *
 *     report_begin("submit", "submissions with a session, 1 KB");
 *     report_ratio("32 clients", "/s", &ours, &raw, "R1, 8 connections",
 *                  AT_LEAST(0.6));
 *     return report_end();
 */
#ifndef XQUEUE_BENCH_REPORT_H
#define XQUEUE_BENCH_REPORT_H

#include "server/base/compiler.h"
#include "tests/bench/support/figures.h"

#include <stdbool.h>

enum target_kind { TARGET_NONE, TARGET_AT_LEAST, TARGET_AT_MOST };

struct target {
    enum target_kind kind;
    double value;
};

#define NO_TARGET        ((struct target){TARGET_NONE, 0})
#define AT_LEAST(number) ((struct target){TARGET_AT_LEAST, (number)})
#define AT_MOST(number)  ((struct target){TARGET_AT_MOST, (number)})

/* Also prints the engine, its settings and the cost of an fsync, once. */
void report_begin(const char *bench, const char *what);

/* A line of progress, with the seconds since the beginning. */
void report_progress(const char *format, ...) PRINTF_LIKE(1, 2);

/*
 * A row: medians of both, the median and the spread of the ratio ours/base,
 * and whether the target for the ratio is met.
 */
void report_ratio(const char *name, const char *unit, const struct series *ours,
                  const struct series *base, const char *baseline,
                  struct target target);

/* A row without a baseline: the target is for the median itself. */
void report_value(const char *name, const char *unit,
                  const struct series *values, struct target target);

/*
 * A point of a curve, for the plots: `curve` is "pull", `axis` "waiting
 * submissions"; its y is the median, its bar the spread.
 */
void report_point(const char *curve, const char *axis, double x,
                  const char *unit, const struct series *values);

/*
 * Whatever must hold in every run, on any machine: no loss, no duplicate.
 * A violation is printed and makes report_end() fail. Time is never judged.
 */
void report_check(bool holds, const char *format, ...) PRINTF_LIKE(2, 3);

/* The exit status of main(): 0 unless a check failed. */
int report_end(void);

#endif
