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

/* `numbers[i]` belongs to config->queues[i]. Copies what it needs. */
struct queue_table *queue_table_new(const struct config *config,
                                    const int64_t *numbers);
void queue_table_free(struct queue_table *table); /* NULL is legal */

/* False when no queue has that name (case counts, as with the Django server).
 */
bool queue_table_find(const struct queue_table *table, struct text name,
                      int64_t *ret_number);

/* "a, b, c" in the order of the configuration. */
const char *queue_table_names(const struct queue_table *table);

#endif
