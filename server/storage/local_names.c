/*
 * The names in the folders of a local storage.
 */
#include "server/storage/local_names.h"

#include "server/base/memory.h"
#include "server/storage/file_key.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is done with each name but left-over ones, "." and "..". */
typedef void visit(void *context, const struct dirent *entry);

struct folder_list {
    struct arena *arena;
    struct local_folders *folders;
    size_t room;
};

static bool visit_names(int folder, int64_t now_s, visit *each, void *context);
static void add_folder(void *context, const struct dirent *entry);
static void add_key(void *context, const struct dirent *entry);
static void put_in_order(struct local_keys *keys);
static int compare_names(const void *left, const void *right);
static int compare_keys(const void *left, const void *right);

bool local_read_folders(int folder, int64_t now_s, struct arena *arena,
                        struct local_folders *ret_folders)
{
    struct local_folders folders = {NULL, 0};
    struct folder_list list = {.arena = arena, .folders = &folders};
    const bool done = visit_names(folder, now_s, add_folder, &list);
    char **names = folders.names;

    if (folders.count > 0) {
        const size_t size = folders.count * sizeof names[0];

        qsort(names, folders.count, sizeof names[0], compare_names);
        folders.names = arena_alloc(arena, size);
        memcpy(folders.names, names, size);
    }
    free(names);
    if (done)
        *ret_folders = folders;
    return done;
}

bool local_read_keys(int folder, int64_t now_s, struct local_keys *keys)
{
    keys->count = 0;
    keys->more = false;
    if (!visit_names(folder, now_s, add_key, keys))
        return false;
    put_in_order(keys);
    return true;
}

static bool visit_names(int folder, int64_t now_s, visit *each, void *context)
{
    /* With a position of its own. */
    const int again = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const struct dirent *entry;
    DIR *names;
    int error;

    if (again < 0)
        return false;
    names = fdopendir(again);
    if (names == NULL)
        fatal("cannot read a folder that is open: %s", strerror(errno));
    for (;;) {
        errno = 0;
        entry = readdir(names);
        error = errno;
        if (entry == NULL)
            break;
        if (local_is_left_over(entry->d_name, now_s))
            unlinkat(folder, entry->d_name, 0);
        else if (strcmp(entry->d_name, ".") != 0 &&
                 strcmp(entry->d_name, "..") != 0)
            each(context, entry);
    }
    closedir(names);
    errno = error;
    return error == 0;
}

static void add_folder(void *context, const struct dirent *entry)
{
    struct folder_list *list = context;
    struct local_folders *folders = list->folders;

    if (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN)
        return;
    if (folders->count == list->room) {
        list->room = 2 * list->room + 16;
        folders->names =
            xrealloc(folders->names, list->room * sizeof folders->names[0]);
    }
    folders->names[folders->count++] = arena_strdup(list->arena, entry->d_name);
}

static void add_key(void *context, const struct dirent *entry)
{
    struct local_keys *keys = context;

    if (!file_key_is_valid(text_of(entry->d_name)) ||
        strcmp(entry->d_name, keys->after) <= 0)
        return;
    if (keys->limit == 0) {
        keys->more = true;
        return;
    }
    if (keys->count == 2 * keys->limit)
        put_in_order(keys);
    memcpy(keys->keys[keys->count++], entry->d_name, FILE_KEY_SIZE + 1);
}

/* Only the first ones stay. */
static void put_in_order(struct local_keys *keys)
{
    qsort(keys->keys, keys->count, sizeof keys->keys[0], compare_keys);
    if (keys->count <= keys->limit)
        return;
    keys->count = keys->limit;
    keys->more = true;
}

static int compare_names(const void *left, const void *right)
{
    char *const *first = left;
    char *const *second = right;

    return strcmp(*first, *second);
}

static int compare_keys(const void *left, const void *right)
{
    return memcmp(left, right, FILE_KEY_SIZE);
}
