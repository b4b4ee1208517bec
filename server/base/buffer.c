/*
 * Text that grows.
 */
#include "server/base/buffer.h"

#include "server/base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 256 };

void buffer_append(struct buffer *buffer, const void *data, size_t size)
{
    buffer_reserve(buffer, size);
    if (size > 0)
        memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
    buffer->data[buffer->size] = '\0';
}

void buffer_append_text(struct buffer *buffer, struct text text)
{
    buffer_append(buffer, text.data, text.size);
}

void buffer_append_string(struct buffer *buffer, const char *string)
{
    buffer_append(buffer, string, strlen(string));
}

void buffer_append_char(struct buffer *buffer, char character)
{
    buffer_append(buffer, &character, 1);
}

/* Log lines and statements have many: not by printf. */
void buffer_append_integer(struct buffer *buffer, int64_t integer)
{
    uint64_t rest = integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer;
    char digits[21]; /* of -2^63 */
    size_t first = sizeof digits;

    do
        digits[--first] = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    if (integer < 0)
        digits[--first] = '-';
    buffer_append(buffer, digits + first, sizeof digits - first);
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0)
        fatal("buffer: bad format %s", format);
    buffer_reserve(buffer, (size_t)length);
    va_start(arguments, format);
    vsnprintf(buffer->data + buffer->size, (size_t)length + 1, format,
              arguments);
    va_end(arguments);
    buffer->size += (size_t)length;
}

void buffer_reserve(struct buffer *buffer, size_t size)
{
    size_t need;
    size_t capacity = buffer->capacity == 0 ? FIRST_CAPACITY : buffer->capacity;

    if (__builtin_add_overflow(buffer->size, size, &need) ||
        need >= SIZE_MAX / 2)
        fatal("buffer: impossible size");
    need++; /* the terminating NUL */
    if (need <= buffer->capacity)
        return;
    while (capacity < need)
        capacity *= 2;
    buffer->data = xrealloc(buffer->data, capacity);
    buffer->capacity = capacity;
}

struct text buffer_text(const struct buffer *buffer)
{
    return (struct text){buffer->data == NULL ? "" : buffer->data,
                         buffer->size};
}

void buffer_clear(struct buffer *buffer)
{
    buffer->size = 0;
}

void buffer_free(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){NULL, 0, 0};
}
