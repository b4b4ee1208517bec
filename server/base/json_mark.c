/*
 * Rewrites a checked source for json-c, token by token.
 *
 * json-c clamps or refuses large integers, turns lone surrogates into U+FFFD,
 * and pairs of them too whose character has the last 16 bits of one (U+1D800),
 * and cuts keys at a NUL. So it gets every scalar but true and false as a
 * string with a marker in front, numbers as their digits; an escape beyond
 * ASCII as the bytes it stands for, three for a lone surrogate; and a NUL in
 * a key as the bytes C0 80, which decode to NUL though no valid key holds
 * them.
 */
#include "server/base/json_private.h"
#include "server/base/utf8.h"

#include <string.h>

static void mark_scalar(struct text token, struct buffer *marked);
static void mark_string(struct text token, bool is_key, struct buffer *marked);
static size_t mark_escape(struct text rest, bool is_key, struct buffer *marked);
static size_t decode_escape(struct text rest, uint32_t *ret_character);
static unsigned hex_value(const char *digits);
static bool is_low_surrogate_escape(struct text rest);

void json_mark(struct text source, struct buffer *ret_marked)
{
    size_t position = json_skip_blanks(source, 0);

    buffer_reserve(ret_marked, source.size + source.size / 2);
    while (position < source.size) {
        struct text token = json_token(source, &position);

        position = json_skip_blanks(source, position);
        if (strchr("[]{}:,tf", token.data[0]) != NULL)
            buffer_append_text(ret_marked, token);
        else if (token.data[0] != '"')
            mark_scalar(token, ret_marked);
        else
            mark_string(token,
                        position < source.size && source.data[position] == ':',
                        ret_marked);
    }
}

struct text json_token(struct text source, size_t *position)
{
    const char *start = source.data + *position;
    size_t left = source.size - *position;
    size_t size = 1;

    if (*start == '"') {
        while (start[size] != '"')
            size += start[size] == '\\' ? 2 : 1;
        size++;
    } else if (strchr("[]{}:,", *start) == NULL) {
        while (size < left && strchr("[]{}:, \t\n\r", start[size]) == NULL)
            size++;
    }
    *position += size;
    return (struct text){start, size};
}

static void mark_scalar(struct text token, struct buffer *marked)
{
    char marker = JSON_MARKED_INTEGER;

    if (token.data[0] == 'n')
        marker = JSON_MARKED_NULL;
    for (size_t i = 0; i < token.size; i++)
        if (strchr(".eENI", token.data[i]) != NULL)
            marker = JSON_MARKED_REAL;
    buffer_append_char(marked, '"');
    buffer_append_char(marked, marker);
    buffer_append_text(marked, token);
    buffer_append_char(marked, '"');
}

static void mark_string(struct text token, bool is_key, struct buffer *marked)
{
    size_t plain = 1; /* where what is not yet copied starts */
    size_t i = 1;

    buffer_append_char(marked, '"');
    if (!is_key)
        buffer_append_char(marked, JSON_MARKED_STRING);
    while (i < token.size) {
        if (token.data[i] != '\\') {
            i++;
            continue;
        }
        buffer_append(marked, token.data + plain, i - plain);
        i += mark_escape((struct text){token.data + i, token.size - i}, is_key,
                         marked);
        plain = i;
    }
    buffer_append(marked, token.data + plain, token.size - plain);
}

/* Returns how much of `rest` it took. ASCII is left to json-c. */
static size_t mark_escape(struct text rest, bool is_key, struct buffer *marked)
{
    char bytes[UTF8_MAX_SIZE];
    uint32_t character;
    size_t size = decode_escape(rest, &character);

    if (character == 0 && is_key)
        buffer_append(marked, "\xC0\x80", 2);
    else if (character < 0x80)
        buffer_append(marked, rest.data, size);
    else
        buffer_append(marked, bytes, utf8_encode(character, bytes));
    return size;
}

/* Returns its size. One of a letter stands for some ASCII character. */
static size_t decode_escape(struct text rest, uint32_t *ret_character)
{
    struct text low;
    uint32_t unit;

    if (rest.data[1] != 'u') {
        *ret_character = (unsigned char)rest.data[1];
        return 2;
    }
    unit = hex_value(rest.data + 2);
    low = (struct text){rest.data + 6, rest.size - 6};
    if (unit < 0xD800 || unit > 0xDBFF || !is_low_surrogate_escape(low)) {
        *ret_character = unit;
        return 6;
    }
    *ret_character =
        0x10000 + ((unit - 0xD800) << 10) + (hex_value(low.data + 2) - 0xDC00);
    return 12;
}

static bool is_low_surrogate_escape(struct text rest)
{
    unsigned unit;

    if (rest.size < 6 || rest.data[0] != '\\' || rest.data[1] != 'u')
        return false;
    unit = hex_value(rest.data + 2);
    return unit >= 0xDC00 && unit <= 0xDFFF;
}

static unsigned hex_value(const char *digits)
{
    unsigned value = 0;

    for (int i = 0; i < 4; i++)
        value = value << 4 | (unsigned)text_hex_digit(digits[i]);
    return value;
}
