/*
 * A plot has the curves of one benchmark with the same axes.
 */
#include "tests/bench/table/plots.h"

#include "tests/bench/table/grouping.h"
#include "tests/bench/table/x_axis.h"

#include <stdio.h>
#include <string.h>

/*
 * Colours that also differ when one does not see all of them; on white, as a
 * page may be dark.
 */
static const char style[] =
    "set terminal svg noenhanced size 640,360 font 'sans-serif,13' background "
    "'#ffffff'\n"
    "set border 3 linecolor '#606060'\n"
    "set tics nomirror out textcolor '#303030'\n"
    "set grid ytics linetype 1 linecolor '#d8d8d8' linewidth 1\n"
    "set key outside top right horizontal\n"
    "set yrange [0:*]\n"
    "set format y '%.10g'\n"
    "set errorbars linewidth 1\n"
    "set linetype 1 linecolor '#0072b2' linewidth 2 pointtype 7\n"
    "set linetype 2 linecolor '#d55e00' linewidth 2 pointtype 5\n"
    "set linetype 3 linecolor '#009e73' linewidth 2 pointtype 9\n"
    "set linetype 4 linecolor '#cc79a7' linewidth 2 pointtype 13\n";

static void print_data(const struct results *results, size_t curve);
static void print_plot(const struct results *results, size_t plot,
                       const char *folder);
static unsigned plot_number(const struct results *results, size_t plot);
static void print_title(const struct results *results, size_t plot);
static void print_quoted(const char *text);
static void print_curves(const struct results *results, size_t plot);

void plots_print(const struct results *results, const char *folder)
{
    fputs(style, stdout);
    for (size_t i = 0; i < results->count; i++) {
        if (is_first_point(results, i, OF_CURVE))
            print_data(results, i);
    }
    for (size_t i = 0; i < results->count; i++) {
        if (is_first_point(results, i, OF_PLOT))
            print_plot(results, i, folder);
    }
}

static void print_data(const struct results *results, size_t curve)
{
    printf("$curve%zu << END\n", curve);
    for (size_t i = curve; i < results->count; i++) {
        const struct result_point *point = &results->items[i].point;

        if (points_are_of_one(&results->items[curve], &results->items[i],
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
    const char *unit = first->point.unit;
    unsigned number = plot_number(results, plot);

    printf("set output '%s/%s", folder, first->bench);
    if (number > 1)
        printf("-%u", number);
    puts(".svg'");
    print_title(results, plot);
    x_axis_print(results, plot);
    printf("set ylabel '%s'\n", strcmp(unit, "/s") == 0 ? "per second" : unit);
    print_curves(results, plot);
}

/* Among those of its benchmark, from 1. */
static unsigned plot_number(const struct results *results, size_t plot)
{
    unsigned number = 1;

    for (size_t i = 0; i < plot; i++)
        number +=
            is_first_point(results, i, OF_PLOT) &&
            strcmp(results->items[i].bench, results->items[plot].bench) == 0;
    return number;
}

/* The benchmark's, as the table has it. */
static void print_title(const struct results *results, size_t plot)
{
    const char *bench = results->items[plot].bench;

    for (size_t i = 0; i < plot; i++) {
        const struct result *result = &results->items[i];

        if (result->kind != RESULT_BEGIN || strcmp(result->bench, bench) != 0)
            continue;
        printf("set title '%s: ", bench);
        print_quoted(result->what);
        puts("'");
        return;
    }
    printf("set title '%s'\n", bench);
}

/* Between quotes of gnuplot, where one stands twice. */
static void print_quoted(const char *text)
{
    for (; *text != '\0'; text++)
        printf("%s%c", *text == '\'' ? "'" : "", *text);
}

/* One alone needs no key: the title says what it is. */
static void print_curves(const struct results *results, size_t plot)
{
    const struct result *first = &results->items[plot];
    const char *separator = "plot ";
    size_t count = 0;

    for (size_t i = plot; i < results->count; i++)
        count += is_first_point(results, i, OF_CURVE) &&
                 points_are_of_one(first, &results->items[i], OF_PLOT);
    printf("%s key\n", count > 1 ? "set" : "unset");
    for (size_t i = plot; i < results->count; i++) {
        if (!is_first_point(results, i, OF_CURVE) ||
            !points_are_of_one(first, &results->items[i], OF_PLOT))
            continue;
        printf("%s$curve%zu using 1:2:3:4 with yerrorlines title '%s'",
               separator, i, results->items[i].point.curve);
        separator = ", ";
    }
    putchar('\n');
}
