/*
 * Storing the files of a submission, all or none: each is written under a
 * temporary name and made durable, then all get their names, then the folder
 * is made durable. A process that dies in between leaves whole files or
 * temporary names.
 *
 * A file that is replaced keeps a second name until it is certain that it is
 * not needed any more. Whoever gives names holds a lock on the folder, so that
 * taking them back cannot hit a file of another request.
 */
#include "server/storage/local_folder.h"

#include "server/base/memory.h"
#include "server/storage/file_key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct part {
    const char *key; /* NULL: a later upload has the same */
    char new[LOCAL_TEMPORARY_SIZE];
    char old[LOCAL_TEMPORARY_SIZE]; /* of the file that had the key */
    bool was_there;                 /* such a file */
    bool is_kept;                   /* as `old` */
    bool is_written;                /* as `new` */
    bool is_placed;                 /* as `key` */
};

static void choose_parts(struct storage_put *put, struct part *parts);
static enum storage_status put_into(int folder, struct storage_put *put,
                                    struct part *parts);
static enum storage_status write_parts(int folder, struct storage_put *put,
                                       struct part *parts);
static enum storage_status place_parts(int folder, struct storage_put *put,
                                       struct part *parts);
static enum storage_status place(int folder, struct part *part,
                                 char ret_reason[STORAGE_REASON_SIZE]);
static void keep_old(int folder, struct part *part);
static void take_back(int folder, const struct part *parts, size_t count);
static void tidy_up(int folder, const struct part *parts, size_t count);

void local_put(const struct local *local, struct storage_put *put)
{
    struct part *parts;
    int folder;

    file_keys(put);
    put->status = STORAGE_OK;
    if (put->count == 0)
        return;
    put->status =
        local_make_folder(local, put->queue_name, &folder, put->reason);
    if (put->status != STORAGE_OK)
        return;
    parts = xcalloc(put->count, sizeof *parts);
    choose_parts(put, parts);
    put->status = put_into(folder, put, parts);
    free(parts);
    close(folder);
}

/* Two names can be made to have one key. Then the last one counts. */
static void choose_parts(struct storage_put *put, struct part *parts)
{
    for (size_t i = 0; i < put->count; i++) {
        const char *key = put->uploads[i].key;

        for (size_t before = 0; before < i; before++) {
            if (parts[before].key != NULL &&
                strcmp(parts[before].key, key) == 0)
                parts[before].key = NULL;
        }
        parts[i].key = key;
    }
}

static enum storage_status put_into(int folder, struct storage_put *put,
                                    struct part *parts)
{
    enum storage_status status = write_parts(folder, put, parts);

    if (status == STORAGE_OK) {
        /* A disk that knows no locks works without. */
        const int locked = flock(folder, LOCK_EX);

        status = place_parts(folder, put, parts);
        if (status != STORAGE_OK)
            take_back(folder, parts, put->count);
        if (locked == 0)
            flock(folder, LOCK_UN);
    }
    tidy_up(folder, parts, put->count);
    for (size_t i = 0; i < put->count && status == STORAGE_OK; i++)
        put->replaced = put->replaced || parts[i].was_there;
    return status;
}

static enum storage_status write_parts(int folder, struct storage_put *put,
                                       struct part *parts)
{
    for (size_t i = 0; i < put->count; i++) {
        enum storage_status status;

        if (parts[i].key == NULL)
            continue;
        local_temporary_name(parts[i].new);
        status = local_write(folder, parts[i].new, put->uploads[i].content,
                             put->reason);
        if (status != STORAGE_OK)
            return status;
        parts[i].is_written = true;
    }
    return STORAGE_OK;
}

static enum storage_status place_parts(int folder, struct storage_put *put,
                                       struct part *parts)
{
    for (size_t i = 0; i < put->count; i++) {
        enum storage_status status;

        if (parts[i].key == NULL)
            continue;
        status = place(folder, &parts[i], put->reason);
        if (status != STORAGE_OK)
            return status;
    }
    if (fsync(folder) != 0)
        return local_failed(put->reason, "fsync of the queue's folder");
    return STORAGE_OK;
}

static enum storage_status place(int folder, struct part *part,
                                 char ret_reason[STORAGE_REASON_SIZE])
{
    keep_old(folder, part);
    if (renameat(folder, part->new, folder, part->key) != 0)
        return local_failed(ret_reason, "naming a file");
    part->is_placed = true;
    return STORAGE_OK;
}

/* Some disks know no second names: there a file is replaced for good. */
static void keep_old(int folder, struct part *part)
{
    struct stat facts;

    local_temporary_name(part->old);
    if (linkat(folder, part->key, folder, part->old, 0) == 0) {
        part->was_there = true;
        part->is_kept = true;
    } else if (errno != ENOENT) {
        part->was_there =
            fstatat(folder, part->key, &facts, AT_SYMLINK_NOFOLLOW) == 0;
    }
}

static void take_back(int folder, const struct part *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!parts[i].is_placed)
            continue;
        if (parts[i].is_kept)
            renameat(folder, parts[i].old, folder, parts[i].key);
        else if (!parts[i].was_there)
            unlinkat(folder, parts[i].key, 0);
    }
}

static void tidy_up(int folder, const struct part *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (parts[i].is_written && !parts[i].is_placed)
            unlinkat(folder, parts[i].new, 0);
        if (parts[i].is_kept)
            unlinkat(folder, parts[i].old, 0);
    }
}
