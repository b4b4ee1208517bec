/*
 * Arithmetic on measured values. Rounds are few, so everything is copied and
 * sorted as it is needed.
 */
#include "tests/bench/support/figures.h"

#include "server/base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *left, const void *right);

void series_add(struct series *series, double value)
{
    if (series->count == MOST_ROUNDS)
        fatal("more than %d rounds", MOST_ROUNDS);
    series->values[series->count++] = value;
}

double series_median(const struct series *series)
{
    struct series sorted = *series;

    if (sorted.count == 0)
        return 0;
    qsort(sorted.values, sorted.count, sizeof *sorted.values, compare);
    return (sorted.values[(sorted.count - 1) / 2] +
            sorted.values[sorted.count / 2]) /
           2;
}

double series_lowest(const struct series *series)
{
    struct series sorted = *series;

    return quantile(sorted.values, sorted.count, 0);
}

double series_highest(const struct series *series)
{
    struct series sorted = *series;

    return quantile(sorted.values, sorted.count, 1);
}

struct series series_ratio(const struct series *ours, const struct series *base)
{
    struct series ratio = {.count = 0};

    if (ours->count != base->count)
        fatal("%zu rounds beside %zu", ours->count, base->count);
    for (size_t i = 0; i < ours->count; i++)
        series_add(&ratio, ours->values[i] / base->values[i]);
    return ratio;
}

double quantile(double *values, size_t count, double part)
{
    if (count == 0)
        return 0;
    qsort(values, count, sizeof *values, compare);
    return values[(size_t)(part * (double)(count - 1))];
}

double exponent(const double *x, const double *y, size_t count)
{
    double mean_x = 0;
    double mean_y = 0;
    double both = 0;
    double square = 0;

    for (size_t i = 0; i < count; i++) {
        mean_x += log(x[i]) / (double)count;
        mean_y += log(y[i]) / (double)count;
    }
    for (size_t i = 0; i < count; i++) {
        double from_mean = log(x[i]) - mean_x;

        both += from_mean * (log(y[i]) - mean_y);
        square += from_mean * from_mean;
    }
    return both / square;
}

static int compare(const void *left, const void *right)
{
    double first = *(const double *)left;
    double second = *(const double *)right;

    return (first > second) - (first < second);
}
