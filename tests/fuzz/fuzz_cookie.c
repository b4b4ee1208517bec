/*
 * Cookie fields. Promises: a value lies inside the field, holds no semicolon,
 * and is found again in a field that has it alone.
 */
#include "server/http/cookie.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text field = {(const char *)data, size};
    struct text value = cookie_get(field, "s");

    if (text_is_absent(value))
        return 0;
    PROMISE(is_inside(value, field));
    PROMISE(value.size == 0 || memchr(value.data, ';', value.size) == NULL);
    if (value.size > 0 && value.data[0] != '"' &&
        text_equal(text_trim(value), value)) {
        char *alone = malloc(value.size + 4);

        PROMISE(alone != NULL);
        memcpy(alone, "s=\"", 3);
        memcpy(alone + 3, value.data, value.size);
        alone[3 + value.size] = '"';
        PROMISE(text_equal(
            cookie_get((struct text){alone, value.size + 4}, "s"), value));
        free(alone);
    }
    return 0;
}
