/*
 * Adding callbacks to the outbox.
 */
#include "db/outbox_row.h"

static enum db_status find_older(struct db_conn *db, struct arena *arena,
                                 const struct outbox_row *rows, size_t count,
                                 struct db_rows *ret_older);
static bool is_behind(const struct outbox_row *row,
                      const struct db_rows *older);
static enum db_status keep_texts(struct db_conn *db, struct arena *arena,
                                 const struct db_rows *older);

int64_t outbox_due_us(int64_t arrival_us, int64_t delay_us, int64_t now_us)
{
    int64_t earliest_us = arrival_us + delay_us;

    return earliest_us > now_us ? earliest_us : now_us;
}

enum db_status outbox_add(struct db_conn *db, struct arena *arena,
                          const struct outbox_row *row)
{
    return outbox_add_all(db, arena, row, 1);
}

enum db_status outbox_add_all(struct db_conn *db, struct arena *arena,
                              const struct outbox_row *rows, size_t count)
{
    enum { PER_ROW = 6 };
    struct db_params params = db_params_new(arena);
    struct db_rows older;
    enum db_status status;

    if (count == 0)
        return DB_OK;
    status = find_older(db, arena, rows, count, &older);
    if (status == DB_OK)
        status = keep_texts(db, arena, &older);
    if (status != DB_OK)
        return status;
    for (size_t i = 0; i < count; i++) {
        bool behind = is_behind(&rows[i], &older);

        db_params_add(&params, DB_INTEGER(rows[i].id));
        db_params_add(&params, DB_INTEGER(rows[i].destination));
        db_params_add(&params, behind ? DB_NULL : DB_INTEGER(rows[i].due_us));
        db_params_add(&params, DB_INTEGER(rows[i].kind));
        db_params_add(&params, DB_INTEGER(rows[i].now_us));
        db_params_add(&params, DB_TEXT(rows[i].reply));
    }
    return db_insert_rows(db,
                          "INSERT INTO xqueue_outbox (id, destination, due_us,"
                          " kind, created_us, reply, attempts) VALUES ",
                          "(?, ?, ?, ?, ?, ?, 0)", "", &params, PER_ROW);
}

/* Which of the submissions have callbacks already. */
static enum db_status find_older(struct db_conn *db, struct arena *arena,
                                 const struct outbox_row *rows, size_t count,
                                 struct db_rows *ret_older)
{
    struct db_params params = db_params_new(arena);
    int64_t *ids = arena_alloc(arena, count * sizeof *ids);
    const char *sql;

    for (size_t i = 0; i < count; i++)
        ids[i] = rows[i].id;
    sql = arena_printf(arena,
                       "SELECT DISTINCT id"
                       " FROM xqueue_outbox FORCE INDEX (submission)"
                       " WHERE id IN (%s)",
                       db_params_add_list(&params, ids, count));
    return db_query(db, arena, sql, params.list, params.count, ret_older);
}

static bool is_behind(const struct outbox_row *row, const struct db_rows *older)
{
    for (size_t i = 0; i < older->count; i++) {
        if (db_integer(older, i, 0) == row->id)
            return true;
    }
    return false;
}

/* grader_reply is about to hold a newer text than those rows must carry. */
static enum db_status keep_texts(struct db_conn *db, struct arena *arena,
                                 const struct db_rows *older)
{
    struct db_params params = db_params_new(arena);
    int64_t *ids = arena_alloc(arena, (older->count + 1) * sizeof *ids);

    for (size_t i = 0; i < older->count; i++)
        ids[i] = db_integer(older, i, 0);
    return db_execute_for(db,
                          "UPDATE xqueue_outbox FORCE INDEX (submission)"
                          " SET reply = (SELECT s.grader_reply"
                          " FROM queue_submission s"
                          " WHERE s.id = xqueue_outbox.id)"
                          " WHERE reply IS NULL AND id",
                          &params, ids, older->count);
}
