/*
 * The parts of the service that a task may use. The service owns them all
 * and outlives every task. Loop thread.
 */
#ifndef XQUEUE_TASK_ENV_H
#define XQUEUE_TASK_ENV_H

#include <stdbool.h>
#include <stdint.h>

struct callbacks;
struct config;
struct database;
struct fetcher;
struct loop;
struct media_places;
struct pushes;
struct queue_table;
struct queue_watch;
struct sessions;
struct storage;

struct env {
    struct loop *loop;
    struct database *database;
    const struct config *config; /* replaced as a whole by a reload */
    struct queue_table *queues;  /* likewise */
    struct queue_watch *queue_watch;
    struct sessions *sessions;         /* NULL without the web part */
    struct media_places *media_places; /* likewise */
    struct fetcher *fetcher;           /* NULL without the delivering part */
    struct callbacks *callbacks;       /* likewise */
    struct pushes *pushes;             /* likewise */
    struct storage *storage;           /* NULL: none could be started */
    const char *own_url;  /* where we listen: http://127.0.0.1:18040 */
    uint64_t tasks;       /* under way */
    uint64_t next_number; /* of the next task, for the log */
    bool stopping;
};

#endif
