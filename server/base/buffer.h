/*
 * Text that grows: for replies, form bodies and log lines.
 *
 * Zero-initialise it, append, and either buffer_free() it or take its data.
 * The data is NUL-terminated after the first append. One thread.
 */
#ifndef XQUEUE_BASE_BUFFER_H
#define XQUEUE_BASE_BUFFER_H

#include "server/base/compiler.h"
#include "server/base/text.h"

struct buffer {
    char *data; /* owns; NULL while empty */
    size_t size;
    size_t capacity;
};

void buffer_append(struct buffer *buffer, const void *data, size_t size);
void buffer_append_text(struct buffer *buffer, struct text text);
void buffer_append_string(struct buffer *buffer, const char *string);
void buffer_append_char(struct buffer *buffer, char character);
void buffer_append_integer(struct buffer *buffer, int64_t integer);
void buffer_printf(struct buffer *buffer, const char *format, ...)
    PRINTF_LIKE(2, 3);

/* Room for at least `size` more bytes without another allocation. */
void buffer_reserve(struct buffer *buffer, size_t size);

/* A view of what is there; never absent. */
struct text buffer_text(const struct buffer *buffer);

/* Forget the content, keep the memory. */
void buffer_clear(struct buffer *buffer);

void buffer_free(struct buffer *buffer);

#endif
