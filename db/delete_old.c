/*
 * Deleting old submissions, a chunk in a transaction. Ids grow with arrival,
 * so the walk along the primary key meets the old ones first.
 */
#include "db/retire.h"

struct chunk {
    int64_t days;
    size_t limit;
    int64_t after_id;
    int64_t last_id; /* out */
    size_t deleted;  /* out */
    struct arena *arena;
};

static enum db_status delete_body(struct db_conn *db, int64_t now_us,
                                  void *context);
static enum db_status forget_live(struct db_conn *db, struct chunk *chunk,
                                  const int64_t *ids, size_t count);
static enum db_status forget_callbacks(struct db_conn *db, struct chunk *chunk,
                                       const int64_t *ids, size_t count);
static enum db_status delete_rows(struct db_conn *db, const int64_t *ids,
                                  size_t count);

enum db_status delete_old(struct db_conn *db, int64_t days, size_t limit,
                          int64_t *last_id, size_t *ret_deleted)
{
    struct chunk chunk = {.days = days, .limit = limit, .after_id = *last_id};
    enum db_status status = db_transact(db, delete_body, &chunk);

    if (status != DB_OK)
        return status;
    if (chunk.deleted > 0)
        *last_id = chunk.last_id;
    *ret_deleted = chunk.deleted;
    return DB_OK;
}

static enum db_status delete_body(struct db_conn *db, int64_t now_us,
                                  void *context)
{
    struct chunk *chunk = context;
    const struct db_param params[] = {
        DB_INTEGER(chunk->after_id),
        DB_INTEGER(chunk->days),
        DB_INTEGER(chunk->limit),
    };
    struct db_rows rows;
    enum db_status status;
    int64_t *ids;

    (void)now_us;
    chunk->arena = arena_new();
    status = db_query(db, chunk->arena,
                      "SELECT id FROM queue_submission WHERE id > ?"
                      " AND arrival_time <= NOW(6) - INTERVAL ? DAY"
                      " ORDER BY id LIMIT ?",
                      params, ARRAY_LENGTH(params), &rows);
    chunk->deleted = status == DB_OK ? rows.count : 0;
    if (chunk->deleted > 0) {
        ids = arena_alloc(chunk->arena, rows.count * sizeof *ids);
        for (size_t i = 0; i < rows.count; i++)
            ids[i] = db_integer(&rows, i, 0);
        status = forget_live(db, chunk, ids, rows.count);
        if (status == DB_OK)
            status = forget_callbacks(db, chunk, ids, rows.count);
        if (status == DB_OK)
            status = delete_rows(db, ids, rows.count);
        chunk->last_id = ids[rows.count - 1];
    }
    arena_free(chunk->arena);
    return status;
}

static enum db_status forget_live(struct db_conn *db, struct chunk *chunk,
                                  const int64_t *ids, size_t count)
{
    struct live_row *live = NULL;
    size_t live_count;
    enum db_status status =
        hot_set_lock(db, chunk->arena, ids, count, false, &live, &live_count);

    for (size_t i = 0; i < live_count && status == DB_OK; i++)
        status = hot_set_forget(db, &live[i]);
    return status;
}

/* Of those retired by force, which have no live row. */
static enum db_status forget_callbacks(struct db_conn *db, struct chunk *chunk,
                                       const int64_t *ids, size_t count)
{
    struct db_params params = db_params_new(chunk->arena);
    struct db_rows rows;
    const char *list = db_params_add_list(&params, ids, count);
    enum db_status status =
        db_query(db, chunk->arena,
                 arena_printf(chunk->arena,
                              "SELECT DISTINCT id FROM xqueue_outbox"
                              " WHERE id IN (%s)",
                              list),
                 params.list, params.count, &rows);

    if (status != DB_OK)
        return status;
    for (size_t i = 0; i < rows.count && status == DB_OK; i++)
        status = hot_set_drop_callbacks(db, db_integer(&rows, i, 0));
    return status;
}

/* One by one: with a list, a scan of the table may seem cheaper. */
static enum db_status delete_rows(struct db_conn *db, const int64_t *ids,
                                  size_t count)
{
    enum db_status status = DB_OK;

    for (size_t i = 0; i < count && status == DB_OK; i++) {
        const struct db_param id[] = {DB_INTEGER(ids[i])};

        status = db_execute(db, "DELETE FROM queue_submission WHERE id = ?", id,
                            1, NULL);
    }
    return status;
}
