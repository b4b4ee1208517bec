/*
 * POST /xqueue/submit/ - the LMS hands in a submission.
 *
 *   api_submit      read the form and its header, find the queue
 *   files_stored    its files are durable: now the submission itself
 *   stored          it is committed: reply with the number that wait
 *   refused         or it is not, and its files are gone: say why
 */
#include "server/api/endpoints.h"
#include "server/api/reply.h"
#include "server/api/submit_files.h"
#include "server/base/json.h"
#include "server/base/utf8.h"
#include "server/config/config.h"
#include "server/deliver/callback_identity.h"
#include "server/deliver/pushes.h"
#include "server/task/queue_table.h"
#include "server/task/queue_watch.h"

static const char *const invalid = "Queue request has invalid format";

enum { HEADER_BYTES = 16 * 1024 };

/* The files come first: submit_files.c knows them alone. */
struct submit {
    struct submit_files files;
    struct submission_insert insert;
};

static bool read_header(struct task *task, struct submission_insert *self);
static enum step begin(struct task *task, const struct form *form);
static enum step files_stored(struct task *task);
static enum step store(struct task *task);
static enum step stored(struct task *task);
static bool is_certain(enum db_status status);
static enum step refused(struct task *task);

enum step api_submit(struct task *task)
{
    struct submit *submit = request_new_state(task, sizeof *submit);
    struct submission_insert *self = &submit->insert;
    int64_t most = task->env->config->submission_max_bytes;
    struct form form;
    enum form_status status;
    const char *problem;

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
    problem = submit_files_problem(task, &form);
    if (problem != NULL)
        return reply_fail(task, problem);
    return begin(task, &form);
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

static enum step begin(struct task *task, const struct form *form)
{
    struct submit *submit = request_of(task)->state;
    struct submission_insert *self = &submit->insert;
    const struct queue_entry *queue =
        queue_table_find(task->env->queues, self->queue_name);

    request_of(task)->queue = self->queue_name;
    if (queue == NULL)
        return reply_fail_queue(task, self->queue_name, "not found");
    self->queue_id = queue->number;
    self->requester_id = request_client_address(task);
    callback_problem(self->callback_url, self->problem);
    self->destination = callback_destination(self->callback_url);
    if (form->file_count == 0)
        return store(task);
    if (task->env->storage == NULL)
        return reply_busy(task, "there is no storage for files");
    return submit_files_store(task, &submit->files, form, self, files_stored);
}

static enum step files_stored(struct task *task)
{
    struct submit *submit = request_of(task)->state;

    if (submit->files.put.status != STORAGE_OK)
        return reply_busy(task, submit->files.put.reason);
    submit->insert.files = submit_files_texts(task, &submit->files);
    return store(task);
}

static enum step store(struct task *task)
{
    struct submit *submit = request_of(task)->state;

    return task_await_database(task, &submit->insert.job, &submission_insert_op,
                               stored);
}

static enum step stored(struct task *task)
{
    struct submit *submit = request_of(task)->state;
    const struct submission_insert *self = &submit->insert;

    /* Also when nobody knows whether it was. */
    queue_watch_filled(task->env->queue_watch, self->queue_id);
    if (self->job.status != DB_OK && submit->files.put.count > 0 &&
        is_certain(self->job.status))
        return submit_files_take_back(task, &submit->files, refused);
    if (self->job.status != DB_OK)
        return refused(task);
    if (task->env->pushes != NULL)
        pushes_nudge(task->env->pushes, self->queue_id);
    request_of(task)->submission = self->id;
    return reply_ok(task, text_of(arena_printf(task->arena, "%lld",
                                               (long long)self->waiting)));
}

/* It was not stored, and the database is there. */
static bool is_certain(enum db_status status)
{
    return status == DB_REFUSED || status == DB_FAILED || status == DB_CONFLICT;
}

static enum step refused(struct task *task)
{
    const struct submit *submit = request_of(task)->state;

    if (submit->insert.job.status == DB_REFUSED)
        return reply_fail(task, "Submission does not fit the database");
    return reply_unavailable(task, &submit->insert.job);
}
