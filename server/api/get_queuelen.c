/*
 * GET /xqueue/get_queuelen/?queue_name=... - how many wait (R25, R26, R28).
 *
 *   api_get_queuelen  find the queue
 *   counted           reply with the number
 */
#include "db/queue.h"
#include "server/api/endpoints.h"
#include "server/api/reply.h"
#include "server/task/queue_table.h"

static enum step counted(struct task *task);

enum step api_get_queuelen(struct task *task)
{
    struct queue_length *self = request_new_state(task, sizeof *self);
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
    self->queue_id = queue->number;
    return task_await_database(task, &self->job, &queue_length_op, counted);
}

static enum step counted(struct task *task)
{
    const struct queue_length *self = request_of(task)->state;

    if (self->job.status != DB_OK)
        return reply_unavailable(task, &self->job);
    return reply_ok_number(task, self->waiting < 0 ? 0 : self->waiting);
}
