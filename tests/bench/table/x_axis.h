/*
 * The x axis of a plot, as words for gnuplot.
 */
#ifndef XQUEUE_BENCH_X_AXIS_H
#define XQUEUE_BENCH_X_AXIS_H

#include "tests/bench/table/results.h"

/* `plot`: the place of its first point. */
void x_axis_print(const struct results *results, size_t plot);

#endif
