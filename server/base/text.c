/*
 * A piece of text that knows its length.
 */
#include "server/base/text.h"

#include <string.h>
#include <strings.h>

struct text text_of(const char *string)
{
    return (struct text){string, string == NULL ? 0 : strlen(string)};
}

bool text_is_absent(struct text text)
{
    return text.data == NULL;
}

bool text_equal(struct text left, struct text right)
{
    if (text_is_absent(left) || text_is_absent(right))
        return text_is_absent(left) && text_is_absent(right);
    return left.size == right.size &&
           memcmp(left.data, right.data, left.size) == 0;
}

bool text_equal_string(struct text text, const char *string)
{
    return text_equal(text, text_of(string));
}

bool text_equal_ignoring_case(struct text text, const char *string)
{
    return !text_is_absent(text) && text.size == strlen(string) &&
           strncasecmp(text.data, string, text.size) == 0;
}

bool text_starts_with(struct text text, const char *prefix)
{
    size_t size = strlen(prefix);

    return !text_is_absent(text) && text.size >= size &&
           memcmp(text.data, prefix, size) == 0;
}

struct text text_trim(struct text text)
{
    while (text.size > 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
        text.data++;
        text.size--;
    }
    while (text.size > 0 && (text.data[text.size - 1] == ' ' ||
                             text.data[text.size - 1] == '\t'))
        text.size--;
    return text;
}

bool text_to_integer(struct text text, int64_t *ret_number)
{
    bool negative = text.size > 0 && text.data[0] == '-';
    size_t start = negative ? 1 : 0;
    int64_t number = 0;

    if (text.size == start)
        return false;
    for (size_t i = start; i < text.size; i++) {
        int digit = text.data[i] - '0';

        if (digit < 0 || digit > 9)
            return false;
        /* Downwards, because INT64_MIN has no positive twin. */
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_sub_overflow(number, digit, &number))
            return false;
    }
    if (!negative && number == INT64_MIN)
        return false;
    *ret_number = negative ? number : -number;
    return true;
}

int text_hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}
