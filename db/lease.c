/*
 * Leasing waiting submissions, several in one transaction:
 *
 *   claim        take the oldest ready rows that nobody else holds
 *   bound_bytes  as many of them as may be in memory together
 *   load         lock and read the submissions, but for those that somebody
 *                works on just now: they are left where they are
 *   load_files   and what of theirs is not in queue_submission
 *   find_gone    of the others, who was deleted or retired by hand?
 *   write_leases new keys into the live rows
 *   leave_ready  they wait no more
 *   forget_gone  and these end here
 *
 * and once more, while more are wanted and there are rows to claim in place
 * of those that were left or gone.
 *
 * The claim is one range of the primary key: no sort, no OR, and it locks
 * as many rows as it returns. It waits for nobody's lock. It begins where the
 * oldest should be: see db/floors.h.
 */
#include "db/lease.h"

#include "db/floors.h"
#include "db/ready_rows.h"
#include "server/base/crypto.h"

enum {
    ROUND_ROWS = 64, /* claimed by one statement */
    ROUNDS = 256     /* of claims in one transaction */
};

enum fate {
    FATE_LEFT, /* stays in line: somebody works on it just now */
    FATE_GONE, /* deleted or retired by hand */
    FATE_GIVEN
};

struct claimed {
    struct ready_row ready;
    enum fate fate;
};

struct leasing {
    const struct lease_request *request;
    struct floors *floors;
    struct floor_look look; /* where all claims of the transaction begin */
    struct arena *arena;
    struct claimed *claimed;
    size_t claimed_count;
    struct leased *leased;
    size_t count;       /* leased */
    size_t round_start; /* those of earlier rounds */
    size_t left;        /* claimed and still in line, at its head */
    bool changed;
    int64_t bytes; /* of bodies, so far */
    bool is_cut;
};

static struct floors *floors_of(struct db_conn *db,
                                const struct lease_request *request);
static enum db_status lease_round(struct db_conn *db, struct leasing *leasing);
static enum db_status look_ahead(struct db_conn *db, struct leasing *leasing);
static enum db_status claim(struct db_conn *db, struct leasing *leasing);
static enum db_status bound_bytes(struct db_conn *db, struct leasing *leasing);
static int64_t bytes_of(const struct db_rows *rows, int64_t id);
static enum db_status load(struct db_conn *db, struct leasing *leasing);
static void give(struct leasing *leasing, struct claimed *claimed,
                 const struct db_rows *rows, size_t row);
static const char *add_claimed_ids(struct leasing *leasing,
                                   struct db_params *params);
static enum db_status load_files(struct db_conn *db, struct leasing *leasing);
static enum db_status find_gone(struct db_conn *db, struct leasing *leasing);
static enum db_status write_leases(struct db_conn *db, struct leasing *leasing);
static enum db_status leave_ready(struct db_conn *db, struct leasing *leasing);
static enum db_status forget_gone(struct db_conn *db, struct leasing *leasing);

enum db_status lease_oldest(struct db_conn *db, struct arena *arena,
                            const struct lease_request *request,
                            struct leases *ret_leases)
{
    struct leasing leasing = {.request = request, .arena = arena};
    enum db_status status = DB_OK;
    bool again = request->wanted > 0;

    leasing.floors = floors_of(db, request);
    leasing.look =
        floors_begin(leasing.floors, FLOOR_OF_QUEUE, request->queue_id);
    leasing.leased =
        arena_alloc(arena, (request->wanted + 1) * sizeof *leasing.leased);
    if (leasing.look.is_sweep)
        status = look_ahead(db, &leasing);
    for (int round = 0; again && status == DB_OK && round < ROUNDS; round++) {
        status = lease_round(db, &leasing);
        again = leasing.count < request->wanted && leasing.claimed_count > 0 &&
                !leasing.is_cut;
    }
    if (status != DB_OK)
        return status;
    *ret_leases = (struct leases){
        .list = leasing.leased,
        .count = leasing.count,
        .changed = leasing.changed,
        .is_cut = leasing.is_cut,
    };
    return DB_OK;
}

/*
 * A push is claimed because somebody has seen that something waits: it finds
 * that, wherever it is.
 */
static struct floors *floors_of(struct db_conn *db,
                                const struct lease_request *request)
{
    return request->is_push ? NULL : db_conn_floors(db);
}

static enum db_status lease_round(struct db_conn *db, struct leasing *leasing)
{
    enum db_status status;

    leasing->round_start = leasing->count;
    leasing->claimed_count = 0;
    status = claim(db, leasing);
    if (status != DB_OK || leasing->claimed_count == 0)
        return status;
    status = bound_bytes(db, leasing);
    if (status == DB_OK && leasing->claimed_count > 0)
        status = load(db, leasing);
    if (status == DB_OK)
        status = load_files(db, leasing);
    if (status == DB_OK)
        status = find_gone(db, leasing);
    if (status == DB_OK)
        status = write_leases(db, leasing);
    if (status == DB_OK)
        status = leave_ready(db, leasing);
    return status == DB_OK ? forget_gone(db, leasing) : status;
}

/* A sweep that would lock all that it steps over: see db/floors.h. */
static enum db_status look_ahead(struct db_conn *db, struct leasing *leasing)
{
    const struct lease_request *request = leasing->request;
    enum db_status status =
        ready_rows_first(db, leasing->arena, request->queue_id, request->now_us,
                         &leasing->look.from_us);

    if (status != DB_OK)
        floors_failed(leasing->floors, &leasing->look);
    return status;
}

/* Behind those of earlier rounds that were left at the head of the line. */
static enum db_status claim(struct db_conn *db, struct leasing *leasing)
{
    size_t wanted = leasing->request->wanted - leasing->count;
    const struct db_param params[] = {
        DB_INTEGER(leasing->request->queue_id),
        DB_INTEGER(leasing->look.from_us),
        DB_INTEGER(wanted < ROUND_ROWS ? wanted : ROUND_ROWS),
        DB_INTEGER(leasing->left),
    };
    struct db_rows rows;
    enum db_status status =
        db_query(db, leasing->arena,
                 "SELECT id, arrival_us FROM xqueue_ready FORCE INDEX (PRIMARY)"
                 " WHERE queue_id = ? AND arrival_us >= ?"
                 " ORDER BY arrival_us, id"
                 " LIMIT ? OFFSET ? FOR UPDATE SKIP LOCKED",
                 params, ARRAY_LENGTH(params), &rows);

    if (status != DB_OK) {
        floors_failed(leasing->floors, &leasing->look);
        return status;
    }
    if (leasing->count == 0 && leasing->left == 0)
        floors_end(leasing->floors, &leasing->look,
                   rows.count > 0 ? db_integer(&rows, 0, 1)
                                  : leasing->request->now_us);
    leasing->claimed_count = rows.count;
    leasing->claimed = arena_alloc(leasing->arena,
                                   (rows.count + 1) * sizeof *leasing->claimed);
    for (size_t i = 0; i < rows.count; i++)
        leasing->claimed[i] = (struct claimed){
            .ready = {.id = db_integer(&rows, i, 0),
                      .arrival_us = db_integer(&rows, i, 1)},
            .fate = FATE_GONE, /* until it is found */
        };
    return DB_OK;
}

/* The others stay in line. One whose body is not there has no bytes. */
static enum db_status bound_bytes(struct db_conn *db, struct leasing *leasing)
{
    struct db_params params = db_params_new(leasing->arena);
    struct db_rows rows;
    enum db_status status;
    const char *sql;

    if (leasing->request->most_bytes == 0 || leasing->request->wanted == 1)
        return DB_OK;
    sql = arena_printf(leasing->arena,
                       "SELECT id, OCTET_LENGTH(xqueue_body)"
                       " FROM queue_submission FORCE INDEX (PRIMARY)"
                       " WHERE id IN (%s)",
                       add_claimed_ids(leasing, &params));
    status =
        db_query(db, leasing->arena, sql, params.list, params.count, &rows);
    for (size_t i = 0; status == DB_OK && i < leasing->claimed_count; i++) {
        leasing->bytes += bytes_of(&rows, leasing->claimed[i].ready.id);
        if (leasing->bytes > leasing->request->most_bytes &&
            leasing->count + i > 0) {
            leasing->claimed_count = i;
            leasing->is_cut = true;
        }
    }
    return status;
}

static int64_t bytes_of(const struct db_rows *rows, int64_t id)
{
    for (size_t row = 0; row < rows->count; row++) {
        if (db_integer(rows, row, 0) == id)
            return db_integer(rows, row, 1);
    }
    return 0;
}

static enum db_status load(struct db_conn *db, struct leasing *leasing)
{
    struct db_params params = db_params_new(leasing->arena);
    struct db_rows rows;
    enum db_status status;
    const char *sql =
        arena_printf(leasing->arena,
                     "SELECT l.id, s.xqueue_body, s.s3_keys, s.s3_urls,"
                     " l.attempts"
                     " FROM xqueue_live l FORCE INDEX (PRIMARY)"
                     " STRAIGHT_JOIN queue_submission s FORCE INDEX (PRIMARY)"
                     " ON s.id = l.id WHERE l.id IN (%s) AND s.retired = 0"
                     " FOR UPDATE SKIP LOCKED",
                     add_claimed_ids(leasing, &params));

    status =
        db_query(db, leasing->arena, sql, params.list, params.count, &rows);
    for (size_t i = 0; status == DB_OK && i < leasing->claimed_count; i++) {
        for (size_t row = 0; row < rows.count; row++) {
            if (db_integer(&rows, row, 0) == leasing->claimed[i].ready.id)
                give(leasing, &leasing->claimed[i], &rows, row);
        }
    }
    return status;
}

static const char *add_claimed_ids(struct leasing *leasing,
                                   struct db_params *params)
{
    int64_t *ids =
        arena_alloc(leasing->arena, leasing->claimed_count * sizeof *ids);

    for (size_t i = 0; i < leasing->claimed_count; i++)
        ids[i] = leasing->claimed[i].ready.id;
    return db_params_add_list(params, ids, leasing->claimed_count);
}

static void give(struct leasing *leasing, struct claimed *claimed,
                 const struct db_rows *rows, size_t row)
{
    struct leased *leased = &leasing->leased[leasing->count++];
    unsigned char key[PULLKEY_SIZE / 2];

    crypto_random(key, sizeof key);
    crypto_hex(key, sizeof key, leased->pullkey);
    leased->id = claimed->ready.id;
    leased->body = db_text(rows, row, 1);
    leased->files.keys = db_text(rows, row, 2);
    leased->files.urls = db_text(rows, row, 3);
    leased->attempt = db_integer(rows, row, 4) + 1;
    claimed->fate = FATE_GIVEN;
}

/* Only the keys of very many files are not in the row itself. */
static enum db_status load_files(struct db_conn *db, struct leasing *leasing)
{
    enum db_status status = DB_OK;

    for (size_t i = leasing->round_start; i < leasing->count && status == DB_OK;
         i++) {
        struct leased *leased = &leasing->leased[i];

        if (files_are_apart(leased->files.keys))
            status = files_load(db, leasing->arena, leased->id, &leased->files);
    }
    return status;
}

/* Who was not given but is there is locked by somebody. */
static enum db_status find_gone(struct db_conn *db, struct leasing *leasing)
{
    struct db_params params = db_params_new(leasing->arena);
    struct db_rows rows;
    enum db_status status;
    const char *sql;

    if (leasing->count - leasing->round_start == leasing->claimed_count)
        return DB_OK;
    sql = arena_printf(leasing->arena,
                       "SELECT l.id FROM xqueue_live l JOIN queue_submission s"
                       " ON s.id = l.id WHERE l.id IN (%s) AND s.retired = 0",
                       add_claimed_ids(leasing, &params));
    status =
        db_query(db, leasing->arena, sql, params.list, params.count, &rows);
    for (size_t i = 0; status == DB_OK && i < leasing->claimed_count; i++) {
        for (size_t row = 0; row < rows.count; row++) {
            if (leasing->claimed[i].fate == FATE_GONE &&
                db_integer(&rows, row, 0) == leasing->claimed[i].ready.id)
                leasing->claimed[i].fate = FATE_LEFT;
        }
    }
    return status;
}

/* One statement for all: each row picks its key by its place in the list. */
static enum db_status write_leases(struct db_conn *db, struct leasing *leasing)
{
    const struct lease_request *request = leasing->request;
    struct db_params params = db_params_new(leasing->arena);
    size_t start = leasing->round_start;
    size_t count = leasing->count - start;
    int64_t *ids = arena_alloc(leasing->arena, (count + 1) * sizeof *ids);
    struct text *keys = arena_alloc(leasing->arena, (count + 1) * sizeof *keys);
    const char *key;
    const char *grader_id;

    if (count == 0)
        return DB_OK;
    for (size_t i = 0; i < count; i++) {
        ids[i] = leasing->leased[start + i].id;
        keys[i] = text_of(leasing->leased[start + i].pullkey);
    }
    db_params_add(&params, DB_INTEGER(request->now_us + request->lease_us));
    if (!request->is_push)
        db_params_add(&params, DB_INTEGER(request->now_us));
    key = db_params_add_choice(&params, "id", ids, keys, count);
    grader_id = db_params_add_choice(&params, "id", ids,
                                     request->grader_ids + start, count);
    return db_execute_for(
        db,
        arena_printf(leasing->arena,
                     "UPDATE xqueue_live FORCE INDEX (PRIMARY)"
                     " SET state = 1, attempts = attempts + 1,"
                     " expires_us = ?%s, pullkey = %s, grader_id = %s WHERE id",
                     request->is_push ? "" : ", pulled_us = ?", key, grader_id),
        &params, ids, count);
}

/* All but those that somebody else works on. */
static enum db_status leave_ready(struct db_conn *db, struct leasing *leasing)
{
    struct ready_row *rows =
        arena_alloc(leasing->arena, leasing->claimed_count * sizeof *rows);
    int64_t queue_id = leasing->request->queue_id;
    size_t count = 0;
    enum db_status status;

    for (size_t i = 0; i < leasing->claimed_count; i++) {
        if (leasing->claimed[i].fate != FATE_LEFT)
            rows[count++] = leasing->claimed[i].ready;
    }
    leasing->left += leasing->claimed_count - count;
    if (count == 0)
        return DB_OK;
    leasing->changed = true;
    status = ready_rows_delete(db, leasing->arena, queue_id, rows, count, NULL);
    if (status != DB_OK)
        return status;
    return hot_set_count(db, queue_id, -(int64_t)count);
}

/* Somebody deleted or retired these behind our back: they end here. */
static enum db_status forget_gone(struct db_conn *db, struct leasing *leasing)
{
    for (size_t i = 0; i < leasing->claimed_count; i++) {
        struct live_row gone = {.id = leasing->claimed[i].ready.id,
                                .state = LIVE_LEASED};
        enum db_status status;

        if (leasing->claimed[i].fate != FATE_GONE)
            continue;
        status = hot_set_forget(db, leasing->arena, &gone, 1);
        if (status != DB_OK)
            return status;
    }
    return DB_OK;
}
