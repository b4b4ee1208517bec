/*
 * What a benchmark tells while it runs.
 */
#include "tests/bench/support/report.h"

#include "server/base/clock.h"
#include "tests/bench/support/bench.h"
#include "tests/bench/support/report_facts.h"
#include "tests/bench/support/report_json.h"
#include "tests/bench/support/report_row.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { TEXT_SIZE = 512 };

/* One benchmark in a process. */
static struct {
    const char *bench;
    int64_t begin_ms;
    size_t rows;
    size_t violations;
} here;

static void tell(const struct report_row *row, const struct series *ours,
                 const struct series *base);
static struct target judged(struct target target);
static void write_target(struct buffer *line, const struct report_row *row);

void report_begin(const char *bench, const char *what)
{
    struct buffer facts = {NULL, 0, 0};
    struct buffer line = {NULL, 0, 0};

    here.bench = bench;
    here.begin_ms = clock_monotonic_ms();
    here.rows = here.violations = 0;
    report_facts_append(&facts);
    printf("%s: %s\n%s\n", bench, what, facts.data);
    fflush(stdout);
    report_json_begin(&line, bench, "begin");
    report_json_text(&line, "what", what);
    report_json_text(&line, "facts", facts.data);
    report_json_end(&line);
    buffer_free(&facts);
}

void report_progress(const char *format, ...)
{
    char text[TEXT_SIZE];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fprintf(stderr, "[%4lld s] %s: %s\n",
            (long long)(clock_monotonic_ms() - here.begin_ms) / 1000,
            here.bench, text);
}

void report_ratio(const char *name, const char *unit, const struct series *ours,
                  const struct series *base, const char *baseline,
                  struct target target)
{
    struct series ratio = series_ratio(ours, base);
    const struct report_row row = {
        .figure = name,
        .unit = unit,
        .baseline = baseline,
        .ours = series_median(ours),
        .base = series_median(base),
        .ratio = series_median(&ratio),
        .low = series_lowest(&ratio),
        .high = series_highest(&ratio),
        .target = judged(target),
    };

    tell(&row, ours, base);
}

void report_value(const char *name, const char *unit,
                  const struct series *values, struct target target)
{
    const struct report_row row = {
        .figure = name,
        .unit = unit,
        .ours = series_median(values),
        .low = series_lowest(values),
        .high = series_highest(values),
        .target = judged(target),
    };

    tell(&row, values, NULL);
}

void report_point(const char *curve, const char *axis, double x,
                  const char *unit, const struct series *values)
{
    struct buffer line = {NULL, 0, 0};
    char median[REPORT_NUMBER_SIZE];

    report_number(median, series_median(values), unit);
    fprintf(stderr, "    %s, %.10g %s: %s\n", curve, x, axis, median);
    report_json_begin(&line, here.bench, "point");
    report_json_text(&line, "curve", curve);
    report_json_text(&line, "axis", axis);
    report_json_number(&line, "x", x);
    report_json_text(&line, "unit", unit);
    report_json_number(&line, "y", series_median(values));
    report_json_number(&line, "low", series_lowest(values));
    report_json_number(&line, "high", series_highest(values));
    report_json_series(&line, "rounds", values);
    report_json_end(&line);
}

void report_check(bool holds, const char *format, ...)
{
    struct buffer line = {NULL, 0, 0};
    char text[TEXT_SIZE];
    va_list arguments;

    if (holds)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    here.violations++;
    printf("WRONG: %s\n", text);
    fflush(stdout);
    report_json_begin(&line, here.bench, "wrong");
    report_json_text(&line, "text", text);
    report_json_end(&line);
}

int report_end(void)
{
    if (here.violations > 0)
        printf("%zu of what must hold does not\n", here.violations);
    fflush(stdout);
    return here.violations == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* `base` is NULL for a row that stands alone. */
static void tell(const struct report_row *row, const struct series *ours,
                 const struct series *base)
{
    struct buffer line = {NULL, 0, 0};

    if (here.rows++ == 0)
        report_heading_print(stdout);
    report_row_print(stdout, row);
    fflush(stdout);
    report_json_begin(&line, here.bench, "row");
    report_json_text(&line, "figure", row->figure);
    report_json_text(&line, "unit", row->unit);
    report_json_number(&line, "ours", row->ours);
    if (base != NULL) {
        report_json_text(&line, "baseline", row->baseline);
        report_json_number(&line, "base", row->base);
        report_json_number(&line, "ratio", row->ratio);
    }
    report_json_number(&line, "low", row->low);
    report_json_number(&line, "high", row->high);
    write_target(&line, row);
    report_json_series(&line, "rounds", ours);
    if (base != NULL)
        report_json_series(&line, "base_rounds", base);
    report_json_end(&line);
}

/* A moment says nothing about time. */
static struct target judged(struct target target)
{
    return bench_is_short() ? NO_TARGET : target;
}

static void write_target(struct buffer *line, const struct report_row *row)
{
    if (row->target.kind == TARGET_NONE)
        return;
    report_json_text(line, "target",
                     row->target.kind == TARGET_AT_LEAST ? "at least"
                                                         : "at most");
    report_json_number(line, "target_value", row->target.value);
    report_json_text(line, "met", report_row_is_met(row) ? "yes" : "no");
}
