/*
 * The callbacks to one LMS that are claimed and wait for their turn: more are
 * claimed at a time than may be posted at a time, because a claim costs the
 * database the same for one as for many. Loop thread.
 *
 * While the lane's breaker is open nobody gets a turn, and those that wait go
 * back to the database, where they are due at once; so does one that has
 * waited for so long that its lease might not last.
 *
 * A turn ends when the LMS has answered, before that is recorded. So a process
 * that is killed while the database is away may have told an LMS as much as it
 * had claimed, and all of that is told again.
 */
#ifndef XQUEUE_DELIVER_CALLBACK_LINE_H
#define XQUEUE_DELIVER_CALLBACK_LINE_H

#include "server/task/task.h"

#include <sys/queue.h>

struct callback_turn;
struct lane;

TAILQ_HEAD(callback_turns, callback_turn);

/* Embedded in its owner; outlives all that wait in it. */
struct callback_line {
    struct callback_turns waiting;
    struct lane *lane; /* borrows */
    size_t posting;
    size_t bytes; /* of those that wait */
};

enum callback_turn_state {
    CALLBACK_TURN_WAITS,
    CALLBACK_TURN_HAS_COME,
    CALLBACK_TURN_GOES_BACK /* it has never come */
};

/* Of one callback, embedded in it. */
struct callback_turn {
    TAILQ_ENTRY(callback_turn) entry; /* while it waits */
    struct callback_line *line;       /* borrows */
    struct task *task;                /* borrows */
    size_t bytes;                     /* that are in memory meanwhile */
    int64_t began_ms;
    enum callback_turn_state state;
};

/* No turn comes later than this after the claim. */
enum { CALLBACK_LINE_MS = 10000 };

void callback_line_init(struct callback_line *line, struct lane *lane);

/* All that wait go back. */
void callback_line_recall(struct callback_line *line);

/* Whoever may post now gets its turn; or all go back. */
void callback_line_drain(struct callback_line *line);

/* `next` runs when its turn has come, or never will: see turn->state. */
enum step callback_turn_await(struct callback_turn *turn, struct task *task,
                              task_step *next) MUST_CHECK;

/* It had its turn, and has an answer. */
void callback_turn_end(struct callback_turn *turn);

#endif
