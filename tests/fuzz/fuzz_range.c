/*
 * A Range field on the first line, the size of the file on the second.
 * Promises: a part lies inside the file and is not empty; asking for exactly
 * that part gives it again; only what begins with the unit is a range.
 */
#include "server/http/range.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text rest;
    const struct text field =
        first_line((struct text){(const char *)data, size}, &rest);
    const struct text digits = first_line(rest, &rest);
    struct arena *arena = arena_new();
    struct range range = {0, 0};
    struct range again = {0, 0};
    int64_t number = 1000;
    uint64_t file_size;

    if (text_to_integer(digits, &number) && number < 0)
        number = INT64_MAX;
    file_size = (uint64_t)number;
    PROMISE(range_choose(field, digits, file_size, &range) == RANGE_ALL ||
            text_is_absent(digits));
    switch (range_choose(field, TEXT_ABSENT, file_size, &range)) {
    case RANGE_ALL:
        break;
    case RANGE_BEYOND:
        PROMISE(field.size > 6 && memchr(field.data, '=', 6) != NULL);
        PROMISE(range_format_beyond(arena, file_size) != NULL);
        break;
    case RANGE_PART:
        PROMISE(field.size > 6 && memchr(field.data, '=', 6) != NULL);
        PROMISE(range.size > 0 && range.first < file_size &&
                range.size <= file_size - range.first);
        PROMISE(range_format(arena, &range, file_size) != NULL);
        PROMISE(
            range_choose(
                text_of(arena_printf(
                    arena, "bytes=%llu-%llu", (unsigned long long)range.first,
                    (unsigned long long)(range.first + range.size - 1))),
                TEXT_ABSENT, file_size, &again) == RANGE_PART);
        PROMISE(again.first == range.first && again.size == range.size);
        break;
    }
    arena_free(arena);
    return 0;
}
