/*
 * UTF-8: is it valid, and if not, make it so as Python and Django do.
 */
#ifndef XQUEUE_BASE_UTF8_H
#define XQUEUE_BASE_UTF8_H

#include "server/base/arena.h"

/* Strict: no overlong forms, no surrogates, nothing beyond U+10FFFF. */
bool utf8_is_valid(struct text text);

/*
 * `text` itself when it is valid, else a copy in which every maximal invalid
 * part is U+FFFD, exactly as Python's errors="replace".
 */
struct text utf8_repair(struct arena *arena, struct text text);

/* Characters (code points) of a valid text. */
size_t utf8_length(struct text text);

/* The longest prefix of a valid text with at most `limit` characters. */
struct text utf8_prefix(struct text text, size_t limit);

/*
 * Decode the character at text[*position] of a valid text and move on.
 */
uint32_t utf8_next(struct text text, size_t *position);

enum { UTF8_MAX_SIZE = 4 }; /* bytes of a character */

/*
 * The bytes of a character up to U+10FFFF, UTF8_MAX_SIZE at most, no NUL
 * after them; a surrogate is three, as utf8_next() reads it. Returns how many.
 */
size_t utf8_encode(uint32_t character, char *ret_bytes);

#endif
