/*
 * Storing the files of a submission, all or none: each is written under a
 * temporary name and made durable, then all get their names, then the folder
 * is made durable. A process that dies in between leaves whole files or
 * temporary names.
 *
 * A name is given only where there is none: whatever has our name is ours, and
 * may be taken back.
 */
#include "server/storage/local_folder.h"

#include "server/base/memory.h"
#include "server/storage/file_key.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct part {
    char name[LOCAL_TEMPORARY_SIZE];
    bool is_written; /* under that name */
    bool is_placed;  /* under its key instead */
};

static enum storage_status put_into(int folder, struct storage_put *put);
static enum storage_status write_parts(int folder, struct storage_put *put,
                                       struct part *parts);
static enum storage_status place_parts(int folder, struct storage_put *put,
                                       struct part *parts);
static bool place(int folder, const struct storage_put *put, const char *name,
                  struct storage_upload *upload);
static void take_back(int folder, const struct storage_put *put,
                      const struct part *parts);

enum files_turn local_put(struct local_work *work)
{
    struct storage_put *put = work->job;
    int folder;

    put->status = STORAGE_OK;
    if (put->count == 0)
        return FILES_DONE;
    put->status =
        local_make_folder(work->local, put->queue_name, &folder, put->reason);
    if (put->status != STORAGE_OK)
        return FILES_DONE;
    put->status = put_into(folder, put);
    close(folder);
    return FILES_DONE;
}

static enum storage_status put_into(int folder, struct storage_put *put)
{
    struct part *parts = xcalloc(put->count, sizeof *parts);
    enum storage_status status = write_parts(folder, put, parts);

    if (status == STORAGE_OK)
        status = place_parts(folder, put, parts);
    if (status == STORAGE_OK && fsync(folder) != 0)
        status = local_failed(put->reason, "fsync of the queue's folder");
    if (status != STORAGE_OK)
        take_back(folder, put, parts);
    free(parts);
    return status;
}

static enum storage_status write_parts(int folder, struct storage_put *put,
                                       struct part *parts)
{
    for (size_t i = 0; i < put->count; i++) {
        enum storage_status status;

        local_temporary_name(parts[i].name);
        status = local_write(folder, parts[i].name, put->uploads[i].content,
                             put->reason);
        if (status != STORAGE_OK)
            return status;
        parts[i].is_written = true;
        /* The loop will free it: that it need not stand still for that. */
        memory_discard((char *)put->uploads[i].content.data,
                       put->uploads[i].content.size);
    }
    return STORAGE_OK;
}

static enum storage_status place_parts(int folder, struct storage_put *put,
                                       struct part *parts)
{
    for (size_t i = 0; i < put->count; i++) {
        if (!place(folder, put, parts[i].name, &put->uploads[i]))
            return local_failed(put->reason, "naming a file");
        parts[i].is_placed = true;
    }
    return STORAGE_OK;
}

/*
 * A second name, unlike a new one, never replaces what has it. When it cannot
 * be given, because it is taken or because this disk knows no second names,
 * there is always a key that nobody has.
 */
static bool place(int folder, const struct storage_put *put, const char *name,
                  struct storage_upload *upload)
{
    file_key(put->header, upload->name, upload->key);
    if (!put->is_repeated &&
        linkat(folder, name, folder, upload->key, 0) == 0) {
        unlinkat(folder, name, 0);
        return true;
    }
    file_key_new(upload->key);
    return renameat(folder, name, folder, upload->key) == 0;
}

static void take_back(int folder, const struct storage_put *put,
                      const struct part *parts)
{
    for (size_t i = 0; i < put->count; i++) {
        if (parts[i].is_placed)
            unlinkat(folder, put->uploads[i].key, 0);
        else if (parts[i].is_written)
            unlinkat(folder, parts[i].name, 0);
    }
}
