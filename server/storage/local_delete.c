/*
 * Deleting files of a local storage. The files of a turn are put in the order
 * of their queues, so that each folder is opened and made durable once.
 */
#include "server/storage/local_folder.h"

#include "server/storage/file_key.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int compare_queues(const void *left, const void *right);
static size_t delete_of_one_queue(struct local_work *work,
                                  const struct storage_file **files,
                                  size_t count);
static void delete_in(int folder, struct local_work *work,
                      const struct storage_file **files, size_t count);
static void note_failure(struct local_deletion *deletion, const char *reason);
static void tell(const struct local_deletion *deletion,
                 struct storage_delete *job);

enum files_turn local_delete(struct local_work *work)
{
    struct local_deletion *deletion = &work->deletion;
    struct storage_delete *job = work->job;
    const struct storage_file *files[LOCAL_DELETE_TURN];
    size_t count = job->count - deletion->position;
    size_t done = 0;

    if (count > LOCAL_DELETE_TURN)
        count = LOCAL_DELETE_TURN;
    for (size_t i = 0; i < count; i++)
        files[i] = &job->files[deletion->position + i];
    qsort(files, count, sizeof files[0], compare_queues);
    while (done < count)
        done += delete_of_one_queue(work, files + done, count - done);
    deletion->position += count;
    if (deletion->position < job->count) {
        job->status = storage_refused(job->reason);
        return FILES_MORE;
    }
    tell(deletion, job);
    return FILES_DONE;
}

static int compare_queues(const void *left, const void *right)
{
    const struct storage_file *const *first = left;
    const struct storage_file *const *second = right;
    const struct text a = (*first)->queue_name;
    const struct text b = (*second)->queue_name;

    if (a.size != b.size)
        return a.size < b.size ? -1 : 1;
    return a.size == 0 ? 0 : memcmp(a.data, b.data, a.size);
}

/* Those at the beginning of the list; how many they are. */
static size_t delete_of_one_queue(struct local_work *work,
                                  const struct storage_file **files,
                                  size_t count)
{
    char reason[STORAGE_REASON_SIZE];
    enum storage_status status;
    size_t same = 1;
    int folder;

    while (same < count && compare_queues(&files[0], &files[same]) == 0)
        same++;
    status =
        local_find_folder(work->local, files[0]->queue_name, &folder, reason);
    if (status == STORAGE_OK) {
        delete_in(folder, work, files, same);
        close(folder);
    } else if (status != STORAGE_NOT_FOUND) {
        note_failure(&work->deletion, reason);
    }
    return same;
}

static void delete_in(int folder, struct local_work *work,
                      const struct storage_file **files, size_t count)
{
    struct storage_delete *job = work->job;
    const size_t before = job->deleted;
    char reason[STORAGE_REASON_SIZE];

    for (size_t i = 0; i < count; i++) {
        if (!file_key_is_valid(text_of(files[i]->key)))
            continue;
        if (unlinkat(folder, files[i]->key, 0) == 0) {
            job->deleted++;
        } else if (errno != ENOENT) {
            local_failed(reason, "deleting a file");
            note_failure(&work->deletion, reason);
        }
    }
    if (job->deleted > before && fsync(folder) != 0) {
        local_failed(reason, "fsync of the queue's folder");
        note_failure(&work->deletion, reason);
    }
}

/* The first one is what the caller hears of. */
static void note_failure(struct local_deletion *deletion, const char *reason)
{
    if (deletion->has_failed)
        return;
    deletion->has_failed = true;
    snprintf(deletion->reason, sizeof deletion->reason, "%s", reason);
}

static void tell(const struct local_deletion *deletion,
                 struct storage_delete *job)
{
    job->status = deletion->has_failed ? STORAGE_UNAVAILABLE : STORAGE_OK;
    if (deletion->has_failed)
        snprintf(job->reason, sizeof job->reason, "%s", deletion->reason);
}
