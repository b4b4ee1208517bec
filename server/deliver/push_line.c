/*
 * The pushes of one queue that wait to be sent again.
 */
#include "server/deliver/push_line.h"

#include "server/task/loop.h"

static void stop_waiting(void *context);

void push_line_init(struct push_line *line)
{
    TAILQ_INIT(&line->waiting);
    line->recalls = 0;
}

void push_line_recall(struct push_line *line)
{
    struct push_wait *wait;

    line->recalls++;
    while ((wait = TAILQ_FIRST(&line->waiting)) != NULL)
        stop_waiting(wait);
}

void push_wait_begin(struct push_wait *wait, struct push_line *line,
                     struct task *task)
{
    *wait = (struct push_wait){
        .line = line,
        .task = task,
        .recalls = line->recalls,
    };
}

bool push_wait_is_recalled(const struct push_wait *wait)
{
    return wait->recalls != wait->line->recalls;
}

enum step push_wait_for(struct push_wait *wait, int64_t delay_ms,
                        task_step *next)
{
    if (wait->timer == NULL)
        wait->timer = loop_timer_new(wait->task->env->loop, stop_waiting, wait);
    loop_timer_set(wait->timer, delay_ms);
    TAILQ_INSERT_TAIL(&wait->line->waiting, wait, entry);
    return task_wait(wait->task, next);
}

void push_wait_end(struct push_wait *wait)
{
    loop_timer_free(wait->timer);
}

static void stop_waiting(void *context)
{
    struct push_wait *wait = context;

    TAILQ_REMOVE(&wait->line->waiting, wait, entry);
    loop_timer_cancel(wait->timer);
    task_resume(wait->task);
}
