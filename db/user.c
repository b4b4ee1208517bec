/*
 * Accounts: Django's table auth_user.
 */
#include "db/user.h"

#include "db/epoch.h"
#include "db/params.h"
#include "db/transaction.h"
#include "server/base/utf8.h"

/* What user_from_row() expects first in a SELECT. */
#define USER_COLUMNS                                                           \
    "u.id, u.username, u.password, u.is_active, u.is_staff, u.is_superuser"

/*
 * The server cannot express a name in the column's character set: a mix of
 * two, three or more collations; MySQL's way to say it of a parameter.
 */
static const unsigned inexpressible[] = {1267, 1270, 1271, 3988};

struct load_batch {
    struct db_job **jobs;
    size_t count;
};

static enum db_status run_load(struct db_conn *db, struct db_job **jobs,
                               size_t count);
static enum db_status load_body(struct db_conn *db, int64_t now_us,
                                void *context);
static size_t add_names(const struct load_batch *batch,
                        struct db_params *params);
static bool is_inexpressible(struct db_conn *db, enum db_status status);
static void give_rows(const struct load_batch *batch,
                      const struct db_rows *rows);
static void give_row(struct user_load *load, const struct db_rows *rows,
                     size_t row);
static struct user user_from_row(const struct db_rows *rows, size_t row,
                                 struct arena *arena);
static bool is_name(struct text username);
static enum db_status run_store(struct db_conn *db, struct db_job **jobs,
                                size_t count);
static enum db_status store_body(struct db_conn *db, int64_t now_us,
                                 void *context);
static enum db_status insert_user(struct db_conn *db, struct arena *arena,
                                  const struct user_store *store);
static enum db_status change_password(struct db_conn *db, int64_t id,
                                      struct text password);
static enum db_status run_list(struct db_conn *db, struct db_job **jobs,
                               size_t count);
static enum db_status list_body(struct db_conn *db, int64_t now_us,
                                void *context);

const struct db_op user_load_op = {
    .kind = DB_OP_KIND("user_load", 64, 1),
    .run_batch = run_load,
};

const struct db_op user_store_op = {
    .kind = DB_OP_KIND("user_store", 1, 0),
    .run_batch = run_store,
};

const struct db_op user_list_op = {
    .kind = DB_OP_KIND("user_list", 1, 0),
    .run_batch = run_list,
};

static enum db_status run_load(struct db_conn *db, struct db_job **jobs,
                               size_t count)
{
    struct load_batch batch = {jobs, count};

    return db_read(db, load_body, &batch);
}

static enum db_status load_body(struct db_conn *db, int64_t now_us,
                                void *context)
{
    struct load_batch *batch = context;
    struct arena *arena = arena_new();
    struct db_params params = db_params_new(arena);
    struct db_rows rows = {0};
    enum db_status status = DB_OK;
    size_t names = add_names(batch, &params);

    (void)now_us;
    if (names > 0) {
        const char *sql = db_repeat(arena,
                                    "SELECT " USER_COLUMNS " FROM auth_user u"
                                    " WHERE u.username IN (",
                                    "?", names, ")");

        status = db_query(db, arena, sql, params.list, params.count, &rows);
    }
    if (batch->count == 1 && is_inexpressible(db, status))
        status = DB_OK;
    if (status == DB_OK)
        give_rows(batch, &rows);
    arena_free(arena);
    return status;
}

/* Padded to a power of two with copies of the last one. */
static size_t add_names(const struct load_batch *batch,
                        struct db_params *params)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct user_load *load =
            CONTAINER_OF(batch->jobs[i], struct user_load, job);

        if (is_name(load->username))
            db_params_add(params, DB_TEXT(load->username));
    }
    if (params->count == 0)
        return 0;
    while (params->count < db_ladder_up(params->count))
        db_params_add(params, params->list[params->count - 1]);
    return params->count;
}

/*
 * An old database may hold names in latin1 or three-byte UTF-8: comparing
 * with a name beyond that is an error of the whole statement. The pool then
 * runs the batch job by job.
 */
static bool is_inexpressible(struct db_conn *db, enum db_status status)
{
    if (status == DB_OK)
        return false;
    for (size_t i = 0; i < ARRAY_LENGTH(inexpressible); i++) {
        if (db_conn_error_number(db) == inexpressible[i])
            return true;
    }
    return false;
}

static void give_rows(const struct load_batch *batch,
                      const struct db_rows *rows)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct user_load *load =
            CONTAINER_OF(batch->jobs[i], struct user_load, job);

        load->job.status = DB_NOT_FOUND;
        for (size_t row = 0; row < rows->count; row++) {
            if (text_equal(db_text(rows, row, 1), load->username))
                give_row(load, rows, row);
        }
    }
}

static void give_row(struct user_load *load, const struct db_rows *rows,
                     size_t row)
{
    load->user = user_from_row(rows, row, load->arena);
    load->job.status = DB_OK;
}

static struct user user_from_row(const struct db_rows *rows, size_t row,
                                 struct arena *arena)
{
    return (struct user){
        .id = db_integer(rows, row, 0),
        .username = arena_copy(arena, db_text(rows, row, 1)),
        .password = arena_copy(arena, db_text(rows, row, 2)),
        .is_active = db_integer(rows, row, 3) != 0,
        .is_staff = db_integer(rows, row, 4) != 0,
        .is_superuser = db_integer(rows, row, 5) != 0,
    };
}

/* Can the column hold it? Asking the server about others may be an error. */
static bool is_name(struct text username)
{
    return username.size > 0 && username.size <= 4 * USER_NAME_MAX &&
           utf8_is_valid(username) && utf8_length(username) <= USER_NAME_MAX;
}

static enum db_status run_store(struct db_conn *db, struct db_job **jobs,
                                size_t count)
{
    (void)count;
    return db_transact(db, store_body,
                       CONTAINER_OF(jobs[0], struct user_store, job));
}

static enum db_status store_body(struct db_conn *db, int64_t now_us,
                                 void *context)
{
    struct user_store *store = context;
    struct arena *arena = arena_new();
    const struct db_param name[] = {DB_TEXT(store->username)};
    struct db_rows rows = {0};
    enum db_status status = DB_REFUSED;

    (void)now_us;
    if (is_name(store->username))
        status = db_query(db, arena,
                          "SELECT id, username FROM auth_user"
                          " WHERE username = ? FOR UPDATE",
                          name, 1, &rows);
    if (status == DB_OK) {
        store->created = rows.count == 0;
        if (store->created)
            status = insert_user(db, arena, store);
        else if (!text_equal(db_text(&rows, 0, 1), store->username))
            status = DB_DUPLICATE;
        else
            status =
                change_password(db, db_integer(&rows, 0, 0), store->password);
    }
    arena_free(arena);
    return status;
}

static enum db_status insert_user(struct db_conn *db, struct arena *arena,
                                  const struct user_store *store)
{
    const char *email = arena_printf(arena, "%.*s@dummy.edx.org",
                                     TEXT_ARGUMENTS(store->username));
    const struct db_param params[] = {
        DB_TEXT(store->password),
        DB_TEXT(store->username),
        DB_TEXT(text_of(email)),
    };
    enum db_status status = db_execute(
        db,
        "INSERT INTO auth_user (password, username, email, first_name,"
        " last_name, is_superuser, is_staff, is_active, date_joined)"
        " VALUES (?, ?, ?, '', '', 0, 0, 1, UTC_TIMESTAMP(6))",
        params, ARRAY_LENGTH(params), NULL);

    /* Somebody created it since we looked: look again. */
    return status == DB_DUPLICATE ? DB_CONFLICT : status;
}

static enum db_status change_password(struct db_conn *db, int64_t id,
                                      struct text password)
{
    const struct db_param params[] = {DB_TEXT(password), DB_INTEGER(id)};
    enum db_status status =
        db_execute(db, "UPDATE auth_user SET password = ? WHERE id = ?", params,
                   ARRAY_LENGTH(params), NULL);

    return status == DB_OK ? epoch_advance(db) : status;
}

static enum db_status run_list(struct db_conn *db, struct db_job **jobs,
                               size_t count)
{
    (void)count;
    return db_read(db, list_body, CONTAINER_OF(jobs[0], struct user_list, job));
}

static enum db_status list_body(struct db_conn *db, int64_t now_us,
                                void *context)
{
    struct user_list *list = context;
    const struct db_param params[] = {DB_INTEGER(list->limit)};
    struct db_rows rows;
    enum db_status status = db_query(db, list->arena,
                                     "SELECT " USER_COLUMNS " FROM auth_user u"
                                     " ORDER BY u.id LIMIT ?",
                                     params, ARRAY_LENGTH(params), &rows);

    (void)now_us;
    if (status != DB_OK)
        return status;
    list->users = arena_alloc(list->arena, rows.count * sizeof(struct user));
    list->count = rows.count;
    for (size_t row = 0; row < rows.count; row++)
        list->users[row] = user_from_row(&rows, row, list->arena);
    return DB_OK;
}
