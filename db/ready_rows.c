/*
 * The first row of one queue in xqueue_ready, and taking many out of it.
 */
#include "db/ready_rows.h"

#define LIST_OF_ROWS                                                           \
    DB_LIST_TABLE("arrival_us BIGINT PATH '$[0]', id BIGINT PATH '$[1]'")

static enum db_status delete_one(struct db_conn *db, int64_t queue_id,
                                 const struct ready_row *row,
                                 uint64_t *ret_deleted);
static enum db_status delete_many(struct db_conn *db, struct arena *arena,
                                  int64_t queue_id,
                                  const struct ready_row *rows, size_t count,
                                  uint64_t *ret_deleted);
static enum db_status run_delete(struct db_conn *db, const char *sql,
                                 const struct db_param *params, size_t count,
                                 uint64_t *ret_deleted);

enum db_status ready_rows_delete(struct db_conn *db, struct arena *arena,
                                 int64_t queue_id, const struct ready_row *rows,
                                 size_t count, uint64_t *ret_deleted)
{
    if (count == 1)
        return delete_one(db, queue_id, rows, ret_deleted);
    return delete_many(db, arena, queue_id, rows, count, ret_deleted);
}

enum db_status ready_rows_first(struct db_conn *db, struct arena *arena,
                                int64_t queue_id, int64_t otherwise_us,
                                int64_t *from_us)
{
    const struct db_param params[] = {DB_INTEGER(queue_id),
                                      DB_INTEGER(*from_us)};
    struct db_rows rows;
    enum db_status status =
        db_query(db, arena,
                 "SELECT arrival_us FROM xqueue_ready FORCE INDEX (PRIMARY)"
                 " WHERE queue_id = ? AND arrival_us >= ?"
                 " ORDER BY arrival_us, id LIMIT 1",
                 params, ARRAY_LENGTH(params), &rows);

    if (status == DB_OK)
        *from_us = rows.count > 0 ? db_integer(&rows, 0, 0) : otherwise_us;
    return status;
}

static enum db_status delete_one(struct db_conn *db, int64_t queue_id,
                                 const struct ready_row *row,
                                 uint64_t *ret_deleted)
{
    const struct db_param params[] = {
        DB_INTEGER(queue_id),
        DB_INTEGER(row->arrival_us),
        DB_INTEGER(row->id),
    };

    return run_delete(db,
                      "DELETE FROM xqueue_ready"
                      " WHERE queue_id = ? AND arrival_us = ? AND id = ?",
                      params, ARRAY_LENGTH(params), ret_deleted);
}

/*
 * Joined to a list, each row is looked up by its key. A list in IN (...)
 * would be faster, but in a short queue the optimizer scans instead, no
 * index hint keeps it from that in a DELETE, and a scan waits for the rows
 * that others are handing out.
 */
static enum db_status delete_many(struct db_conn *db, struct arena *arena,
                                  int64_t queue_id,
                                  const struct ready_row *rows, size_t count,
                                  uint64_t *ret_deleted)
{
    enum { PER_ROW = 2 };
    int64_t *keys = arena_alloc(arena, count * PER_ROW * sizeof *keys);
    struct db_param params[2];

    for (size_t i = 0; i < count; i++) {
        keys[PER_ROW * i] = rows[i].arrival_us;
        keys[PER_ROW * i + 1] = rows[i].id;
    }
    params[0] = db_list(arena, keys, count, PER_ROW);
    params[1] = DB_INTEGER(queue_id);
    return run_delete(db,
                      "DELETE r FROM " LIST_OF_ROWS " AS list"
                      " STRAIGHT_JOIN xqueue_ready r ON r.queue_id = ?"
                      " AND r.arrival_us = list.arrival_us AND r.id = list.id",
                      params, ARRAY_LENGTH(params), ret_deleted);
}

static enum db_status run_delete(struct db_conn *db, const char *sql,
                                 const struct db_param *params, size_t count,
                                 uint64_t *ret_deleted)
{
    if (ret_deleted == NULL)
        return db_defer(db, sql, params, count);
    return db_execute(db, sql, params, count, ret_deleted);
}
