/*
 * Claiming submissions to push:
 *
 *   lock_queue    claims of one queue are one after the other: so what they
 *                 count stays right
 *   count_places  a push that leaves its place meanwhile waits for nobody; it
 *                 counts until that is committed
 *   lease         the oldest submissions
 *   take_places   for those that have none
 *   keep_places   those that the process has last as long as what it claimed
 */
#include "db/push.h"

#include "db/lease.h"
#include "server/base/utf8.h"

#include <string.h>

struct claim {
    struct push_claim *self;
    struct arena *arena; /* of this run */
    int64_t now_us;
    struct push_places places; /* that somebody has */
    size_t kept;               /* of self->held */
    size_t free;
    bool changed;
};

static enum db_status run_claim(struct db_conn *db, struct db_job **jobs,
                                size_t count);
static enum db_status claim_body(struct db_conn *db, int64_t now_us,
                                 void *context);
static enum db_status lock_queue(struct db_conn *db, struct claim *claim);
static enum db_status count_places(struct db_conn *db, struct claim *claim);
static size_t allowed_of(const struct claim *claim);
static enum db_status lease(struct db_conn *db, struct claim *claim,
                            size_t wanted);
static void fill_items(struct claim *claim, const struct leases *leases);
static enum db_status take_places(struct db_conn *db, struct claim *claim);
static enum db_status keep_places(struct db_conn *db, struct claim *claim);
static enum db_status run_leave(struct db_conn *db, struct db_job **jobs,
                                size_t count);
static enum db_status leave_body(struct db_conn *db, int64_t now_us,
                                 void *context);

const struct db_op push_claim_op = {
    .kind = DB_OP_KIND("push_claim", 1, 0),
    .run_batch = run_claim,
};

const struct db_op push_leave_op = {
    .kind = DB_OP_KIND("push_leave", 1, 0),
    .run_batch = run_leave,
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
    struct push_claim *self = claim->self;
    enum db_status status;
    size_t allowed = 0;

    *claim =
        (struct claim){.self = self, .arena = arena_new(), .now_us = now_us};
    self->count = 0;
    self->is_cut = false;
    status = lock_queue(db, claim);
    if (status == DB_OK)
        status = count_places(db, claim);
    if (status == DB_OK)
        allowed = allowed_of(claim);
    if (allowed > 0)
        status = lease(db, claim, allowed);
    if (status == DB_OK && self->count > 0)
        status = take_places(db, claim);
    if (status == DB_OK && self->count > 0)
        status = keep_places(db, claim);
    self->took_all_places = allowed < self->limit && self->count == allowed;
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

static enum db_status count_places(struct db_conn *db, struct claim *claim)
{
    struct push_claim *self = claim->self;
    struct push_places *places = &claim->places;
    enum db_status status = push_places_read(db, claim->arena, self->queue_id,
                                             claim->now_us, places);

    claim->changed = places->has_dropped;
    for (size_t i = 0; i < self->held_count && status == DB_OK; i++) {
        self->is_kept[i] = push_places_have(places, &self->held[i]);
        claim->kept += self->is_kept[i];
    }
    self->surplus = 0;
    if (self->concurrency > places->count)
        claim->free = self->concurrency - places->count;
    else
        self->surplus = places->count - self->concurrency;
    return status;
}

/* How many submissions there may be. */
static size_t allowed_of(const struct claim *claim)
{
    const struct push_claim *self = claim->self;
    size_t most = claim->free + self->idle + self->ahead;

    if (claim->free + claim->kept == 0)
        return 0;
    return most < self->limit ? most : self->limit;
}

static enum db_status lease(struct db_conn *db, struct claim *claim,
                            size_t wanted)
{
    const struct push_claim *self = claim->self;
    struct text *grader_ids =
        arena_alloc(claim->arena, wanted * sizeof *grader_ids);
    const struct lease_request request = {
        .queue_id = self->queue_id,
        .wanted = wanted,
        .grader_ids = grader_ids,
        .is_push = true,
        .now_us = claim->now_us,
        .lease_us = self->lease_us,
        .most_bytes = self->most_bytes,
    };
    struct leases leases;
    enum db_status status;

    for (size_t i = 0; i < wanted; i++)
        grader_ids[i] = utf8_prefix(self->grader_id, GRADER_ID_CHARACTERS);
    status = lease_oldest(db, claim->arena, &request, &leases);
    if (status != DB_OK)
        return status;
    claim->changed = claim->changed || leases.changed;
    fill_items(claim, &leases);
    return DB_OK;
}

static void fill_items(struct claim *claim, const struct leases *leases)
{
    struct push_claim *self = claim->self;

    self->items =
        arena_alloc(self->arena, (leases->count + 1) * sizeof *self->items);
    self->count = leases->count;
    self->is_cut = leases->is_cut;
    for (size_t i = 0; i < leases->count; i++) {
        const struct leased *leased = &leases->list[i];
        struct push_item *item = &self->items[i];

        *item = (struct push_item){
            .id = leased->id,
            .attempt = leased->attempt,
            .pushed_us = claim->now_us,
            .body = arena_copy(self->arena, leased->body),
            .files = {arena_copy(self->arena, leased->files.keys),
                      arena_copy(self->arena, leased->files.urls)},
            .request = TEXT_ABSENT,
        };
        memcpy(item->pullkey, leased->pullkey, sizeof item->pullkey);
    }
}

/* No more than the submissions can use; each has the key of one of them. */
static enum db_status take_places(struct db_conn *db, struct claim *claim)
{
    struct push_claim *self = claim->self;
    size_t useful = self->count > self->idle ? self->count - self->idle : 0;
    size_t count = useful < claim->free ? useful : claim->free;
    struct push_place *taken =
        arena_zalloc(claim->arena, (count + 1) * sizeof *taken);
    enum db_status status;

    for (size_t i = 0; i < count; i++)
        memcpy(taken[i].key, self->items[i].pullkey, sizeof taken[i].key);
    status = push_places_take(db, claim->arena, &claim->places,
                              claim->now_us + self->lease_us, taken, count);
    for (size_t i = 0; i < count; i++)
        self->items[i].place = taken[i];
    return status;
}

static enum db_status keep_places(struct db_conn *db, struct claim *claim)
{
    const struct push_claim *self = claim->self;
    int64_t *numbers =
        arena_alloc(claim->arena, (claim->kept + 1) * sizeof *numbers);
    size_t count = 0;

    for (size_t i = 0; i < self->held_count; i++) {
        if (self->is_kept[i])
            numbers[count++] = self->held[i].number;
    }
    return push_places_extend(db, claim->arena, &claim->places,
                              claim->now_us + self->lease_us, numbers, count);
}

static enum db_status run_leave(struct db_conn *db, struct db_job **jobs,
                                size_t count)
{
    (void)count;
    return db_transact(db, leave_body,
                       CONTAINER_OF(jobs[0], struct push_leave, job));
}

static enum db_status leave_body(struct db_conn *db, int64_t now_us,
                                 void *context)
{
    const struct push_leave *self = context;
    enum db_status status = DB_OK;

    (void)now_us;
    for (size_t i = 0; i < self->count && status == DB_OK; i++)
        status = push_place_leave(db, self->queue_id, &self->places[i]);
    return status;
}
