/*
 * GET /xqueue/get_submission/?queue_name=... - an active grader pulls.
 *
 *   api_get_submission  find the queue, lease the oldest submission
 *   pulled              reply with it
 *
 * The reply is JSON in JSON in JSON (R7), and is written on the database
 * thread: a large body would hold up the loop.
 */
#include "db/pull.h"
#include "server/api/endpoints.h"
#include "server/api/reply.h"
#include "server/base/json.h"
#include "server/config/config.h"
#include "server/task/queue_table.h"

#include <stdlib.h>

enum { US_PER_MINUTE = 60 * 1000000 };

static void write_reply(struct submission_pull *self);
static void write_content(struct buffer *content,
                          const struct submission_pull *self);
static enum step pulled(struct task *task);

enum step api_get_submission(struct task *task)
{
    struct submission_pull *self = request_new_state(task, sizeof *self);
    struct text name = request_parameter(task, "queue_name");
    const struct queue_entry *queue;

    if (text_is_absent(name))
        return reply_fail(
            task, "'get_submission' must provide parameter 'queue_name'");
    request_of(task)->queue = name;
    queue = queue_table_find(task->env->queues, name);
    if (queue == NULL)
        return reply_fail_queue(task, name, "not found");
    self->queue_id = queue->number;
    self->arena = task->arena;
    self->grader_id = request_client_address(task);
    self->lease_us =
        (int64_t)(queue->settings->processing_delay_min * US_PER_MINUTE);
    self->compose = write_reply;
    self->job.job.group = (uint64_t)self->queue_id;
    return task_await_database(task, &self->job, &submission_pull_op, pulled);
}

/* Database thread. */
static void write_reply(struct submission_pull *self)
{
    struct buffer content = {NULL, 0, 0};
    struct buffer reply = {NULL, 0, 0};

    write_content(&content, self);
    buffer_append_string(&reply, "{\"return_code\": 0, \"content\": ");
    json_append_string(&reply, buffer_text(&content));
    buffer_append_char(&reply, '}');
    buffer_free(&content);
    arena_defer(self->arena, free, reply.data);
    self->reply = buffer_text(&reply);
}

static void write_content(struct buffer *content,
                          const struct submission_pull *self)
{
    buffer_printf(content,
                  "{\"xqueue_header\": \"{\\\"submission_id\\\": %lld,"
                  " \\\"submission_key\\\": \\\"%s\\\"}\","
                  " \"xqueue_body\": ",
                  (long long)self->id, self->pullkey);
    json_append_string(content, self->body);
    buffer_append_string(content, ", \"xqueue_files\": ");
    json_append_string(content, self->files);
    buffer_append_char(content, '}');
}

static enum step pulled(struct task *task)
{
    const struct submission_pull *self = request_of(task)->state;
    struct text name = request_of(task)->queue;

    if (self->job.status == DB_NOT_FOUND)
        return reply_fail_queue(task, name, "is empty");
    if (self->job.status != DB_OK)
        return reply_unavailable(task, &self->job);
    request_of(task)->submission = self->id;
    return reply_ok_written(task, self->reply);
}
