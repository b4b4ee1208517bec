/*
 * Waiting for work to be done of which there may be much, on a machine that
 * may be slow: however long it takes, as long as it goes on.
 */
#ifndef XQUEUE_TESTS_SUPPORT_BACKLOG_H
#define XQUEUE_TESTS_SUPPORT_BACKLOG_H

#include <stdbool.h>
#include <stdint.h>

/* When a count moved last. All 0 at first. */
struct progress {
    int64_t count;
    int64_t moved_ms; /* clock_monotonic_ms() */
};

/* Note the count; true when it has been the same for a minute. */
bool progress_has_stalled(struct progress *progress, int64_t count);

/*
 * Wait until that query (of mariadb.h) gives 0. The test fails when what it
 * gives stays the same for a minute.
 */
void backlog_wait(const char *sql);

#endif
