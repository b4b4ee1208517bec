/*
 * Login sessions once they are open: the table xqueue_session.
 *
 * Locks are taken in the order xqueue_session, auth_user, xqueue_epoch.
 */
#include "db/session.h"

#include "db/epoch.h"
#include "db/params.h"
#include "db/transaction.h"

struct session_batch {
    struct db_job **jobs;
    size_t count;
};

static enum db_status run_load(struct db_conn *db, struct db_job **jobs,
                               size_t count);
static enum db_status load_body(struct db_conn *db, int64_t now_us,
                                void *context);
static void load_row(struct session_load *load, const struct db_rows *rows);
static bool row_is_valid(const struct db_rows *rows, size_t row);
static enum db_status run_end(struct db_conn *db, struct db_job **jobs,
                              size_t count);
static enum db_status end_body(struct db_conn *db, int64_t now_us,
                               void *context);
static enum db_status run_forget(struct db_conn *db, struct db_job **jobs,
                                 size_t count);
static enum db_status forget_body(struct db_conn *db, int64_t now_us,
                                  void *context);
static void add_id(struct db_params *params, const unsigned char *id);
static const char *pad_list(struct db_params *params);

const struct db_op session_load_op = {
    .kind = DB_OP_KIND("session_load", 64, 1),
    .run_batch = run_load,
};

const struct db_op session_end_op = {
    .kind = DB_OP_KIND("session_end", 64, 1),
    .run_batch = run_end,
};

const struct db_op sessions_forget_expired_op = {
    .kind = DB_OP_KIND("sessions_forget_expired", 1, 0),
    .run_batch = run_forget,
};

static enum db_status run_load(struct db_conn *db, struct db_job **jobs,
                               size_t count)
{
    struct session_batch batch = {jobs, count};

    return db_read(db, load_body, &batch);
}

static enum db_status load_body(struct db_conn *db, int64_t now_us,
                                void *context)
{
    const struct session_batch *batch = context;
    struct arena *arena = arena_new();
    struct db_params params = db_params_new(arena);
    struct db_rows rows;
    enum db_status status;
    const char *sql;

    (void)now_us;
    for (size_t i = 0; i < batch->count; i++)
        add_id(&params,
               CONTAINER_OF(batch->jobs[i], struct session_load, job)->id);
    sql = arena_printf(
        arena,
        "SELECT s.id, s.user_id, s.password, s.expires_us"
        " - " SQL_NOW_US ","
        " u.username, u.password, u.is_active, COALESCE(e.number, 0)"
        " FROM xqueue_session s JOIN auth_user u ON u.id = s.user_id"
        " LEFT JOIN xqueue_epoch e ON e.name = 'session'"
        " WHERE s.id IN (%s)",
        pad_list(&params));
    status = db_query(db, arena, sql, params.list, params.count, &rows);
    for (size_t i = 0; i < batch->count && status == DB_OK; i++)
        load_row(CONTAINER_OF(batch->jobs[i], struct session_load, job), &rows);
    arena_free(arena);
    return status;
}

static void load_row(struct session_load *load, const struct db_rows *rows)
{
    const struct text id = {(const char *)load->id, sizeof load->id};

    load->job.status = DB_NOT_FOUND;
    for (size_t row = 0; row < rows->count; row++) {
        if (!text_equal(db_text(rows, row, 0), id) || !row_is_valid(rows, row))
            continue;
        load->user_id = db_integer(rows, row, 1);
        load->remaining_us = db_integer(rows, row, 3);
        load->username = arena_copy(load->arena, db_text(rows, row, 4));
        load->session_epoch = db_integer(rows, row, 7);
        load->job.status = DB_OK;
    }
}

static bool row_is_valid(const struct db_rows *rows, size_t row)
{
    unsigned char digest[SESSION_PASSWORD_SIZE];
    const struct text password = {(const char *)digest, sizeof digest};

    session_password_of(db_text(rows, row, 5), digest);
    return text_equal(password, db_text(rows, row, 2)) &&
           db_integer(rows, row, 3) > 0 && db_integer(rows, row, 6) != 0;
}

static enum db_status run_end(struct db_conn *db, struct db_job **jobs,
                              size_t count)
{
    struct session_batch batch = {jobs, count};

    return db_transact(db, end_body, &batch);
}

static enum db_status end_body(struct db_conn *db, int64_t now_us,
                               void *context)
{
    const struct session_batch *batch = context;
    struct arena *arena = arena_new();
    struct db_params params = db_params_new(arena);
    uint64_t deleted = 0;
    enum db_status status;
    const char *sql;

    (void)now_us;
    for (size_t i = 0; i < batch->count; i++)
        add_id(&params,
               CONTAINER_OF(batch->jobs[i], struct session_end, job)->id);
    sql = arena_printf(arena, "DELETE FROM xqueue_session WHERE id IN (%s)",
                       pad_list(&params));
    status = db_execute(db, sql, params.list, params.count, &deleted);
    if (status == DB_OK && deleted > 0)
        status = epoch_advance(db);
    arena_free(arena);
    return status;
}

static enum db_status run_forget(struct db_conn *db, struct db_job **jobs,
                                 size_t count)
{
    (void)count;
    return db_transact(
        db, forget_body,
        CONTAINER_OF(jobs[0], struct sessions_forget_expired, job));
}

static enum db_status forget_body(struct db_conn *db, int64_t now_us,
                                  void *context)
{
    struct sessions_forget_expired *forget = context;
    const struct db_param params[] = {DB_INTEGER(now_us),
                                      DB_INTEGER(forget->limit)};
    uint64_t deleted = 0;
    enum db_status status =
        db_execute(db,
                   "DELETE FROM xqueue_session WHERE expires_us <= ?"
                   " ORDER BY expires_us LIMIT ?",
                   params, ARRAY_LENGTH(params), &deleted);

    forget->deleted = (size_t)deleted;
    return status;
}

static void add_id(struct db_params *params, const unsigned char *id)
{
    db_params_add(params, DB_BYTES(id, SHA256_SIZE));
}

/* To a power of two, with copies of the last one; the list's text. */
static const char *pad_list(struct db_params *params)
{
    const size_t padded = db_ladder_up(params->count);

    while (params->count < padded)
        db_params_add(params, params->list[params->count - 1]);
    return db_repeat(params->arena, "", "?", padded, "");
}
