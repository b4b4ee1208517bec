/*
 * A line of the table: the same for a benchmark alone and for all of them, on
 * a terminal and in Markdown.
 */
#ifndef XQUEUE_BENCH_REPORT_ROW_H
#define XQUEUE_BENCH_REPORT_ROW_H

#include "tests/bench/support/report.h"

#include <stdbool.h>
#include <stdio.h>

struct report_row {
    const char *figure;
    const char *unit;
    const char *baseline; /* NULL: there is none */
    double ours;
    double base;
    double ratio;
    double low; /* the spread: of the ratio, or of ours when it stands alone */
    double high;
    struct target target;
};

void report_heading_print(FILE *file);
void report_row_print(FILE *file, const struct report_row *row);

void report_heading_print_markdown(FILE *file);
void report_row_print_markdown(FILE *file, const struct report_row *row);

/* What has no target is met. */
bool report_row_is_met(const struct report_row *row);

/* "0.123", "12.3", "12,345", and the unit. */
enum { REPORT_NUMBER_SIZE = 48 };
void report_number(char text[REPORT_NUMBER_SIZE], double value,
                   const char *unit);

#endif
