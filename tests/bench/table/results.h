/*
 * What benchmarks have told, as tests/bench/support/report.c wrote it down.
 */
#ifndef XQUEUE_BENCH_RESULTS_H
#define XQUEUE_BENCH_RESULTS_H

#include "server/base/arena.h"
#include "tests/bench/support/report_row.h"

enum result_kind { RESULT_BEGIN, RESULT_ROW, RESULT_POINT, RESULT_WRONG };

struct result_point {
    const char *curve;
    const char *axis;
    const char *unit;
    double x;
    double y;
    double low;
    double high;
};

struct result {
    enum result_kind kind;
    const char *bench;
    const char *what;  /* RESULT_BEGIN */
    const char *facts; /* RESULT_BEGIN */
    const char *text;  /* RESULT_WRONG */
    struct report_row row;
    struct result_point point;
};

struct results {
    struct result *items; /* in the order they were told; in the arena */
    size_t count;
};

/* A file that is not what it should be ends the program. */
struct results results_read(struct arena *arena, const char *path);

#endif
