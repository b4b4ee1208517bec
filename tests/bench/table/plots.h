/*
 * The curves, as words for gnuplot.
 */
#ifndef XQUEUE_BENCH_PLOTS_H
#define XQUEUE_BENCH_PLOTS_H

#include "tests/bench/table/results.h"

/*
 * Prints a program that draws FOLDER/BENCH.svg of each benchmark with curves,
 * and FOLDER/BENCH-2.svg when not all of them have the same axes.
 */
void plots_print(const struct results *results, const char *folder);

#endif
