/*
 * What Python's str() makes of a JSON value: clients of the Django server
 * send numbers where names belong, and see them again in replies.
 */
#include "server/base/json_private.h"

#include "server/base/memory.h"
#include "server/base/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* With 17 significant digits every number reads back as itself. */
enum { MAX_PRECISION = 16 };

/* What the visits of one list or object share. */
struct listing {
    struct buffer *buffer;
    bool begun;
};

static void append_value(struct buffer *buffer, const struct json_value *value);
static void append_container(struct buffer *buffer,
                             const struct json_value *value);
static json_visit append_item;
static void append_quoted(struct buffer *buffer, struct text text);
static void append_real(struct buffer *buffer, struct text digits);

struct text json_as_python_text(struct arena *arena,
                                const struct json_value *value)
{
    struct buffer buffer = {NULL, 0, 0};
    struct text text;

    if (json_kind(value) == JSON_STRING)
        return arena_copy(arena, json_text(value));
    append_value(&buffer, value);
    text = arena_copy(arena, buffer_text(&buffer));
    buffer_free(&buffer);
    return text;
}

/* Recurses no deeper than a source may be nested. */
static void append_value(struct buffer *buffer, const struct json_value *value)
{
    struct text digits;

    switch (json_kind(value)) {
    case JSON_NULL:
        buffer_append_string(buffer, "None");
        return;
    case JSON_BOOLEAN:
        buffer_append_string(buffer, json_is_true(value) ? "True" : "False");
        return;
    case JSON_INTEGER:
        digits = json_digits(value);
        buffer_append_text(
            buffer, text_equal_string(digits, "-0") ? text_of("0") : digits);
        return;
    case JSON_REAL:
        append_real(buffer, json_digits(value));
        return;
    case JSON_STRING:
        append_quoted(buffer, json_text(value));
        return;
    case JSON_ARRAY:
    case JSON_OBJECT:
        append_container(buffer, value);
        return;
    }
    fatal("json: impossible kind");
}

static void append_container(struct buffer *buffer,
                             const struct json_value *value)
{
    bool is_object = json_kind(value) == JSON_OBJECT;
    struct listing listing = {.buffer = buffer};

    buffer_append_char(buffer, is_object ? '{' : '[');
    json_each(value, append_item, &listing);
    buffer_append_char(buffer, is_object ? '}' : ']');
}

static void append_item(struct text key, const struct json_value *value,
                        void *context)
{
    struct listing *listing = context;

    if (listing->begun)
        buffer_append_string(listing->buffer, ", ");
    listing->begun = true;
    if (!text_is_absent(key)) {
        append_quoted(listing->buffer, key);
        buffer_append_string(listing->buffer, ": ");
    }
    append_value(listing->buffer, value);
}

/* Single quotes unless there are only such inside; what prints, as it is. */
static void append_quoted(struct buffer *buffer, struct text text)
{
    bool has_single = memchr(text.data, '\'', text.size) != NULL;
    bool has_double = memchr(text.data, '"', text.size) != NULL;
    char quote = has_single && !has_double ? '"' : '\'';
    size_t position = 0;

    buffer_append_char(buffer, quote);
    while (position < text.size) {
        size_t start = position;
        uint32_t character = utf8_next(text, &position);

        if (character == (unsigned char)quote || character == '\\')
            buffer_printf(buffer, "\\%c", (int)character);
        else if (character == '\n')
            buffer_append_string(buffer, "\\n");
        else if (character == '\r')
            buffer_append_string(buffer, "\\r");
        else if (character == '\t')
            buffer_append_string(buffer, "\\t");
        else if (character < ' ' || character == 0x7F)
            buffer_printf(buffer, "\\x%02x", character);
        else if (character >= 0xD800 && character <= 0xDFFF)
            buffer_printf(buffer, "\\u%04x", character);
        else
            buffer_append(buffer, text.data + start, position - start);
    }
    buffer_append_char(buffer, quote);
}

/* The fewest digits that read back as the same number. */
static void append_real(struct buffer *buffer, struct text digits)
{
    char text[40];
    double real;
    int precision;
    long exponent;

    /* The digits are followed by a NUL: json-c's strings are. */
    real = strtod(digits.data, NULL);
    if (!isfinite(real)) {
        buffer_append_string(buffer, isnan(real)  ? "nan"
                                     : real > 0.0 ? "inf"
                                                  : "-inf");
        return;
    }
    for (precision = 0; precision <= MAX_PRECISION; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, real);
        if (strtod(text, NULL) == real)
            break;
    }
    exponent = strtol(strchr(text, 'e') + 1, NULL, 10);
    if (exponent < -4 || exponent >= 16)
        buffer_append_string(buffer, text);
    else
        buffer_printf(buffer, "%.*f",
                      precision > exponent ? precision - (int)exponent : 1,
                      real);
}
