/*
 * The pairs of one YAML map put in order.
 *
 * All pairs, merged ones first, are sorted by key and place. Of each group of
 * one key the last value goes to the place of the first: what a Python dict
 * does when it is filled in that order.
 */
#include "server/config/yaml_map.h"

#include "server/base/memory.h"
#include "server/config/quote.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    struct yaml_pair pair;
    size_t place;
    bool own;
};

struct filling {
    struct yaml_report *report;
    struct buffer entries; /* a row of struct entry, bytewise */
    size_t *nodes;
};

static bool add_merges(struct filling *filling, struct yaml_pair merge);
static bool add_merged_map(struct filling *filling,
                           const struct yaml_node *map);
static void add_own(struct filling *filling, struct yaml_pair pair);
static void add(struct filling *filling, struct yaml_pair pair, bool own);
static struct yaml_pair pair_at(struct text own, size_t index);
static bool is_merge(struct yaml_pair pair);
static void settle(struct arena *arena, struct filling *filling,
                   struct yaml_node *map);
static size_t settle_group(struct filling *filling, struct entry *group,
                           size_t limit);
static int by_key(const void *left, const void *right);
static int by_place(const void *left, const void *right);

void yaml_report(struct yaml_report *report, int line, int column,
                 const char *format, ...)
{
    va_list arguments;
    char *what;

    report->count++;
    if (report->count > YAML_REPORT_LIMIT)
        return;
    if (report->count == YAML_REPORT_LIMIT) {
        buffer_printf(report->errors, "%s: more errors follow\n", report->name);
        return;
    }
    va_start(arguments, format);
    if (vasprintf(&what, format, arguments) < 0)
        fatal("out of memory: an error's text");
    va_end(arguments);
    buffer_printf(report->errors, "%s:%d:%d: %s\n", report->name, line, column,
                  what);
    free(what);
}

bool yaml_map_fill(struct arena *arena, struct yaml_report *report,
                   struct text own, struct yaml_node *map, size_t *nodes)
{
    struct filling filling = {.report = report, .nodes = nodes};
    size_t count = own.size / sizeof(const struct yaml_node *) / 2;
    size_t merges = 0;
    bool fits = true;

    for (size_t i = 0; i < count && fits; i++) {
        struct yaml_pair pair = pair_at(own, i);

        if (!is_merge(pair))
            continue;
        if (++merges > 1)
            yaml_report(report, pair.key->line, pair.key->column,
                        "a second << in one map: expected a list of maps");
        fits = add_merges(&filling, pair);
    }
    for (size_t i = 0; i < count && fits; i++) {
        if (!is_merge(pair_at(own, i)))
            add_own(&filling, pair_at(own, i));
    }
    settle(arena, &filling, map);
    buffer_free(&filling.entries);
    return fits;
}

static struct yaml_pair pair_at(struct text own, size_t index)
{
    struct yaml_pair pair;

    memcpy(&pair.key, own.data + 2 * index * sizeof pair.key, sizeof pair.key);
    memcpy(&pair.value, own.data + (2 * index + 1) * sizeof pair.value,
           sizeof pair.value);
    return pair;
}

static bool is_merge(struct yaml_pair pair)
{
    return pair.key->kind == YAML_TEXT && !pair.key->quoted &&
           text_equal_string(pair.key->text, "<<");
}

/* Last map first, because later entries win. */
static bool add_merges(struct filling *filling, struct yaml_pair merge)
{
    const struct yaml_node *value = merge.value;

    if (value->kind == YAML_MAP)
        return add_merged_map(filling, value);
    for (size_t i = value->kind == YAML_LIST ? value->count : 0; i > 0; i--) {
        if (value->items[i - 1]->kind != YAML_MAP)
            break;
        if (!add_merged_map(filling, value->items[i - 1]))
            return false;
        if (i == 1)
            return true;
    }
    if (value->kind != YAML_LIST || value->count > 0)
        yaml_report(filling->report, merge.key->line, merge.key->column,
                    "<< merges only a map or a list of maps");
    return true;
}

static bool add_merged_map(struct filling *filling, const struct yaml_node *map)
{
    *filling->nodes += map->count;
    if (*filling->nodes > YAML_TREE_MAX_NODES) {
        yaml_report(filling->report, map->line, map->column,
                    "too many values, with those merged by <<");
        return false;
    }
    for (size_t i = 0; i < map->count; i++)
        add(filling, map->pairs[i], false);
    return true;
}

static void add_own(struct filling *filling, struct yaml_pair pair)
{
    if (pair.key->kind == YAML_LIST || pair.key->kind == YAML_MAP)
        yaml_report(filling->report, pair.key->line, pair.key->column,
                    "a list or a map as a key");
    else
        add(filling, pair, true);
}

static void add(struct filling *filling, struct yaml_pair pair, bool own)
{
    struct entry entry = {
        .pair = pair,
        .place = filling->entries.size / sizeof entry,
        .own = own,
    };

    buffer_append(&filling->entries, &entry, sizeof entry);
}

static void settle(struct arena *arena, struct filling *filling,
                   struct yaml_node *map)
{
    struct entry *entries = (void *)filling->entries.data;
    size_t count = filling->entries.size / sizeof *entries;
    size_t kept = 0;

    if (count == 0)
        return;
    qsort(entries, count, sizeof *entries, by_key);
    for (size_t i = 0; i < count; kept++) {
        size_t size = settle_group(filling, &entries[i], count - i);

        entries[kept] = entries[i];
        i += size;
    }
    qsort(entries, kept, sizeof *entries, by_place);
    map->pairs = arena_alloc(arena, kept * sizeof *map->pairs);
    map->count = kept;
    for (size_t i = 0; i < kept; i++)
        map->pairs[i] = entries[i].pair;
}

/* The size of the group of one key, whose first entry gets what wins. */
static size_t settle_group(struct filling *filling, struct entry *group,
                           size_t limit)
{
    size_t size = 1;

    while (size < limit &&
           text_equal(group[0].pair.key->text, group[size].pair.key->text)) {
        if (group[size - 1].own) {
            const struct yaml_node *key = group[size].pair.key;
            char *name = quote_name(key->text);

            yaml_report(filling->report, key->line, key->column,
                        "%s: given twice, first on line %d", name,
                        group[size - 1].pair.key->line);
            free(name);
        }
        size++;
    }
    group[0].pair = group[size - 1].pair;
    return size;
}

static int by_key(const void *left, const void *right)
{
    const struct entry *one = left;
    const struct entry *other = right;
    struct text a = one->pair.key->text;
    struct text b = other->pair.key->text;
    int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);

    if (order != 0)
        return order;
    if (a.size != b.size)
        return a.size < b.size ? -1 : 1;
    return by_place(left, right);
}

static int by_place(const void *left, const void *right)
{
    const struct entry *one = left;
    const struct entry *other = right;

    return one->place < other->place ? -1 : one->place > other->place;
}
