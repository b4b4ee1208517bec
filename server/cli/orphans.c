/*
 * Finding the files that no submission names.
 */
#include "server/cli/orphans.h"

#include "server/base/clock.h"
#include "server/cli/file_keys.h"
#include "server/cli/file_lock.h"
#include "server/cli/key_set.h"

#include <stdio.h>
#include <stdlib.h>

enum { PROGRESS_MS = 5000 };

static const int64_t youth_us = 3600 * (int64_t)1000000;

struct search {
    struct orphans *orphans;
    struct key_set known;
    int64_t youngest_us;   /* of what may be an orphan */
    struct file_list page; /* its orphans; queue names in its arena */
    int64_t looked_at;
    int64_t progress_ms; /* when to tell again */
};

static bool read_known(struct search *search);
static bool add_known(struct search *search, const struct file_row *row);
static bool look_through(struct search *search);
static bool look_at_page(struct search *search, struct storage_list *list);
static void take_orphan(struct search *search, struct arena *arena,
                        const struct storage_file *file);
static bool delete_page(struct search *search);
static void tell_progress(struct search *search, const char *what,
                          int64_t count);

bool orphans_find(struct orphans *orphans)
{
    struct search search = {
        .orphans = orphans,
        .youngest_us = clock_wall_us() - youth_us,
        .progress_ms = clock_monotonic_ms() + PROGRESS_MS,
    };
    bool is_good = !orphans->deletes || file_lock_take(orphans->work);

    is_good = is_good && read_known(&search) && look_through(&search);
    key_set_free(&search.known);
    file_list_free(&search.page);
    return is_good;
}

static bool read_known(struct search *search)
{
    struct work *work = search->orphans->work;
    struct file_rows rows = {.last_id = 0, .more = true};
    bool is_good = true;

    while (is_good && rows.more) {
        struct arena *arena = arena_new();
        enum db_status status = file_rows_read(work->db, arena, &rows);

        if (status != DB_OK)
            work_failed(work, "reading submissions", status);
        is_good = status == DB_OK;
        for (size_t i = 0; is_good && i < rows.count; i++)
            is_good = add_known(search, &rows.rows[i]);
        arena_free(arena);
        tell_progress(search, "submissions read, up to id", rows.last_id);
    }
    key_set_seal(&search->known);
    return is_good;
}

static bool add_known(struct search *search, const struct file_row *row)
{
    struct file_keys keys = {.files = {.files = NULL}};
    bool is_good = file_keys_add(&keys, search->orphans->files, row);

    for (size_t i = 0; i < keys.files.count; i++)
        key_set_add(&search->known, &keys.files.files[i]);
    for (size_t i = 0; i < keys.maps.count; i++)
        key_set_add(&search->known, &keys.maps.files[i]);
    file_keys_free(&keys);
    return is_good;
}

static bool look_through(struct search *search)
{
    struct storage_list list = {.marker = NULL};
    bool is_good;

    do {
        is_good = look_at_page(search, &list);
        tell_progress(search, "files looked at:", search->looked_at);
    } while (is_good && list.more);
    free(list.marker);
    return is_good;
}

static bool look_at_page(struct search *search, struct storage_list *list)
{
    struct arena *arena;
    bool is_good;

    file_work_list(search->orphans->files, list);
    if (list->status != STORAGE_OK) {
        fprintf(stderr, "xqueue: listing files failed: %s\n", list->reason);
        return false;
    }
    arena = arena_new();
    search->page.count = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct storage_file *file = &list->files[i];

        if (file->modified_us < search->youngest_us &&
            !key_set_has(&search->known, file))
            take_orphan(search, arena, file);
    }
    search->looked_at += (int64_t)list->count;
    is_good = !search->orphans->deletes || delete_page(search);
    arena_free(arena);
    return is_good;
}

/* What was listed is forgotten once something is deleted. */
static void take_orphan(struct search *search, struct arena *arena,
                        const struct storage_file *file)
{
    struct orphans *orphans = search->orphans;
    struct storage_file *orphan = file_list_add(&search->page);

    *orphan = *file;
    orphan->queue_name = arena_copy(arena, file->queue_name);
    orphans->count++;
    orphans->bytes += file->size;
    if (orphans->found != NULL)
        orphans->found(orphans, orphan);
}

static bool delete_page(struct search *search)
{
    struct orphans *orphans = search->orphans;

    if (search->page.count == 0)
        return true;
    return file_lock_take(orphans->work) &&
           file_list_delete(&search->page, orphans->files, &orphans->deleted);
}

static void tell_progress(struct search *search, const char *what,
                          int64_t count)
{
    const int64_t now_ms = clock_monotonic_ms();

    if (now_ms < search->progress_ms)
        return;
    search->progress_ms = now_ms + PROGRESS_MS;
    fprintf(stderr, "xqueue: %s %lld\n", what, (long long)count);
}
