/*
 * Arithmetic on measured values: medians, spreads, quantiles, exponents.
 */
#ifndef XQUEUE_BENCH_FIGURES_H
#define XQUEUE_BENCH_FIGURES_H

#include <stddef.h>

enum { MOST_ROUNDS = 50 };

/* One figure as it was measured in each round of a run. */
struct series {
    double values[MOST_ROUNDS];
    size_t count;
};

void series_add(struct series *series, double value);
double series_median(const struct series *series);
double series_lowest(const struct series *series);
double series_highest(const struct series *series);

/*
 * ours[i] / base[i]: rounds of one number are neighbours in time, so what
 * else the machine does hits both.
 */
struct series series_ratio(const struct series *ours,
                           const struct series *base);

/* `part` from 0 to 1; sorts the values. 0 when there are none. */
double quantile(double *values, size_t count, double part);

/* The b of y = a * x^b through the points, by least squares of logarithms. */
double exponent(const double *x, const double *y, size_t count);

#endif
