/*
 * The text of HTTP messages, for tests/support/http_client.c: what is sent,
 * as python-requests sends it, and the fields of what came. Pure functions.
 */
#ifndef XQUEUE_TESTS_HTTP_WRITE_H
#define XQUEUE_TESTS_HTTP_WRITE_H

#include "server/base/buffer.h"
#include "tests/support/http_client.h"

#define HTTP_MULTIPART_TYPE                                                    \
    "Content-Type: multipart/form-data; boundary=a-boundary-of-the-tests\r\n"

/* `cookies` is the value of the Cookie field; empty: none. */
void http_write_head(struct buffer *bytes, const struct http_message *message,
                     uint16_t port, struct text cookies);
void http_write_form(struct buffer *bytes, struct http_form form);
void http_write_multipart(struct buffer *bytes, struct http_form form);

/* The first field of that name in a head; absent when there is none. */
struct text http_field_of(struct text head, const char *name);

/* The same, moving *rest behind it. */
struct text http_next_field_of(struct text *rest, const char *name);

#endif
