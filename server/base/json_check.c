/*
 * Is it JSON? A walk over the bytes with a stack of one bit per level, so no
 * input makes us recurse. Accepts what Python's json.loads accepts.
 */
#include "server/base/json_private.h"

#include "server/base/utf8.h"

#include <string.h>

/* Python refuses to convert longer ones. */
enum { MAX_INTEGER_DIGITS = 4300 };

struct check {
    struct text source;
    size_t position;
    size_t depth;
    bool in_object[JSON_MAX_DEPTH];
};

/* Each moves on and is false at the first thing that does not belong. */
static bool check_document(struct check *check);
static bool check_value(struct check *check, bool *ret_opened);
static bool check_after_value(struct check *check, bool *ret_another);
static bool check_key(struct check *check);
static bool open_container(struct check *check, bool is_object,
                           bool *ret_opened);
static bool check_scalar(struct check *check);
static bool check_string(struct check *check);
static bool check_escape(struct check *check);
static bool check_number(struct check *check);
static size_t skip_digits(struct check *check);

static void skip_blanks(struct check *check);
static int peek(const struct check *check);
static bool take(struct check *check, char character);
static bool take_word(struct check *check, const char *word);

bool json_is_valid(struct text source)
{
    struct check check = {.source = source};

    return !text_is_absent(source) && utf8_is_valid(source) &&
           check_document(&check);
}

size_t json_skip_blanks(struct text source, size_t position)
{
    while (position < source.size && source.data[position] != '\0' &&
           strchr(" \t\n\r", source.data[position]) != NULL)
        position++;
    return position;
}

static bool check_document(struct check *check)
{
    bool another = true;

    while (another) {
        bool opened;

        if (check->depth > 0 && check->in_object[check->depth - 1] &&
            !check_key(check))
            return false;
        if (!check_value(check, &opened))
            return false;
        if (!opened && !check_after_value(check, &another))
            return false;
    }
    return check->position == check->source.size;
}

/* *ret_opened: a container has begun and its first item comes next. */
static bool check_value(struct check *check, bool *ret_opened)
{
    *ret_opened = false;
    skip_blanks(check);
    if (take(check, '['))
        return open_container(check, false, ret_opened);
    if (take(check, '{'))
        return open_container(check, true, ret_opened);
    return check_scalar(check);
}

static bool open_container(struct check *check, bool is_object,
                           bool *ret_opened)
{
    if (check->depth == JSON_MAX_DEPTH)
        return false;
    skip_blanks(check);
    if (take(check, is_object ? '}' : ']'))
        return true;
    check->in_object[check->depth++] = is_object;
    *ret_opened = true;
    return true;
}

/* Close what ends here; *ret_another: a comma says that an item follows. */
static bool check_after_value(struct check *check, bool *ret_another)
{
    skip_blanks(check);
    while (check->depth > 0) {
        if (take(check, ','))
            return true;
        if (!take(check, check->in_object[check->depth - 1] ? '}' : ']'))
            return false;
        check->depth--;
        skip_blanks(check);
    }
    *ret_another = false;
    return true;
}

static bool check_key(struct check *check)
{
    skip_blanks(check);
    if (!check_string(check))
        return false;
    skip_blanks(check);
    return take(check, ':');
}

static bool check_scalar(struct check *check)
{
    switch (peek(check)) {
    case '"':
        return check_string(check);
    case 't':
        return take_word(check, "true");
    case 'f':
        return take_word(check, "false");
    case 'n':
        return take_word(check, "null");
    case 'N':
        return take_word(check, "NaN");
    case 'I':
        return take_word(check, "Infinity");
    default:
        return check_number(check);
    }
}

static bool check_string(struct check *check)
{
    if (!take(check, '"'))
        return false;
    for (;;) {
        int byte = peek(check);

        if (byte < 0x20) /* also the end */
            return false;
        check->position++;
        if (byte == '"')
            return true;
        if (byte == '\\' && !check_escape(check))
            return false;
    }
}

/* Lone surrogates pass, as in Python. */
static bool check_escape(struct check *check)
{
    int byte = peek(check);

    if (byte <= 0 || strchr("\"\\/bfnrtu", byte) == NULL)
        return false;
    check->position++;
    for (int i = 0; byte == 'u' && i < 4; i++) {
        if (text_hex_digit((char)peek(check)) < 0)
            return false;
        check->position++;
    }
    return true;
}

static bool check_number(struct check *check)
{
    bool negative = take(check, '-');
    bool is_integer = true;
    size_t digits = 1;

    if (negative && peek(check) == 'I')
        return take_word(check, "Infinity");
    if (!take(check, '0'))
        digits = skip_digits(check);
    if (digits == 0)
        return false;
    if (take(check, '.')) {
        is_integer = false;
        if (skip_digits(check) == 0)
            return false;
    }
    if (take(check, 'e') || take(check, 'E')) {
        is_integer = false;
        if (!take(check, '+'))
            (void)take(check, '-');
        if (skip_digits(check) == 0)
            return false;
    }
    return !is_integer || digits <= MAX_INTEGER_DIGITS;
}

static size_t skip_digits(struct check *check)
{
    size_t start = check->position;

    while (peek(check) >= '0' && peek(check) <= '9')
        check->position++;
    return check->position - start;
}

static void skip_blanks(struct check *check)
{
    check->position = json_skip_blanks(check->source, check->position);
}

/* The byte that comes next; -1 at the end. */
static int peek(const struct check *check)
{
    if (check->position == check->source.size)
        return -1;
    return (unsigned char)check->source.data[check->position];
}

static bool take(struct check *check, char character)
{
    if (peek(check) != character)
        return false;
    check->position++;
    return true;
}

static bool take_word(struct check *check, const char *word)
{
    struct text rest = {check->source.data + check->position,
                        check->source.size - check->position};

    if (!text_starts_with(rest, word))
        return false;
    check->position += strlen(word);
    return true;
}
