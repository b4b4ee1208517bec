/*
 * What the rows of submissions say of their files. A piece is a range of the
 * primary key, so that no statement takes long where files are rare.
 */
#include "db/file_rows.h"

static enum db_status end_of_piece(struct db_conn *db, struct arena *arena,
                                   int64_t after_id, int64_t *ret_last_id);

enum db_status file_rows_read(struct db_conn *db, struct arena *arena,
                              struct file_rows *rows)
{
    int64_t last_id = 0;
    enum db_status status = end_of_piece(db, arena, rows->last_id, &last_id);
    const struct db_param params[] = {
        DB_INTEGER(rows->last_id),
        DB_INTEGER(last_id),
    };
    struct db_rows found = {0};

    if (status == DB_OK && last_id != 0)
        status =
            db_query(db, arena,
                     "SELECT s.id, s.queue_name, " SQL_FILES_OF(
                         "s", "f") ", f.id IS NOT NULL FROM queue_submission s"
                                   " LEFT JOIN xqueue_files f ON f.id = s.id"
                                   " WHERE s.id > ? AND s.id <= ?"
                                   " AND " SQL_HAS_FILES("s"),
                     params, ARRAY_LENGTH(params), &found);
    if (status != DB_OK)
        return status;
    rows->count = found.count;
    rows->rows = arena_alloc(arena, found.count * sizeof *rows->rows + 1);
    for (size_t i = 0; i < found.count; i++)
        rows->rows[i] = (struct file_row){
            .id = db_integer(&found, i, 0),
            .queue_name = db_text(&found, i, 1),
            .files = db_text(&found, i, 2),
            .has_map = db_integer(&found, i, 3) != 0,
        };
    rows->more = last_id != 0;
    if (rows->more)
        rows->last_id = last_id;
    return DB_OK;
}

/* 0 when there is nothing beyond `after_id`. */
static enum db_status end_of_piece(struct db_conn *db, struct arena *arena,
                                   int64_t after_id, int64_t *ret_last_id)
{
    const struct db_param params[] = {
        DB_INTEGER(after_id),
        DB_INTEGER(FILE_ROWS_PIECE),
    };
    struct db_rows rows;
    enum db_status status =
        db_query(db, arena,
                 "SELECT COALESCE(MAX(id), 0) FROM (SELECT id"
                 " FROM queue_submission WHERE id > ? ORDER BY id LIMIT ?)"
                 " piece",
                 params, ARRAY_LENGTH(params), &rows);

    if (status == DB_OK)
        *ret_last_id = db_integer(&rows, 0, 0);
    return status;
}
