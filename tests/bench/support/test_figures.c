/*
 * The arithmetic of the benchmarks.
 */
#include "tests/bench/support/figures.h"
#include "tests/support/story.h"

#include <math.h>

START_TEST(the_median_of_an_odd_number_is_the_middle_one)
{
    const struct series series = {{5, 1, 100}, 3};

    ck_assert_double_eq(series_median(&series), 5);
    ck_assert_double_eq(series.values[0], 5);
}
END_TEST

START_TEST(the_median_of_an_even_number_lies_between_the_middle_ones)
{
    const struct series series = {{4, 1, 2, 100}, 4};

    ck_assert_double_eq(series_median(&series), 3);
}
END_TEST

START_TEST(the_spread_is_from_the_lowest_to_the_highest)
{
    const struct series series = {{4, 1, 2, 100}, 4};

    ck_assert_double_eq(series_lowest(&series), 1);
    ck_assert_double_eq(series_highest(&series), 100);
}
END_TEST

START_TEST(no_value_at_all_counts_as_nothing)
{
    const struct series none = {.count = 0};

    ck_assert_double_eq(series_median(&none), 0);
    ck_assert_double_eq(series_highest(&none), 0);
}
END_TEST

START_TEST(a_ratio_is_of_the_rounds_of_one_number)
{
    const struct series ours = {{10, 40}, 2};
    const struct series base = {{20, 20}, 2};
    const struct series ratio = series_ratio(&ours, &base);

    ck_assert_uint_eq(ratio.count, 2);
    ck_assert_double_eq(ratio.values[0], 0.5);
    ck_assert_double_eq(ratio.values[1], 2);
}
END_TEST

START_TEST(quantiles_of_a_hundred_values)
{
    double values[101];

    for (size_t i = 0; i < 101; i++)
        values[i] = (double)(100 - i);
    ck_assert_double_eq(quantile(values, 101, 0.5), 50);
    ck_assert_double_eq(quantile(values, 101, 0.99), 99);
    ck_assert_double_eq(quantile(values, 101, 1), 100);
}
END_TEST

START_TEST(the_exponent_of_a_power_is_found)
{
    const double x[] = {100, 1000, 10000, 100000};
    double flat[4];
    double square[4];

    for (size_t i = 0; i < 4; i++) {
        flat[i] = 7;
        square[i] = 3 * x[i] * x[i];
    }
    ck_assert(fabs(exponent(x, flat, 4)) < 1e-9);
    ck_assert(fabs(exponent(x, square, 4) - 2) < 1e-9);
}
END_TEST

STORY("figures", TELL(the_median_of_an_odd_number_is_the_middle_one),
      TELL(the_median_of_an_even_number_lies_between_the_middle_ones),
      TELL(the_spread_is_from_the_lowest_to_the_highest),
      TELL(no_value_at_all_counts_as_nothing),
      TELL(a_ratio_is_of_the_rounds_of_one_number),
      TELL(quantiles_of_a_hundred_values),
      TELL(the_exponent_of_a_power_is_found))
