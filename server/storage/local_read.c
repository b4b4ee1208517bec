/*
 * Reading files of a local storage: small ones as a whole, any in pieces.
 */
#include "server/storage/local_folder.h"

#include "server/base/memory.h"
#include "server/storage/file_key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static enum storage_status read_whole(int file, struct storage_get *get,
                                      struct arena *arena);
static enum storage_status open_file(const struct local *local,
                                     struct storage_file *wanted, int *ret_file,
                                     char ret_reason[STORAGE_REASON_SIZE]);
static enum storage_status examine(int file, struct storage_file *wanted,
                                   char ret_reason[STORAGE_REASON_SIZE]);
static bool read_at(int file, int64_t offset, char *bytes, size_t size,
                    size_t *ret_got);

enum files_turn local_get(struct local_work *work)
{
    struct storage_get *get = work->job;
    int file = -1;

    get->status = open_file(work->local, &get->file, &file, get->reason);
    if (get->status != STORAGE_OK)
        return FILES_DONE;
    get->status = read_whole(file, get, work->arena);
    close(file);
    return FILES_DONE;
}

static enum storage_status read_whole(int file, struct storage_get *get,
                                      struct arena *arena)
{
    const size_t size = (size_t)get->file.size;
    size_t got;
    char *bytes;

    if (size > get->max_bytes) {
        snprintf(get->reason, sizeof get->reason,
                 "the file has more than %zu bytes", get->max_bytes);
        return STORAGE_UNAVAILABLE;
    }
    bytes = arena_alloc(arena, size + 1);
    if (!read_at(file, 0, bytes, size, &got))
        return local_failed(get->reason, "reading a file");
    bytes[got] = '\0';
    get->content = (struct text){bytes, got};
    return STORAGE_OK;
}

enum files_turn local_open(struct local_work *work)
{
    struct storage_open *open = work->job;
    int file = -1;

    open->status = open_file(work->local, &open->file, &file, open->reason);
    if (open->status != STORAGE_OK)
        return FILES_DONE;
    open->reader = xcalloc(1, sizeof *open->reader);
    open->reader->file = file;
    return FILES_DONE;
}

enum files_turn local_read(struct local_work *work)
{
    struct storage_read *read = work->job;

    if (read_at(read->reader->file, read->offset, read->buffer, read->size,
                &read->got))
        read->status = STORAGE_OK;
    else
        read->status = local_failed(read->reason, "reading a file");
    return FILES_DONE;
}

static enum storage_status open_file(const struct local *local,
                                     struct storage_file *wanted, int *ret_file,
                                     char ret_reason[STORAGE_REASON_SIZE])
{
    int folder;
    int file;
    enum storage_status status;

    if (!file_key_is_valid(text_of(wanted->key)))
        return STORAGE_NOT_FOUND;
    status = local_find_folder(local, wanted->queue_name, &folder, ret_reason);
    if (status != STORAGE_OK)
        return status;
    file = openat(folder, wanted->key,
                  O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (file < 0)
        status = errno == ENOENT ? STORAGE_NOT_FOUND
                                 : local_failed(ret_reason, "opening a file");
    close(folder);
    if (file < 0)
        return status;
    status = examine(file, wanted, ret_reason);
    if (status == STORAGE_OK)
        *ret_file = file;
    else
        close(file);
    return status;
}

static enum storage_status examine(int file, struct storage_file *wanted,
                                   char ret_reason[STORAGE_REASON_SIZE])
{
    struct stat facts;

    if (fstat(file, &facts) != 0)
        return local_failed(ret_reason, "looking at a file");
    if (!S_ISREG(facts.st_mode)) {
        snprintf(ret_reason, STORAGE_REASON_SIZE, "not a regular file");
        return STORAGE_UNAVAILABLE;
    }
    local_describe(&facts, wanted);
    return STORAGE_OK;
}

/* Less than `size` bytes only at the end of the file. */
static bool read_at(int file, int64_t offset, char *bytes, size_t size,
                    size_t *ret_got)
{
    size_t done = 0;

    while (done < size) {
        const ssize_t got =
            pread(file, bytes + done, size - done, offset + (int64_t)done);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    *ret_got = done;
    return true;
}
