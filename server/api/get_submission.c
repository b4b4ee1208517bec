/*
 * GET /xqueue/get_submission/?queue_name=... - an active grader pulls.
 *
 *   api_get_submission  find the queue, ask whether it is known to be empty
 *   known               reply so, or lease the oldest submission
 *   pulled              reply with it
 *   map_read            or first read the file that its files are named in
 *   returned            which, or links, could not be had: it is back
 *
 * The reply is JSON in JSON in JSON (R7), and is written on the database
 * thread: a large body would hold up the loop. The files come last in it, so
 * that they can be added when all else is written.
 */
#include "db/pull.h"
#include "server/api/endpoints.h"
#include "server/api/reply.h"
#include "server/base/clock.h"
#include "server/base/json.h"
#include "server/base/log.h"
#include "server/config/config.h"
#include "server/storage/file_map.h"
#include "server/task/queue_table.h"
#include "server/task/queue_watch.h"

#include <stdio.h>
#include <string.h>

static const char map_is_gone[] = "the map of its files is gone";

enum { US_PER_MINUTE = 60 * 1000000 };

struct pull {
    struct queue_question question;
    struct submission_pull op;
    struct file_links links;
    struct buffer reply;
    struct storage_get get; /* of the file that holds the map of files */
    enum file_map_status map;
    struct pull_return back;
};

static void write_reply(struct submission_pull *op);
static void write_start(struct pull *self);
static void write_end(struct pull *self, struct text files);
static void free_reply(void *object);
static enum step known(struct task *task);
static enum step pulled(struct task *task);
static enum step read_map(struct task *task);
static enum step map_read(struct task *task);
static enum step give_back(struct task *task);
static enum step returned(struct task *task);
static enum step fail_files(struct task *task, const char *reason);

enum step api_get_submission(struct task *task)
{
    struct pull *self = request_new_state(task, sizeof *self);
    struct text name = request_parameter(task, "queue_name");
    const struct queue_entry *queue;

    if (text_is_absent(name))
        return reply_fail(
            task, "'get_submission' must provide parameter 'queue_name'");
    request_of(task)->queue = name;
    queue = queue_table_find(task->env->queues, name);
    if (queue == NULL)
        return reply_fail_queue(task, name, "not found");
    self->op.queue_id = queue->number;
    self->op.lease_us =
        (int64_t)(queue->settings->processing_delay_min * US_PER_MINUTE);
    self->question.queue_id = queue->number;
    return queue_watch_ask(task->env->queue_watch, task, &self->question,
                           known);
}

static enum step known(struct task *task)
{
    struct pull *self = request_of(task)->state;
    struct submission_pull *op = &self->op;
    struct text name = request_of(task)->queue;

    if (self->question.job.status != DB_OK)
        return reply_unavailable(task, &self->question.job);
    if (self->question.is_empty)
        return reply_fail_queue(task, name, "is empty");
    self->links = (struct file_links){
        .storage = task->env->storage,
        .queue_name = name,
        .base = request_base_url(task),
        .now_s = clock_wall_us() / 1000000,
    };
    arena_defer(task->arena, free_reply, self);
    op->arena = task->arena;
    op->grader_id = request_client_address(task);
    op->compose = write_reply;
    op->job.job.group = (uint64_t)op->queue_id;
    return task_await_database(task, &op->job, &submission_pull_op, pulled);
}

/* Database thread. */
static void write_reply(struct submission_pull *op)
{
    struct pull *self = CONTAINER_OF(op, struct pull, op);
    struct text files;

    self->map = file_map_links(op->arena, &self->links, op->files.keys,
                               op->files.urls, &files, self->get.file.key);
    write_start(self);
    if (self->map == FILE_MAP_WRITTEN)
        write_end(self, files);
}

/* Up to the files. */
static void write_start(struct pull *self)
{
    const struct submission_pull *op = &self->op;
    struct buffer content = {NULL, 0, 0};

    buffer_printf(&content,
                  "{\"xqueue_header\": \"{\\\"submission_id\\\": %lld,"
                  " \\\"submission_key\\\": \\\"%s\\\"}\","
                  " \"xqueue_body\": ",
                  (long long)op->id, op->pullkey);
    json_append_string(&content, op->body);
    buffer_append_string(&content, ", \"xqueue_files\": ");
    buffer_append_string(&self->reply, "{\"return_code\": 0, \"content\": ");
    json_append_string(&self->reply, buffer_text(&content));
    buffer_free(&content);
}

/* The string goes on where it ended. */
static void write_end(struct pull *self, struct text files)
{
    struct buffer content = {NULL, 0, 0};
    struct buffer more = {NULL, 0, 0};

    json_append_string(&content, files);
    buffer_append_char(&content, '}');
    json_append_string(&more, buffer_text(&content));
    self->reply.size--;
    buffer_append(&self->reply, more.data + 1, more.size - 1);
    buffer_append_char(&self->reply, '}');
    buffer_free(&content);
    buffer_free(&more);
}

static void free_reply(void *object)
{
    struct pull *self = object;

    buffer_free(&self->reply);
}

static enum step pulled(struct task *task)
{
    struct pull *self = request_of(task)->state;
    struct text name = request_of(task)->queue;

    if (self->op.job.status == DB_NOT_FOUND) {
        queue_watch_found_nothing(task->env->queue_watch, &self->question);
        return reply_fail_queue(task, name, "is empty");
    }
    if (self->op.job.status != DB_OK)
        return reply_unavailable(task, &self->op.job);
    request_of(task)->submission = self->op.id;
    if (self->map == FILE_MAP_IN_FILE)
        return read_map(task);
    if (self->map == FILE_MAP_GONE)
        return fail_files(task, map_is_gone);
    if (self->map == FILE_MAP_WRITTEN)
        return reply_ok_written(task, buffer_text(&self->reply));
    snprintf(self->get.reason, sizeof self->get.reason,
             "there are no links to its files now");
    return give_back(task);
}

/* Only of what a Django server has stored. */
static enum step read_map(struct task *task)
{
    struct pull *self = request_of(task)->state;

    self->get.file.queue_name = self->links.queue_name;
    self->get.max_bytes = FILE_MAP_BYTES;
    if (task->env->storage != NULL)
        return storage_await_get(task->env->storage, task, &self->get,
                                 map_read);
    self->get.status = STORAGE_UNAVAILABLE;
    return give_back(task);
}

/*
 * A map that is gone or broken stays so. That pull counts: the others in the
 * queue move on meanwhile, and some day the learner is told.
 */
static enum step map_read(struct task *task)
{
    struct pull *self = request_of(task)->state;
    const struct storage_get *get = &self->get;
    struct text files;

    if (get->status == STORAGE_UNAVAILABLE)
        return give_back(task);
    if (get->status == STORAGE_NOT_FOUND)
        return fail_files(task, map_is_gone);
    if (!file_map_read(task->arena, &self->links, get->content, &files))
        return fail_files(task, "the map of its files is broken");
    write_end(self, files);
    return reply_ok_written(task, buffer_text(&self->reply));
}

static enum step give_back(struct task *task)
{
    struct pull *self = request_of(task)->state;

    self->back.id = self->op.id;
    memcpy(self->back.pullkey, self->op.pullkey, sizeof self->back.pullkey);
    return task_await_database(task, &self->back.job, &pull_return_op,
                               returned);
}

static enum step returned(struct task *task)
{
    const struct pull *self = request_of(task)->state;

    queue_watch_filled(task->env->queue_watch, self->op.queue_id);
    return fail_files(task, self->get.reason);
}

static enum step fail_files(struct task *task, const char *reason)
{
    const struct request *request = request_of(task);
    struct buffer words = {NULL, 0, 0};
    char *copy;

    log_event(LOG_WARNING, "files", log_integer("req", (int64_t)task->number),
              log_integer("submission", request->submission),
              log_text("queue", request->queue), log_string("reason", reason));
    buffer_append_string(&words, "Error fetching submission for ");
    buffer_append_text(&words, request->queue);
    buffer_append_string(&words, ". Please try again.");
    copy = arena_string(task->arena, buffer_text(&words));
    buffer_free(&words);
    return reply_fail(task, copy);
}
