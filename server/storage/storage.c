/*
 * Where uploaded files are kept: hands everything to the backend.
 */
#include "server/storage/backend.h"

#include "server/base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct storage_backend *
backend_of(const struct storage_settings *settings);

struct storage *storage_start(struct env *env,
                              const struct storage_settings *settings,
                              char **ret_error)
{
    const struct storage_backend *backend = backend_of(settings);
    struct storage *storage = xcalloc(1, sizeof *storage);

    storage->backend = backend;
    storage->env = env;
    storage->pool = files_pool_start(env->loop);
    if (backend->start(storage, settings, ret_error))
        return storage;
    storage_stop(storage);
    return NULL;
}

void storage_stop(struct storage *storage)
{
    if (storage == NULL)
        return;
    files_pool_stop(storage->pool);
    storage->backend->stop(storage);
    free(storage);
}

enum step storage_await_put(struct storage *storage, struct task *task,
                            struct storage_put *put, task_step *next)
{
    return storage->backend->await_put(storage, task, put, next);
}

enum step storage_await_get(struct storage *storage, struct task *task,
                            struct storage_get *get, task_step *next)
{
    get->content = TEXT_ABSENT;
    return storage->backend->await_get(storage, task, get, next);
}

enum step storage_await_delete(struct storage *storage, struct task *task,
                               struct storage_delete *job, task_step *next)
{
    job->deleted = 0;
    return storage->backend->await_delete(storage, task, job, next);
}

enum step storage_await_list(struct storage *storage, struct task *task,
                             struct storage_list *list, task_step *next)
{
    list->files = NULL;
    list->count = 0;
    list->more = false;
    return storage->backend->await_list(storage, task, list, next);
}

enum step storage_await_open(struct storage *storage, struct task *task,
                             struct storage_open *open, task_step *next)
{
    enum step step;

    open->reader = NULL;
    if (storage->backend->await_open != NULL)
        return storage->backend->await_open(storage, task, open, next);
    open->status = STORAGE_NOT_FOUND;
    snprintf(open->reason, sizeof open->reason, "files are not kept here");
    step = task_wait(task, next);
    task_resume(task);
    return step;
}

enum step storage_await_read(struct storage *storage, struct task *task,
                             struct storage_read *read, task_step *next)
{
    if (read->size > STORAGE_PIECE_BYTES)
        fatal("a piece of a file has %zu bytes", read->size);
    read->got = 0;
    return storage->backend->await_read(storage, task, read, next);
}

void storage_close(struct storage_reader *reader)
{
    if (reader == NULL)
        return;
    close(reader->file);
    free(reader);
}

struct text storage_link(const struct storage *storage, struct arena *arena,
                         struct text queue_name, const char *key,
                         struct text base, int64_t now_s)
{
    return storage->backend->link(storage, arena, queue_name, key, base, now_s);
}

enum storage_link_state storage_link_check(const struct storage *storage,
                                           struct text queue_name,
                                           struct text key, struct text query,
                                           int64_t now_s)
{
    if (storage->backend->link_check == NULL)
        return STORAGE_LINK_BAD;
    return storage->backend->link_check(storage, queue_name, key, query, now_s);
}

enum storage_status storage_refused(char ret_reason[STORAGE_REASON_SIZE])
{
    snprintf(ret_reason, STORAGE_REASON_SIZE,
             "too much work on files is waiting, or the service stops");
    return STORAGE_UNAVAILABLE;
}

static const struct storage_backend *
backend_of(const struct storage_settings *settings)
{
    return settings->media_root == NULL ? &s3_backend : &local_backend;
}
