/*
 * HTTP messages as text.
 */
#include "tests/support/http_write.h"

#include <ctype.h>
#include <string.h>

#define BOUNDARY "--a-boundary-of-the-tests"

static void append_encoded(struct buffer *bytes, const char *string);

void http_write_head(struct buffer *bytes, const struct http_message *message,
                     uint16_t port, struct text cookies)
{
    buffer_printf(bytes, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n",
                  message->method, message->path, (unsigned)port);
    if (cookies.size > 0)
        buffer_printf(bytes, "Cookie: %.*s\r\n", TEXT_ARGUMENTS(cookies));
    if (message->fields != NULL)
        buffer_append_string(bytes, message->fields);
    if (!text_is_absent(message->body))
        buffer_printf(bytes, "Content-Length: %zu\r\n", message->body.size);
    buffer_append_string(bytes, "\r\n");
}

void http_write_form(struct buffer *bytes, struct http_form form)
{
    buffer_append_string(bytes, "");
    for (size_t i = 0; i < form.count; i++) {
        if (i > 0)
            buffer_append_char(bytes, '&');
        append_encoded(bytes, form.parts[i].name);
        buffer_append_char(bytes, '=');
        append_encoded(bytes, form.parts[i].value);
    }
}

void http_write_multipart(struct buffer *bytes, struct http_form form)
{
    for (size_t i = 0; i < form.count; i++) {
        const struct http_part *part = &form.parts[i];

        buffer_printf(bytes,
                      BOUNDARY "\r\n"
                               "Content-Disposition: form-data; name=\"%s\"",
                      part->name);
        if (part->file_name != NULL)
            buffer_printf(bytes, "; filename=\"%s\"", part->file_name);
        buffer_printf(bytes, "\r\n\r\n%s\r\n", part->value);
    }
    buffer_append_string(bytes, BOUNDARY "--\r\n");
}

struct text http_field_of(struct text head, const char *name)
{
    return http_next_field_of(&head, name);
}

struct text http_next_field_of(struct text *rest, const char *name)
{
    while (rest->size > 0) {
        const char *end = memchr(rest->data, '\n', rest->size);
        struct text line = *rest;
        const char *colon;

        if (end != NULL)
            line.size = (size_t)(end - rest->data) + 1;
        rest->data += line.size;
        rest->size -= line.size;
        while (line.size > 0 && strchr("\r\n", line.data[line.size - 1]))
            line.size--;
        colon = memchr(line.data, ':', line.size);
        if (colon != NULL &&
            text_equal_ignoring_case(
                (struct text){line.data, (size_t)(colon - line.data)}, name))
            return text_trim((struct text){
                colon + 1, line.size - (size_t)(colon + 1 - line.data)});
    }
    return TEXT_ABSENT;
}

static void append_encoded(struct buffer *bytes, const char *string)
{
    for (; *string != '\0'; string++) {
        unsigned char byte = (unsigned char)*string;

        if (byte == ' ')
            buffer_append_char(bytes, '+');
        else if (byte < 128 && (isalnum(byte) || strchr("-._~", byte) != NULL))
            buffer_append_char(bytes, (char)byte);
        else
            buffer_printf(bytes, "%%%02X", byte);
    }
}
