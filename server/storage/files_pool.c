/*
 * Threads for work on files.
 */
#include "server/storage/files_pool.h"

#include "server/base/memory.h"
#include "server/task/loop.h"

#include <stdlib.h>

struct files_pool {
    struct workers *workers;
    struct loop_wake *wake;
};

static void run_work(void *context, struct job **jobs, size_t count);
static void work_done(struct job *job, bool ran);
static void collect(void *context);

static const struct job_kind work_kind = {
    .name = "files",
    .max_batch = 1,
    .run = run_work,
};

struct files_pool *files_pool_start(struct loop *loop)
{
    struct files_pool *pool = xcalloc(1, sizeof *pool);
    struct workers_settings settings = {
        .name = "files",
        .threads = FILES_POOL_THREADS,
        .max_waiting = FILES_POOL_WAITING,
        .wake = loop_wake,
    };

    pool->wake = loop_wake_new(loop, collect, pool);
    settings.wake_context = pool->wake;
    pool->workers = workers_start(&settings);
    return pool;
}

enum step files_pool_await(struct files_pool *pool, struct task *task,
                           struct files_work *work, task_step *next)
{
    const enum step step = task_wait(task, next);

    work->job = (struct job){.kind = &work_kind, .done = work_done};
    work->pool = pool;
    work->task = task;
    if (!workers_submit(pool->workers, &work->job))
        task_resume(task);
    return step;
}

void files_pool_stop(struct files_pool *pool)
{
    if (pool == NULL)
        return;
    workers_stop(pool->workers);
    loop_wake_free(pool->wake);
    free(pool);
}

/* Worker. */
static void run_work(void *context, struct job **jobs, size_t count)
{
    (void)context;
    for (size_t i = 0; i < count; i++) {
        struct files_work *work = CONTAINER_OF(jobs[i], struct files_work, job);

        work->turn = work->run(work);
    }
}

static void work_done(struct job *job, bool ran)
{
    struct files_work *work = CONTAINER_OF(job, struct files_work, job);

    if (ran && work->turn == FILES_MORE &&
        workers_submit(work->pool->workers, job))
        return;
    task_resume(work->task);
}

static void collect(void *context)
{
    struct files_pool *pool = context;

    workers_collect(pool->workers);
}
