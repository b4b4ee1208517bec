/*
 * The hot set: narrow rows about submissions that are not finished.
 */
#include "db/hot_set.h"

#include "db/floors.h"
#include "db/ready_rows.h"

static enum db_status count_ready(struct db_conn *db,
                                  const struct live_row *rows, size_t count);
static enum db_status leave_line(struct db_conn *db, struct arena *arena,
                                 const struct live_row *rows, size_t count);
static bool is_in_line(const struct live_row *row, int64_t queue_id);
static enum db_status leave_queue(struct db_conn *db, struct arena *arena,
                                  const struct live_row *rows, size_t count,
                                  int64_t queue_id);
static const int64_t *ids_of(struct arena *arena, const struct live_row *rows,
                             size_t count);
static void read_live_row(const struct db_rows *rows, size_t number,
                          struct live_row *ret_row);

enum db_status hot_set_lock(struct db_conn *db, struct arena *arena,
                            const int64_t *ids, size_t count, bool skip_locked,
                            struct live_row **ret_rows, size_t *ret_count)
{
    struct db_params params = db_params_new(arena);
    struct live_row *list;
    struct db_rows rows;
    enum db_status status;
    const char *sql;

    *ret_count = 0;
    if (count == 0)
        return DB_OK;
    sql = arena_printf(
        arena,
        "SELECT id, queue_id, arrival_us, state, attempts, destination,"
        " pullkey, COALESCE(pulled_us, 0), COALESCE(expires_us, 0),"
        " grader_id FROM xqueue_live FORCE INDEX (PRIMARY)"
        " WHERE id IN (%s) ORDER BY id FOR UPDATE%s",
        db_params_add_list(&params, ids, count),
        skip_locked ? " SKIP LOCKED" : "");
    status = db_query(db, arena, sql, params.list, params.count, &rows);
    if (status != DB_OK)
        return status;
    list = arena_alloc(arena, (rows.count + 1) * sizeof *list);
    for (size_t i = 0; i < rows.count; i++)
        read_live_row(&rows, i, &list[i]);
    *ret_rows = list;
    *ret_count = rows.count;
    return DB_OK;
}

const struct live_row *hot_set_find(const struct live_row *rows, size_t count,
                                    int64_t id)
{
    for (size_t i = 0; i < count; i++) {
        if (rows[i].id == id)
            return &rows[i];
    }
    return NULL;
}

enum db_status hot_set_add_ready(struct db_conn *db, struct arena *arena,
                                 const struct live_row *rows, size_t count)
{
    struct db_params params = db_params_new(arena);
    enum db_status status;

    for (size_t i = 0; i < count; i++) {
        db_params_add(&params, DB_INTEGER(rows[i].queue_id));
        db_params_add(&params, DB_INTEGER(rows[i].arrival_us));
        db_params_add(&params, DB_INTEGER(rows[i].id));
        floor_marks_add(db_conn_floor_marks(db), FLOOR_OF_QUEUE,
                        rows[i].queue_id, rows[i].arrival_us);
    }
    status = db_insert_rows(
        db, "INSERT INTO xqueue_ready (queue_id, arrival_us, id) VALUES ",
        "(?, ?, ?)", "", &params, 3);
    return status == DB_OK ? count_ready(db, rows, count) : status;
}

enum db_status hot_set_count(struct db_conn *db, int64_t queue_id,
                             int64_t change)
{
    const struct db_param params[] = {
        DB_INTEGER(queue_id),
        DB_INTEGER(db_conn_slot(db)),
        DB_INTEGER(change),
        DB_INTEGER(change),
    };

    return db_defer(db,
                    "INSERT INTO xqueue_depth (queue_id, slot, waiting)"
                    " VALUES (?, ?, ?)"
                    " ON DUPLICATE KEY UPDATE waiting = waiting + ?",
                    params, ARRAY_LENGTH(params));
}

enum db_status hot_set_forget(struct db_conn *db, struct arena *arena,
                              const struct live_row *rows, size_t count)
{
    static const struct db_index live = {"xqueue_live", "PRIMARY", "id"};
    const int64_t *ids = ids_of(arena, rows, count);
    enum db_status status;

    status = leave_line(db, arena, rows, count);
    if (status == DB_OK)
        status = hot_set_drop_callbacks(db, arena, ids, count);
    if (status != DB_OK)
        return status;
    return db_delete_for(db, arena, &live, ids, count);
}

enum db_status hot_set_drop_callbacks(struct db_conn *db, struct arena *arena,
                                      const int64_t *ids, size_t count)
{
    static const struct db_index outbox = {"xqueue_outbox", "submission", "id"};

    return db_delete_for(db, arena, &outbox, ids, count);
}

enum db_status hot_set_settle(struct db_conn *db, struct arena *arena,
                              const struct live_row *rows, size_t count,
                              enum live_state state)
{
    struct db_params params = db_params_new(arena);
    enum db_status status = leave_line(db, arena, rows, count);

    if (status != DB_OK)
        return status;
    db_params_add(&params, DB_INTEGER(state));
    return db_execute_for(db,
                          "UPDATE xqueue_live FORCE INDEX (PRIMARY)"
                          " SET state = ?, expires_us = NULL WHERE id",
                          &params, ids_of(arena, rows, count), count);
}

enum db_status hot_set_keep_lease(struct db_conn *db,
                                  const struct live_row *row)
{
    const struct db_param params[] = {
        DB_TEXT(row->pullkey),
        DB_TEXT(row->grader_id),
        DB_INTEGER(row->pulled_us),
        DB_INTEGER(row->id),
    };

    if (row->pulled_us == 0)
        return DB_OK;
    return db_defer(db,
                    "UPDATE queue_submission SET pullkey = ?,"
                    " grader_id = ?, pull_time = " SQL_TIME_FROM_US
                    " WHERE id = ?",
                    params, ARRAY_LENGTH(params));
}

/* Each queue once, where its last row stands. */
static enum db_status count_ready(struct db_conn *db,
                                  const struct live_row *rows, size_t count)
{
    enum db_status status = DB_OK;

    for (size_t i = 0; i < count && status == DB_OK; i++) {
        int64_t added = 0;
        size_t last = i;

        for (size_t k = 0; k < count; k++) {
            if (rows[k].queue_id != rows[i].queue_id)
                continue;
            added++;
            last = k;
        }
        if (last == i)
            status = hot_set_count(db, rows[i].queue_id, added);
    }
    return status;
}

/* Those that wait, of each queue together. */
static enum db_status leave_line(struct db_conn *db, struct arena *arena,
                                 const struct live_row *rows, size_t count)
{
    enum db_status status = DB_OK;

    for (size_t i = 0; i < count && status == DB_OK; i++) {
        int64_t queue_id = rows[i].queue_id;
        bool seen = false;

        for (size_t k = 0; k < i; k++)
            seen = seen || is_in_line(&rows[k], queue_id);
        if (!seen && is_in_line(&rows[i], queue_id))
            status = leave_queue(db, arena, rows, count, queue_id);
    }
    return status;
}

static bool is_in_line(const struct live_row *row, int64_t queue_id)
{
    return row->state == LIVE_WAITING && row->queue_id == queue_id;
}

/* The depth counter follows what was really there. */
static enum db_status leave_queue(struct db_conn *db, struct arena *arena,
                                  const struct live_row *rows, size_t count,
                                  int64_t queue_id)
{
    struct ready_row *ready = arena_alloc(arena, count * sizeof *ready);
    size_t ready_count = 0;
    uint64_t removed;
    enum db_status status;

    for (size_t i = 0; i < count; i++) {
        if (is_in_line(&rows[i], queue_id))
            ready[ready_count++] = (struct ready_row){
                .id = rows[i].id, .arrival_us = rows[i].arrival_us};
    }
    status =
        ready_rows_delete(db, arena, queue_id, ready, ready_count, &removed);
    if (status != DB_OK || removed == 0)
        return status;
    return hot_set_count(db, queue_id, -(int64_t)removed);
}

static const int64_t *ids_of(struct arena *arena, const struct live_row *rows,
                             size_t count)
{
    int64_t *ids = arena_alloc(arena, (count + 1) * sizeof *ids);

    for (size_t i = 0; i < count; i++)
        ids[i] = rows[i].id;
    return ids;
}

static void read_live_row(const struct db_rows *rows, size_t number,
                          struct live_row *ret_row)
{
    *ret_row = (struct live_row){
        .id = db_integer(rows, number, 0),
        .queue_id = db_integer(rows, number, 1),
        .arrival_us = db_integer(rows, number, 2),
        .state = (enum live_state)db_integer(rows, number, 3),
        .attempts = db_integer(rows, number, 4),
        .destination = db_integer(rows, number, 5),
        .pullkey = db_text(rows, number, 6),
        .pulled_us = db_integer(rows, number, 7),
        .expires_us = db_integer(rows, number, 8),
        .grader_id = db_text(rows, number, 9),
    };
}
