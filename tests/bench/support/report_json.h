/*
 * What a benchmark tells, as lines of JSON in the file that BENCH_JSON names.
 * tests/bench/table.c reads them.
 */
#ifndef XQUEUE_BENCH_REPORT_JSON_H
#define XQUEUE_BENCH_REPORT_JSON_H

#include "server/base/buffer.h"
#include "tests/bench/support/figures.h"

/* {"bench": NAME, "kind": KIND, and then members, and then the end. */
void report_json_begin(struct buffer *line, const char *bench,
                       const char *kind);
void report_json_text(struct buffer *line, const char *name, const char *text);
void report_json_number(struct buffer *line, const char *name, double value);
void report_json_series(struct buffer *line, const char *name,
                        const struct series *series);

/* Appends the line to the file, if there is one, and frees it. */
void report_json_end(struct buffer *line);

#endif
