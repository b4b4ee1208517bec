/*
 * A YAML 1.1 document as a tree that remembers lines, typed as PyYAML's safe
 * loader would: files written for the Django server mean the same here.
 *
 * Merge keys (`<<`) are already merged, aliases point at the node they name,
 * so one node may hang in several places. Bounded in bytes, depth, nodes and
 * anchors, with all that aliases and merges add. The only user of libyaml.
 */
#ifndef XQUEUE_CONFIG_YAML_TREE_H
#define XQUEUE_CONFIG_YAML_TREE_H

#include "server/base/arena.h"
#include "server/base/buffer.h"

enum {
    YAML_TREE_MAX_BYTES = 1024 * 1024,
    YAML_TREE_MAX_DEPTH = 32,
    YAML_TREE_MAX_NODES = 100 * 1000,
    YAML_TREE_MAX_ANCHORS = 256
};

enum yaml_kind {
    YAML_NULL,
    YAML_BOOLEAN,
    YAML_INTEGER,
    YAML_NUMBER,
    YAML_TEXT,
    YAML_LIST,
    YAML_MAP
};

struct yaml_pair {
    const struct yaml_node *key; /* a scalar of any kind */
    const struct yaml_node *value;
};

struct yaml_node {
    enum yaml_kind kind;
    bool quoted; /* in quotes or a block: a text whatever it looks like */
    int line;    /* both from 1 */
    int column;
    struct text text; /* scalars of every kind: as written, no NUL inside */
    bool boolean;
    int64_t integer;
    double number;                  /* of YAML_INTEGER too */
    const struct yaml_node **items; /* of YAML_LIST */
    struct yaml_pair *pairs; /* of YAML_MAP: PyYAML's order, no key twice */
    size_t count;            /* of items or pairs */
    size_t height;           /* 1: a scalar or an empty list or map */
};

/*
 * Parse one document. The tree lives in `arena`. NULL when anything is wrong:
 * then one line per error, "name:line:column: what", was added to `errors`.
 */
const struct yaml_node *yaml_tree_parse(struct arena *arena, struct text source,
                                        const char *name,
                                        struct buffer *errors);

/* The value of a key, or NULL. `map` may be any node, or NULL. */
const struct yaml_node *yaml_tree_get(const struct yaml_node *map,
                                      const char *key);

#endif
