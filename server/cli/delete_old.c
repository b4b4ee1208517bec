/*
 * xqueue delete_old_submissions
 */
#include "server/cli/command.h"
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
    {NULL, 0, NULL, NULL},
};

struct plan {
    int64_t chunk;
    int64_t days;
    double pause_s;
};

static bool read_plan(const struct options *options, struct plan *ret_plan);
static enum db_status delete_all(struct work *work, const struct plan *plan);

static enum exit_code run(const struct options *options)
{
    struct plan plan;
    struct work work;
    enum db_status status;

    if (!read_plan(options, &plan) || !work_begin_migrated(options, &work))
        return EXIT_FAILED;
    status = delete_all(&work, &plan);
    if (status != DB_OK)
        work_failed(&work, "deleting", status);
    work_end(&work);
    return status == DB_OK ? EXIT_DONE : EXIT_FAILED;
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

static enum db_status delete_all(struct work *work, const struct plan *plan)
{
    int64_t last_id = 0;
    int64_t total = 0;
    size_t deleted;
    enum db_status status = delete_old(work->db, plan->days,
                                       (size_t)plan->chunk, &last_id, &deleted);

    while (status == DB_OK && deleted > 0) {
        total += (int64_t)deleted;
        printf("deleted %zu submissions, up to id %lld\n", deleted,
               (long long)last_id);
        fflush(stdout);
        poll(NULL, 0, (int)(plan->pause_s * 1000));
        status = delete_old(work->db, plan->days, (size_t)plan->chunk, &last_id,
                            &deleted);
    }
    printf("deleted %lld submissions older than %lld days in all\n",
           (long long)total, (long long)plan->days);
    return status;
}

const struct command command_delete_old = {
    .name = "delete_old_submissions",
    .arguments = "[--chunk_size N] [--sleep_between SECONDS] [--days_old DAYS]",
    .summary = "Delete submissions that arrived long ago, finished or not.",
    .options = specs,
    .run = run,
};
