/*
 * Marks stand where something was measured. The axis goes on a little on both
 * sides, so that no bar lies on the border.
 */
#include "tests/bench/table/x_axis.h"

#include "tests/bench/table/grouping.h"

#include <math.h>
#include <stdio.h>

enum { WIDE = 10 }; /* what spans so much has a logarithmic axis */

static const double margin = 0.03; /* on either side, of the axis */

struct span {
    double low;
    double high;
};

static struct span span_of(const struct results *results, size_t plot);
static void print_marks(const struct results *results, size_t plot);

void x_axis_print(const struct results *results, size_t plot)
{
    struct span span = span_of(results, plot);
    bool is_wide = span.low > 0 && span.high / span.low >= WIDE;
    double beside = span.high > span.low ? (span.high - span.low) * margin : 1;
    double times = pow(span.high / span.low, margin);

    printf("set xlabel '%s'\n%s logscale x\n", results->items[plot].point.axis,
           is_wide ? "set" : "unset");
    printf("set xrange [%.10g:%.10g]\n",
           is_wide ? span.low / times : span.low - beside,
           is_wide ? span.high * times : span.high + beside);
    print_marks(results, plot);
}

static struct span span_of(const struct results *results, size_t plot)
{
    double x = results->items[plot].point.x;
    struct span span = {x, x};

    for (size_t i = plot; i < results->count; i++) {
        if (!points_are_of_one(&results->items[plot], &results->items[i],
                               OF_PLOT))
            continue;
        x = results->items[i].point.x;
        span.low = x < span.low ? x : span.low;
        span.high = x > span.high ? x : span.high;
    }
    return span;
}

/* A mark that is there twice is drawn once. */
static void print_marks(const struct results *results, size_t plot)
{
    const char *separator = "set xtics (";

    for (size_t i = plot; i < results->count; i++) {
        char label[REPORT_NUMBER_SIZE];
        double x = results->items[i].point.x;

        if (!points_are_of_one(&results->items[plot], &results->items[i],
                               OF_PLOT))
            continue;
        if (x < 1000)
            snprintf(label, sizeof label, "%.10g", x);
        else
            report_number(label, x, "");
        printf("%s'%s' %.10g", separator, label, x);
        separator = ", ";
    }
    puts(")");
}
