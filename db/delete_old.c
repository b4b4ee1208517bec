/*
 * Deleting old submissions. Ids grow with arrival, so the walk along the
 * primary key meets the old ones first.
 */
#include "db/retire.h"

struct chunk {
    const struct old_submission *chosen;
    size_t count;
    struct arena *arena;
};

static enum db_status delete_body(struct db_conn *db, int64_t now_us,
                                  void *context);
static enum db_status forget_live(struct db_conn *db, struct chunk *chunk,
                                  const int64_t *ids);
static enum db_status forget_callbacks(struct db_conn *db, struct chunk *chunk,
                                       const int64_t *ids);
static enum db_status delete_rows(struct db_conn *db,
                                  const struct chunk *chunk);

/*
 * Only of those with files somebody needs to know whether another one has the
 * same. Such another one is Django's, which has no day: we give a file a key of
 * its own (server/api/submit_files.c).
 */
#define SQL_CHOOSE                                                             \
    "SELECT s.id, s.queue_name, " SQL_FILES_OF(                                \
        "s", "f") ", f.id IS NOT NULL,"                                        \
                  " " SQL_HAS_FILES(                                           \
                      "s") " AND EXISTS (SELECT 1 FROM queue_submission o"     \
                           " WHERE o.xqueue_arrival_day IS NULL"               \
                           " AND o.lms_callback_url = s.lms_callback_url"      \
                           " AND o.queue_name = s.queue_name AND "             \
                           "o.xqueue_header = s.xqueue_header"                 \
                           " AND o.arrival_time > NOW(6) - INTERVAL ? DAY)"    \
                           " FROM queue_submission s LEFT JOIN xqueue_files "  \
                           "f ON f.id = s.id"                                  \
                           " WHERE s.id > ? AND s.arrival_time <= NOW(6) - "   \
                           "INTERVAL ? DAY"                                    \
                           " ORDER BY s.id LIMIT ?"

enum db_status delete_old_choose(struct db_conn *db, struct arena *arena,
                                 int64_t days, size_t limit, int64_t after_id,
                                 struct old_submission **ret_chosen,
                                 size_t *ret_count)
{
    const struct db_param params[] = {
        DB_INTEGER(days),
        DB_INTEGER(after_id),
        DB_INTEGER(days),
        DB_INTEGER(limit),
    };
    struct old_submission *chosen;
    struct db_rows rows;
    enum db_status status =
        db_query(db, arena, SQL_CHOOSE, params, ARRAY_LENGTH(params), &rows);

    if (status != DB_OK)
        return status;
    chosen = arena_alloc(arena, rows.count * sizeof *chosen + 1);
    for (size_t i = 0; i < rows.count; i++)
        chosen[i] = (struct old_submission){
            .row = {.id = db_integer(&rows, i, 0),
                    .queue_name = db_text(&rows, i, 1),
                    .files = db_text(&rows, i, 2),
                    .has_map = db_integer(&rows, i, 3) != 0},
            .shares_files = db_integer(&rows, i, 4) != 0,
        };
    *ret_chosen = chosen;
    *ret_count = rows.count;
    return DB_OK;
}

enum db_status delete_old_rows(struct db_conn *db,
                               const struct old_submission *chosen,
                               size_t count)
{
    struct chunk chunk = {.chosen = chosen, .count = count};

    return db_transact(db, delete_body, &chunk);
}

static enum db_status delete_body(struct db_conn *db, int64_t now_us,
                                  void *context)
{
    struct chunk *chunk = context;
    enum db_status status;
    int64_t *ids;

    (void)now_us;
    if (chunk->count == 0)
        return DB_OK;
    chunk->arena = arena_new();
    ids = arena_alloc(chunk->arena, chunk->count * sizeof *ids);
    for (size_t i = 0; i < chunk->count; i++)
        ids[i] = chunk->chosen[i].row.id;
    status = forget_live(db, chunk, ids);
    if (status == DB_OK)
        status = forget_callbacks(db, chunk, ids);
    if (status == DB_OK)
        status = delete_rows(db, chunk);
    arena_free(chunk->arena);
    return status;
}

static enum db_status forget_live(struct db_conn *db, struct chunk *chunk,
                                  const int64_t *ids)
{
    struct live_row *live = NULL;
    size_t live_count;
    enum db_status status = hot_set_lock(db, chunk->arena, ids, chunk->count,
                                         false, &live, &live_count);

    for (size_t i = 0; i < live_count && status == DB_OK; i++)
        status = hot_set_forget(db, chunk->arena, &live[i], 1);
    return status;
}

/* Of those retired by force, which have no live row. */
static enum db_status forget_callbacks(struct db_conn *db, struct chunk *chunk,
                                       const int64_t *ids)
{
    struct db_params params = db_params_new(chunk->arena);
    struct db_rows rows;
    const char *list = db_params_add_list(&params, ids, chunk->count);
    enum db_status status =
        db_query(db, chunk->arena,
                 arena_printf(chunk->arena,
                              "SELECT DISTINCT id FROM xqueue_outbox"
                              " WHERE id IN (%s)",
                              list),
                 params.list, params.count, &rows);

    if (status != DB_OK)
        return status;
    for (size_t i = 0; i < rows.count && status == DB_OK; i++) {
        int64_t id = db_integer(&rows, i, 0);

        status = hot_set_drop_callbacks(db, chunk->arena, &id, 1);
    }
    return status;
}

/* One by one: with a list, a scan of the table may seem cheaper. */
static enum db_status delete_rows(struct db_conn *db, const struct chunk *chunk)
{
    enum db_status status = DB_OK;

    for (size_t i = 0; i < chunk->count && status == DB_OK; i++) {
        const struct db_param id[] = {DB_INTEGER(chunk->chosen[i].row.id)};

        status = db_execute(db, "DELETE FROM queue_submission WHERE id = ?", id,
                            1, NULL);
        if (status == DB_OK && chunk->chosen[i].row.has_map)
            status = db_execute(db, "DELETE FROM xqueue_files WHERE id = ?", id,
                                1, NULL);
    }
    return status;
}
