/*
 * What yaml_tree.c asks of libyaml's own structs: places, anchors, tags,
 * and its errors in words.
 */
#ifndef XQUEUE_CONFIG_YAML_SYNTAX_H
#define XQUEUE_CONFIG_YAML_SYNTAX_H

#include "server/config/yaml_map.h"

#include <yaml.h>

/* Counted from 1. */
int yaml_line(yaml_mark_t mark);
int yaml_column(yaml_mark_t mark);

/* Report why the parser stopped. */
void yaml_syntax_report(const yaml_parser_t *parser, struct text source,
                        struct yaml_report *report);

/* The name after & or *, or NULL. Borrows from the event. */
const char *yaml_event_anchor(const yaml_event_t *event);

/* True when a list or map bears no tag, or just this one. */
bool yaml_has_tag(const yaml_event_t *event, const char *standard);

enum yaml_typing { YAML_TYPED, YAML_TAG_UNKNOWN, YAML_TAG_WRONG };

/* Set the scalar's kind and value by its tag, its quotes, its text. */
enum yaml_typing yaml_type_scalar(const yaml_event_t *event,
                                  struct yaml_node *node);

#endif
