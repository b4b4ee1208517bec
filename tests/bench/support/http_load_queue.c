/*
 * A binary heap of clients by the time when they are due.
 */
#include "tests/bench/support/http_load_private.h"

static void swap(struct load_connection **left, struct load_connection **right);

void load_queue_add(struct load_queue *queue,
                    struct load_connection *connection)
{
    size_t place = queue->count++;

    queue->items[place] = connection;
    while (place > 0) {
        size_t parent = (place - 1) / 2;

        if (queue->items[parent]->due_us <= queue->items[place]->due_us)
            return;
        swap(&queue->items[parent], &queue->items[place]);
        place = parent;
    }
}

struct load_connection *load_queue_take(struct load_queue *queue)
{
    struct load_connection *first = queue->items[0];
    size_t place = 0;

    queue->items[0] = queue->items[--queue->count];
    for (;;) {
        size_t child = 2 * place + 1;

        if (child + 1 < queue->count &&
            queue->items[child + 1]->due_us < queue->items[child]->due_us)
            child++;
        if (child >= queue->count ||
            queue->items[place]->due_us <= queue->items[child]->due_us)
            return first;
        swap(&queue->items[place], &queue->items[child]);
        place = child;
    }
}

static void swap(struct load_connection **left, struct load_connection **right)
{
    struct load_connection *kept = *left;

    *left = *right;
    *right = kept;
}
