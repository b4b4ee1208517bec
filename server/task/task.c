/*
 * A task: something that happens in steps with waits between them.
 *
 * A wait may be over before its await function returns (a full pool refuses
 * at once). Then task_resume() only marks it, and the loop in run_steps()
 * goes on: steps never nest.
 */
#include "server/task/task.h"

#include "server/base/clock.h"
#include "server/base/memory.h"
#include "server/task/database.h"
#include "server/task/loop.h"

#include <stdlib.h>

struct task_full {
    struct task task;
    bool running; /* inside run_steps() */
    bool resumed; /* the wait ended while running */
    bool waiting;
};

static void run_steps(struct task_full *full, task_step *step);
static void database_done(struct db_job *job);
static void time_passed(void *context);

static struct task_full *full_of(struct task *task)
{
    return CONTAINER_OF(task, struct task_full, task);
}

struct task *task_new(struct env *env, size_t self_size)
{
    struct task_full *full = xcalloc(1, sizeof *full);
    struct task *task = &full->task;

    task->env = env;
    task->arena = arena_new();
    task->self = arena_zalloc(task->arena, self_size);
    task->number = ++env->next_number;
    task->started_us = clock_monotonic_us();
    env->tasks++;
    return task;
}

void task_run(struct task *task, task_step *first)
{
    run_steps(full_of(task), first);
}

enum step task_end(struct task *task)
{
    struct env *env = task->env;

    loop_timer_free(task->timer);
    arena_free(task->arena);
    free(full_of(task));
    env->tasks--;
    return STEP_ENDS;
}

enum step task_wait(struct task *task, task_step *next)
{
    struct task_full *full = full_of(task);

    if (full->waiting)
        fatal("task %llu waits twice", (unsigned long long)task->number);
    full->waiting = true;
    full->resumed = false;
    task->next = next;
    return STEP_WAITS;
}

void task_resume(struct task *task)
{
    struct task_full *full = full_of(task);

    if (!full->waiting)
        fatal("task %llu does not wait", (unsigned long long)task->number);
    if (full->running) {
        full->resumed = true;
        return;
    }
    full->waiting = false;
    run_steps(full, task->next);
}

enum step task_await_database(struct task *task, struct db_job *job,
                              const struct db_op *op, task_step *next)
{
    enum step step = task_wait(task, next);

    job->op = op;
    job->done = database_done;
    job->context = task;
    database_run(task->env->database, job);
    return step;
}

enum step task_await_time(struct task *task, int64_t delay_ms, task_step *next)
{
    if (task->timer == NULL)
        task->timer = loop_timer_new(task->env->loop, time_passed, task);
    loop_timer_set(task->timer, delay_ms);
    return task_wait(task, next);
}

int64_t task_age_ms(const struct task *task)
{
    return (clock_monotonic_us() - task->started_us) / 1000;
}

static void run_steps(struct task_full *full, task_step *step)
{
    full->running = true;
    while (step(&full->task) == STEP_WAITS) {
        if (!full->resumed) {
            full->running = false;
            return;
        }
        full->resumed = false;
        full->waiting = false;
        step = full->task.next;
    }
}

static void database_done(struct db_job *job)
{
    task_resume(job->context);
}

static void time_passed(void *context)
{
    task_resume(context);
}
