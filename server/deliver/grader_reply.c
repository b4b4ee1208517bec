/*
 * What a passive grader has said, as text.
 */
#include "server/deliver/grader_reply.h"

#include "server/base/buffer.h"
#include "server/base/utf8.h"
#include "server/http/parameter.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_CHARSET = 40, ROOM = 256 };

static const char replacement[] = "\xEF\xBF\xBD"; /* U+FFFD */

static const char *charset_of(struct arena *arena, const char *content_type);
static bool is_charset_character(char character);
static bool is_utf8_name(const char *charset);
static struct text from_latin_1(struct arena *arena, struct text bytes);
static size_t unit_of(const char *charset);
static struct text convert(struct arena *arena, iconv_t converter,
                           struct text bytes, size_t unit);
static bool is_inside_character(char byte);
static bool convert_some(iconv_t converter, char **from, size_t *left,
                         struct buffer *result);

struct text grader_reply_text(struct arena *arena, struct text bytes,
                              const char *content_type)
{
    const char *charset = charset_of(arena, content_type);
    iconv_t converter;
    struct text result;

    if (charset != NULL && is_utf8_name(charset))
        return utf8_repair(arena, bytes);
    converter = charset == NULL ? (iconv_t)-1 : iconv_open("UTF-8", charset);
    if (converter == (iconv_t)-1)
        return utf8_is_valid(bytes) ? bytes : from_latin_1(arena, bytes);
    result = convert(arena, converter, bytes, unit_of(charset));
    iconv_close(converter);
    return result;
}

/* NULL when none is declared, or nothing that could be a name. */
static const char *charset_of(struct arena *arena, const char *content_type)
{
    struct text name;

    if (parameter_get(arena, text_of(content_type), "charset", &name) !=
        PARAMETER_OK)
        return NULL;
    if (name.size >= 2 && name.data[0] == '\'' &&
        name.data[name.size - 1] == '\'')
        name = (struct text){name.data + 1, name.size - 2};
    name = text_trim(name);
    if (name.size == 0 || name.size > MAX_CHARSET)
        return NULL;
    for (size_t i = 0; i < name.size; i++) {
        if (!is_charset_character(name.data[i]))
            return NULL;
    }
    return arena_string(arena, name);
}

/* Without the slash and comma, which mean options to iconv. */
static bool is_charset_character(char character)
{
    return (character >= 'a' && character <= 'z') ||
           (character >= 'A' && character <= 'Z') ||
           (character >= '0' && character <= '9') || character == '-' ||
           character == '_' || character == '.' || character == ':' ||
           character == '+';
}

static bool is_utf8_name(const char *charset)
{
    static const char *const names[] = {"utf-8", "utf8", "utf_8"};

    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        if (text_equal_ignoring_case(text_of(charset), names[i]))
            return true;
    }
    return false;
}

static struct text from_latin_1(struct arena *arena, struct text bytes)
{
    char *copy = arena_alloc(arena, 2 * bytes.size + 1);
    size_t size = 0;

    for (size_t i = 0; i < bytes.size; i++)
        size += utf8_encode((unsigned char)bytes.data[i], copy + size);
    copy[size] = '\0';
    return (struct text){copy, size};
}

/* How many bytes are passed over at what is no character. */
static size_t unit_of(const char *charset)
{
    static const struct {
        const char *start;
        size_t unit;
    } wide[] = {
        {"utf-16", 2}, {"utf16", 2}, {"ucs-2", 2}, {"ucs2", 2},
        {"utf-32", 4}, {"utf32", 4}, {"ucs-4", 4}, {"ucs4", 4},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(wide); i++) {
        if (strncasecmp(charset, wide[i].start, strlen(wide[i].start)) == 0)
            return wide[i].unit;
    }
    return 1;
}

static struct text convert(struct arena *arena, iconv_t converter,
                           struct text bytes, size_t unit)
{
    struct buffer result = {NULL, 0, 0};
    char *from = (char *)(uintptr_t)bytes.data;
    size_t left = bytes.size;
    size_t most = 4 * bytes.size;
    struct text text;

    buffer_reserve(&result, bytes.size + ROOM);
    while (left > 0 && result.size < most) {
        size_t before = left;

        if (!convert_some(converter, &from, &left, &result) || left == before) {
            size_t bad = left < unit ? left : unit;

            buffer_append_string(&result, replacement);
            from += bad;
            left -= bad;
        }
    }
    convert_some(converter, NULL, NULL, &result);
    result.data[result.size] = '\0';
    arena_defer(arena, free, result.data);
    /* Some converters give what is beyond U+10FFFF. */
    text = utf8_repair(arena, buffer_text(&result));
    while (text.size > most || is_inside_character(text.data[text.size]))
        text.size--;
    return text;
}

/* A byte of UTF-8 that is not the first of a character. */
static bool is_inside_character(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

/* False at what is no character, which is then next. */
static bool convert_some(iconv_t converter, char **from, size_t *left,
                         struct buffer *result)
{
    size_t room;
    size_t status;
    char *to;

    buffer_reserve(result, ROOM);
    room = result->capacity - result->size - 1;
    to = result->data + result->size;
    status = iconv(converter, from, left, &to, &room);
    result->size = (size_t)(to - result->data);
    return status != (size_t)-1 || errno == E2BIG;
}
