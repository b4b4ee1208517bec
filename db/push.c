/*
 * Claiming submissions to push.
 *
 * Claims of one queue are one after the other: each locks the queue's row of
 * xqueue_queue before it counts. A push that ends meanwhile waits for nobody;
 * until it has committed, it still counts.
 */
#include "db/push.h"

#include "db/lease.h"
#include "server/base/utf8.h"

#include <string.h>

struct claim {
    struct push_claim *self;
    struct arena *arena; /* of this run */
    int64_t now_us;
    size_t places; /* free */
    bool changed;
};

static enum db_status run_claim(struct db_conn *db, struct db_job **jobs,
                                size_t count);
static enum db_status claim_body(struct db_conn *db, int64_t now_us,
                                 void *context);
static enum db_status lock_queue(struct db_conn *db, struct claim *claim);
static enum db_status count_places(struct db_conn *db, struct claim *claim);
static enum db_status drop_expired(struct db_conn *db, struct claim *claim,
                                   int64_t id);
static enum db_status lease(struct db_conn *db, struct claim *claim);
static enum db_status insert_pushes(struct db_conn *db, struct claim *claim,
                                    const struct leased *leased, size_t count);
static void fill_items(struct claim *claim, const struct leased *leased,
                       size_t count);

const struct db_op push_claim_op = {
    .kind = DB_OP_KIND("push_claim", 1, 0),
    .run_batch = run_claim,
};

static enum db_status run_claim(struct db_conn *db, struct db_job **jobs,
                                size_t count)
{
    struct push_claim *self = CONTAINER_OF(jobs[0], struct push_claim, job);
    struct claim claim = {.self = self};
    enum db_status status = db_transact(db, claim_body, &claim);

    (void)count;
    if (status == DB_NOT_FOUND)
        return DB_OK;
    for (size_t i = 0; i < self->count && status == DB_OK; i++)
        self->compose(self, &self->items[i]);
    return status;
}

/* DB_NOT_FOUND when nothing has changed: nothing is committed then. */
static enum db_status claim_body(struct db_conn *db, int64_t now_us,
                                 void *context)
{
    struct claim *claim = context;
    enum db_status status;

    claim->arena = arena_new();
    claim->now_us = now_us;
    claim->places = 0;
    claim->changed = false;
    claim->self->count = 0;
    claim->self->took_all_places = false;
    status = lock_queue(db, claim);
    if (status == DB_OK)
        status = count_places(db, claim);
    if (status == DB_OK && claim->places > 0)
        status = lease(db, claim);
    claim->self->took_all_places = claim->places < claim->self->limit &&
                                   claim->self->count == claim->places;
    arena_free(claim->arena);
    return status == DB_OK && !claim->changed ? DB_NOT_FOUND : status;
}

static enum db_status lock_queue(struct db_conn *db, struct claim *claim)
{
    const struct db_param params[] = {DB_INTEGER(claim->self->queue_id)};
    struct db_rows rows;
    enum db_status status = db_query(
        db, claim->arena, "SELECT id FROM xqueue_queue WHERE id = ? FOR UPDATE",
        params, ARRAY_LENGTH(params), &rows);

    if (status == DB_OK && rows.count == 0)
        return DB_NOT_FOUND;
    return status;
}

/* A plain read: it waits for no push that is just ending. */
static enum db_status count_places(struct db_conn *db, struct claim *claim)
{
    const struct push_claim *self = claim->self;
    const struct db_param params[] = {DB_INTEGER(self->queue_id)};
    struct db_rows rows;
    size_t taken = 0;
    enum db_status status =
        db_query(db, claim->arena,
                 "SELECT id, expires_us FROM xqueue_push FORCE INDEX (PRIMARY)"
                 " WHERE queue_id = ?",
                 params, ARRAY_LENGTH(params), &rows);

    if (status != DB_OK)
        return status;
    for (size_t i = 0; i < rows.count && status == DB_OK; i++) {
        if (db_integer(&rows, i, 1) > claim->now_us)
            taken++;
        else
            status = drop_expired(db, claim, db_integer(&rows, i, 0));
    }
    if (self->concurrency > taken)
        claim->places = self->concurrency - taken;
    if (claim->places > self->limit)
        claim->places = self->limit;
    return status;
}

static enum db_status drop_expired(struct db_conn *db, struct claim *claim,
                                   int64_t id)
{
    const struct db_param params[] = {
        DB_INTEGER(claim->self->queue_id),
        DB_INTEGER(id),
        DB_INTEGER(claim->now_us),
    };

    claim->changed = true;
    return db_execute(db,
                      "DELETE FROM xqueue_push"
                      " WHERE queue_id = ? AND id = ? AND expires_us <= ?",
                      params, ARRAY_LENGTH(params), NULL);
}

static enum db_status lease(struct db_conn *db, struct claim *claim)
{
    const struct push_claim *self = claim->self;
    struct text *grader_ids =
        arena_alloc(claim->arena, claim->places * sizeof *grader_ids);
    const struct lease_request request = {
        .queue_id = self->queue_id,
        .wanted = claim->places,
        .grader_ids = grader_ids,
        .is_push = true,
        .now_us = claim->now_us,
        .lease_us = self->lease_us,
    };
    struct leased *leased;
    size_t count;
    bool changed;
    enum db_status status;

    for (size_t i = 0; i < claim->places; i++)
        grader_ids[i] = utf8_prefix(self->grader_id, GRADER_ID_CHARACTERS);
    status =
        lease_oldest(db, claim->arena, &request, &leased, &count, &changed);
    if (status == DB_OK)
        status = insert_pushes(db, claim, leased, count);
    if (status != DB_OK)
        return status;
    claim->changed = claim->changed || changed;
    fill_items(claim, leased, count);
    return DB_OK;
}

/*
 * A row may be there: of a push whose submission was put back by hand. Its
 * end will not find its key any more.
 */
static enum db_status insert_pushes(struct db_conn *db, struct claim *claim,
                                    const struct leased *leased, size_t count)
{
    struct db_params params = db_params_new(claim->arena);

    for (size_t i = 0; i < count; i++) {
        db_params_add(&params, DB_INTEGER(claim->self->queue_id));
        db_params_add(&params, DB_INTEGER(leased[i].id));
        db_params_add(&params, DB_TEXT(text_of(leased[i].pullkey)));
        db_params_add(&params,
                      DB_INTEGER(claim->now_us + claim->self->lease_us));
    }
    return db_insert_rows(
        db,
        "REPLACE INTO xqueue_push (queue_id, id, pullkey, expires_us) VALUES ",
        "(?, ?, ?, ?)", "", &params, 4);
}

static void fill_items(struct claim *claim, const struct leased *leased,
                       size_t count)
{
    struct push_claim *self = claim->self;

    self->items = arena_alloc(self->arena, (count + 1) * sizeof *self->items);
    self->count = count;
    for (size_t i = 0; i < count; i++) {
        struct push_item *item = &self->items[i];

        *item = (struct push_item){
            .id = leased[i].id,
            .attempt = leased[i].attempt,
            .pushed_us = claim->now_us,
            .body = arena_copy(self->arena, leased[i].body),
            .files = {arena_copy(self->arena, leased[i].files.keys),
                      arena_copy(self->arena, leased[i].files.urls)},
            .request = TEXT_ABSENT,
        };
        memcpy(item->pullkey, leased[i].pullkey, sizeof item->pullkey);
    }
}
