/*
 * xqueue files --orphans: what orphans.c finds, for people and programs.
 */
#include "server/cli/command.h"
#include "server/cli/orphans.h"

#include "server/base/json.h"
#include "server/base/utf8.h"
#include "server/storage/queue_name.h"

#include <stdio.h>

static const struct option_spec specs[] = {
    {"orphans", 0, NULL, "count the files that belong to no submission"},
    {"delete", 0, NULL, "and delete them"},
    {"verbose", 0, NULL, "name each: queue/key, bytes, time of storing"},
    {"json", 0, NULL, "one JSON object"},
    {NULL, 0, NULL, NULL},
};

typedef void name_orphan(const struct orphans *orphans,
                         const struct storage_file *file);

static name_orphan name_in_text;
static name_orphan name_in_json;
static void end_text(const struct orphans *orphans);
static void end_json(const struct orphans *orphans);

static enum exit_code run(const struct options *options)
{
    const bool writes_json = options_get(options, "json") != NULL;
    struct work work;
    struct orphans orphans = {
        .work = &work,
        .deletes = options_get(options, "delete") != NULL,
    };
    bool is_good;

    if (options_get(options, "orphans") == NULL) {
        fputs("xqueue: files needs --orphans\n", stderr);
        return EXIT_USAGE;
    }
    if (!work_begin_migrated(options, &work))
        return EXIT_FAILED;
    if (options_get(options, "verbose") != NULL)
        orphans.found = writes_json ? name_in_json : name_in_text;
    orphans.files = file_work_begin(work.config);
    is_good = orphans.files != NULL && orphans_find(&orphans);
    if (is_good || orphans.count > 0)
        (writes_json ? end_json : end_text)(&orphans);
    file_work_end(orphans.files);
    work_end(&work);
    return is_good ? EXIT_DONE : EXIT_FAILED;
}

/* As in a link, so that any queue's name is one word. */
static void name_in_text(const struct orphans *orphans,
                         const struct storage_file *file)
{
    struct arena *arena = arena_new();
    const struct text queue = queue_in_url(file->queue_name, arena);

    (void)orphans;
    printf("%.*s/%s %lld %lld\n", TEXT_ARGUMENTS(queue), file->key,
           (long long)file->size, (long long)(file->modified_us / 1000000));
    arena_free(arena);
}

static void end_text(const struct orphans *orphans)
{
    printf("%lld files with %lld bytes belong to no submission\n",
           (long long)orphans->count, (long long)orphans->bytes);
    if (orphans->deletes)
        printf("%lld of them are deleted\n", (long long)orphans->deleted);
}

static void name_in_json(const struct orphans *orphans,
                         const struct storage_file *file)
{
    struct arena *arena = arena_new();
    struct buffer queue = {NULL, 0, 0};

    json_append_string(&queue, utf8_repair(arena, file->queue_name));
    printf("%s{\"queue\": %s, \"key\": \"%s\", \"bytes\": %lld,"
           " \"stored\": %lld}",
           orphans->count == 1 ? "{\"orphans\": [\n" : ",\n", queue.data,
           file->key, (long long)file->size,
           (long long)(file->modified_us / 1000000));
    buffer_free(&queue);
    arena_free(arena);
}

static void end_json(const struct orphans *orphans)
{
    const char *start = "{";

    if (orphans->found != NULL)
        start = orphans->count == 0 ? "{\"orphans\": [], " : "], ";
    printf("%s\"files\": %lld, \"bytes\": %lld, \"deleted\": %lld}\n", start,
           (long long)orphans->count, (long long)orphans->bytes,
           (long long)orphans->deleted);
}

const struct command command_files = {
    .name = "files",
    .arguments = "--orphans [--delete] [--verbose] [--json]",
    .summary = "Find uploaded files that belong to no submission.",
    .details =
        "Such files are left when a server or its database ends in the middle"
        " of a\nsubmission, and by delete_old_submissions --keep_files. Those"
        " less than an hour\nold are not looked at: their submission may be on"
        " its way. Nothing is changed\nwithout --delete. Takes up to 48 bytes"
        " of memory for each file of a submission.\n\n"
        "Not for a MEDIA_ROOT or a bucket that servers with different databases"
        " share:\neach would take the files of the other for orphans.",
    .options = specs,
    .run = run,
};
