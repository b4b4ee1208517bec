/*
 * A task: something that happens in steps with waits between them.
 *
 * A step is a function that ends in exactly one of: replying or task_end(),
 * or waiting for something, with the step that comes next. Both give the
 * `enum step` it must return, so a path that forgets both does not compile.
 * While a task waits nothing frees it. Loop thread.
 */
#ifndef XQUEUE_TASK_TASK_H
#define XQUEUE_TASK_TASK_H

#include "db/pool.h"
#include "server/base/arena.h"
#include "server/base/compiler.h"
#include "server/task/env.h"

enum step { STEP_WAITS, STEP_ENDS };

struct task;

typedef enum step task_step(struct task *task);

struct task {
    struct env *env;          /* borrows */
    struct arena *arena;      /* owns: all that the task makes */
    void *self;               /* the state of this kind of task, in the arena */
    uint64_t number;          /* for the log */
    int64_t started_us;       /* monotonic */
    task_step *next;          /* internal: what a wait continues with */
    struct loop_timer *timer; /* internal */
};

/*
 * Make a task with `self_size` cleared bytes as task->self. It does nothing
 * until task_run().
 */
struct task *task_new(struct env *env, size_t self_size);

/* Run the first step. The task may be gone afterwards. */
void task_run(struct task *task, task_step *first);

/* The task is over: frees it. */
enum step task_end(struct task *task) MUST_CHECK;

/*
 * Wait for task_resume(), which then runs `next`. For waits that are not
 * one of those below.
 */
enum step task_wait(struct task *task, task_step *next) MUST_CHECK;
void task_resume(struct task *task);

/* Run the job, then `next`; the outcome is in the job. */
enum step task_await_database(struct task *task, struct db_job *job,
                              const struct db_op *op,
                              task_step *next) MUST_CHECK;

/* Let some time pass. */
enum step task_await_time(struct task *task, int64_t delay_ms,
                          task_step *next) MUST_CHECK;

/* Milliseconds since the task was made. */
int64_t task_age_ms(const struct task *task);

#endif
