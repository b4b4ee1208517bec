/*
 * Login sessions: the table xqueue_session.
 *
 * Locks are taken in the order xqueue_session, auth_user, xqueue_epoch.
 */
#include "db/session.h"

#include "db/epoch.h"
#include "db/params.h"
#include "db/transaction.h"

enum { PASSWORD_DIGEST_SIZE = 16 };

struct session_batch {
    struct db_job **jobs;
    size_t count;
};

static enum db_status run_open(struct db_conn *db, struct db_job **jobs,
                               size_t count);
static enum db_status open_body(struct db_conn *db, int64_t now_us,
                                void *context);
static enum db_status insert_sessions(struct db_conn *db, struct arena *arena,
                                      const struct session_batch *batch,
                                      int64_t now_us);
static enum db_status touch_logins(struct db_conn *db, struct arena *arena,
                                   const struct session_batch *batch);
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
static void add_password(struct db_params *params, struct text password);
static const char *pad_list(struct db_params *params);

const struct db_op session_open_op = {
    .kind = DB_OP_KIND("session_open", 64, 1),
    .run_batch = run_open,
};

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

static enum db_status run_open(struct db_conn *db, struct db_job **jobs,
                               size_t count)
{
    struct session_batch batch = {jobs, count};

    return db_transact(db, open_body, &batch);
}

static enum db_status open_body(struct db_conn *db, int64_t now_us,
                                void *context)
{
    const struct session_batch *batch = context;
    struct arena *arena = arena_new();
    enum db_status status = insert_sessions(db, arena, batch, now_us);

    if (status == DB_OK)
        status = touch_logins(db, arena, batch);
    arena_free(arena);
    return status;
}

static enum db_status insert_sessions(struct db_conn *db, struct arena *arena,
                                      const struct session_batch *batch,
                                      int64_t now_us)
{
    struct db_params params = db_params_new(arena);

    for (size_t i = 0; i < batch->count; i++) {
        const struct session_open *open =
            CONTAINER_OF(batch->jobs[i], struct session_open, job);

        add_id(&params, open->id);
        db_params_add(&params, DB_INTEGER(open->user_id));
        add_password(&params, open->password);
        db_params_add(&params, DB_INTEGER(now_us + open->age_s * 1000000));
    }
    return db_insert_rows(
        db,
        "INSERT INTO xqueue_session (id, user_id, password, expires_us)"
        " VALUES ",
        "(?, ?, ?, ?)", "", &params, 4);
}

/* At most once a minute per user, so that logins do not queue for its row. */
static enum db_status touch_logins(struct db_conn *db, struct arena *arena,
                                   const struct session_batch *batch)
{
    struct db_params params = db_params_new(arena);
    int64_t *ids = arena_alloc(arena, batch->count * sizeof *ids);
    size_t count = 0;
    const char *sql;

    for (size_t i = 0; i < batch->count; i++) {
        const struct session_open *open =
            CONTAINER_OF(batch->jobs[i], struct session_open, job);

        if (open->login_is_stale)
            ids[count++] = open->user_id;
    }
    if (count == 0)
        return DB_OK;
    sql = arena_printf(arena,
                       "UPDATE auth_user SET last_login = UTC_TIMESTAMP(6)"
                       " WHERE id IN (%s) AND (last_login IS NULL OR"
                       " last_login < UTC_TIMESTAMP(6) - INTERVAL 60 SECOND)",
                       db_params_add_list(&params, ids, count));
    return db_execute(db, sql, params.list, params.count, NULL);
}

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
    unsigned char digest[SHA256_SIZE];
    const struct text password = {(const char *)digest, PASSWORD_DIGEST_SIZE};

    crypto_sha256(db_text(rows, row, 5), digest);
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

static void add_password(struct db_params *params, struct text password)
{
    unsigned char *digest = arena_alloc(params->arena, SHA256_SIZE);

    crypto_sha256(password, digest);
    db_params_add(params, DB_BYTES(digest, PASSWORD_DIGEST_SIZE));
}

/* To a power of two, with copies of the last one; the list's text. */
static const char *pad_list(struct db_params *params)
{
    const size_t padded = db_ladder_up(params->count);

    while (params->count < padded)
        db_params_add(params, params->list[params->count - 1]);
    return db_repeat(params->arena, "", "?", padded, "");
}
