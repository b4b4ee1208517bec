/*
 * GET /xqueue/get_queuelen/?queue_name=... - how many wait (R25, R26, R28).
 *
 *   api_get_queuelen  find the queue, ask whether it is known to be empty
 *   known             reply with 0, or count
 *   counted           reply with the number
 */
#include "db/queue.h"
#include "server/api/endpoints.h"
#include "server/api/reply.h"
#include "server/task/queue_table.h"
#include "server/task/queue_watch.h"

struct length {
    struct queue_question question;
    struct queue_length op;
};

static enum step known(struct task *task);
static enum step counted(struct task *task);

enum step api_get_queuelen(struct task *task)
{
    struct length *self = request_new_state(task, sizeof *self);
    struct text name = request_parameter(task, "queue_name");
    const struct queue_entry *queue;

    if (text_is_absent(name))
        return reply_fail(task,
                          "'get_queuelen' must provide parameter 'queue_name'");
    request_of(task)->queue = name;
    queue = queue_table_find(task->env->queues, name);
    if (queue == NULL)
        return reply_fail(task,
                          arena_printf(task->arena, "Valid queue names are: %s",
                                       queue_table_names(task->env->queues)));
    self->question.queue_id = queue->number;
    return queue_watch_ask(task->env->queue_watch, task, &self->question,
                           known);
}

static enum step known(struct task *task)
{
    struct length *self = request_of(task)->state;

    if (self->question.job.status != DB_OK)
        return reply_unavailable(task, &self->question.job);
    if (self->question.is_empty)
        return reply_ok_number(task, 0);
    self->op.queue_id = self->question.queue_id;
    return task_await_database(task, &self->op.job, &queue_length_op, counted);
}

static enum step counted(struct task *task)
{
    const struct length *self = request_of(task)->state;
    int64_t waiting = self->op.waiting > 0 ? self->op.waiting : 0;

    if (self->op.job.status != DB_OK)
        return reply_unavailable(task, &self->op.job);
    if (waiting == 0)
        queue_watch_found_nothing(task->env->queue_watch, &self->question);
    return reply_ok_number(task, waiting);
}
