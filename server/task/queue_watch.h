/*
 * Which queues are known to be empty. Graders ask an empty queue again and
 * again; all who ask within QUEUE_WATCH_MS share one look into the database,
 * and the others cost it nothing.
 *
 * What comes into a queue through this process is known at once: whoever puts
 * something there says so after its COMMIT, before anybody is told of it. What
 * comes another way (another process, a command, a hand at the database) is
 * seen after QUEUE_WATCH_MS, or as much longer as a look takes.
 *
 * Loop thread.
 */
#ifndef XQUEUE_TASK_QUEUE_WATCH_H
#define XQUEUE_TASK_QUEUE_WATCH_H

#include "server/task/task.h"

#include <sys/queue.h>

/* How long a queue counts as empty, from the beginning of the look. */
enum { QUEUE_WATCH_MS = 400 };

struct queue_watch;

/* `run` is database_run(). */
struct queue_watch *queue_watch_new(void (*run)(struct database *database,
                                                struct db_job *job),
                                    struct database *database);

/* When no task waits any more, after the database. NULL is legal. */
void queue_watch_free(struct queue_watch *watch);

/* Is this queue empty? In the state of the task that asks. */
struct queue_question {
    int64_t queue_id;

    bool is_empty;     /* out; false: something may wait, or outcome is bad */
    struct db_job job; /* out; its status is DB_OK, or why nobody knows */

    uint64_t filled;                      /* internal */
    struct task *task;                    /* internal */
    STAILQ_ENTRY(queue_question) waiting; /* internal */
};

/*
 * Ask it, then run `next`; question->queue_id is set. At once, when it is
 * known or somebody has to try; else after a look.
 */
enum step queue_watch_ask(struct queue_watch *watch, struct task *task,
                          struct queue_question *question,
                          task_step *next) MUST_CHECK;

/*
 * Who was told that something may wait has found nothing to take: those who
 * come now look first. Not when the queue was filled meanwhile.
 */
void queue_watch_found_nothing(struct queue_watch *watch,
                               const struct queue_question *question);

/* Something was put into this queue, or perhaps was; into any queue. */
void queue_watch_filled(struct queue_watch *watch, int64_t queue_id);
void queue_watch_filled_any(struct queue_watch *watch);

#endif
