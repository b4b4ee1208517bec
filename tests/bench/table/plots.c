/*
 * A plot has the curves of one benchmark with the same axes.
 */
#include "tests/bench/table/plots.h"

#include <stdio.h>
#include <string.h>

enum { WIDE = 10 }; /* x has a logarithmic axis when it spans so much */

/* Colours that also differ when one does not see all of them. */
static const char style[] =
    "set terminal svg noenhanced size 640,360 font 'sans-serif,13' background "
    "'#ffffff'\n"
    "set border 3 linecolor '#606060'\n"
    "set tics nomirror\n"
    "set grid ytics linetype 1 linecolor '#d8d8d8' linewidth 1\n"
    "set key outside top right horizontal\n"
    "set yrange [0:*]\n"
    "set format '%.10g'\n"
    "set linetype 1 linecolor '#0072b2' linewidth 2 pointtype 7\n"
    "set linetype 2 linecolor '#d55e00' linewidth 2 pointtype 5\n"
    "set linetype 3 linecolor '#009e73' linewidth 2 pointtype 9\n"
    "set linetype 4 linecolor '#cc79a7' linewidth 2 pointtype 13\n";

/* Is this the first point of its plot, or of its curve? */
enum extent { OF_PLOT, OF_CURVE };

static bool is_point(const struct result *result);
static bool belong_together(const struct result *left,
                            const struct result *right, enum extent extent);
static bool is_first(const struct results *results, size_t place,
                     enum extent extent);
static unsigned number_of(const struct results *results, size_t place);
static void print_data(const struct results *results, size_t curve);
static void print_plot(const struct results *results, size_t plot,
                       const char *folder);
static bool is_wide(const struct results *results, size_t plot);

void plots_print(const struct results *results, const char *folder)
{
    fputs(style, stdout);
    for (size_t i = 0; i < results->count; i++) {
        if (is_first(results, i, OF_CURVE))
            print_data(results, i);
    }
    for (size_t i = 0; i < results->count; i++) {
        if (is_first(results, i, OF_PLOT))
            print_plot(results, i, folder);
    }
}

static bool is_point(const struct result *result)
{
    return result->kind == RESULT_POINT;
}

static bool belong_together(const struct result *left,
                            const struct result *right, enum extent extent)
{
    return is_point(left) && is_point(right) &&
           strcmp(left->bench, right->bench) == 0 &&
           strcmp(left->point.axis, right->point.axis) == 0 &&
           strcmp(left->point.unit, right->point.unit) == 0 &&
           (extent == OF_PLOT ||
            strcmp(left->point.curve, right->point.curve) == 0);
}

static bool is_first(const struct results *results, size_t place,
                     enum extent extent)
{
    for (size_t i = 0; i < place; i++) {
        if (belong_together(&results->items[i], &results->items[place], extent))
            return false;
    }
    return is_point(&results->items[place]);
}

/* Of a plot among those of its benchmark, from 1. */
static unsigned number_of(const struct results *results, size_t place)
{
    unsigned number = 1;

    for (size_t i = 0; i < place; i++)
        number +=
            is_first(results, i, OF_PLOT) &&
            strcmp(results->items[i].bench, results->items[place].bench) == 0;
    return number;
}

static void print_data(const struct results *results, size_t curve)
{
    printf("$curve%zu << END\n", curve);
    for (size_t i = curve; i < results->count; i++) {
        const struct result_point *point = &results->items[i].point;

        if (belong_together(&results->items[curve], &results->items[i],
                            OF_CURVE))
            printf("%.10g %.6g %.6g %.6g\n", point->x, point->y, point->low,
                   point->high);
    }
    puts("END");
}

static void print_plot(const struct results *results, size_t plot,
                       const char *folder)
{
    const struct result *first = &results->items[plot];
    unsigned number = number_of(results, plot);
    const char *separator = "plot ";

    printf("set output '%s/%s", folder, first->bench);
    if (number > 1)
        printf("-%u", number);
    printf(".svg'\nset xlabel '%s'\nset ylabel '%s'\n%s logscale x\n",
           first->point.axis,
           strcmp(first->point.unit, "/s") == 0 ? "per second"
                                                : first->point.unit,
           is_wide(results, plot) ? "set" : "unset");
    for (size_t i = plot; i < results->count; i++) {
        if (!is_first(results, i, OF_CURVE) ||
            !belong_together(first, &results->items[i], OF_PLOT))
            continue;
        printf("%s$curve%zu using 1:2:3:4 with yerrorlines title '%s'",
               separator, i, results->items[i].point.curve);
        separator = ", ";
    }
    putchar('\n');
}

static bool is_wide(const struct results *results, size_t plot)
{
    double low = results->items[plot].point.x;
    double high = low;

    for (size_t i = plot; i < results->count; i++) {
        double x = results->items[i].point.x;

        if (!belong_together(&results->items[plot], &results->items[i],
                             OF_PLOT))
            continue;
        low = x < low ? x : low;
        high = x > high ? x : high;
    }
    return low > 0 && high / low >= WIDE;
}
