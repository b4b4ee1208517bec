/*
 * The files of a submit.
 *
 *   store      has there been a submission with this very header?
 *   looked     put them, all or none
 *   take_back  the submission was refused: delete them
 *   deleted    or leave them to `xqueue files --orphans`
 *
 * Whoever deletes an old submission goes by the keys that are in its row, and
 * may be at it, or come back to it, at any time. So as long as there is a row
 * with our header, its keys must not become ours, whether its files are still
 * there or not.
 */
#include "server/api/submit_files.h"

#include "server/api/request.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/config/config.h"
#include "server/storage/file_map.h"

#include <stdio.h>
#include <string.h>

static bool has_control_characters(struct text name);
static enum step looked(struct task *task);
static enum step deleted(struct task *task);

const char *submit_files_problem(struct task *task, const struct form *form)
{
    const struct config *config = task->env->config;
    size_t bytes = 0;

    for (size_t i = 0; i < form->file_count; i++) {
        bytes += form->files[i].content.size;
        if (has_control_characters(form->files[i].name))
            return "The name of a file has control characters";
    }
    if (form->file_count > (size_t)config->upload_max_files)
        return arena_printf(task->arena, "Submission has more than %lld files",
                            (long long)config->upload_max_files);
    if (bytes > (size_t)config->upload_max_bytes)
        return arena_printf(task->arena,
                            "Submission has files of more than %lld bytes",
                            (long long)config->upload_max_bytes);
    return NULL;
}

/*
 * A name with a NUL is cut by whatever is written in C, and refused by what is
 * written in Python, where a grader would end with an exception; the others
 * come from no learner either, and do harm in terminals and logs.
 */
static bool has_control_characters(struct text name)
{
    for (size_t i = 0; i < name.size; i++) {
        const unsigned char byte = (unsigned char)name.data[i];

        if (byte < ' ' || byte == 0x7F)
            return true;
    }
    return false;
}

enum step submit_files_store(struct task *task, struct submit_files *files,
                             const struct form *form,
                             const struct submission_insert *submission,
                             task_step *next)
{
    struct storage_put *put = &files->put;
    struct submission_known *known = &files->known;

    files->next = next;
    put->queue_name = submission->queue_name;
    put->header = submission->header;
    put->count = form->file_count;
    put->uploads = arena_zalloc(task->arena, put->count * sizeof *put->uploads);
    for (size_t i = 0; i < put->count; i++) {
        put->uploads[i].name = form->files[i].name;
        put->uploads[i].content = form->files[i].content;
    }
    known->queue_name = submission->queue_name;
    known->callback_url = submission->callback_url;
    known->header = submission->header;
    return task_await_database(task, &known->job, &submission_known_op, looked);
}

static enum step looked(struct task *task)
{
    struct submit_files *files = request_of(task)->state;
    struct storage_put *put = &files->put;

    if (files->known.job.status != DB_OK) {
        put->status = STORAGE_UNAVAILABLE;
        snprintf(put->reason, sizeof put->reason, "%s", files->known.job.error);
        return files->next(task);
    }
    put->is_repeated = files->known.is_known;
    return storage_await_put(task->env->storage, task, put, files->next);
}

struct file_texts submit_files_texts(struct task *task,
                                     const struct submit_files *files)
{
    const struct file_links links = {
        .storage = task->env->storage,
        .queue_name = files->put.queue_name,
        .base = request_base_url(task),
        .now_s = clock_wall_us() / 1000000,
    };

    return (struct file_texts){
        .keys = file_map_keys(task->arena, &files->put),
        .urls = file_map_urls(task->arena, &files->put, &links),
    };
}

enum step submit_files_take_back(struct task *task, struct submit_files *files,
                                 task_step *next)
{
    const struct storage_put *put = &files->put;
    struct storage_file *list =
        arena_zalloc(task->arena, put->count * sizeof *list);

    files->next = next;
    for (size_t i = 0; i < put->count; i++) {
        list[i].queue_name = put->queue_name;
        memcpy(list[i].key, put->uploads[i].key, sizeof list[i].key);
    }
    files->deletion =
        (struct storage_delete){.files = list, .count = put->count};
    return storage_await_delete(task->env->storage, task, &files->deletion,
                                deleted);
}

static enum step deleted(struct task *task)
{
    const struct submit_files *files = request_of(task)->state;

    if (files->deletion.status != STORAGE_OK)
        log_event(LOG_WARNING, "files_left",
                  log_integer("req", (int64_t)task->number),
                  log_text("queue", request_of(task)->queue),
                  log_string("reason", files->deletion.reason),
                  log_string("then", "found by xqueue files --orphans"));
    return files->next(task);
}
