/*
 * Opening sessions: a look at their users, one INSERT for all of them, and
 * then, at most once a minute for each user, the time of his last login.
 *
 * Without a transaction, and so without its token: nobody has the cookie of a
 * session before its INSERT was answered, and one whose answer was lost is
 * deleted before it is stored again.
 */
#include "db/session.h"

#include "db/params.h"
#include "db/transaction.h"
#include "server/base/clock.h"

#include <string.h>

/* A second try, in a transaction, begins within this time. */
enum { AGAIN_MS = 2000 };

struct open_batch {
    struct db_job **jobs;
    size_t count;
};

/* Users whose last_login becomes now. */
struct touch {
    struct arena *arena;
    int64_t *ids;
    size_t count;
};

static enum db_status run_open(struct db_conn *db, struct db_job **jobs,
                               size_t count);
static enum db_status open_body(struct db_conn *db, int64_t now_us,
                                void *context);
static enum db_status open_again(struct db_conn *db, int64_t now_us,
                                 void *context);
static enum db_status load_users(struct db_conn *db, struct arena *arena,
                                 const struct open_batch *batch,
                                 struct db_rows *ret_rows);
static bool is_first_of_name(const struct open_batch *batch, size_t i);
static bool find_user(const struct session_open *open,
                      const struct db_rows *users, size_t *ret_row);
static void judge(const struct open_batch *batch, const struct db_rows *users);
static enum db_status insert(struct db_conn *db, struct arena *arena,
                             const struct open_batch *batch);
static void touch_logins(struct db_conn *db, const struct open_batch *batch);
static enum db_status touch_body(struct db_conn *db, int64_t now_us,
                                 void *context);

/* Columns of load_users(). */
enum { ID, USERNAME, PASSWORD, IS_ACTIVE, LOGIN_IS_STALE, EPOCH, NOW_US };

const struct db_op session_open_op = {
    .kind = DB_OP_KIND("session_open", 64, 1),
    .run_batch = run_open,
};

void session_password_of(struct text stored,
                         unsigned char ret_digest[SESSION_PASSWORD_SIZE])
{
    unsigned char digest[SHA256_SIZE];

    crypto_sha256(stored, digest);
    memcpy(ret_digest, digest, SESSION_PASSWORD_SIZE);
}

static struct session_open *item(const struct open_batch *batch, size_t i)
{
    return CONTAINER_OF(batch->jobs[i], struct session_open, job);
}

static enum db_status run_open(struct db_conn *db, struct db_job **jobs,
                               size_t count)
{
    struct open_batch batch = {jobs, count};
    const int64_t again_until_ms = clock_monotonic_ms() + AGAIN_MS;
    const bool was_connected = db_conn_is_open(db);
    enum db_status status = open_body(db, 0, &batch);

    if ((status == DB_CONFLICT || (status == DB_AWAY && was_connected)) &&
        clock_monotonic_ms() < again_until_ms)
        status = db_transact(db, open_again, &batch);
    if (status == DB_OK)
        touch_logins(db, &batch);
    return status;
}

static enum db_status open_body(struct db_conn *db, int64_t now_us,
                                void *context)
{
    const struct open_batch *batch = context;
    struct arena *arena = arena_new();
    struct db_rows users;
    enum db_status status = load_users(db, arena, batch, &users);

    (void)now_us;
    if (status == DB_OK) {
        judge(batch, &users);
        status = insert(db, arena, batch);
    }
    arena_free(arena);
    return status;
}

/* Nobody knows whether those of the first try are there. */
static enum db_status open_again(struct db_conn *db, int64_t now_us,
                                 void *context)
{
    const struct open_batch *batch = context;
    enum db_status status = DB_OK;

    for (size_t i = 0; i < batch->count && status == DB_OK; i++) {
        const struct db_param id[] = {
            DB_BYTES(item(batch, i)->id, SHA256_SIZE)};

        status = db_defer(db, "DELETE FROM xqueue_session WHERE id = ?", id, 1);
    }
    return status == DB_OK ? open_body(db, now_us, context) : status;
}

static enum db_status load_users(struct db_conn *db, struct arena *arena,
                                 const struct open_batch *batch,
                                 struct db_rows *ret_rows)
{
    struct db_params params = db_params_new(arena);
    size_t padded;

    for (size_t i = 0; i < batch->count; i++) {
        if (is_first_of_name(batch, i))
            db_params_add(&params, DB_TEXT(item(batch, i)->username));
    }
    padded = db_ladder_up(params.count);
    while (params.count < padded)
        db_params_add(&params, params.list[params.count - 1]);
    return db_query(
        db, arena,
        db_repeat(arena,
                  "SELECT u.id, u.username, u.password, u.is_active,"
                  " u.last_login IS NULL OR"
                  " u.last_login < UTC_TIMESTAMP(6) - INTERVAL 60 SECOND,"
                  " COALESCE(e.number, 0), " SQL_NOW_US " FROM auth_user u"
                  " LEFT JOIN xqueue_epoch e ON e.name = 'session'"
                  " WHERE u.username IN (",
                  "?", padded, ")"),
        params.list, params.count, ret_rows);
}

static bool is_first_of_name(const struct open_batch *batch, size_t i)
{
    for (size_t earlier = 0; earlier < i; earlier++) {
        if (text_equal(item(batch, earlier)->username,
                       item(batch, i)->username))
            return false;
    }
    return true;
}

/* Who may have a session, and until when. */
static void judge(const struct open_batch *batch, const struct db_rows *users)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct session_open *open = item(batch, i);
        size_t row;

        open->job.status = DB_NOT_FOUND;
        if (!find_user(open, users, &row))
            continue;
        open->job.status = DB_OK;
        open->user_id = db_integer(users, row, ID);
        open->login_is_stale = db_integer(users, row, LOGIN_IS_STALE) != 0;
        open->session_epoch = db_integer(users, row, EPOCH);
        open->expires_us =
            db_integer(users, row, NOW_US) + open->age_s * 1000000;
    }
}

static bool find_user(const struct session_open *open,
                      const struct db_rows *users, size_t *ret_row)
{
    unsigned char password[SESSION_PASSWORD_SIZE];

    for (size_t row = 0; row < users->count; row++) {
        if (!text_equal(db_text(users, row, USERNAME), open->username))
            continue;
        session_password_of(db_text(users, row, PASSWORD), password);
        *ret_row = row;
        return db_integer(users, row, IS_ACTIVE) != 0 &&
               memcmp(password, open->password, sizeof password) == 0;
    }
    return false;
}

static enum db_status insert(struct db_conn *db, struct arena *arena,
                             const struct open_batch *batch)
{
    struct db_params params = db_params_new(arena);

    for (size_t i = 0; i < batch->count; i++) {
        const struct session_open *open = item(batch, i);

        if (open->job.status != DB_OK)
            continue;
        db_params_add(&params, DB_BYTES(open->id, SHA256_SIZE));
        db_params_add(&params, DB_INTEGER(open->user_id));
        db_params_add(&params, DB_BYTES(open->password, SESSION_PASSWORD_SIZE));
        db_params_add(&params, DB_INTEGER(open->expires_us));
    }
    return db_insert_rows(
        db,
        "INSERT INTO xqueue_session (id, user_id, password, expires_us)"
        " VALUES ",
        "(?, ?, ?, ?)", "", &params, 4);
}

/*
 * At most once a minute per user, so that logins do not queue for its row; nor
 * do they wait for somebody else who holds it, or fail: it is only a time.
 */
static void touch_logins(struct db_conn *db, const struct open_batch *batch)
{
    struct touch touch = {.arena = arena_new()};
    enum db_status status = DB_OK;

    touch.ids = arena_alloc(touch.arena, batch->count * sizeof *touch.ids);
    for (size_t i = 0; i < batch->count; i++) {
        const struct session_open *open = item(batch, i);

        if (open->job.status == DB_OK && open->login_is_stale)
            touch.ids[touch.count++] = open->user_id;
    }
    if (touch.count > 0)
        status = db_transact(db, touch_body, &touch);
    (void)status;
    arena_free(touch.arena);
}

static enum db_status touch_body(struct db_conn *db, int64_t now_us,
                                 void *context)
{
    const struct touch *touch = context;
    struct db_params params = db_params_new(touch->arena);
    const char *sql =
        arena_printf(touch->arena,
                     "SELECT id FROM auth_user FORCE INDEX (PRIMARY)"
                     " WHERE id IN (%s) AND (last_login IS NULL OR"
                     " last_login < UTC_TIMESTAMP(6) - INTERVAL 60 SECOND)"
                     " FOR UPDATE SKIP LOCKED",
                     db_params_add_list(&params, touch->ids, touch->count));
    struct db_rows free_rows;
    enum db_status status =
        db_query(db, touch->arena, sql, params.list, params.count, &free_rows);
    int64_t *ids;

    (void)now_us;
    if (status != DB_OK || free_rows.count == 0)
        return status;
    ids = arena_alloc(touch->arena, free_rows.count * sizeof *ids);
    for (size_t i = 0; i < free_rows.count; i++)
        ids[i] = db_integer(&free_rows, i, 0);
    params = db_params_new(touch->arena);
    return db_execute_for(db,
                          "UPDATE auth_user FORCE INDEX (PRIMARY)"
                          " SET last_login = UTC_TIMESTAMP(6) WHERE id",
                          &params, ids, free_rows.count);
}
