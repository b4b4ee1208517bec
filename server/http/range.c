/*
 * Numbers that do not fit are as large as can be:
 * "bytes=0-99999999999999999999" is the whole file, and a beginning out there
 * is beyond it.
 */
#include "server/http/range.h"

#include <inttypes.h>
#include <string.h>

static bool take_set(struct text field, struct text *ret_set);
static enum range_status choose_last(uint64_t wanted, uint64_t size,
                                     struct range *ret_range);
static bool read_number(struct text digits, uint64_t *ret_number);

enum range_status range_choose(struct text field, struct text if_range,
                               uint64_t size, struct range *ret_range)
{
    struct text set;
    struct text before;
    struct text after;
    const char *dash;
    uint64_t first = 0;
    uint64_t last = UINT64_MAX;

    if (!text_is_absent(if_range) || !take_set(field, &set))
        return RANGE_ALL;
    dash = memchr(set.data, '-', set.size);
    if (dash == NULL)
        return RANGE_ALL;
    before = (struct text){set.data, (size_t)(dash - set.data)};
    after = (struct text){dash + 1, set.size - before.size - 1};
    if (after.size > 0 && !read_number(after, &last))
        return RANGE_ALL;
    if (before.size == 0)
        return after.size == 0 ? RANGE_ALL : choose_last(last, size, ret_range);
    if (!read_number(before, &first) || first > last)
        return RANGE_ALL;
    if (first >= size)
        return RANGE_BEYOND;
    if (last >= size)
        last = size - 1;
    *ret_range = (struct range){.first = first, .size = last - first + 1};
    return RANGE_PART;
}

const char *range_format(struct arena *arena, const struct range *range,
                         uint64_t size)
{
    return arena_printf(arena, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64,
                        range->first, range->first + range->size - 1, size);
}

const char *range_format_beyond(struct arena *arena, uint64_t size)
{
    return arena_printf(arena, "bytes */%" PRIu64, size);
}

/* What stands behind "bytes="; false when that is not what it is. */
static bool take_set(struct text field, struct text *ret_set)
{
    const char *equals =
        text_is_absent(field) ? NULL : memchr(field.data, '=', field.size);
    struct text unit = field;

    if (equals == NULL)
        return false;
    unit.size = (size_t)(equals - field.data);
    if (!text_equal_ignoring_case(unit, "bytes"))
        return false;
    *ret_set = text_trim((struct text){equals + 1, field.size - unit.size - 1});
    return true;
}

/* "bytes=-500": the end of the file, or all of a shorter one. */
static enum range_status choose_last(uint64_t wanted, uint64_t size,
                                     struct range *ret_range)
{
    if (wanted == 0)
        return RANGE_BEYOND;
    if (size == 0)
        return RANGE_ALL; /* there is no Content-Range for nothing */
    if (wanted > size)
        wanted = size;
    *ret_range = (struct range){.first = size - wanted, .size = wanted};
    return RANGE_PART;
}

/* Digits and nothing else. */
static bool read_number(struct text digits, uint64_t *ret_number)
{
    uint64_t number = 0;

    for (size_t i = 0; i < digits.size; i++) {
        const char byte = digits.data[i];

        if (byte < '0' || byte > '9')
            return false;
        if (number > (UINT64_MAX - 9) / 10)
            number = UINT64_MAX; /* and stays there */
        else
            number = number * 10 + (uint64_t)(byte - '0');
    }
    *ret_number = number;
    return digits.size > 0;
}
