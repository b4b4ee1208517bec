/*
 * Files in a folder: takes the work to the workers (see local.h).
 */
#include "server/storage/local.h"

#include "server/base/memory.h"
#include "server/storage/link.h"
#include "server/storage/local_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool start(struct storage *storage,
                  const struct storage_settings *settings, char **ret_error);
static bool find_root(struct local *local, const char *media_root,
                      char **ret_error);
static bool try_root(const struct local *local, char **ret_error);
static void stop(struct storage *storage);
static enum step await(struct storage *storage, struct task *task,
                       local_run *run, void *job, task_step *next);
static enum files_turn run_work(struct files_work *work);

/* --- jobs: each looks as if refused until it is done ------------------- */

static enum step await_put(struct storage *storage, struct task *task,
                           struct storage_put *put, task_step *next)
{
    put->status = storage_refused(put->reason);
    return await(storage, task, local_put, put, next);
}

static enum step await_get(struct storage *storage, struct task *task,
                           struct storage_get *get, task_step *next)
{
    get->status = storage_refused(get->reason);
    return await(storage, task, local_get, get, next);
}

static enum step await_delete(struct storage *storage, struct task *task,
                              struct storage_delete *job, task_step *next)
{
    job->status = storage_refused(job->reason);
    return await(storage, task, local_delete, job, next);
}

static enum step await_list(struct storage *storage, struct task *task,
                            struct storage_list *list, task_step *next)
{
    list->status = storage_refused(list->reason);
    return await(storage, task, local_list, list, next);
}

static enum step await_open(struct storage *storage, struct task *task,
                            struct storage_open *job, task_step *next)
{
    job->status = storage_refused(job->reason);
    return await(storage, task, local_open, job, next);
}

static enum step await_read(struct storage *storage, struct task *task,
                            struct storage_read *job, task_step *next)
{
    job->status = storage_refused(job->reason);
    return await(storage, task, local_read, job, next);
}

static enum step await(struct storage *storage, struct task *task,
                       local_run *run, void *job, task_step *next)
{
    struct local_work *work = arena_zalloc(task->arena, sizeof *work);

    work->local = storage->state;
    work->job = job;
    work->arena = task->arena;
    work->run = run;
    work->work.run = run_work;
    return files_pool_await(storage->pool, task, &work->work, next);
}

/* Worker. */
static enum files_turn run_work(struct files_work *work)
{
    struct local_work *own = CONTAINER_OF(work, struct local_work, work);

    return own->run(own);
}

/* --- links, beginning and end ----------------------------------------- */

static struct text make_link(const struct storage *storage, struct arena *arena,
                             struct text queue_name, const char *key,
                             struct text base, int64_t now_s)
{
    const struct local *local = storage->state;

    return links_make(local->links, arena, queue_name, key, base, now_s);
}

static enum storage_link_state check_link(const struct storage *storage,
                                          struct text queue_name,
                                          struct text key, struct text query,
                                          int64_t now_s)
{
    const struct local *local = storage->state;

    return links_check(local->links, queue_name, key, query, now_s);
}

const struct storage_backend local_backend = {
    .start = start,
    .stop = stop,
    .await_put = await_put,
    .await_get = await_get,
    .await_delete = await_delete,
    .await_list = await_list,
    .await_open = await_open,
    .await_read = await_read,
    .link = make_link,
    .link_check = check_link,
};

static bool start(struct storage *storage,
                  const struct storage_settings *settings, char **ret_error)
{
    struct local *local = xcalloc(1, sizeof *local);

    storage->state = local;
    if (!settings->unsigned_links && settings->secret.size == 0) {
        *ret_error = xstrdup("there is no secret to sign links with");
        return false;
    }
    local->links = links_new(settings);
    return find_root(local, settings->media_root, ret_error) &&
           try_root(local, ret_error);
}

/* MEDIA_ROOT itself may be a symbolic link, as it is now. */
static bool find_root(struct local *local, const char *media_root,
                      char **ret_error)
{
    struct stat facts;

    local->root = realpath(media_root, NULL);
    if (local->root == NULL || stat(local->root, &facts) != 0) {
        *ret_error =
            xasprintf("MEDIA_ROOT %s: %s", media_root, strerror(errno));
        return false;
    }
    local->device = facts.st_dev;
    local->inode = facts.st_ino;
    return true;
}

/* Only a file that was written shows that files can be. */
static bool try_root(const struct local *local, char **ret_error)
{
    char reason[STORAGE_REASON_SIZE];
    char name[LOCAL_TEMPORARY_SIZE];
    int root;
    enum storage_status status = local_open_root(local, &root, reason);

    if (status == STORAGE_OK) {
        local_temporary_name(name);
        status = local_write(root, name, text_of("xqueue"), reason);
        if (status == STORAGE_OK)
            unlinkat(root, name, 0);
        close(root);
    }
    if (status == STORAGE_OK)
        return true;
    *ret_error = xasprintf("MEDIA_ROOT %s: %s", local->root, reason);
    return false;
}

static void stop(struct storage *storage)
{
    struct local *local = storage->state;

    if (local == NULL)
        return;
    links_free(local->links);
    free(local->root);
    free(local);
}
