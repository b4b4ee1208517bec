/*
 * The configured queues with their numbers in the database. Immutable; a
 * reload makes a new one. Loop thread.
 */
#ifndef XQUEUE_TASK_QUEUE_TABLE_H
#define XQUEUE_TASK_QUEUE_TABLE_H

#include "db/queue.h"
#include "server/config/config.h"

struct queue_table;

/*
 * The question to the database for the numbers of a configuration's queues;
 * its lists live in the arena. Run queue_numbers_op with it.
 */
struct queue_numbers queue_table_question(struct arena *arena,
                                          const struct config *config);

/*
 * `numbers[i]` belongs to config->queues[i]. `config` is borrowed: the two
 * are replaced together.
 */
struct queue_table *queue_table_new(const struct config *config,
                                    const int64_t *numbers);
void queue_table_free(struct queue_table *table); /* NULL is legal */

struct queue_entry {
    int64_t number;
    const struct config_queue *settings; /* borrows from the configuration */
};

/* NULL when no queue has that name (case counts, as with the Django server). */
const struct queue_entry *queue_table_find(const struct queue_table *table,
                                           struct text name);

/* All of them, in the order of their names. */
const struct queue_entry *queue_table_entries(const struct queue_table *table,
                                              size_t *ret_count);

/* "a, b, c" in the order of the configuration. */
const char *queue_table_names(const struct queue_table *table);

#endif
