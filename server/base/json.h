/*
 * JSON in, by json-c behind a strict check of our own, and out, as Python's
 * json.dumps writes it. The only user of json-c.
 *
 * The check accepts what Python's json.loads accepts (also NaN and Infinity,
 * also lone surrogate escapes), refuses everything else, and bounds the depth
 * at 64. json-c alone would take single quotes, comments and cut keys.
 */
#ifndef XQUEUE_BASE_JSON_H
#define XQUEUE_BASE_JSON_H

#include "server/base/arena.h"
#include "server/base/buffer.h"

struct json_value; /* opaque; lives as long as its arena */

/* False when the source is not one JSON value from end to end. */
bool json_is_valid(struct text source);

/* Parse an object; false when it is not JSON or not an object. */
bool json_parse_object(struct arena *arena, struct text source,
                       const struct json_value **ret_object) MUST_CHECK;

/* NULL when the object has no such key. Last of duplicates, as Python. */
const struct json_value *json_get(const struct json_value *object,
                                  const char *key);

/*
 * Calls `visit` for each item of an object or an array, in order; `key` is
 * absent in an array.
 */
typedef void json_visit(struct text key, const struct json_value *value,
                        void *context);
void json_each(const struct json_value *container, json_visit *visit,
               void *context);

/* JSON null is a value whose kind is JSON_NULL. */
enum json_kind {
    JSON_NULL,
    JSON_BOOLEAN,
    JSON_INTEGER,
    JSON_REAL,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};
enum json_kind json_kind(const struct json_value *value);

/*
 * The string's bytes; absent when it is not a string. It may hold NUL, and a
 * lone surrogate is there as its three bytes, which are not valid UTF-8.
 */
struct text json_text(const struct json_value *value);

/* False when it is not an integer that fits. */
bool json_integer(const struct json_value *value, int64_t *ret_integer);

/*
 * What Python's str() gives for a scalar ("5", "True", "None", the string
 * itself), something near it for a real, a list or an object. In the arena.
 */
struct text json_as_python_text(struct arena *arena,
                                const struct json_value *value);

/*
 * Append a JSON string in double quotes: pure ASCII, lower-case \uXXXX with
 * surrogate pairs, short escapes for " \ \b \f \n \r \t. `text` must be valid
 * UTF-8, but the three-byte form of a lone surrogate is written as its escape.
 */
void json_append_string(struct buffer *buffer, struct text text);

#endif
