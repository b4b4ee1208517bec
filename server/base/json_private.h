/*
 * What the files of the JSON reader share: see json.c for how they fit.
 */
#ifndef XQUEUE_BASE_JSON_PRIVATE_H
#define XQUEUE_BASE_JSON_PRIVATE_H

#include "server/base/buffer.h"
#include "server/base/json.h"

enum { JSON_MAX_DEPTH = 64 };

/*
 * The first byte of every string in the tree that json-c keeps for us says
 * what the rest is; see json_mark().
 */
enum json_marker {
    JSON_MARKED_NULL = 'n',
    JSON_MARKED_INTEGER = 'i', /* the digits as they were sent */
    JSON_MARKED_REAL = 'r',    /* the same, or NaN, Infinity, -Infinity */
    JSON_MARKED_STRING = 's'
};

/*
 * One token of a source that json_is_valid() has accepted, from *position on,
 * which must not be at a blank; moves *position behind it.
 */
struct text json_token(struct text source, size_t *position);

/* The first position from `position` on that is not a JSON blank. */
size_t json_skip_blanks(struct text source, size_t position);

/* Rewrite an accepted source for json-c, so that it can misread nothing. */
void json_mark(struct text source, struct buffer *ret_marked);

bool json_is_true(const struct json_value *boolean);

/* The digits of an integer or a real, as they were sent. */
struct text json_digits(const struct json_value *value);

#endif
