/*
 * Lines of jobs.
 */
#include "server/base/job_lines.h"

#include "server/base/clock.h"
#include "server/base/memory.h"

#include <stdlib.h>

/* The jobs of one kind and group. */
struct job_line {
    const struct job_kind *kind;
    uint64_t group;
    struct job_list waiting; /* submitted, not taken */
    size_t waiting_count;
    size_t running;   /* batches */
    int64_t taken_ms; /* when the last one was taken */
    TAILQ_ENTRY(job_line) entry;
};

static struct job_line *line_of(struct job_lines *lines, const struct job *job);
static int64_t turn_ms(const struct job_lines *lines,
                       const struct job_line *line);

void job_lines_init(struct job_lines *lines, int patience_ms)
{
    *lines = (struct job_lines){.patience_ms = patience_ms};
    TAILQ_INIT(&lines->list);
}

void job_lines_leave(struct job_lines *lines, struct job_list *list)
{
    struct job_line *line;

    TAILQ_FOREACH(line, &lines->list, entry)
    {
        STAILQ_CONCAT(list, &line->waiting);
        line->waiting_count = 0;
    }
    lines->waiting_count = 0;
}

void job_lines_free(struct job_lines *lines)
{
    struct job_line *line;

    while ((line = TAILQ_FIRST(&lines->list)) != NULL) {
        TAILQ_REMOVE(&lines->list, line, entry);
        free(line);
    }
}

void job_lines_add(struct job_lines *lines, struct job *job)
{
    struct job_line *line = line_of(lines, job);

    STAILQ_INSERT_TAIL(&line->waiting, job, entry);
    line->waiting_count++;
    lines->waiting_count++;
}

/* A new line's turn comes after those of all others. */
static struct job_line *line_of(struct job_lines *lines, const struct job *job)
{
    struct job_line *line;

    TAILQ_FOREACH(line, &lines->list, entry)
    {
        if (line->kind == job->kind && line->group == job->group)
            return line;
    }
    line = xcalloc(1, sizeof *line);
    line->kind = job->kind;
    line->group = job->group;
    STAILQ_INIT(&line->waiting);
    TAILQ_INSERT_TAIL(&lines->list, line, entry);
    return line;
}

struct job_line *job_lines_find_turn(struct job_lines *lines,
                                     int64_t *ret_until_ms)
{
    struct job_line *line;
    int64_t now_ms = -1;

    *ret_until_ms = INT64_MAX;
    TAILQ_FOREACH(line, &lines->list, entry)
    {
        int64_t may_ms = turn_ms(lines, line);

        if (may_ms == INT64_MAX)
            continue;
        if (now_ms < 0 && may_ms > 0)
            now_ms = clock_monotonic_ms();
        if (may_ms <= now_ms || may_ms == 0)
            return line;
        if (may_ms < *ret_until_ms)
            *ret_until_ms = may_ms;
    }
    return NULL;
}

/* 0: at once; INT64_MAX: nobody waits in it. */
static int64_t turn_ms(const struct job_lines *lines,
                       const struct job_line *line)
{
    const struct job_kind *kind = line->kind;
    size_t count = line->waiting_count;

    if (count == 0)
        return INT64_MAX;
    if (line->running == 0 || count >= kind->max_batch)
        return 0;
    if ((kind->max_running == 0 || line->running < kind->max_running) &&
        count >= kind->min_beside)
        return 0;
    return line->taken_ms + lines->patience_ms;
}

size_t job_lines_take(struct job_lines *lines, struct job_line *line,
                      struct job **ret_batch)
{
    size_t count = 0;

    while (count < line->kind->max_batch && !STAILQ_EMPTY(&line->waiting)) {
        ret_batch[count++] = STAILQ_FIRST(&line->waiting);
        STAILQ_REMOVE_HEAD(&line->waiting, entry);
    }
    line->waiting_count -= count;
    line->running++;
    line->taken_ms = clock_monotonic_ms();
    lines->waiting_count -= count;
    TAILQ_REMOVE(&lines->list, line, entry);
    TAILQ_INSERT_TAIL(&lines->list, line, entry);
    return count;
}

void job_lines_end_batch(struct job_lines *lines, struct job_line *line)
{
    line->running--;
    if (line->running > 0 || line->waiting_count > 0)
        return;
    TAILQ_REMOVE(&lines->list, line, entry);
    free(line);
}
