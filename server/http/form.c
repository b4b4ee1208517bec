/*
 * Form fields of a query string or a body.
 */
#include "server/http/form.h"

#include "server/base/percent.h"
#include "server/http/multipart.h"
#include "server/http/parameter.h"

#include <string.h>

static size_t count_fields(struct text source);
static struct form_field decode_field(struct arena *arena, struct text raw);
static enum form_status check_charset(struct arena *arena,
                                      struct text content_type);
static enum form_status
parse_multipart(struct arena *arena, struct text content_type, struct text body,
                const struct form_limits *limits, struct form *ret_form);

enum form_status form_parse_urlencoded(struct arena *arena, struct text source,
                                       const struct form_limits *limits,
                                       struct form *ret_form)
{
    struct form form = {.field_count = 0};
    size_t count = count_fields(source);
    size_t start = 0;

    if (count > limits->max_fields)
        return FORM_TOO_MANY;
    form.fields = arena_alloc(arena, count * sizeof *form.fields);
    while (start < source.size) {
        const char *raw = source.data + start;
        const char *end = memchr(raw, '&', source.size - start);
        size_t size = end == NULL ? source.size - start : (size_t)(end - raw);

        if (size > 0)
            form.fields[form.field_count++] =
                decode_field(arena, (struct text){raw, size});
        start += size + 1;
    }
    *ret_form = form;
    return FORM_OK;
}

enum form_status form_parse_body(struct arena *arena, struct text content_type,
                                 struct text body,
                                 const struct form_limits *limits,
                                 struct form *ret_form)
{
    struct text type = parameter_head(content_type);
    bool is_urlencoded =
        text_equal_ignoring_case(type, "application/x-www-form-urlencoded");
    enum form_status status;

    if (!is_urlencoded &&
        !text_equal_ignoring_case(type, "multipart/form-data")) {
        *ret_form = (struct form){.field_count = 0};
        return FORM_OK;
    }
    status = check_charset(arena, content_type);
    if (status != FORM_OK)
        return status;
    if (is_urlencoded)
        return form_parse_urlencoded(arena, body, limits, ret_form);
    return parse_multipart(arena, content_type, body, limits, ret_form);
}

struct text form_get(const struct form *form, const char *name)
{
    for (size_t i = form->field_count; i > 0; i--)
        if (text_equal_string(form->fields[i - 1].name, name))
            return form->fields[i - 1].value;
    return TEXT_ABSENT;
}

/* Empty ones too, as Django counts. */
static size_t count_fields(struct text source)
{
    size_t count = source.size > 0 ? 1 : 0;

    for (size_t i = 0; i < source.size; i++)
        count += source.data[i] == '&' ? 1 : 0;
    return count;
}

static struct form_field decode_field(struct arena *arena, struct text raw)
{
    const char *equals = memchr(raw.data, '=', raw.size);
    struct text name = raw;
    struct text value = {"", 0};

    if (equals != NULL) {
        name.size = (size_t)(equals - raw.data);
        value = (struct text){equals + 1, raw.size - name.size - 1};
    }
    return (struct form_field){
        .name = percent_decode(arena, name, PERCENT_PLUS_IS_SPACE),
        .value = percent_decode(arena, value, PERCENT_PLUS_IS_SPACE),
    };
}

static enum form_status check_charset(struct arena *arena,
                                      struct text content_type)
{
    struct text charset;

    switch (parameter_get(arena, content_type, "charset", &charset)) {
    case PARAMETER_NONE:
        return FORM_OK;
    case PARAMETER_AMBIGUOUS:
        return FORM_MALFORMED;
    case PARAMETER_OK:
        break;
    }
    if (text_equal_ignoring_case(charset, "utf-8") ||
        text_equal_ignoring_case(charset, "utf8"))
        return FORM_OK;
    return FORM_UNSUPPORTED;
}

static enum form_status
parse_multipart(struct arena *arena, struct text content_type, struct text body,
                const struct form_limits *limits, struct form *ret_form)
{
    struct text boundary;

    if (!multipart_boundary(arena, content_type, &boundary))
        return FORM_MALFORMED;
    return multipart_parse(arena, boundary, body, limits, ret_form);
}
