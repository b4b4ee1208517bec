/*
 * Handing submissions to active graders, several in one transaction:
 *
 *   claim        take the oldest ready rows that nobody else holds
 *   load         lock and read the submissions, but for those that somebody
 *                works on just now: they are left where they are
 *   find_gone    of the others, who was deleted or retired by hand?
 *   lease        new keys into the live rows
 *   leave_ready  they wait no more
 *   forget_gone  and these end here
 *
 * and once more, while there are pullers left and rows to claim in place of
 * those that were left or gone.
 *
 * The claim is one range of the primary key: no sort, no OR, and it locks
 * as many rows as it returns. A pull waits for nobody's lock.
 */
#include "db/pull.h"

#include "db/ready_rows.h"
#include "server/base/crypto.h"

enum {
    BATCH = 16,
    ROUNDS = 256 /* of claims in one transaction */
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

struct batch {
    struct db_job **jobs;
    size_t count;
    struct arena *arena;
    struct claimed *claimed;
    size_t claimed_count;
    size_t served;      /* pullers that got one */
    size_t round_start; /* those of earlier rounds */
    size_t left;        /* claimed and still in line, at its head */
};

static enum db_status run_pull(struct db_conn *db, struct db_job **jobs,
                               size_t count);
static enum db_status pull_body(struct db_conn *db, int64_t now_us,
                                void *context);
static enum db_status pull_round(struct db_conn *db, struct batch *batch,
                                 int64_t now_us);
static enum db_status claim(struct db_conn *db, struct batch *batch);
static enum db_status load(struct db_conn *db, struct batch *batch);
static void give(struct batch *batch, struct claimed *claimed,
                 const struct db_rows *rows, size_t row);
static const char *add_claimed_ids(struct batch *batch,
                                   struct db_params *params);
static enum db_status find_gone(struct db_conn *db, struct batch *batch);
static enum db_status lease(struct db_conn *db, struct batch *batch,
                            int64_t now_us);
static const char *lease_sql(struct batch *batch, struct db_params *params,
                             int64_t now_us);
static enum db_status leave_ready(struct db_conn *db, struct batch *batch);
static enum db_status forget_gone(struct db_conn *db, struct batch *batch);

const struct db_op submission_pull_op = {
    .kind = DB_OP_KIND("pull", BATCH),
    .run_batch = run_pull,
};

static struct submission_pull *item(const struct batch *batch, size_t i)
{
    return CONTAINER_OF(batch->jobs[i], struct submission_pull, job);
}

static enum db_status run_pull(struct db_conn *db, struct db_job **jobs,
                               size_t count)
{
    struct batch batch = {.jobs = jobs, .count = count};
    enum db_status status = db_transact(db, pull_body, &batch);

    if (status == DB_NOT_FOUND)
        return DB_OK; /* each job says so itself */
    for (size_t i = 0; i < batch.served && status == DB_OK; i++) {
        if (item(&batch, i)->compose != NULL)
            item(&batch, i)->compose(item(&batch, i));
    }
    return status;
}

/* DB_NOT_FOUND when none waits: nothing is committed then, nor flushed. */
static enum db_status pull_body(struct db_conn *db, int64_t now_us,
                                void *context)
{
    struct batch *batch = context;
    enum db_status status = DB_OK;
    bool changed = false;
    bool again = true;

    batch->arena = arena_new();
    batch->served = 0;
    batch->left = 0;
    for (size_t i = 0; i < batch->count; i++)
        batch->jobs[i]->status = DB_NOT_FOUND;
    for (int round = 0; again && round < ROUNDS; round++) {
        status = pull_round(db, batch, now_us);
        changed = changed || batch->claimed_count > 0;
        again = status == DB_OK && batch->served < batch->count &&
                batch->claimed_count > 0;
    }
    arena_free(batch->arena);
    return status == DB_OK && !changed ? DB_NOT_FOUND : status;
}

static enum db_status pull_round(struct db_conn *db, struct batch *batch,
                                 int64_t now_us)
{
    enum db_status status;

    batch->round_start = batch->served;
    batch->claimed_count = 0;
    status = claim(db, batch);
    if (status != DB_OK || batch->claimed_count == 0)
        return status;
    status = load(db, batch);
    if (status == DB_OK)
        status = find_gone(db, batch);
    if (status == DB_OK)
        status = lease(db, batch, now_us);
    if (status == DB_OK)
        status = leave_ready(db, batch);
    return status == DB_OK ? forget_gone(db, batch) : status;
}

/* Behind those of earlier rounds that were left at the head of the line. */
static enum db_status claim(struct db_conn *db, struct batch *batch)
{
    const struct db_param params[] = {
        DB_INTEGER(item(batch, 0)->queue_id),
        DB_INTEGER(batch->count - batch->served),
        DB_INTEGER(batch->left),
    };
    struct db_rows rows;
    enum db_status status =
        db_query(db, batch->arena,
                 "SELECT id, arrival_us FROM xqueue_ready FORCE INDEX (PRIMARY)"
                 " WHERE queue_id = ? ORDER BY arrival_us, id"
                 " LIMIT ? OFFSET ? FOR UPDATE SKIP LOCKED",
                 params, ARRAY_LENGTH(params), &rows);

    if (status != DB_OK)
        return status;
    batch->claimed_count = rows.count;
    batch->claimed =
        arena_alloc(batch->arena, (rows.count + 1) * sizeof *batch->claimed);
    for (size_t i = 0; i < rows.count; i++)
        batch->claimed[i] = (struct claimed){
            .ready = {.id = db_integer(&rows, i, 0),
                      .arrival_us = db_integer(&rows, i, 1)},
            .fate = FATE_GONE, /* until it is found */
        };
    return DB_OK;
}

static enum db_status load(struct db_conn *db, struct batch *batch)
{
    struct db_params params = db_params_new(batch->arena);
    struct db_rows rows;
    enum db_status status;
    const char *sql =
        arena_printf(batch->arena,
                     "SELECT l.id, s.xqueue_body, s.s3_urls, l.attempts"
                     " FROM xqueue_live l FORCE INDEX (PRIMARY)"
                     " STRAIGHT_JOIN queue_submission s FORCE INDEX (PRIMARY)"
                     " ON s.id = l.id WHERE l.id IN (%s) AND s.retired = 0"
                     " FOR UPDATE SKIP LOCKED",
                     add_claimed_ids(batch, &params));

    status = db_query(db, batch->arena, sql, params.list, params.count, &rows);
    for (size_t i = 0; status == DB_OK && i < batch->claimed_count; i++) {
        for (size_t row = 0; row < rows.count; row++) {
            if (db_integer(&rows, row, 0) == batch->claimed[i].ready.id)
                give(batch, &batch->claimed[i], &rows, row);
        }
    }
    return status;
}

static const char *add_claimed_ids(struct batch *batch,
                                   struct db_params *params)
{
    int64_t *ids =
        arena_alloc(batch->arena, batch->claimed_count * sizeof *ids);

    for (size_t i = 0; i < batch->claimed_count; i++)
        ids[i] = batch->claimed[i].ready.id;
    return db_params_add_list(params, ids, batch->claimed_count);
}

/* Who was not given but is there is locked by somebody. */
static enum db_status find_gone(struct db_conn *db, struct batch *batch)
{
    struct db_params params = db_params_new(batch->arena);
    struct db_rows rows;
    enum db_status status;
    const char *sql;

    if (batch->served - batch->round_start == batch->claimed_count)
        return DB_OK;
    sql = arena_printf(batch->arena,
                       "SELECT l.id FROM xqueue_live l JOIN queue_submission s"
                       " ON s.id = l.id WHERE l.id IN (%s) AND s.retired = 0",
                       add_claimed_ids(batch, &params));
    status = db_query(db, batch->arena, sql, params.list, params.count, &rows);
    for (size_t i = 0; status == DB_OK && i < batch->claimed_count; i++) {
        for (size_t row = 0; row < rows.count; row++) {
            if (batch->claimed[i].fate == FATE_GONE &&
                db_integer(&rows, row, 0) == batch->claimed[i].ready.id)
                batch->claimed[i].fate = FATE_LEFT;
        }
    }
    return status;
}

static void give(struct batch *batch, struct claimed *claimed,
                 const struct db_rows *rows, size_t row)
{
    struct submission_pull *self = item(batch, batch->served++);
    unsigned char key[PULLKEY_SIZE / 2];

    crypto_random(key, sizeof key);
    crypto_hex(key, sizeof key, self->pullkey);
    self->id = claimed->ready.id;
    self->body = arena_copy(self->arena, db_text(rows, row, 1));
    self->files = arena_copy(self->arena, db_text(rows, row, 2));
    self->attempt = db_integer(rows, row, 3) + 1;
    self->job.status = DB_OK;
    claimed->fate = FATE_GIVEN;
}

/* One statement for all: each row picks its key by its place in the list. */
static enum db_status lease(struct db_conn *db, struct batch *batch,
                            int64_t now_us)
{
    struct db_params params = db_params_new(batch->arena);
    const char *sql;

    if (batch->served == batch->round_start)
        return DB_OK;
    sql = lease_sql(batch, &params, now_us);
    return db_execute(db, sql, params.list, params.count, NULL);
}

static const char *lease_sql(struct batch *batch, struct db_params *params,
                             int64_t now_us)
{
    size_t start = batch->round_start;
    size_t served = batch->served - start;
    int64_t *ids = arena_alloc(batch->arena, served * sizeof *ids);
    size_t padded = db_ladder_up(served);
    const char *list;

    for (size_t i = 0; i < served; i++)
        ids[i] = item(batch, start + i)->id;
    db_params_add(params, DB_INTEGER(now_us));
    db_params_add(params, DB_INTEGER(now_us + item(batch, 0)->lease_us));
    list = db_params_add_list(params, ids, served);
    for (size_t i = 0; i < padded; i++)
        db_params_add(
            params, DB_TEXT(text_of(item(batch, start + i % served)->pullkey)));
    db_params_add_list(params, ids, served);
    for (size_t i = 0; i < padded; i++)
        db_params_add(params,
                      DB_TEXT(item(batch, start + i % served)->grader_id));
    db_params_add_list(params, ids, served);
    return arena_printf(batch->arena,
                        "UPDATE xqueue_live FORCE INDEX (PRIMARY)"
                        " SET state = 1, attempts = attempts + 1,"
                        " pulled_us = ?, expires_us = ?,"
                        " pullkey = ELT(FIELD(id, %s), %s),"
                        " grader_id = ELT(FIELD(id, %s), %s) WHERE id IN (%s)",
                        list, list, list, list, list);
}

/* All but those that somebody else works on. */
static enum db_status leave_ready(struct db_conn *db, struct batch *batch)
{
    struct ready_row *rows =
        arena_alloc(batch->arena, batch->claimed_count * sizeof *rows);
    int64_t queue_id = item(batch, 0)->queue_id;
    size_t count = 0;
    enum db_status status;

    for (size_t i = 0; i < batch->claimed_count; i++) {
        if (batch->claimed[i].fate != FATE_LEFT)
            rows[count++] = batch->claimed[i].ready;
    }
    batch->left += batch->claimed_count - count;
    if (count == 0)
        return DB_OK;
    status = ready_rows_delete(db, batch->arena, queue_id, rows, count);
    if (status != DB_OK)
        return status;
    return hot_set_count(db, queue_id, -(int64_t)count);
}

/* Somebody deleted or retired these behind our back: they end here. */
static enum db_status forget_gone(struct db_conn *db, struct batch *batch)
{
    for (size_t i = 0; i < batch->claimed_count; i++) {
        struct live_row gone = {.id = batch->claimed[i].ready.id,
                                .state = LIVE_LEASED};
        enum db_status status;

        if (batch->claimed[i].fate != FATE_GONE)
            continue;
        status = hot_set_forget(db, &gone);
        if (status != DB_OK)
            return status;
    }
    return DB_OK;
}
