/*
 * POST /xqueue/put_result/ - an active grader hands in a result.
 *
 *   api_put_result  read the form and its header
 *   answered        it is stored, with the callback: reply
 *
 * The LMS is told afterwards, from the outbox: whether it can be reached just
 * now is not the grader's concern (R12, R22).
 */
#include "db/answer.h"
#include "server/api/endpoints.h"
#include "server/api/reply.h"
#include "server/base/json.h"
#include "server/config/config.h"
#include "server/deliver/callback_identity.h"
#include "server/deliver/callbacks.h"

static const char *const bad_format = "Incorrect reply format";

static bool read_header(struct task *task, struct text source,
                        struct submission_answer *self);
static bool read_id(const struct json_value *value, int64_t *ret_id);
static enum step answered(struct task *task);

enum step api_put_result(struct task *task)
{
    struct submission_answer *self = request_new_state(task, sizeof *self);
    const struct config *config = task->env->config;
    struct form form;
    enum form_status status;

    if (http_method(request_of(task)->http) != HTTP_POST)
        return reply_fail(task, "'put_result' must use HTTP POST");
    status = request_read_form(task, &form);
    if (status != FORM_OK)
        return reply_form_refused(task, status);
    self->reply = form_get(&form, "xqueue_body");
    if (text_is_absent(self->reply))
        return reply_fail(task, bad_format);
    if (!read_header(task, form_get(&form, "xqueue_header"), self))
        return reply_fail(task, bad_format);
    if (self->reply.size > (size_t)config->submission_max_bytes)
        return reply_fail(
            task, arena_printf(task->arena, "Result is larger than %lld bytes",
                               (long long)config->submission_max_bytes));
    request_of(task)->submission = self->id;
    self->identify = callback_identify;
    self->callback_delay_us = (int64_t)(config->callback_delay_s * 1000000);
    return task_await_database(task, &self->job, &submission_answer_op,
                               answered);
}

static bool read_header(struct task *task, struct text source,
                        struct submission_answer *self)
{
    const struct json_value *header;
    const struct json_value *id;
    const struct json_value *key;

    if (text_is_absent(source))
        return false;
    if (!json_parse_object(task->arena, source, &header))
        return false;
    id = json_get(header, "submission_id");
    key = json_get(header, "submission_key");
    if (id == NULL || key == NULL || !read_id(id, &self->id))
        return false;
    /* Absent when it is not a string: then it matches nothing. */
    self->pullkey = json_text(key);
    return true;
}

/* R23: a number, or a string of one (the Tutor command line sends that). */
static bool read_id(const struct json_value *value, int64_t *ret_id)
{
    struct text text = json_text(value);

    if (!text_is_absent(text))
        return text_to_integer(text_trim(text), ret_id);
    return json_integer(value, ret_id);
}

static enum step answered(struct task *task)
{
    const struct submission_answer *self = request_of(task)->state;

    if (self->job.status == DB_NOT_FOUND)
        return reply_fail(task, "Submission does not exist");
    if (self->job.status == DB_MISMATCH)
        return reply_fail(task, "Incorrect key for submission");
    if (self->job.status != DB_OK)
        return reply_unavailable(task, &self->job);
    if (self->will_deliver && task->env->callbacks != NULL)
        callbacks_nudge(task->env->callbacks, self->destination);
    return reply_ok(task, text_of(""));
}
