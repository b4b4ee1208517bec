/*
 * JSON strings as Python's json.dumps writes them.
 */
#include "server/base/json.h"

#include "server/base/utf8.h"

static void append_character(struct buffer *buffer, uint32_t character);
static void append_unit(struct buffer *buffer, unsigned unit);
static bool is_plain(char byte);

void json_append_string(struct buffer *buffer, struct text text)
{
    size_t position = 0;

    buffer_reserve(buffer, text.size + 2);
    buffer_append_char(buffer, '"');
    while (position < text.size) {
        size_t start = position;

        while (position < text.size && is_plain(text.data[position]))
            position++;
        buffer_append(buffer, text.data + start, position - start);
        if (position < text.size)
            append_character(buffer, utf8_next(text, &position));
    }
    buffer_append_char(buffer, '"');
}

static bool is_plain(char byte)
{
    return byte >= ' ' && byte <= '~' && byte != '"' && byte != '\\';
}

static void append_character(struct buffer *buffer, uint32_t character)
{
    static const char shorts[] = "\"\"\\\\\bb\ff\nn\rr\tt";

    for (size_t i = 0; i + 1 < sizeof shorts; i += 2) {
        if (character != (unsigned char)shorts[i])
            continue;
        buffer_append_char(buffer, '\\');
        buffer_append_char(buffer, shorts[i + 1]);
        return;
    }
    if (character < 0x10000) {
        append_unit(buffer, character);
        return;
    }
    character -= 0x10000;
    append_unit(buffer, 0xD800 + (character >> 10 & 0x3FF));
    append_unit(buffer, 0xDC00 + (character & 0x3FF));
}

static void append_unit(struct buffer *buffer, unsigned unit)
{
    static const char digits[] = "0123456789abcdef";
    char escape[6] = {'\\',
                      'u',
                      digits[unit >> 12 & 15],
                      digits[unit >> 8 & 15],
                      digits[unit >> 4 & 15],
                      digits[unit & 15]};

    buffer_append(buffer, escape, sizeof escape);
}
