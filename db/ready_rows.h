/*
 * Taking many rows of one queue out of xqueue_ready, inside a caller's
 * transaction that holds them all.
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

#endif
