/*
 * The folders of a local storage.
 *
 * A folder whose name does not tell its queue's holds the queue's name in a
 * file of its own.
 */
#include "server/storage/local_folder.h"

#include "server/storage/queue_name.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define QUEUE_NAME_FILE ".queue"

enum {
    FOLDER_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
    LONGEST_QUEUE_NAME = 4096 /* bytes */
};

static enum storage_status make_below(int root, const char *name,
                                      char ret_reason[STORAGE_REASON_SIZE]);
static enum storage_status note_queue(int folder, struct text queue_name,
                                      char ret_reason[STORAGE_REASON_SIZE]);
static bool read_note(int root, const char *folder, struct arena *arena,
                      struct text *ret_queue_name);

enum storage_status local_failed(char ret_reason[STORAGE_REASON_SIZE],
                                 const char *what)
{
    snprintf(ret_reason, STORAGE_REASON_SIZE, "%s: %s", what, strerror(errno));
    return STORAGE_UNAVAILABLE;
}

void local_describe(const struct stat *facts, struct storage_file *file)
{
    file->size = facts->st_size;
    file->modified_us = (int64_t)facts->st_mtim.tv_sec * 1000000 +
                        facts->st_mtim.tv_nsec / 1000;
}

enum storage_status local_open_root(const struct local *local, int *ret_root,
                                    char ret_reason[STORAGE_REASON_SIZE])
{
    struct stat facts;
    const int root = open(local->root, FOLDER_FLAGS);

    if (root < 0)
        return local_failed(ret_reason, "MEDIA_ROOT");
    if (fstat(root, &facts) == 0 && facts.st_dev == local->device &&
        facts.st_ino == local->inode) {
        *ret_root = root;
        return STORAGE_OK;
    }
    close(root);
    snprintf(ret_reason, STORAGE_REASON_SIZE,
             "MEDIA_ROOT is not the folder that it was at the start");
    return STORAGE_UNAVAILABLE;
}

enum storage_status local_find_folder(const struct local *local,
                                      struct text queue_name, int *ret_folder,
                                      char ret_reason[STORAGE_REASON_SIZE])
{
    char name[QUEUE_FOLDER_SIZE];
    int root;
    int folder;
    enum storage_status status = local_open_root(local, &root, ret_reason);

    if (status != STORAGE_OK)
        return status;
    queue_folder_of(queue_name, name);
    folder = openat(root, name, FOLDER_FLAGS);
    if (folder < 0 && errno == ENOENT)
        status = STORAGE_NOT_FOUND;
    else if (folder < 0)
        status = local_failed(ret_reason, "the queue's folder");
    else
        *ret_folder = folder;
    close(root);
    return status;
}

enum storage_status local_make_folder(const struct local *local,
                                      struct text queue_name, int *ret_folder,
                                      char ret_reason[STORAGE_REASON_SIZE])
{
    char name[QUEUE_FOLDER_SIZE];
    int root;
    int folder;
    const enum queue_folder_form form = queue_folder_of(queue_name, name);
    enum storage_status status = local_open_root(local, &root, ret_reason);

    if (status != STORAGE_OK)
        return status;
    status = make_below(root, name, ret_reason);
    close(root);
    if (status == STORAGE_OK)
        status = local_find_folder(local, queue_name, &folder, ret_reason);
    if (status == STORAGE_NOT_FOUND) {
        errno = ENOENT; /* somebody removed it */
        return local_failed(ret_reason, "the queue's folder");
    }
    if (status != STORAGE_OK)
        return status;
    if (form == QUEUE_FOLDER_DIGEST)
        status = note_queue(folder, queue_name, ret_reason);
    if (status == STORAGE_OK)
        *ret_folder = folder;
    else
        close(folder);
    return status;
}

bool local_queue_of(int root, const char *folder, struct arena *arena,
                    struct text *ret_queue_name)
{
    char expected[QUEUE_FOLDER_SIZE];
    struct text queue_name;

    if (queue_of_folder(folder, arena, ret_queue_name))
        return true;
    /* A name that reads in two ways belongs to nobody. */
    if (folder[0] != '%' || !read_note(root, folder, arena, &queue_name) ||
        queue_folder_of(queue_name, expected) != QUEUE_FOLDER_DIGEST ||
        strcmp(expected, folder) != 0)
        return false;
    *ret_queue_name = queue_name;
    return true;
}

static enum storage_status make_below(int root, const char *name,
                                      char ret_reason[STORAGE_REASON_SIZE])
{
    if (mkdirat(root, name, 0700) != 0)
        return errno == EEXIST
                   ? STORAGE_OK
                   : local_failed(ret_reason, "making the queue's folder");
    if (fsync(root) == 0)
        return STORAGE_OK;
    return local_failed(ret_reason, "fsync of MEDIA_ROOT");
}

static enum storage_status note_queue(int folder, struct text queue_name,
                                      char ret_reason[STORAGE_REASON_SIZE])
{
    char temporary[LOCAL_TEMPORARY_SIZE];
    enum storage_status status;

    if (faccessat(folder, QUEUE_NAME_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return STORAGE_OK;
    local_temporary_name(temporary);
    status = local_write(folder, temporary, queue_name, ret_reason);
    if (status != STORAGE_OK)
        return status;
    if (renameat(folder, temporary, folder, QUEUE_NAME_FILE) == 0 &&
        fsync(folder) == 0)
        return STORAGE_OK;
    status = local_failed(ret_reason, "keeping the queue's name");
    unlinkat(folder, temporary, 0);
    return status;
}

static bool read_note(int root, const char *folder, struct arena *arena,
                      struct text *ret_queue_name)
{
    const int below = openat(root, folder, FOLDER_FLAGS);
    char *bytes;
    ssize_t size = -1;
    int file;

    if (below < 0)
        return false;
    file = openat(below, QUEUE_NAME_FILE,
                  O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    close(below);
    if (file < 0)
        return false;
    bytes = arena_alloc(arena, LONGEST_QUEUE_NAME);
    size = read(file, bytes, LONGEST_QUEUE_NAME);
    close(file);
    if (size < 0)
        return false;
    *ret_queue_name = arena_copy(arena, (struct text){bytes, (size_t)size});
    return true;
}
