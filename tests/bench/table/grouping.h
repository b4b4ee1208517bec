/*
 * Which points a plot, or a curve, has. It is named by the place of its first
 * point among the results.
 */
#ifndef XQUEUE_BENCH_GROUPING_H
#define XQUEUE_BENCH_GROUPING_H

#include "tests/bench/table/results.h"

#include <stdbool.h>

/* A plot: one benchmark, the same axes. A curve: the same name, too. */
enum extent { OF_PLOT, OF_CURVE };

/* Are both points, and of the same plot, or curve? */
bool points_are_of_one(const struct result *left, const struct result *right,
                       enum extent extent);

/* Is this the first point of its plot, or of its curve? */
bool is_first_point(const struct results *results, size_t place,
                    enum extent extent);

#endif
