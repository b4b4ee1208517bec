/*
 * Waiting for a count to reach zero.
 */
#include "tests/support/backlog.h"

#include "server/base/clock.h"
#include "tests/support/mariadb.h"

#include <check.h>
#include <poll.h>
#include <stdlib.h>

enum { STALL_MS = 60000, LOOK_MS = 100 };

bool progress_has_stalled(struct progress *progress, int64_t count)
{
    int64_t now_ms = clock_monotonic_ms();

    if (progress->moved_ms == 0 || progress->count != count)
        *progress = (struct progress){count, now_ms};
    return now_ms - progress->moved_ms > STALL_MS;
}

void backlog_wait(const char *sql)
{
    struct progress progress = {0, 0};
    int64_t left;

    while ((left = strtoll(mariadb_value("%s", sql), NULL, 10)) != 0) {
        if (progress_has_stalled(&progress, left))
            ck_abort_msg("%s stays %lld", sql, (long long)left);
        poll(NULL, 0, LOOK_MS);
    }
}
