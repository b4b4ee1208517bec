/*
 * Cookies of one host, for tests/support/http_client.c: names and values. A
 * cookie with a Max-Age of 0 or less leaves; path and the rest do not matter.
 */
#ifndef XQUEUE_TESTS_COOKIE_JAR_H
#define XQUEUE_TESTS_COOKIE_JAR_H

#include "server/base/buffer.h"

struct cookie_jar;

struct cookie_jar *cookie_jar_new(void);
void cookie_jar_free(struct cookie_jar *jar);

/* The value of a Set-Cookie field. */
void cookie_jar_take(struct cookie_jar *jar, struct text field);

/* The value of the Cookie field; nothing when the jar is empty. */
void cookie_jar_write(const struct cookie_jar *jar, struct buffer *field);

/* NULL when there is none; borrowed from the jar. */
const char *cookie_jar_get(const struct cookie_jar *jar, const char *name);

/* NULL as value removes it. */
void cookie_jar_set(struct cookie_jar *jar, const char *name,
                    const char *value);

#endif
