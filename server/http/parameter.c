/*
 * Fields with parameters. Walks over all of them even when the one that was
 * asked for is found, since two of one name are refused.
 */
#include "server/http/parameter.h"

#include <string.h>

/* One parameter as it stands: `value` without the quotes, still escaped. */
struct parameter {
    struct text name;
    struct text value;
    bool quoted;
};

static bool next_parameter(struct text *rest, struct parameter *ret_parameter);
static size_t quoted_size(struct text text);
static struct text up_to(struct text text, char character);
static struct text after(struct text text, size_t size);
static struct text unescape(struct arena *arena, struct text value);

struct text parameter_head(struct text field)
{
    return text_trim(up_to(field, ';'));
}

enum parameter_status parameter_get(struct arena *arena, struct text field,
                                    const char *name, struct text *ret_value)
{
    struct text rest = after(field, up_to(field, ';').size);
    struct text value = TEXT_ABSENT;

    while (rest.size > 0) {
        struct parameter parameter;

        if (!next_parameter(&rest, &parameter))
            return PARAMETER_AMBIGUOUS;
        if (!text_equal_ignoring_case(parameter.name, name))
            continue;
        if (!text_is_absent(value))
            return PARAMETER_AMBIGUOUS;
        value = parameter.quoted ? unescape(arena, parameter.value)
                                 : parameter.value;
    }
    if (text_is_absent(value))
        return PARAMETER_NONE;
    *ret_value = value;
    return PARAMETER_OK;
}

/* *rest starts with the semicolon before the parameter. */
static bool next_parameter(struct text *rest, struct parameter *ret_parameter)
{
    struct text text = after(*rest, 1);
    struct text name = up_to(text, ';');
    struct text value;

    name = up_to(name, '=');
    value = text_trim(after(text, name.size));
    *ret_parameter = (struct parameter){.name = text_trim(name)};
    if (value.size == 0 || value.data[0] == ';') {
        *rest = after(text, name.size);
        return true;
    }
    value = text_trim(after(value, 1)); /* without the '=' */
    ret_parameter->quoted = value.size > 0 && value.data[0] == '"';
    if (!ret_parameter->quoted) {
        value = up_to(value, ';');
        ret_parameter->value = text_trim(value);
    } else {
        value.size = quoted_size(value);
        if (value.size == 0)
            return false;
        ret_parameter->value = (struct text){value.data + 1, value.size - 2};
    }
    *rest = (struct text){value.data + value.size,
                          (size_t)(text.data + text.size - value.data) -
                              value.size};
    *rest = after(*rest, up_to(*rest, ';').size);
    return true;
}

/* With both quotes; 0 when the closing one is missing. */
static size_t quoted_size(struct text text)
{
    for (size_t i = 1; i < text.size; i++) {
        if (text.data[i] == '"')
            return i + 1;
        if (text.data[i] == '\\' && i + 1 < text.size &&
            (text.data[i + 1] == '"' || text.data[i + 1] == '\\'))
            i++;
    }
    return 0;
}

static struct text up_to(struct text text, char character)
{
    const char *end =
        text.size == 0 ? NULL : memchr(text.data, character, text.size);

    if (end != NULL)
        text.size = (size_t)(end - text.data);
    return text;
}

static struct text after(struct text text, size_t size)
{
    if (text_is_absent(text))
        return text;
    return (struct text){text.data + size, text.size - size};
}

static struct text unescape(struct arena *arena, struct text value)
{
    char *copy;
    size_t size = 0;

    if (value.size == 0 || memchr(value.data, '\\', value.size) == NULL)
        return value;
    copy = arena_alloc(arena, value.size + 1);
    for (size_t i = 0; i < value.size; i++) {
        if (value.data[i] == '\\' && i + 1 < value.size &&
            (value.data[i + 1] == '"' || value.data[i + 1] == '\\'))
            i++;
        copy[size++] = value.data[i];
    }
    copy[size] = '\0';
    return (struct text){copy, size};
}
