/*
 * The first row of one queue in xqueue_ready; and taking many out of it,
 * inside a caller's transaction that holds them all.
 */
#ifndef XQUEUE_DB_READY_ROWS_H
#define XQUEUE_DB_READY_ROWS_H

#include "db/params.h"

struct ready_row {
    int64_t id;
    int64_t arrival_us;
};

/*
 * Those that are not there are ignored; *ret_deleted were. Does not touch the
 * depth counter.
 */
enum db_status ready_rows_delete(struct db_conn *db, struct arena *arena,
                                 int64_t queue_id, const struct ready_row *rows,
                                 size_t count,
                                 uint64_t *ret_deleted) MUST_CHECK;

/*
 * Where the first one waits that arrived at *from_us or later; *from_us
 * becomes its time, or `otherwise_us` when there is none. Locks nothing.
 */
enum db_status ready_rows_first(struct db_conn *db, struct arena *arena,
                                int64_t queue_id, int64_t otherwise_us,
                                int64_t *from_us) MUST_CHECK;

#endif
