/*
 * The storage of uploaded files for commands.
 *
 * A task does one thing, stops the loop, and waits: what came out of it lives
 * as long as the task does, which is until the next one.
 */
#include "server/cli/file_work.h"

#include "server/base/memory.h"
#include "server/cli/file_storage.h"
#include "server/fetch/fetch.h"
#include "server/task/loop.h"

#include <stdio.h>
#include <stdlib.h>

struct file_work {
    struct env env;
    struct task *task; /* the last one; NULL: none */
    bool is_done;
};

struct errand {
    struct file_work *work;
    void *job; /* one of the structs of storage.h */
};

static enum step put_files(struct task *task);
static enum step get_file(struct task *task);
static enum step delete_files(struct task *task);
static enum step list_files(struct task *task);
static void run(struct file_work *work, task_step *first, void *job);
static void forget_last(struct file_work *work);
static enum step done(struct task *task);
static enum step forgotten(struct task *task);

struct file_work *file_work_begin(const struct config *config)
{
    const struct fetcher_settings fetching = {
        .user_agent = "XQueue/" XQUEUE_VERSION,
    };
    const struct storage_settings settings =
        file_storage_settings(config, text_of("no links are made here"));
    struct file_work *work = xcalloc(1, sizeof *work);
    char *error = NULL;

    fetch_library_start();
    work->env.config = config;
    work->env.loop = loop_new();
    work->env.fetcher = fetcher_new(loop_base(work->env.loop), &fetching);
    work->env.storage = storage_start(&work->env, &settings, &error);
    if (work->env.storage != NULL)
        return work;
    fprintf(stderr, "xqueue: the storage of files cannot be used: %s\n", error);
    free(error);
    file_work_end(work);
    return NULL;
}

void file_work_end(struct file_work *work)
{
    if (work == NULL)
        return;
    forget_last(work);
    fetcher_free(work->env.fetcher);
    storage_stop(work->env.storage);
    loop_free(work->env.loop);
    fetch_library_stop();
    free(work);
}

void file_work_put(struct file_work *work, struct storage_put *job)
{
    run(work, put_files, job);
}

static enum step put_files(struct task *task)
{
    const struct errand *errand = task->self;

    return storage_await_put(task->env->storage, task, errand->job, done);
}

void file_work_get(struct file_work *work, struct storage_get *job)
{
    run(work, get_file, job);
}

static enum step get_file(struct task *task)
{
    const struct errand *errand = task->self;

    return storage_await_get(task->env->storage, task, errand->job, done);
}

void file_work_delete(struct file_work *work, struct storage_delete *job)
{
    run(work, delete_files, job);
}

static enum step delete_files(struct task *task)
{
    const struct errand *errand = task->self;

    return storage_await_delete(task->env->storage, task, errand->job, done);
}

void file_work_list(struct file_work *work, struct storage_list *job)
{
    run(work, list_files, job);
}

static enum step list_files(struct task *task)
{
    const struct errand *errand = task->self;

    return storage_await_list(task->env->storage, task, errand->job, done);
}

static void run(struct file_work *work, task_step *first, void *job)
{
    struct errand *errand;

    forget_last(work);
    work->task = task_new(&work->env, sizeof *errand);
    errand = work->task->self;
    *errand = (struct errand){work, job};
    work->is_done = false;
    task_run(work->task, first);
    if (!work->is_done)
        loop_run(work->env.loop);
}

static void forget_last(struct file_work *work)
{
    if (work->task != NULL)
        task_resume(work->task);
    work->task = NULL;
}

static enum step done(struct task *task)
{
    struct errand *errand = task->self;

    errand->work->is_done = true;
    loop_stop(task->env->loop);
    return task_wait(task, forgotten);
}

static enum step forgotten(struct task *task)
{
    return task_end(task);
}
