/*
 * Percent-decoding.
 */
#include "server/base/percent.h"

#include "server/base/utf8.h"

struct text percent_decode(struct arena *arena, struct text text,
                           enum percent_plus plus)
{
    char *copy = arena_alloc(arena, text.size + 1);
    size_t size = 0;

    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];

        if (byte == '+' && plus == PERCENT_PLUS_IS_SPACE)
            byte = ' ';
        if (byte == '%' && text.size - i > 2 &&
            text_hex_digit(text.data[i + 1]) >= 0 &&
            text_hex_digit(text.data[i + 2]) >= 0) {
            byte = (char)(text_hex_digit(text.data[i + 1]) << 4 |
                          text_hex_digit(text.data[i + 2]));
            i += 2;
        }
        copy[size++] = byte;
    }
    copy[size] = '\0';
    return utf8_repair(arena, (struct text){copy, size});
}
