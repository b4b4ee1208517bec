/*
 * Leases that ran out. The ids are read without locks through the index on
 * expires_us; then the rows are locked by primary key, skipping those that
 * somebody works on, and looked at again.
 */
#include "db/expiry.h"

#include "db/lease.h"
#include "db/outbox_row.h"

#include <stdlib.h>

enum { LIMIT = 256 };

struct sweep {
    struct leases_expire *self;
    struct arena *arena;
    int64_t now_us;
    int64_t *ids;
    size_t count; /* found */
    size_t ended; /* of them, leases that really were over */
};

static enum db_status run_expire(struct db_conn *db, struct db_job **jobs,
                                 size_t count);
static enum db_status find_body(struct db_conn *db, int64_t now_us,
                                void *context);
static enum db_status expire_body(struct db_conn *db, int64_t now_us,
                                  void *context);
static bool is_over(const struct sweep *sweep, const struct live_row *row);
static int64_t max_attempts(const struct leases_expire *self, int64_t queue_id);
static int compare_queues(const void *key, const void *limit);
static enum db_status end_one(struct db_conn *db, struct sweep *sweep,
                              const struct live_row *row);
static enum db_status declare_dead(struct db_conn *db, struct sweep *sweep,
                                   const struct live_row *row);

const struct db_op leases_expire_op = {
    .kind = DB_OP_KIND("expire", 1, 0),
    .run_batch = run_expire,
};

static enum db_status run_expire(struct db_conn *db, struct db_job **jobs,
                                 size_t count)
{
    struct sweep sweep = {
        .self = CONTAINER_OF(jobs[0], struct leases_expire, job),
        .arena = arena_new(),
    };
    enum db_status status;

    (void)count;
    sweep.self->returned = 0;
    sweep.self->dead = 0;
    sweep.self->more = false;
    status = db_read(db, find_body, &sweep);
    if (status == DB_OK && sweep.count > 0) {
        status = db_transact(db, expire_body, &sweep);
        sweep.self->more = sweep.count == LIMIT && sweep.ended > 0;
    }
    arena_free(sweep.arena);
    return status;
}

static enum db_status find_body(struct db_conn *db, int64_t now_us,
                                void *context)
{
    struct sweep *sweep = context;
    const struct db_param limit[] = {DB_INTEGER(LIMIT)};
    struct db_rows rows;
    enum db_status status =
        db_query(db, sweep->arena,
                 "SELECT id FROM xqueue_live WHERE expires_us <= " SQL_NOW_US
                 " ORDER BY expires_us LIMIT ?",
                 limit, 1, &rows);

    (void)now_us;
    if (status != DB_OK)
        return status;
    sweep->ids = arena_alloc(sweep->arena, (rows.count + 1) * sizeof(int64_t));
    sweep->count = rows.count;
    for (size_t i = 0; i < rows.count; i++)
        sweep->ids[i] = db_integer(&rows, i, 0);
    return DB_OK;
}

static enum db_status expire_body(struct db_conn *db, int64_t now_us,
                                  void *context)
{
    struct sweep *sweep = context;
    struct live_row *rows = NULL;
    struct live_row *back;
    size_t back_count = 0;
    size_t count;
    enum db_status status;

    sweep->now_us = now_us;
    sweep->self->returned = 0;
    sweep->self->dead = 0;
    sweep->ended = 0;
    status = hot_set_lock(db, sweep->arena, sweep->ids, sweep->count, true,
                          &rows, &count);
    if (status != DB_OK)
        return status;
    back = arena_alloc(sweep->arena, (count + 1) * sizeof *back);
    for (size_t i = 0; i < count && status == DB_OK; i++) {
        if (!is_over(sweep, &rows[i]))
            continue;
        sweep->ended++;
        if (rows[i].state == LIVE_LEASED &&
            rows[i].attempts < max_attempts(sweep->self, rows[i].queue_id))
            back[back_count++] = rows[i];
        else
            status = end_one(db, sweep, &rows[i]);
    }
    if (status != DB_OK)
        return status;
    sweep->self->returned = back_count;
    return lease_give_back(db, sweep->arena, back, back_count,
                           LEASE_ATTEMPT_COUNTS);
}

/* Since the look, it may have been answered, or leased once more. */
static bool is_over(const struct sweep *sweep, const struct live_row *row)
{
    return row->expires_us != 0 && row->expires_us <= sweep->now_us;
}

static int64_t max_attempts(const struct leases_expire *self, int64_t queue_id)
{
    const struct queue_limit *limit = NULL;

    if (self->limit_count > 0)
        limit = bsearch(&queue_id, self->limits, self->limit_count,
                        sizeof *self->limits, compare_queues);
    return limit != NULL ? limit->max_attempts : self->max_attempts;
}

static int compare_queues(const void *key, const void *limit)
{
    int64_t wanted = *(const int64_t *)key;
    int64_t queue_id = ((const struct queue_limit *)limit)->queue_id;

    return (wanted > queue_id) - (wanted < queue_id);
}

static enum db_status end_one(struct db_conn *db, struct sweep *sweep,
                              const struct live_row *row)
{
    enum db_status status = hot_set_keep_lease(db, row);

    if (status != DB_OK)
        return status;
    if (row->state == LIVE_SUPERSEDED)
        return hot_set_forget(db, sweep->arena, row, 1);
    return declare_dead(db, sweep, row);
}

static enum db_status declare_dead(struct db_conn *db, struct sweep *sweep,
                                   const struct live_row *row)
{
    const struct outbox_row callback = {
        .id = row->id,
        .destination = row->destination,
        .due_us = outbox_due_us(row->arrival_us, sweep->self->callback_delay_us,
                                sweep->now_us),
        .now_us = sweep->now_us,
        .kind = OUTBOX_FAILURE,
        .reply = sweep->self->failure,
    };
    enum db_status status = outbox_add(db, sweep->arena, &callback);

    sweep->self->dead++;
    if (status != DB_OK)
        return status;
    return hot_set_settle(db, sweep->arena, row, 1, LIVE_DEAD);
}
