/*
 * xqueue files --orphans: files that no submission names.
 *
 * First all keys that submissions name, then page after page of what there
 * is. Whatever was stored less than an hour before the start may belong to a
 * submission that is just being stored, and is left alone.
 */
#include "server/cli/command.h"
#include "server/cli/file_keys.h"
#include "server/cli/file_lock.h"
#include "server/cli/key_set.h"
#include "server/cli/work.h"

#include "server/base/clock.h"
#include "server/base/json.h"
#include "server/base/utf8.h"
#include "server/storage/queue_name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROGRESS_MS = 5000 };

static const int64_t youth_us = 3600 * (int64_t)1000000;

static const struct option_spec specs[] = {
    {"orphans", 0, NULL, "count the files that belong to no submission"},
    {"delete", 0, NULL, "and delete them"},
    {"verbose", 0, NULL, "name each: queue/key, bytes, time of storing"},
    {"json", 0, NULL, "one JSON object"},
    {NULL, 0, NULL, NULL},
};

struct search {
    struct work *work;
    struct file_work *files;
    bool deletes;
    bool names_each;
    bool writes_json;

    struct key_set known;
    int64_t youngest_us;      /* of what may be an orphan */
    int64_t progress_ms;      /* when to tell again */
    struct file_list orphans; /* of a page; queue names in its arena */
    int64_t looked_at;
    int64_t found;
    int64_t bytes;
    int64_t deleted;
};

static bool search(struct search *search);
static bool read_known(struct search *search);
static bool add_known(struct search *search, const struct file_row *row);
static bool look_through(struct search *search);
static bool look_at_page(struct search *search, struct storage_list *page);
static void take_orphan(struct search *search, struct arena *arena,
                        const struct storage_file *file);
static bool delete_orphans(struct search *search);
static void name_orphan(const struct search *search,
                        const struct storage_file *file, struct arena *arena);
static void tell_progress(struct search *search, const char *what,
                          int64_t count);
static void begin_output(const struct search *search);
static void end_output(const struct search *search);

static enum exit_code run(const struct options *options)
{
    struct work work;
    struct search self = {
        .work = &work,
        .deletes = options_get(options, "delete") != NULL,
        .names_each = options_get(options, "verbose") != NULL,
        .writes_json = options_get(options, "json") != NULL,
    };
    bool is_good;

    if (options_get(options, "orphans") == NULL) {
        fputs("xqueue: files needs --orphans\n", stderr);
        return EXIT_USAGE;
    }
    if (!work_begin_migrated(options, &work))
        return EXIT_FAILED;
    self.files = file_work_begin(work.config);
    is_good = self.files != NULL && search(&self);
    key_set_free(&self.known);
    file_list_free(&self.orphans);
    file_work_end(self.files);
    work_end(&work);
    return is_good ? EXIT_DONE : EXIT_FAILED;
}

static bool search(struct search *search)
{
    bool is_good;

    search->youngest_us = clock_wall_us() - youth_us;
    search->progress_ms = clock_monotonic_ms() + PROGRESS_MS;
    if ((search->deletes && !file_lock_take(search->work)) ||
        !read_known(search))
        return false;
    begin_output(search);
    is_good = look_through(search);
    end_output(search);
    return is_good;
}

static bool read_known(struct search *search)
{
    struct file_rows rows = {.last_id = 0, .more = true};
    bool is_good = true;

    while (is_good && rows.more) {
        struct arena *arena = arena_new();
        enum db_status status = file_rows_read(search->work->db, arena, &rows);

        if (status != DB_OK)
            work_failed(search->work, "reading submissions", status);
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
    bool is_good = file_keys_add(&keys, search->files, row);

    for (size_t i = 0; i < keys.files.count; i++)
        key_set_add(&search->known, &keys.files.files[i]);
    for (size_t i = 0; i < keys.maps.count; i++)
        key_set_add(&search->known, &keys.maps.files[i]);
    file_keys_free(&keys);
    return is_good;
}

static bool look_through(struct search *search)
{
    struct storage_list page = {.marker = NULL};
    bool is_good;

    do {
        is_good = look_at_page(search, &page);
        tell_progress(search, "files looked at:", search->looked_at);
    } while (is_good && page.more);
    free(page.marker);
    return is_good;
}

static bool look_at_page(struct search *search, struct storage_list *page)
{
    struct arena *arena;
    bool is_good;

    file_work_list(search->files, page);
    if (page->status != STORAGE_OK) {
        fprintf(stderr, "xqueue: listing files failed: %s\n", page->reason);
        return false;
    }
    arena = arena_new();
    search->orphans.count = 0;
    for (size_t i = 0; i < page->count; i++) {
        const struct storage_file *file = &page->files[i];

        if (file->modified_us < search->youngest_us &&
            !key_set_has(&search->known, file))
            take_orphan(search, arena, file);
    }
    search->looked_at += (int64_t)page->count;
    is_good = !search->deletes || delete_orphans(search);
    arena_free(arena);
    return is_good;
}

/* What was listed is forgotten once something is deleted. */
static void take_orphan(struct search *search, struct arena *arena,
                        const struct storage_file *file)
{
    struct storage_file *orphan = file_list_add(&search->orphans);

    *orphan = *file;
    orphan->queue_name = arena_copy(arena, file->queue_name);
    if (search->names_each)
        name_orphan(search, file, arena);
    search->found++;
    search->bytes += file->size;
}

static bool delete_orphans(struct search *search)
{
    struct storage_delete job = {
        .files = search->orphans.files,
        .count = search->orphans.count,
    };

    if (job.count == 0)
        return true;
    if (!file_lock_take(search->work))
        return false;
    file_work_delete(search->files, &job);
    search->deleted += (int64_t)job.deleted;
    if (job.status == STORAGE_OK)
        return true;
    fprintf(stderr, "xqueue: deleting files failed: %s\n", job.reason);
    return false;
}

/* As in a link, so that any queue's name is one word; in JSON as it is. */
static void name_orphan(const struct search *search,
                        const struct storage_file *file, struct arena *arena)
{
    const long long seconds = (long long)(file->modified_us / 1000000);
    struct buffer line = {NULL, 0, 0};

    if (!search->writes_json) {
        buffer_append_text(&line, queue_in_url(file->queue_name, arena));
        buffer_printf(&line, "/%s %lld %lld", file->key, (long long)file->size,
                      seconds);
    } else {
        buffer_append_string(&line, search->found > 0 ? ",\n{" : "\n{");
        buffer_append_string(&line, "\"queue\": ");
        json_append_string(&line, utf8_repair(arena, file->queue_name));
        buffer_printf(&line,
                      ", \"key\": \"%s\", \"bytes\": %lld, \"stored\": %lld}",
                      file->key, (long long)file->size, seconds);
    }
    printf("%s%s", line.data, search->writes_json ? "" : "\n");
    buffer_free(&line);
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

static void begin_output(const struct search *search)
{
    if (search->writes_json)
        fputs(search->names_each ? "{\"orphans\": [" : "{", stdout);
}

static void end_output(const struct search *search)
{
    if (search->writes_json) {
        printf("%s\"files\": %lld, \"bytes\": %lld, \"deleted\": %lld}\n",
               search->names_each ? "], " : "", (long long)search->found,
               (long long)search->bytes, (long long)search->deleted);
        return;
    }
    printf("%lld files with %lld bytes belong to no submission\n",
           (long long)search->found, (long long)search->bytes);
    if (search->deletes)
        printf("%lld of them are deleted\n", (long long)search->deleted);
}

const struct command command_files = {
    .name = "files",
    .arguments = "--orphans [--delete] [--verbose] [--json]",
    .summary = "Find uploaded files that belong to no submission.",
    .details =
        "Such files are left when a server or its database ends in the middle"
        " of a\nsubmission, and by delete_old_submissions --keep_files. Those"
        " less than an hour\nold are not looked at: their submission may be on"
        " its way. Nothing is changed\nwithout --delete. Takes up to 48 bytes "
        "of"
        " memory for each file of a submission.\n\n"
        "Not for a MEDIA_ROOT or a bucket that servers with different databases"
        " share:\neach would take the files of the other for orphans.",
    .options = specs,
    .run = run,
};
