/*
 * A YAML document as a tree: libyaml's events, read by descent.
 *
 * The descent stops at a depth limit before it recurses, and every node is
 * counted as it is made, so neither the stack nor the arena can be driven
 * far. An error of syntax or bounds ends the reading; keys given twice and
 * the like are collected.
 */
#include "server/config/yaml_tree.h"

#include "server/base/memory.h"
#include "server/config/yaml_map.h"
#include "server/config/yaml_syntax.h"

#include <string.h>

struct anchor {
    const char *name;
    const struct yaml_node *node; /* NULL while it is being read */
};

struct reader {
    yaml_parser_t parser;
    struct arena *arena;
    struct text source;
    struct yaml_report report;
    size_t nodes;
    struct anchor anchors[YAML_TREE_MAX_ANCHORS];
    size_t anchor_count;
};

static struct text after_mark(struct text source);
static const struct yaml_node *read_document(struct reader *reader);
static bool next(struct reader *reader, yaml_event_t *ret_event);
static bool skip(struct reader *reader, yaml_event_type_t type);
static const struct yaml_node *
read_value(struct reader *reader, const yaml_event_t *event, size_t depth);
static const struct yaml_node *
read_alias(struct reader *reader, const yaml_event_t *event, size_t depth);
static bool read_node(struct reader *reader, const yaml_event_t *event,
                      size_t depth, struct yaml_node *node);
static bool read_scalar(struct reader *reader, const yaml_event_t *event,
                        struct yaml_node *node);
static bool read_list(struct reader *reader, size_t depth,
                      struct yaml_node *node);
static bool read_map(struct reader *reader, size_t depth,
                     struct yaml_node *node);
static bool read_children(struct reader *reader, yaml_event_type_t end,
                          size_t depth, struct buffer *ret_children);
static bool add_anchor(struct reader *reader, const yaml_event_t *event);
static struct anchor *find_anchor(struct reader *reader, const char *name);
static void set_height(struct yaml_node *node);
static bool complain(struct reader *reader, const yaml_event_t *event,
                     const char *what);

const struct yaml_node *yaml_tree_parse(struct arena *arena, struct text source,
                                        const char *name, struct buffer *errors)
{
    struct reader reader = {
        .arena = arena,
        .source = after_mark(source),
        .report = {.name = name, .errors = errors},
    };
    const struct yaml_node *root;

    if (source.size > YAML_TREE_MAX_BYTES) {
        buffer_printf(errors, "%s: expected at most %d bytes, found %zu\n",
                      name, YAML_TREE_MAX_BYTES, source.size);
        return NULL;
    }
    if (yaml_parser_initialize(&reader.parser) == 0)
        fatal("out of memory: YAML parser");
    yaml_parser_set_input_string(&reader.parser,
                                 (const unsigned char *)reader.source.data,
                                 reader.source.size);
    /* Otherwise a byte-order mark could make it UTF-16. */
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    root = read_document(&reader);
    yaml_parser_delete(&reader.parser);
    return reader.report.count == 0 ? root : NULL;
}

const struct yaml_node *yaml_tree_get(const struct yaml_node *map,
                                      const char *key)
{
    if (map == NULL || map->kind != YAML_MAP)
        return NULL;
    for (size_t i = 0; i < map->count; i++) {
        if (text_equal_string(map->pairs[i].key->text, key))
            return map->pairs[i].value;
    }
    return NULL;
}

/* Editors of Windows put a byte-order mark in front of UTF-8. */
static struct text after_mark(struct text source)
{
    if (!text_starts_with(source, "\xEF\xBB\xBF"))
        return source;
    return (struct text){source.data + 3, source.size - 3};
}

static const struct yaml_node *read_document(struct reader *reader)
{
    const struct yaml_node *root;
    yaml_event_t event;

    if (!skip(reader, YAML_STREAM_START_EVENT) || !next(reader, &event))
        return NULL;
    if (event.type == YAML_STREAM_END_EVENT) {
        yaml_report(&reader->report, 1, 1, "nothing in the file");
        return NULL;
    }
    yaml_event_delete(&event);
    if (!next(reader, &event))
        return NULL;
    root = read_value(reader, &event, 1);
    yaml_event_delete(&event);
    if (root == NULL || !skip(reader, YAML_DOCUMENT_END_EVENT))
        return NULL;
    if (!next(reader, &event))
        return NULL;
    if (event.type != YAML_STREAM_END_EVENT)
        complain(reader, &event, "a second document: expected only one");
    yaml_event_delete(&event);
    return root;
}

/* On true the caller deletes the event. */
static bool next(struct reader *reader, yaml_event_t *ret_event)
{
    if (yaml_parser_parse(&reader->parser, ret_event) == 1)
        return true;
    yaml_syntax_report(&reader->parser, reader->source, &reader->report);
    return false;
}

/* The grammar lets nothing but `type` come now. */
static bool skip(struct reader *reader, yaml_event_type_t type)
{
    yaml_event_t event;

    if (!next(reader, &event))
        return false;
    if (event.type != type)
        fatal("YAML parser: event %d where %d belongs", (int)event.type,
              (int)type);
    yaml_event_delete(&event);
    return true;
}

/* `depth` counts from 1. NULL when reading must end. */
static const struct yaml_node *
read_value(struct reader *reader, const yaml_event_t *event, size_t depth)
{
    size_t mine = reader->anchor_count;
    struct yaml_node *node;

    if (depth > YAML_TREE_MAX_DEPTH) {
        complain(reader, event, "nested too deeply");
        return NULL;
    }
    if (event->type == YAML_ALIAS_EVENT)
        return read_alias(reader, event, depth);
    if (++reader->nodes > YAML_TREE_MAX_NODES) {
        complain(reader, event, "too many values");
        return NULL;
    }
    if (!add_anchor(reader, event))
        return NULL;
    node = arena_zalloc(reader->arena, sizeof *node);
    node->line = yaml_line(event->start_mark);
    node->column = yaml_column(event->start_mark);
    if (!read_node(reader, event, depth, node))
        return NULL;
    set_height(node);
    if (yaml_event_anchor(event) != NULL)
        reader->anchors[mine].node = node;
    return node;
}

static const struct yaml_node *
read_alias(struct reader *reader, const yaml_event_t *event, size_t depth)
{
    const struct anchor *anchor = find_anchor(reader, yaml_event_anchor(event));
    const char *what = NULL;

    if (anchor == NULL)
        what = "an alias without an anchor";
    else if (anchor->node == NULL)
        what = "an alias inside what it stands for";
    else if (depth - 1 + anchor->node->height > YAML_TREE_MAX_DEPTH)
        what = "nested too deeply";
    if (what == NULL)
        return anchor->node;
    complain(reader, event, what);
    return NULL;
}

static bool read_node(struct reader *reader, const yaml_event_t *event,
                      size_t depth, struct yaml_node *node)
{
    if (event->type == YAML_SCALAR_EVENT)
        return read_scalar(reader, event, node);
    if (event->type == YAML_SEQUENCE_START_EVENT)
        return yaml_has_tag(event, YAML_SEQ_TAG)
                   ? read_list(reader, depth, node)
                   : complain(reader, event, "a tag that is not known");
    if (event->type == YAML_MAPPING_START_EVENT)
        return yaml_has_tag(event, YAML_MAP_TAG)
                   ? read_map(reader, depth, node)
                   : complain(reader, event, "a tag that is not known");
    fatal("YAML parser: event %d where a value belongs", (int)event->type);
}

static bool read_scalar(struct reader *reader, const yaml_event_t *event,
                        struct yaml_node *node)
{
    node->text = arena_copy(
        reader->arena, (struct text){(const char *)event->data.scalar.value,
                                     event->data.scalar.length});
    if (memchr(node->text.data, '\0', node->text.size) != NULL)
        return complain(reader, event, "a NUL character");
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    switch (yaml_type_scalar(event, node)) {
    case YAML_TYPED:
        return true;
    case YAML_TAG_UNKNOWN:
        return complain(reader, event, "a tag that is not known");
    case YAML_TAG_WRONG:
        return complain(reader, event, "a value that is not of its tag");
    }
    fatal("YAML scalar: impossible result");
}

static bool read_list(struct reader *reader, size_t depth,
                      struct yaml_node *node)
{
    struct buffer children = {NULL, 0, 0};
    bool read =
        read_children(reader, YAML_SEQUENCE_END_EVENT, depth, &children);
    struct text copy = arena_copy(reader->arena, buffer_text(&children));

    buffer_free(&children);
    node->kind = YAML_LIST;
    node->items = (const struct yaml_node **)(void *)(uintptr_t)copy.data;
    node->count = copy.size / sizeof(const struct yaml_node *);
    return read;
}

static bool read_map(struct reader *reader, size_t depth,
                     struct yaml_node *node)
{
    struct buffer children = {NULL, 0, 0};
    bool read = read_children(reader, YAML_MAPPING_END_EVENT, depth, &children);
    struct text pairs = buffer_text(&children);

    node->kind = YAML_MAP;
    if (read)
        read = yaml_map_fill(reader->arena, &reader->report, pairs, node,
                             &reader->nodes);
    buffer_free(&children);
    return read;
}

/* A row of pointers to nodes, bytewise in a buffer. */
static bool read_children(struct reader *reader, yaml_event_type_t end,
                          size_t depth, struct buffer *ret_children)
{
    yaml_event_t event;

    while (next(reader, &event)) {
        const struct yaml_node *child = NULL;
        bool ended = event.type == end;

        if (!ended)
            child = read_value(reader, &event, depth + 1);
        yaml_event_delete(&event);
        if (ended)
            return true;
        if (child == NULL)
            return false;
        buffer_append(ret_children, &child, sizeof(child));
    }
    return false;
}

/* Announce the anchor of this event, if it has one. */
static bool add_anchor(struct reader *reader, const yaml_event_t *event)
{
    const char *name = yaml_event_anchor(event);

    if (name == NULL)
        return true;
    if (find_anchor(reader, name) != NULL)
        return complain(reader, event, "an anchor that is already taken");
    if (reader->anchor_count == YAML_TREE_MAX_ANCHORS)
        return complain(reader, event, "too many anchors");
    reader->anchors[reader->anchor_count++] =
        (struct anchor){arena_strdup(reader->arena, name), NULL};
    return true;
}

static struct anchor *find_anchor(struct reader *reader, const char *name)
{
    for (size_t i = 0; i < reader->anchor_count; i++) {
        if (strcmp(reader->anchors[i].name, name) == 0)
            return &reader->anchors[i];
    }
    return NULL;
}

static void set_height(struct yaml_node *node)
{
    node->height = 1;
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_node *child =
            node->kind == YAML_LIST ? node->items[i] : node->pairs[i].value;

        if (child->height >= node->height)
            node->height = child->height + 1;
    }
}

/* Always false, for the caller to return. */
static bool complain(struct reader *reader, const yaml_event_t *event,
                     const char *what)
{
    yaml_report(&reader->report, yaml_line(event->start_mark),
                yaml_column(event->start_mark), "%s", what);
    return false;
}
