/*
 * UTF-8. One function knows what a well-formed sequence is; validity, repair
 * and counting are walks with it.
 */
#include "server/base/utf8.h"

#include <string.h>

static const char REPLACEMENT[] = "\xEF\xBF\xBD"; /* U+FFFD */

/* The bytes that may come second, by first byte; the rest are 80..BF. */
struct sequence {
    unsigned char first_from;
    unsigned char first_to;
    unsigned char second_from;
    unsigned char second_to;
    unsigned char size;
};

static const struct sequence sequences[] = {
    {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
    {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3},
    {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
    {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
};

static size_t skip_ascii(struct text text, size_t position);
static size_t skip_valid(struct text text, size_t position);
static bool measure(struct text text, size_t position, size_t *ret_size);
static size_t size_of_character(uint32_t character);
static size_t size_by_first_byte(unsigned char byte);
static bool is_continuation(char byte);

bool utf8_is_valid(struct text text)
{
    return skip_valid(text, 0) == text.size;
}

struct text utf8_repair(struct arena *arena, struct text text)
{
    size_t good = skip_valid(text, 0);
    size_t bad_bytes = text.size - good;
    size_t position = 0;
    size_t size = 0;
    char *copy;

    if (bad_bytes == 0)
        return text;
    /* At worst, every byte from the first bad one on becomes three. */
    copy = arena_alloc(arena, good + 3 * bad_bytes + 1);
    while (position < text.size) {
        size_t skipped;

        memcpy(copy + size, text.data + position, good - position);
        size += good - position;
        position = good;
        if (position == text.size)
            break;
        (void)measure(text, position, &skipped);
        memcpy(copy + size, REPLACEMENT, 3);
        size += 3;
        position += skipped;
        good = skip_valid(text, position);
    }
    copy[size] = '\0';
    return (struct text){copy, size};
}

size_t utf8_length(struct text text)
{
    size_t length = 0;

    for (size_t i = 0; i < text.size; i++)
        length += is_continuation(text.data[i]) ? 0 : 1;
    return length;
}

struct text utf8_prefix(struct text text, size_t limit)
{
    size_t position = 0;

    if (text.size <= limit)
        return text;
    while (position < text.size && limit > 0) {
        (void)utf8_next(text, &position);
        limit--;
    }
    return (struct text){text.data, position};
}

/*
 * Lenient on purpose: surrogates pass, for JSON's lone ones, and a text that
 * is not valid after all cannot lead us beyond its end.
 */
uint32_t utf8_next(struct text text, size_t *position)
{
    const unsigned char *bytes = (const unsigned char *)text.data + *position;
    size_t left = text.size - *position;
    size_t size = size_by_first_byte(bytes[0]);
    uint32_t character;

    if (size == 1 || size > left) {
        (*position)++;
        return bytes[0] < 0x80 ? bytes[0] : 0xFFFD;
    }
    character = bytes[0] & (0x7FU >> size);
    for (size_t i = 1; i < size; i++)
        character = character << 6 | (bytes[i] & 0x3FU);
    *position += size;
    return character;
}

size_t utf8_encode(uint32_t character, char *ret_bytes)
{
    static const unsigned char first[] = {0, 0, 0xC0, 0xE0, 0xF0};
    size_t size = size_of_character(character);

    for (size_t i = size - 1; i > 0; i--) {
        ret_bytes[i] = (char)(0x80 | (character & 0x3F));
        character >>= 6;
    }
    ret_bytes[0] = (char)(first[size] | character);
    return size;
}

static size_t size_of_character(uint32_t character)
{
    if (character < 0x80)
        return 1;
    if (character < 0x800)
        return 2;
    return character < 0x10000 ? 3 : 4;
}

static size_t size_by_first_byte(unsigned char byte)
{
    if (byte < 0xC0)
        return 1;
    if (byte < 0xE0)
        return 2;
    return byte < 0xF0 ? 3 : 4;
}

static size_t skip_valid(struct text text, size_t position)
{
    for (;;) {
        size_t size;

        position = skip_ascii(text, position);
        if (position == text.size || !measure(text, position, &size))
            return position;
        position += size;
    }
}

/* Eight bytes at a time: nearly all that we meet is ASCII. */
static size_t skip_ascii(struct text text, size_t position)
{
    uint64_t eight;

    while (text.size - position >= sizeof eight) {
        memcpy(&eight, text.data + position, sizeof eight);
        if ((eight & UINT64_C(0x8080808080808080)) != 0)
            break;
        position += sizeof eight;
    }
    while (position < text.size && (unsigned char)text.data[position] < 0x80)
        position++;
    return position;
}

/*
 * The sequence at `position`, which does not start with an ASCII byte: true
 * and its size, or false and the size of the longest part of it that could
 * have been the start of a good one, at least 1.
 */
static bool measure(struct text text, size_t position, size_t *ret_size)
{
    const unsigned char *bytes = (const unsigned char *)text.data + position;
    size_t left = text.size - position;

    *ret_size = 1;
    for (size_t i = 0; i < ARRAY_LENGTH(sequences); i++) {
        const struct sequence *s = &sequences[i];

        if (bytes[0] < s->first_from || bytes[0] > s->first_to)
            continue;
        if (left < 2 || bytes[1] < s->second_from || bytes[1] > s->second_to)
            return false;
        for (*ret_size = 2; *ret_size < s->size; (*ret_size)++)
            if (*ret_size >= left || !is_continuation((char)bytes[*ret_size]))
                return false;
        return true;
    }
    return false;
}

static bool is_continuation(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}
