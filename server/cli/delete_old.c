/*
 * xqueue delete_old_submissions
 */
#include "server/cli/command.h"
#include "server/cli/file_keys.h"
#include "server/cli/file_lock.h"
#include "server/cli/work.h"

#include "db/retire.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

enum { CHUNK_DEFAULT = 1000, CHUNK_MAX = 10000, DAYS_DEFAULT = 7 };

static const struct option_spec specs[] = {
    {"chunk_size", 0, "N", "delete so many in one transaction (1000)"},
    {"sleep_between", 0, "SECONDS", "pause between chunks (0)"},
    {"days_old", 0, "DAYS", "keep what is younger (7)"},
    {"keep_files", 0, NULL, "leave the files for `xqueue files --orphans`"},
    {NULL, 0, NULL, NULL},
};

struct plan {
    int64_t chunk;
    int64_t days;
    double pause_s;
    bool keep_files;
};

struct deletion {
    struct work *work;
    const struct plan *plan;
    struct file_work *files; /* NULL: not needed so far */
    int64_t last_id;
    int64_t total;
    int64_t total_files;
};

static bool read_plan(const struct options *options, struct plan *ret_plan);
static bool delete_all(struct deletion *deletion);
static bool choose(struct deletion *deletion, struct arena *arena,
                   struct old_submission **ret_chosen, size_t *ret_count);
static bool delete_chunk(struct deletion *deletion,
                         const struct old_submission *chosen, size_t count);
static bool delete_files(struct deletion *deletion,
                         const struct old_submission *chosen, size_t count);
static void say_total(const struct deletion *deletion);

static enum exit_code run(const struct options *options)
{
    struct plan plan;
    struct work work;
    struct deletion deletion = {.work = &work, .plan = &plan};
    bool is_good;

    if (!read_plan(options, &plan) || !work_begin_migrated(options, &work))
        return EXIT_FAILED;
    is_good = delete_all(&deletion);
    say_total(&deletion);
    file_work_end(deletion.files);
    work_end(&work);
    return is_good ? EXIT_DONE : EXIT_FAILED;
}

static bool read_plan(const struct options *options, struct plan *ret_plan)
{
    const char *pause = options_get(options, "sleep_between");
    char *end = NULL;

    if (!options_get_number(options, "chunk_size", 1, CHUNK_DEFAULT,
                            &ret_plan->chunk) ||
        !options_get_number(options, "days_old", 0, DAYS_DEFAULT,
                            &ret_plan->days))
        return false;
    ret_plan->keep_files = options_get(options, "keep_files") != NULL;
    if (ret_plan->chunk > CHUNK_MAX)
        ret_plan->chunk = CHUNK_MAX;
    ret_plan->pause_s = pause == NULL ? 0 : strtod(pause, &end);
    if (pause != NULL &&
        (end == pause || *end != '\0' ||
         !(ret_plan->pause_s >= 0 && ret_plan->pause_s <= 86400))) {
        fprintf(stderr,
                "xqueue: --sleep_between: expected seconds from 0 on, found"
                " \"%s\"\n",
                pause);
        return false;
    }
    return true;
}

static bool delete_all(struct deletion *deletion)
{
    bool is_good = true;
    size_t count = 1;

    while (is_good && count > 0) {
        struct arena *arena = arena_new();
        struct old_submission *chosen;

        is_good = choose(deletion, arena, &chosen, &count) &&
                  (count == 0 || delete_chunk(deletion, chosen, count));
        arena_free(arena);
    }
    return is_good;
}

/* None when there are no more. */
static bool choose(struct deletion *deletion, struct arena *arena,
                   struct old_submission **ret_chosen, size_t *ret_count)
{
    const struct plan *plan = deletion->plan;
    enum db_status status;

    if (!plan->keep_files && !file_lock_take(deletion->work))
        return false;
    status = delete_old_choose(deletion->work->db, arena, plan->days,
                               (size_t)plan->chunk, deletion->last_id,
                               ret_chosen, ret_count);
    if (status != DB_OK)
        work_failed(deletion->work, "looking for old submissions", status);
    return status == DB_OK;
}

/*
 * The files go first: no file is ever left that no submission names. Whoever
 * is interrupted in between leaves submissions whose files are gone; they are
 * still old the next time.
 */
static bool delete_chunk(struct deletion *deletion,
                         const struct old_submission *chosen, size_t count)
{
    struct work *work = deletion->work;
    enum db_status status;

    if (!deletion->plan->keep_files && !delete_files(deletion, chosen, count))
        return false;
    status = delete_old_rows(work->db, chosen, count);
    if (status != DB_OK) {
        work_failed(work, "deleting", status);
        return false;
    }
    deletion->last_id = chosen[count - 1].row.id;
    deletion->total += (int64_t)count;
    printf("deleted %zu submissions, up to id %lld\n", count,
           (long long)deletion->last_id);
    fflush(stdout);
    poll(NULL, 0, (int)(deletion->plan->pause_s * 1000));
    return true;
}

/* The storage is not asked for, be it there or not, until there are some. */
static bool delete_files(struct deletion *deletion,
                         const struct old_submission *chosen, size_t count)
{
    struct file_keys keys = {.files = {.files = NULL}};
    bool is_good = true;

    for (size_t i = 0; i < count && is_good; i++) {
        if (chosen[i].shares_files || file_keys_are_none(&chosen[i].row))
            continue;
        if (deletion->files == NULL)
            deletion->files = file_work_begin(deletion->work->config);
        is_good = deletion->files != NULL &&
                  file_keys_add(&keys, deletion->files, &chosen[i].row);
    }
    /* Maps last: without them nobody knows what else there is. */
    is_good =
        is_good &&
        file_list_delete(&keys.files, deletion->files,
                         &deletion->total_files) &&
        file_list_delete(&keys.maps, deletion->files, &deletion->total_files);
    file_keys_free(&keys);
    if (!is_good)
        fputs("xqueue: the submissions of this chunk stay as well; to delete"
              " them without their files use --keep_files\n",
              stderr);
    return is_good;
}

static void say_total(const struct deletion *deletion)
{
    printf("deleted %lld submissions older than %lld days in all\n",
           (long long)deletion->total, (long long)deletion->plan->days);
    if (deletion->total_files > 0)
        printf("deleted %lld files of theirs\n",
               (long long)deletion->total_files);
}

const struct command command_delete_old = {
    .name = "delete_old_submissions",
    .arguments = "[--chunk_size N] [--sleep_between SECONDS] [--days_old DAYS]"
                 " [--keep_files]",
    .summary = "Delete submissions that arrived long ago, finished or not.",
    .details = "Chunk by chunk: first the files, then the submissions. When it"
               " is\ninterrupted, or files cannot be deleted, the next run goes"
               " on.",
    .options = specs,
    .run = run,
};
