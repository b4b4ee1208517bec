/*
 * Which points a plot, or a curve, has.
 */
#include "tests/bench/table/grouping.h"

#include <string.h>

static bool is_point(const struct result *result);

bool points_are_of_one(const struct result *left, const struct result *right,
                       enum extent extent)
{
    return is_point(left) && is_point(right) &&
           strcmp(left->bench, right->bench) == 0 &&
           strcmp(left->point.axis, right->point.axis) == 0 &&
           strcmp(left->point.unit, right->point.unit) == 0 &&
           (extent == OF_PLOT ||
            strcmp(left->point.curve, right->point.curve) == 0);
}

bool is_first_point(const struct results *results, size_t place,
                    enum extent extent)
{
    for (size_t i = 0; i < place; i++) {
        if (points_are_of_one(&results->items[i], &results->items[place],
                              extent))
            return false;
    }
    return is_point(&results->items[place]);
}

static bool is_point(const struct result *result)
{
    return result->kind == RESULT_POINT;
}
