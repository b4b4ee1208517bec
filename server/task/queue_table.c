/*
 * The configured queues with their numbers in the database: an array sorted
 * by name.
 */
#include "server/task/queue_table.h"

#include "server/base/memory.h"

#include <stdlib.h>
#include <string.h>

struct queue_table {
    struct queue_entry *entries;
    size_t count;
    char *names;
};

static int compare_entries(const void *left, const void *right);
static int compare_names(struct text left, struct text right);
static char *join_names(const struct config *config);

struct queue_numbers queue_table_question(struct arena *arena,
                                          const struct config *config)
{
    size_t count = config->queue_count;
    struct text *names = arena_alloc(arena, (count + 1) * sizeof *names);

    for (size_t i = 0; i < count; i++)
        names[i] = text_of(config->queues[i].name);
    return (struct queue_numbers){
        .job.op = &queue_numbers_op,
        .names = names,
        .count = count,
        .ret_numbers = arena_zalloc(arena, (count + 1) * sizeof(int64_t)),
    };
}

struct queue_table *queue_table_new(const struct config *config,
                                    const int64_t *numbers)
{
    struct queue_table *table = xcalloc(1, sizeof *table);

    table->count = config->queue_count;
    table->entries = xcalloc(table->count, sizeof *table->entries);
    for (size_t i = 0; i < table->count; i++)
        table->entries[i] =
            (struct queue_entry){numbers[i], &config->queues[i]};
    qsort(table->entries, table->count, sizeof *table->entries,
          compare_entries);
    table->names = join_names(config);
    return table;
}

void queue_table_free(struct queue_table *table)
{
    if (table == NULL)
        return;
    free(table->entries);
    free(table->names);
    free(table);
}

const struct queue_entry *queue_table_find(const struct queue_table *table,
                                           struct text name)
{
    size_t low = 0;
    size_t high = table->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct queue_entry *entry = &table->entries[middle];
        int order = compare_names(name, text_of(entry->settings->name));

        if (order == 0)
            return entry;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const struct queue_entry *queue_table_entries(const struct queue_table *table,
                                              size_t *ret_count)
{
    *ret_count = table->count;
    return table->entries;
}

const char *queue_table_names(const struct queue_table *table)
{
    return table->names;
}

static int compare_entries(const void *left, const void *right)
{
    const struct queue_entry *one = left;
    const struct queue_entry *other = right;

    return compare_names(text_of(one->settings->name),
                         text_of(other->settings->name));
}

static int compare_names(struct text left, struct text right)
{
    size_t common = left.size < right.size ? left.size : right.size;
    int order = memcmp(left.data, right.data, common);

    if (order != 0)
        return order;
    return left.size < right.size ? -1 : left.size > right.size;
}

static char *join_names(const struct config *config)
{
    struct buffer names = {NULL, 0, 0};

    buffer_append_string(&names, "");
    for (size_t i = 0; i < config->queue_count; i++) {
        if (i > 0)
            buffer_append_string(&names, ", ");
        buffer_append_string(&names, config->queues[i].name);
    }
    return names.data;
}
