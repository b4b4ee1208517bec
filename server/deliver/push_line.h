/*
 * The pushes of one queue that wait to be sent again, since nobody took the
 * connection; and how they are called back. Loop thread.
 */
#ifndef XQUEUE_DELIVER_PUSH_LINE_H
#define XQUEUE_DELIVER_PUSH_LINE_H

#include "server/task/task.h"

#include <sys/queue.h>

struct push_wait;

TAILQ_HEAD(push_waits, push_wait);

/* Embedded in its owner; outlives those that wait in it. */
struct push_line {
    struct push_waits waiting;
    uint64_t recalls; /* so far */
};

/* Of one push, embedded in it; begins before its first try. */
struct push_wait {
    TAILQ_ENTRY(push_wait) entry; /* while it waits */
    struct push_line *line;       /* borrows */
    struct task *task;            /* borrows */
    struct loop_timer *timer;
    uint64_t recalls; /* of the line, when this one began */
};

void push_line_init(struct push_line *line);

/* All that have begun are recalled: those that wait go on at once. */
void push_line_recall(struct push_line *line);

void push_wait_begin(struct push_wait *wait, struct push_line *line,
                     struct task *task);

/* It is not to be sent again, and must not wait any more. */
bool push_wait_is_recalled(const struct push_wait *wait);

/* Go on with `next` after so long, or when it is recalled. */
enum step push_wait_for(struct push_wait *wait, int64_t delay_ms,
                        task_step *next) MUST_CHECK;

/* When it does not wait. */
void push_wait_end(struct push_wait *wait);

#endif
