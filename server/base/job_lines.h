/*
 * The lines that jobs wait in, one for each kind and group, and whose turn it
 * is: see workers.h. A line is there while it has jobs that wait or run; one
 * that a batch is taken from goes behind the others. Whoever calls holds the
 * lock of the workers.
 */
#ifndef XQUEUE_BASE_JOB_LINES_H
#define XQUEUE_BASE_JOB_LINES_H

#include "server/base/workers.h"

STAILQ_HEAD(job_list, job);

struct job_line;

struct job_lines {
    TAILQ_HEAD(, job_line) list;
    int patience_ms;
    size_t waiting_count; /* jobs of all lines */
};

void job_lines_init(struct job_lines *lines, int patience_ms);

/* All that wait go to the end of that list. */
void job_lines_leave(struct job_lines *lines, struct job_list *list);

/* No batch may run. */
void job_lines_free(struct job_lines *lines);

/* Last of its line. */
void job_lines_add(struct job_lines *lines, struct job *job);

/*
 * The line that a batch is to be taken from. NULL when there is none;
 * *ret_until_ms is then when the next turn may come by itself (monotonic), or
 * INT64_MAX.
 */
struct job_line *job_lines_find_turn(struct job_lines *lines,
                                     int64_t *ret_until_ms);

/* From the front of that line, up to its kind's max_batch; how many. */
size_t job_lines_take(struct job_lines *lines, struct job_line *line,
                      struct job **ret_batch);

/* A batch that was taken from that line has run. */
void job_lines_end_batch(struct job_lines *lines, struct job_line *line);

#endif
