/*
 * Adding a callback to the outbox.
 */
#include "db/outbox_row.h"

static enum db_status others_wait(struct db_conn *db, struct arena *arena,
                                  int64_t id, bool *ret_others);
static enum db_status keep_texts(struct db_conn *db, int64_t id);

int64_t outbox_due_us(int64_t arrival_us, int64_t delay_us, int64_t now_us)
{
    int64_t earliest_us = arrival_us + delay_us;

    return earliest_us > now_us ? earliest_us : now_us;
}

enum db_status outbox_add(struct db_conn *db, struct arena *arena,
                          const struct outbox_row *row)
{
    bool behind;
    enum db_status status = others_wait(db, arena, row->id, &behind);

    if (status == DB_OK && behind)
        status = keep_texts(db, row->id);
    if (status != DB_OK)
        return status;

    const struct db_param params[] = {
        DB_INTEGER(row->id),
        DB_INTEGER(row->destination),
        behind ? DB_NULL : DB_INTEGER(row->due_us),
        DB_INTEGER(row->kind),
        DB_INTEGER(row->now_us),
        DB_TEXT(row->reply),
    };
    return db_execute(db,
                      "INSERT INTO xqueue_outbox (id, destination, due_us,"
                      " kind, created_us, reply, attempts)"
                      " VALUES (?, ?, ?, ?, ?, ?, 0)",
                      params, ARRAY_LENGTH(params), NULL);
}

static enum db_status others_wait(struct db_conn *db, struct arena *arena,
                                  int64_t id, bool *ret_others)
{
    const struct db_param params[] = {DB_INTEGER(id)};
    struct db_rows rows;
    enum db_status status = db_query(
        db, arena, "SELECT seq FROM xqueue_outbox WHERE id = ? LIMIT 1", params,
        1, &rows);

    if (status == DB_OK)
        *ret_others = rows.count > 0;
    return status;
}

/* grader_reply is about to hold a newer text than those rows must carry. */
static enum db_status keep_texts(struct db_conn *db, int64_t id)
{
    const struct db_param params[] = {DB_INTEGER(id), DB_INTEGER(id)};

    return db_execute(db,
                      "UPDATE xqueue_outbox FORCE INDEX (submission)"
                      " SET reply = (SELECT grader_reply"
                      " FROM queue_submission WHERE id = ?)"
                      " WHERE id = ? AND reply IS NULL",
                      params, ARRAY_LENGTH(params), NULL);
}
