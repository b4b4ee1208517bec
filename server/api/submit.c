/*
 * POST /xqueue/submit/ - the LMS hands in a submission.
 *
 *   api_submit  read the form and its header, find the queue
 *   stored      it is committed: reply with the number that wait
 */
#include "db/submit.h"
#include "server/api/endpoints.h"
#include "server/api/reply.h"
#include "server/base/json.h"
#include "server/base/utf8.h"
#include "server/config/config.h"
#include "server/deliver/callback_identity.h"
#include "server/deliver/pushes.h"
#include "server/task/queue_table.h"

static const char *const invalid = "Queue request has invalid format";

enum { HEADER_BYTES = 16 * 1024 };

static bool read_header(struct task *task, struct submission_insert *self);
static enum step store(struct task *task, struct submission_insert *self);
static enum step stored(struct task *task);

enum step api_submit(struct task *task)
{
    struct submission_insert *self = request_new_state(task, sizeof *self);
    int64_t most = task->env->config->submission_max_bytes;
    struct form form;
    enum form_status status;

    if (http_method(request_of(task)->http) != HTTP_POST)
        return reply_fail(task, "Queue requests should use HTTP POST");
    status = request_read_form(task, &form);
    if (status != FORM_OK)
        return reply_form_refused(task, status);
    self->header = form_get(&form, "xqueue_header");
    self->body = form_get(&form, "xqueue_body");
    if (text_is_absent(self->header) || text_is_absent(self->body))
        return reply_fail(task, invalid);
    if (!read_header(task, self))
        return reply_fail(task, invalid);
    if (self->body.size > (size_t)most)
        return reply_fail(task,
                          arena_printf(task->arena,
                                       "Submission is larger than %lld bytes",
                                       (long long)most));
    if (form.file_count > 0)
        return reply_fail(task, "This queue does not take files yet");
    return store(task, self);
}

/*
 * R52: three keys must be there; more is not asked of lms_key. The header
 * itself is kept as the text it is.
 */
static bool read_header(struct task *task, struct submission_insert *self)
{
    const struct json_value *header;
    const struct json_value *url;
    const struct json_value *queue;

    if (self->header.size > HEADER_BYTES)
        return false;
    if (!json_parse_object(task->arena, self->header, &header))
        return false;
    url = json_get(header, "lms_callback_url");
    queue = json_get(header, "queue_name");
    if (url == NULL || queue == NULL || json_get(header, "lms_key") == NULL)
        return false;
    self->callback_url = json_text(url);
    if (text_is_absent(self->callback_url) ||
        !callback_is_possible(self->callback_url))
        return false;
    /* An escaped half of a surrogate pair is no character of a column. */
    self->callback_url = utf8_repair(task->arena, self->callback_url);
    self->queue_name =
        utf8_repair(task->arena, json_as_python_text(task->arena, queue));
    return true;
}

static enum step store(struct task *task, struct submission_insert *self)
{
    const struct queue_entry *queue =
        queue_table_find(task->env->queues, self->queue_name);

    request_of(task)->queue = self->queue_name;
    if (queue == NULL)
        return reply_fail_queue(task, self->queue_name, "not found");
    self->queue_id = queue->number;
    self->requester_id = request_client_address(task);
    callback_problem(self->callback_url, self->problem);
    self->destination = callback_destination(self->callback_url);
    return task_await_database(task, &self->job, &submission_insert_op, stored);
}

static enum step stored(struct task *task)
{
    const struct submission_insert *self = request_of(task)->state;

    if (self->job.status == DB_REFUSED)
        return reply_fail(task, "Submission does not fit the database");
    if (self->job.status != DB_OK)
        return reply_unavailable(task, &self->job);
    if (task->env->pushes != NULL)
        pushes_nudge(task->env->pushes, self->queue_id);
    request_of(task)->submission = self->id;
    return reply_ok(task, text_of(arena_printf(task->arena, "%lld",
                                               (long long)self->waiting)));
}
