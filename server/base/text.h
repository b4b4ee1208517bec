/*
 * A piece of text that knows its length.
 *
 * Everything a peer sends is a `struct text`: it may hold NUL bytes, and it
 * borrows its bytes from whoever made it (mostly an arena). An absent text
 * has data NULL; an empty one has data non-NULL and size 0. Texts made by our
 * own functions into an arena are also NUL-terminated, one byte past `size`.
 */
#ifndef XQUEUE_BASE_TEXT_H
#define XQUEUE_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
    const char *data; /* borrows */
    size_t size;      /* bytes */
};

#define TEXT_ABSENT ((struct text){NULL, 0})

/* printf("%.*s", TEXT_ARGUMENTS(text)) */
#define TEXT_ARGUMENTS(text) (int)(text).size, (text).data

/* A view of a C string; NULL gives an absent text. */
struct text text_of(const char *string);

bool text_is_absent(struct text text);

/* Byte-exact comparison. Two absent texts are equal. */
bool text_equal(struct text left, struct text right);

bool text_equal_string(struct text text, const char *string);

/* ASCII letters without case, the rest exactly: header names. */
bool text_equal_ignoring_case(struct text text, const char *string);

bool text_starts_with(struct text text, const char *prefix);

/* `text` without blanks and tabs at both ends. */
struct text text_trim(struct text text);

/*
 * The whole text as a decimal number: optional minus, digits, nothing else.
 * False, with *ret_number untouched, when it is not one or does not fit.
 */
bool text_to_integer(struct text text, int64_t *ret_number);

/* What a hexadecimal digit of either case stands for; -1 when it is none. */
int text_hex_digit(char digit);

#endif
