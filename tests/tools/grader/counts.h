/*
 * How many came: to each path, and of each submission. Loop thread.
 */
#ifndef XQUEUE_TESTS_GRADER_COUNTS_H
#define XQUEUE_TESTS_GRADER_COUNTS_H

#include "server/base/buffer.h"

struct counts;

/* So far, with the one that came last. */
struct count {
    int64_t came;
    int64_t in_hand; /* not answered yet */
    int64_t most;    /* that were in hand at a time, ever */
};

struct counts *counts_new(void);
void counts_free(struct counts *counts);

/*
 * The count of a path, or of a submission by its number (0 to a million), for
 * changing it. Valid until the next call.
 */
struct count *counts_of_path(struct counts *counts, const char *path);
struct count *counts_of_submission(struct counts *counts, int64_t number);

void count_begin(struct count *count);
void count_end(struct count *count);

/* A JSON line for each path: path, came, in_hand, most. */
void counts_write_paths(const struct counts *counts, struct buffer *lines);

#endif
