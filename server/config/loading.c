/*
 * The messages of one load of the configuration.
 */
#include "server/config/loading.h"

#include "server/base/memory.h"
#include "server/base/utf8.h"
#include "server/config/checks.h"
#include "server/config/quote.h"
#include "server/config/yaml_scalar.h"

#include <stdlib.h>

static void append_place(struct loading *loading, const struct place *place,
                         struct buffer *out);
static char *describe(const struct place *place, const struct yaml_node *value);
static const char *describe_kind(const struct yaml_node *value);

struct place place_in_file(const char *name, const struct yaml_node *node)
{
    return (struct place){FROM_FILE, name, node->line, node->column};
}

const char *place_name(struct loading *loading, const char *parent,
                       struct text key)
{
    char *quoted = quote_name(key);
    const char *name =
        arena_printf(loading->config->arena, "%s.%s", parent, quoted);

    free(quoted);
    return name;
}

void loading_expected(struct loading *loading, const struct place *place,
                      const char *expected, const struct yaml_node *value)
{
    char *found = describe(place, value);

    append_place(loading, place, &loading->errors);
    buffer_printf(&loading->errors, "expected %s, found %s\n", expected, found);
    free(found);
}

void loading_expected_secret(struct loading *loading, const struct place *place,
                             const char *expected,
                             const struct yaml_node *value)
{
    append_place(loading, place, &loading->errors);
    buffer_printf(&loading->errors, "expected %s, found %s\n", expected,
                  describe_kind(value));
}

void loading_error(struct loading *loading, const struct place *place,
                   const char *what)
{
    append_place(loading, place, &loading->errors);
    buffer_printf(&loading->errors, "%s\n", what);
}

void loading_warning(struct loading *loading, const struct place *place,
                     const char *what)
{
    struct place line_only = *place;

    line_only.column = 0;
    append_place(loading, &line_only, &loading->warnings);
    buffer_printf(&loading->warnings, "%s\n", what);
}

bool is_textual(const struct yaml_node *value)
{
    return value->kind == YAML_TEXT || value->kind == YAML_INTEGER ||
           value->kind == YAML_NUMBER;
}

/* YAML reads the names `on` and `null` as something else: quotes help. */
bool is_name(const struct yaml_node *key, size_t limit)
{
    return is_textual(key) && key->text.size > 0 &&
           utf8_length(key->text) <= limit && check_printable(key->text);
}

static void append_place(struct loading *loading, const struct place *place,
                         struct buffer *out)
{
    switch (place->origin) {
    case FROM_TABLE:
        break;
    case FROM_FILE:
        buffer_printf(out, "%s:%d:", loading->file, place->line);
        if (place->column > 0)
            buffer_printf(out, "%d:", place->column);
        buffer_append_char(out, ' ');
        break;
    case FROM_ENVIRONMENT:
        buffer_append_string(out, "environment: ");
        break;
    case FROM_OPTION:
        buffer_append_string(out, "option: ");
        break;
    }
    buffer_printf(out, "%s: ", place->name);
}

/* From malloc. Quotes are named where they are what is wrong. */
static char *describe(const struct place *place, const struct yaml_node *value)
{
    struct yaml_node plain = *value;
    char *shown;
    char *description;

    if (value->kind == YAML_LIST || value->kind == YAML_MAP ||
        (value->kind == YAML_NULL && value->text.size == 0))
        return xstrdup(describe_kind(value));
    if (value->kind != YAML_TEXT)
        return quote_name(value->text);
    shown = quote_text(value->text);
    if (place->origin != FROM_FILE || !value->quoted || value->text.size == 0)
        return shown;
    yaml_scalar_resolve(&plain);
    if (plain.kind == YAML_TEXT)
        return shown;
    description = xasprintf("%s in quotes", shown);
    free(shown);
    return description;
}

static const char *describe_kind(const struct yaml_node *value)
{
    static const char *const words[] = {
        [YAML_NULL] = "nothing",     [YAML_BOOLEAN] = "a truth value",
        [YAML_INTEGER] = "a number", [YAML_NUMBER] = "a number",
        [YAML_TEXT] = "a text",      [YAML_LIST] = "a list",
        [YAML_MAP] = "a map",
    };

    return words[value->kind];
}
