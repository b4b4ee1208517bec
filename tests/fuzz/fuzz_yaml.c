/*
 * Any bytes as a configuration file: the tree, then the whole loader and
 * what prints its result. Nothing may crash, and every message is one line.
 */
#include "server/config/config.h"
#include "server/config/yaml_tree.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t walk(const struct yaml_node *node, size_t depth, size_t budget);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text source = {size == 0 ? "" : (const char *)data, size};
    struct arena *arena = arena_new();
    struct buffer messages = {NULL, 0, 0};
    const struct yaml_node *root =
        yaml_tree_parse(arena, source, "fuzz", &messages);
    struct config *config;

    if ((root == NULL) != (messages.size > 0))
        abort();
    if (root != NULL)
        walk(root, 1, YAML_TREE_MAX_NODES);
    buffer_free(&messages);
    arena_free(arena);

    config = config_load_text(source, "fuzz", NULL, 0, &messages);
    if (config == NULL && messages.size == 0)
        abort();
    if (messages.size > 0 && messages.data[messages.size - 1] != '\n')
        abort();
    if (messages.size > 0 && strlen(messages.data) != messages.size)
        abort();
    if (config != NULL) {
        char *text = NULL;
        size_t length;
        FILE *out = open_memstream(&text, &length);

        config_print(config, out);
        fclose(out);
        free(text);
    }
    config_free(config);
    buffer_free(&messages);
    return 0;
}

/* What is left of the budget: shared nodes are met again and again. */
static size_t walk(const struct yaml_node *node, size_t depth, size_t budget)
{
    if (depth > YAML_TREE_MAX_DEPTH || node->line < 1 || node->column < 1)
        abort();
    if (node->text.data != NULL && node->text.data[node->text.size] != '\0')
        abort();
    for (size_t i = 0; i < node->count && budget > 0; i++) {
        const struct yaml_node *child =
            node->kind == YAML_LIST ? node->items[i] : node->pairs[i].value;

        budget = walk(child, depth + 1, budget - 1);
    }
    return budget;
}
