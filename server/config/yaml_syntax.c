/*
 * What yaml_tree.c asks of libyaml's own structs.
 */
#include "server/config/yaml_syntax.h"

#include "server/base/memory.h"
#include "server/config/yaml_scalar.h"

#include <string.h>

static void report_bytes(const yaml_parser_t *parser, struct text source,
                         struct yaml_report *report);
static bool is_tab_at(struct text source, yaml_mark_t mark);
static const char *tag_of(const yaml_event_t *event);
static enum yaml_typing type_by_tag(const char *tag, struct yaml_node *node);

int yaml_line(yaml_mark_t mark)
{
    return (int)mark.line + 1;
}

int yaml_column(yaml_mark_t mark)
{
    return (int)mark.column + 1;
}

void yaml_syntax_report(const yaml_parser_t *parser, struct text source,
                        struct yaml_report *report)
{
    yaml_mark_t mark = parser->problem_mark;
    struct buffer where = {NULL, 0, 0};

    if (parser->error == YAML_MEMORY_ERROR)
        fatal("out of memory: YAML parser");
    if (parser->error == YAML_READER_ERROR) {
        report_bytes(parser, source, report);
        return;
    }
    if (parser->context != NULL && parser->context_mark.line < mark.line)
        buffer_printf(&where, " (what began on line %d)",
                      yaml_line(parser->context_mark));
    yaml_report(
        report, yaml_line(mark), yaml_column(mark), "not YAML: %s%s%s%s",
        parser->problem, parser->context == NULL ? "" : " ",
        parser->context == NULL ? "" : parser->context,
        is_tab_at(source, mark) ? ": a tab, where only blanks may be"
                                : (const char *)buffer_text(&where).data);
    buffer_free(&where);
}

const char *yaml_event_anchor(const yaml_event_t *event)
{
    if (event->type == YAML_ALIAS_EVENT)
        return (const char *)event->data.alias.anchor;
    if (event->type == YAML_SCALAR_EVENT)
        return (const char *)event->data.scalar.anchor;
    if (event->type == YAML_SEQUENCE_START_EVENT)
        return (const char *)event->data.sequence_start.anchor;
    if (event->type == YAML_MAPPING_START_EVENT)
        return (const char *)event->data.mapping_start.anchor;
    return NULL;
}

bool yaml_has_tag(const yaml_event_t *event, const char *standard)
{
    const char *tag = tag_of(event);

    return tag == NULL || strcmp(tag, "!") == 0 || strcmp(tag, standard) == 0;
}

enum yaml_typing yaml_type_scalar(const yaml_event_t *event,
                                  struct yaml_node *node)
{
    const char *tag = tag_of(event);

    if (tag != NULL && strcmp(tag, "!") != 0)
        return type_by_tag(tag, node);
    if (node->quoted)
        node->kind = YAML_TEXT;
    else
        yaml_scalar_resolve(node);
    return YAML_TYPED;
}

/* Bytes that are no characters, or characters that YAML forbids. */
static void report_bytes(const yaml_parser_t *parser, struct text source,
                         struct yaml_report *report)
{
    int line = 1;
    int column = 1;

    for (size_t i = 0; i < parser->problem_offset && i < source.size; i++) {
        bool starts_character = ((unsigned char)source.data[i] & 0xC0) != 0x80;

        if (source.data[i] == '\n') {
            line++;
            column = 1;
        } else if (starts_character) {
            column++;
        }
    }
    yaml_report(report, line, column, "not UTF-8 text: %s", parser->problem);
}

static bool is_tab_at(struct text source, yaml_mark_t mark)
{
    size_t at = 0;

    for (size_t line = 0; line < mark.line; line++) {
        const char *end = memchr(source.data + at, '\n', source.size - at);

        if (end == NULL)
            return false;
        at = (size_t)(end - source.data) + 1;
    }
    /* Columns count characters; a tab that matters has only ASCII before. */
    return at + mark.column < source.size &&
           source.data[at + mark.column] == '\t';
}

static const char *tag_of(const yaml_event_t *event)
{
    if (event->type == YAML_SCALAR_EVENT)
        return (const char *)event->data.scalar.tag;
    if (event->type == YAML_SEQUENCE_START_EVENT)
        return (const char *)event->data.sequence_start.tag;
    return (const char *)event->data.mapping_start.tag;
}

static enum yaml_typing type_by_tag(const char *tag, struct yaml_node *node)
{
    static const struct {
        const char *tag;
        enum yaml_kind kind;
    } standard[] = {
        {YAML_NULL_TAG, YAML_NULL},   {YAML_BOOL_TAG, YAML_BOOLEAN},
        {YAML_INT_TAG, YAML_INTEGER}, {YAML_FLOAT_TAG, YAML_NUMBER},
        {YAML_STR_TAG, YAML_TEXT},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(standard); i++) {
        if (strcmp(tag, standard[i].tag) != 0)
            continue;
        node->quoted = standard[i].kind == YAML_TEXT;
        yaml_scalar_resolve(node);
        if (standard[i].kind == YAML_TEXT ||
            (standard[i].kind == YAML_NUMBER && node->kind == YAML_INTEGER))
            node->kind = standard[i].kind;
        return node->kind == standard[i].kind ? YAML_TYPED : YAML_TAG_WRONG;
    }
    return YAML_TAG_UNKNOWN;
}
