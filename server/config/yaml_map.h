/*
 * The pairs of one YAML map put in order: merge keys merged, keys given
 * twice found. And the form of an error in a YAML file.
 */
#ifndef XQUEUE_CONFIG_YAML_MAP_H
#define XQUEUE_CONFIG_YAML_MAP_H

#include "server/config/yaml_tree.h"

/* After this many errors the rest is left out. */
enum { YAML_REPORT_LIMIT = 20 };

struct yaml_report {
    const char *name;      /* of the file */
    struct buffer *errors; /* gets one line per error */
    size_t count;
};

/* Add the line "name:line:column: ...". */
void yaml_report(struct yaml_report *report, int line, int column,
                 const char *format, ...) PRINTF_LIKE(4, 5);

/*
 * Set the map's pairs from `own`, the bytes of a row of pointers to nodes:
 * key, value, key, value, as written. As with PyYAML merged keys come first,
 * a key keeps the place where it first stood, the map's own value wins, and
 * so does the earlier of several merged maps. Merged pairs are added to
 * *nodes; false when that passes YAML_TREE_MAX_NODES. Other errors are only
 * reported.
 */
bool yaml_map_fill(struct arena *arena, struct yaml_report *report,
                   struct text own, struct yaml_node *map,
                   size_t *nodes) MUST_CHECK;

#endif
