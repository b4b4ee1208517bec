/*
 * The files of a local storage, in pages, in the order of folders and keys.
 *
 * A page ends with a marker, "FOLDER/KEY", and the next one looks for what
 * comes behind it. So each page reads the names of a whole folder again, but
 * needs no open folder, which would know nothing of what is new, and no place
 * in one, which not every disk can find again.
 */
#include "server/storage/local_names.h"

#include "server/base/clock.h"
#include "server/base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct page {
    struct storage_list *list;
    struct arena *arena;   /* the files' */
    struct arena *scratch; /* until the page is done */
    int root;
    int64_t now_s;
    const char *after_folder; /* the two parts of the marker */
    const char *after_key;
    char (*keys)[FILE_KEY_SIZE + 1]; /* room for those of a folder */
    char *last;                      /* the next marker; owns */
};

static void read_marker(struct page *page);
static enum storage_status fill_page(struct page *page);
static enum storage_status add_folder(struct page *page, const char *name);
static enum storage_status add_files(struct page *page, int folder,
                                     const char *name, struct text queue_name);
static void add_file(struct page *page, int folder, const char *key,
                     struct text queue_name);
static void turn_page(struct page *page);

enum files_turn local_list(struct local_work *work)
{
    struct storage_list *list = work->job;
    struct page page = {
        .list = list,
        .arena = work->arena,
        .now_s = clock_wall_us() / 1000000,
    };

    list->status = local_open_root(work->local, &page.root, list->reason);
    if (list->status != STORAGE_OK)
        return FILES_DONE;
    page.scratch = arena_new();
    list->files = arena_alloc(page.arena, LOCAL_PAGE * sizeof *list->files);
    page.keys = arena_alloc(page.scratch, 2 * LOCAL_PAGE * sizeof *page.keys);
    read_marker(&page);
    list->status = fill_page(&page);
    if (list->status == STORAGE_OK)
        turn_page(&page);
    else
        list->count = 0;
    free(page.last);
    arena_free(page.scratch);
    close(page.root);
    return FILES_DONE;
}

static void read_marker(struct page *page)
{
    const char *marker = page->list->marker;
    char *copy = arena_strdup(page->scratch, marker == NULL ? "/" : marker);
    char *slash = strrchr(copy, '/');

    page->after_folder = copy;
    page->after_key = "";
    if (slash == NULL)
        return;
    *slash = '\0';
    page->after_key = slash + 1;
}

static enum storage_status fill_page(struct page *page)
{
    struct local_folders folders;

    if (!local_read_folders(page->root, page->now_s, page->scratch, &folders))
        return local_failed(page->list->reason, "reading MEDIA_ROOT");
    for (size_t i = 0; i < folders.count && !page->list->more; i++) {
        enum storage_status status = add_folder(page, folders.names[i]);

        if (status != STORAGE_OK)
            return status;
    }
    return STORAGE_OK;
}

/* One that is none of a queue's, or went away just now, does not matter. */
static enum storage_status add_folder(struct page *page, const char *name)
{
    enum storage_status status;
    struct text queue_name;
    int folder;

    if (strcmp(name, page->after_folder) < 0 ||
        !local_queue_of(page->root, name, page->arena, &queue_name))
        return STORAGE_OK;
    folder = openat(page->root, name,
                    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
        return STORAGE_OK;
    if (folder < 0)
        return local_failed(page->list->reason, "a queue's folder");
    status = add_files(page, folder, name, queue_name);
    close(folder);
    return status;
}

static enum storage_status add_files(struct page *page, int folder,
                                     const char *name, struct text queue_name)
{
    struct storage_list *list = page->list;
    const bool is_marked = strcmp(name, page->after_folder) == 0;
    struct local_keys keys = {
        .after = is_marked ? page->after_key : "",
        .limit = LOCAL_PAGE - list->count,
        .keys = page->keys,
    };

    if (!local_read_keys(folder, page->now_s, &keys))
        return local_failed(list->reason, "reading a queue's folder");
    for (size_t i = 0; i < keys.count; i++)
        add_file(page, folder, keys.keys[i], queue_name);
    list->more = keys.more;
    if (keys.count > 0) {
        free(page->last);
        page->last = xasprintf("%s/%s", name, keys.keys[keys.count - 1]);
    }
    return STORAGE_OK;
}

static void add_file(struct page *page, int folder, const char *key,
                     struct text queue_name)
{
    struct storage_list *list = page->list;
    struct storage_file *file = &list->files[list->count];
    struct stat facts;

    if (fstatat(folder, key, &facts, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(facts.st_mode))
        return;
    file->queue_name = queue_name;
    memcpy(file->key, key, FILE_KEY_SIZE + 1);
    local_describe(&facts, file);
    list->count++;
}

/* A page that is not the last one has a last key. */
static void turn_page(struct page *page)
{
    struct storage_list *list = page->list;

    free(list->marker);
    list->marker = NULL;
    if (!list->more)
        return;
    list->marker = page->last;
    page->last = NULL;
}
