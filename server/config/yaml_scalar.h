/*
 * What a plain scalar means in YAML 1.1, by the rules of PyYAML's resolver:
 * yes and off are truth values, 0777 is octal, 1_000 a number, 1:30 ninety,
 * ~ and nothing at all are null, 1e3 is a text.
 */
#ifndef XQUEUE_CONFIG_YAML_SCALAR_H
#define XQUEUE_CONFIG_YAML_SCALAR_H

#include "server/config/yaml_tree.h"

/*
 * Set kind, boolean, integer and number from node->text, which must be
 * NUL-terminated. An integer beyond 64 bits stays a text.
 */
void yaml_scalar_resolve(struct yaml_node *node);

#endif
