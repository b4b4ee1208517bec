/*
 * What a plain scalar means in YAML 1.1.
 */
#include "server/config/yaml_scalar.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* More characters than this are no number that anybody meant. */
enum { NUMBER_SIZE = 128 };

#define DIGITS         "0123456789"
#define DIGITS_AND_GAP "0123456789_"

static bool is_one_of(const char *word, const char *const *words);
static bool to_boolean(const char *word, bool *ret_value);
static bool to_integer(const char *word, int64_t *ret_number);
static bool to_digits(const char *digits, int base, int64_t *ret_number);
static bool to_number(const char *word, double *ret_number);
static bool to_special(const char *word, double *ret_number);
static bool is_real(const char *word, bool has_sign);
static const char *to_sixties(const char *word, int64_t *ret_number);
static int sixtieth(const char *word);
static double to_real(const char *word);

void yaml_scalar_resolve(struct yaml_node *node)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    const char *word = node->text.data;

    if (is_one_of(word, nulls)) {
        node->kind = YAML_NULL;
    } else if (to_boolean(word, &node->boolean)) {
        node->kind = YAML_BOOLEAN;
    } else if (node->text.size >= NUMBER_SIZE) {
        node->kind = YAML_TEXT;
    } else if (to_integer(word, &node->integer)) {
        node->kind = YAML_INTEGER;
        node->number = (double)node->integer;
    } else if (to_number(word, &node->number)) {
        node->kind = YAML_NUMBER;
    } else {
        node->kind = YAML_TEXT;
    }
}

static bool is_one_of(const char *word, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (strcmp(word, *words) == 0)
            return true;
    }
    return false;
}

static bool to_boolean(const char *word, bool *ret_value)
{
    static const char *const yes[] = {"yes",  "Yes", "YES", "true", "True",
                                      "TRUE", "on",  "On",  "ON",   NULL};
    static const char *const no[] = {"no",    "No",  "NO",  "false", "False",
                                     "FALSE", "off", "Off", "OFF",   NULL};

    if (!is_one_of(word, yes) && !is_one_of(word, no))
        return false;
    *ret_value = is_one_of(word, yes);
    return true;
}

static bool to_integer(const char *word, int64_t *ret_number)
{
    const char *digits = *word == '-' || *word == '+' ? word + 1 : word;
    int64_t number;
    bool fits;

    if (strncmp(digits, "0b", 2) == 0) {
        fits = to_digits(digits + 2, 2, &number);
    } else if (strncmp(digits, "0x", 2) == 0) {
        fits = to_digits(digits + 2, 16, &number);
    } else if (*digits == '0') {
        fits = to_digits(digits, 8, &number);
    } else if (strchr(digits, ':') != NULL) {
        const char *end = to_sixties(digits, &number);

        fits = end != NULL && *end == '\0';
    } else {
        fits = *digits != '_' && to_digits(digits, 10, &number);
    }
    if (fits)
        *ret_number = *word == '-' ? -number : number;
    return fits;
}

/* Digits of the base and underscores to the end; at least one digit. */
static bool to_digits(const char *digits, int base, int64_t *ret_number)
{
    static const char alphabet[] = "0123456789abcdef";
    bool any = false;
    int64_t number = 0;

    for (; *digits != '\0'; digits++) {
        bool upper = *digits >= 'A' && *digits <= 'F';
        const char *digit =
            strchr(alphabet, upper ? *digits - 'A' + 'a' : *digits);

        if (*digits == '_')
            continue;
        if (digit == NULL || digit - alphabet >= base ||
            __builtin_mul_overflow(number, base, &number) ||
            __builtin_add_overflow(number, digit - alphabet, &number))
            return false;
        any = true;
    }
    if (any)
        *ret_number = number;
    return any;
}

static bool to_number(const char *word, double *ret_number)
{
    const char *digits = *word == '-' || *word == '+' ? word + 1 : word;
    const char *end;
    int64_t whole;
    double number;

    if (to_special(word, ret_number))
        return true;
    end = to_sixties(digits, &whole);
    if (is_real(digits, digits != word))
        number = to_real(digits);
    else if (end != NULL && end[0] == '.' &&
             end[1 + strspn(end + 1, DIGITS_AND_GAP)] == '\0')
        number = (double)whole + to_real(end);
    else
        return false;
    *ret_number = *word == '-' ? -number : number;
    return true;
}

static bool to_special(const char *word, double *ret_number)
{
    static const char *const nan[] = {".nan", ".NaN", ".NAN", NULL};
    static const char *const infinity[] = {".inf", ".Inf", ".INF", NULL};
    bool has_sign = *word == '-' || *word == '+';

    if (is_one_of(word, nan)) {
        *ret_number = NAN;
        return true;
    }
    if (!is_one_of(has_sign ? word + 1 : word, infinity))
        return false;
    *ret_number = *word == '-' ? -INFINITY : INFINITY;
    return true;
}

/* A point is needed, and in an exponent a sign: 1.5e+3. */
static bool is_real(const char *word, bool has_sign)
{
    size_t exponent;

    if (*word == '.' ? has_sign || strspn(word + 1, DIGITS) == 0
                     : strspn(word, DIGITS) == 0)
        return false;
    word += strspn(word, DIGITS_AND_GAP);
    if (*word != '.')
        return false;
    word += 1 + strspn(word + 1, DIGITS_AND_GAP);
    if (*word != 'e' && *word != 'E')
        return *word == '\0';
    if (word[1] != '+' && word[1] != '-')
        return false;
    exponent = strspn(word + 2, DIGITS);
    return exponent > 0 && word[2 + exponent] == '\0';
}

/*
 * "1:30", ninety: digits, then parts below sixty. What follows them, or NULL
 * when it is not that.
 */
static const char *to_sixties(const char *word, int64_t *ret_number)
{
    size_t first = strspn(word, DIGITS_AND_GAP);
    int64_t number = 0;

    if (*word == '_' || first == 0 || word[first] != ':')
        return NULL;
    for (size_t i = 0; i < first; i++) {
        if (word[i] != '_' &&
            (__builtin_mul_overflow(number, 10, &number) ||
             __builtin_add_overflow(number, word[i] - '0', &number)))
            return NULL;
    }
    word += first;
    while (*word == ':') {
        int part = sixtieth(word + 1);

        if (part < 0 || __builtin_mul_overflow(number, 60, &number) ||
            __builtin_add_overflow(number, part, &number))
            return NULL;
        word += 1 + strspn(word + 1, DIGITS);
    }
    *ret_number = number;
    return word;
}

/* The one or two digits at `word`, or -1. */
static int sixtieth(const char *word)
{
    size_t length = strspn(word, DIGITS);

    if (length == 1)
        return word[0] - '0';
    if (length != 2 || word[0] > '5')
        return -1;
    return (word[0] - '0') * 10 + word[1] - '0';
}

/* A checked word of fewer than NUMBER_SIZE characters, without its gaps. */
static double to_real(const char *word)
{
    char digits[NUMBER_SIZE];
    size_t size = 0;

    for (; *word != '\0'; word++) {
        if (*word != '_')
            digits[size++] = *word;
    }
    digits[size] = '\0';
    return strtod(digits, NULL);
}
