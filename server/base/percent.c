/*
 * Percent-decoding.
 */
#include "server/base/percent.h"

#include "server/base/utf8.h"

static bool is_plain(char byte);
static int escaped_byte(struct text text, size_t at);

struct text percent_decode(struct arena *arena, struct text text,
                           enum percent_plus plus)
{
    char *copy = arena_alloc(arena, text.size + 1);
    size_t size = 0;

    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];
        int escaped;

        if (is_plain(byte)) {
            copy[size++] = byte;
            continue;
        }
        if (byte == '+' && plus == PERCENT_PLUS_IS_SPACE)
            byte = ' ';
        escaped = byte == '%' ? escaped_byte(text, i) : -1;
        if (escaped >= 0) {
            byte = (char)escaped;
            i += 2;
        }
        copy[size++] = byte;
    }
    copy[size] = '\0';
    return utf8_repair(arena, (struct text){copy, size});
}

static bool is_plain(char byte)
{
    return byte != '%' && byte != '+';
}

/* What the three bytes from `at` on stand for; -1: for themselves. */
static int escaped_byte(struct text text, size_t at)
{
    int high;
    int low;

    if (text.size - at <= 2)
        return -1;
    high = text_hex_digit(text.data[at + 1]);
    low = text_hex_digit(text.data[at + 2]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}
