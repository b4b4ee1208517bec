/*
 * Pushing submissions to passive graders: every queue of the configuration
 * that has a URL. Loop thread.
 *
 * A queue's submissions leave oldest first, at most `concurrency` at a time
 * over all processes that share the database; a queue whose grader is dead
 * costs the others nothing.
 */
#ifndef XQUEUE_DELIVER_PUSHES_H
#define XQUEUE_DELIVER_PUSHES_H

#include "server/task/env.h"

#include <stddef.h>

struct pushes;

/* Pushes under way, of all queues; each has a connection. */
enum { PUSHES_AT_ONCE = 512 };

/* Begins at once with the queues of env->config. */
struct pushes *pushes_start(struct env *env);

/*
 * env->config and env->queues are new: queues start, stop or change their
 * grader. What is under way ends as it began.
 */
void pushes_reload(struct pushes *pushes);

/* A submission to that queue was just stored by this process. */
void pushes_nudge(struct pushes *pushes, int64_t queue_id);

/*
 * Claim no more; what a grader has got may end; what waits to be sent again
 * goes back to its queue.
 */
void pushes_stop(struct pushes *pushes);

/* Only when no task is left. NULL is legal. */
void pushes_free(struct pushes *pushes);

#endif
