/*
 * Leases that end without a result.
 */
#include "db/lease.h"

enum db_status lease_give_back(struct db_conn *db, struct arena *arena,
                               const struct live_row *rows, size_t count,
                               enum lease_attempt attempt)
{
    struct db_params params = db_params_new(arena);
    int64_t *ids = arena_alloc(arena, (count + 1) * sizeof *ids);
    enum db_status status;

    for (size_t i = 0; i < count; i++)
        ids[i] = rows[i].id;
    db_params_add(&params, DB_INTEGER(attempt == LEASE_ATTEMPT_UNCOUNTED));
    status = db_execute_for(db,
                            "UPDATE xqueue_live FORCE INDEX (PRIMARY)"
                            " SET state = 0, expires_us = NULL,"
                            " attempts = attempts - ? WHERE id",
                            &params, ids, count);
    if (status != DB_OK)
        return status;
    return hot_set_add_ready(db, arena, rows, count);
}

enum db_status lease_return(struct db_conn *db, struct arena *arena,
                            const struct live_row *row,
                            enum lease_attempt attempt)
{
    enum db_status status;

    if (row->state == LIVE_LEASED)
        return lease_give_back(db, arena, row, 1, attempt);
    if (row->state != LIVE_SUPERSEDED)
        return DB_OK;
    status = hot_set_keep_lease(db, row);
    return status == DB_OK ? hot_set_forget(db, arena, row, 1) : status;
}
