/*
 * The outbox: what became of a callback. Many records share a transaction:
 *
 *   lock_all    the live rows, in the order of id; then for each record
 *   settle      the outbox row goes or gets a new time, if it is still ours
 *   next_of     a later callback of the same submission becomes due
 *   note        what queue_submission says of it; after the last callback the
 *               submission is retired and leaves the hot set
 */
#include "db/outbox.h"

#include "db/live_batch.h"

enum { BATCH = 64 };

static enum db_status run_record(struct db_conn *db, struct db_job **jobs,
                                 size_t count);
static enum db_status record_body(struct db_conn *db, int64_t now_us,
                                  void *context);
static enum db_status lock_all(struct db_conn *db, struct live_batch *batch);
static enum db_status lock_wide(struct db_conn *db, struct live_batch *batch,
                                int64_t id);
static enum db_status record_one(struct db_conn *db, struct live_batch *batch,
                                 const struct outbox_record *self);
static enum db_status settle(struct db_conn *db, struct live_batch *batch,
                             const struct outbox_record *self, bool *ret_ours);
static enum db_status next_of(struct db_conn *db, struct live_batch *batch,
                              int64_t id, bool *ret_next);
static enum db_status note(struct db_conn *db, const struct outbox_record *self,
                           bool finished);

const struct db_op outbox_record_op = {
    .kind = DB_OP_KIND("outbox_record", BATCH),
    .run_batch = run_record,
};

static struct outbox_record *item(const struct live_batch *batch, size_t i)
{
    return CONTAINER_OF(batch->jobs[i], struct outbox_record, job);
}

static int64_t submission_of(struct db_job *job)
{
    return CONTAINER_OF(job, struct outbox_record, job)->id;
}

static enum db_status run_record(struct db_conn *db, struct db_job **jobs,
                                 size_t count)
{
    struct live_batch batch = {
        .jobs = jobs, .count = count, .submission_of = submission_of};

    return db_transact(db, record_body, &batch);
}

static enum db_status record_body(struct db_conn *db, int64_t now_us,
                                  void *context)
{
    struct live_batch *batch = context;
    enum db_status status;

    batch->arena = arena_new();
    batch->now_us = now_us;
    status = lock_all(db, batch);
    for (size_t i = 0; i < batch->count && status == DB_OK; i++)
        status = record_one(db, batch, item(batch, i));
    arena_free(batch->arena);
    return status;
}

/*
 * Nobody else may add a callback of these submissions meanwhile: one put
 * behind a callback that is just going would never become due.
 */
static enum db_status lock_all(struct db_conn *db, struct live_batch *batch)
{
    enum db_status status = live_batch_lock(db, batch);

    for (size_t i = 0; i < batch->count && status == DB_OK; i++) {
        if (live_batch_find(batch, item(batch, i)->id) == NULL)
            status = lock_wide(db, batch, item(batch, i)->id);
    }
    return status;
}

/* One retired by force has no live row; see db/outbox_row.h. */
static enum db_status lock_wide(struct db_conn *db, struct live_batch *batch,
                                int64_t id)
{
    const struct db_param params[] = {DB_INTEGER(id)};
    struct db_rows rows;

    return db_query(db, batch->arena,
                    "SELECT id FROM queue_submission WHERE id = ? FOR UPDATE",
                    params, 1, &rows);
}

static enum db_status record_one(struct db_conn *db, struct live_batch *batch,
                                 const struct outbox_record *self)
{
    const struct db_param id[] = {DB_INTEGER(self->id)};
    bool ours;
    bool next = false;
    enum db_status status = settle(db, batch, self, &ours);

    if (status != DB_OK || !ours)
        return status;
    if (self->outcome == OUTBOX_CUT_OFF)
        return DB_OK;
    if (self->outcome == OUTBOX_RETRY)
        return note(db, self, false);
    status = next_of(db, batch, self->id, &next);
    if (status == DB_OK)
        status = note(db, self, !next);
    if (status == DB_OK && !next)
        status =
            db_execute(db, "DELETE FROM xqueue_live WHERE id = ?", id, 1, NULL);
    return status;
}

static enum db_status settle(struct db_conn *db, struct live_batch *batch,
                             const struct outbox_record *self, bool *ret_ours)
{
    uint64_t affected;
    enum db_status status;

    if (self->outcome == OUTBOX_RETRY || self->outcome == OUTBOX_CUT_OFF) {
        int64_t wait_us = self->outcome == OUTBOX_RETRY ? self->retry_us : 0;
        const struct db_param params[] = {
            DB_INTEGER(batch->now_us + wait_us),
            DB_INTEGER(self->outcome == OUTBOX_CUT_OFF),
            DB_INTEGER(self->seq),
            DB_BYTES(self->owner, OWNER_SIZE),
        };

        status =
            db_execute(db,
                       "UPDATE xqueue_outbox SET due_us = ?, owner = NULL,"
                       " attempts = attempts - ? WHERE seq = ? AND owner = ?",
                       params, ARRAY_LENGTH(params), &affected);
    } else {
        const struct db_param params[] = {
            DB_INTEGER(self->seq),
            DB_BYTES(self->owner, OWNER_SIZE),
        };

        status = db_execute(db,
                            "DELETE FROM xqueue_outbox"
                            " WHERE seq = ? AND owner = ?",
                            params, ARRAY_LENGTH(params), &affected);
    }
    if (status == DB_OK)
        *ret_ours = affected > 0;
    return status;
}

static enum db_status next_of(struct db_conn *db, struct live_batch *batch,
                              int64_t id, bool *ret_next)
{
    const struct db_param find[] = {DB_INTEGER(id)};
    struct db_rows rows;
    enum db_status status = db_query(
        db, batch->arena,
        "SELECT seq FROM xqueue_outbox WHERE id = ? ORDER BY seq LIMIT 1", find,
        1, &rows);

    if (status != DB_OK)
        return status;
    *ret_next = rows.count > 0;
    if (rows.count == 0)
        return DB_OK;

    const struct db_param params[] = {
        DB_INTEGER(batch->now_us),
        DB_INTEGER(db_integer(&rows, 0, 0)),
    };
    return db_execute(db,
                      "UPDATE xqueue_outbox SET due_us = ?"
                      " WHERE seq = ? AND due_us IS NULL",
                      params, ARRAY_LENGTH(params), NULL);
}

/* Django's columns keep their meaning: see queue_submission. */
static enum db_status note(struct db_conn *db, const struct outbox_record *self,
                           bool finished)
{
    const struct db_param params[] = {
        DB_INTEGER(self->outcome == OUTBOX_DELIVERED),
        DB_INTEGER(self->outcome != OUTBOX_DELIVERED),
        DB_INTEGER(finished),
        DB_INTEGER(self->id),
    };

    return db_execute(db,
                      "UPDATE queue_submission SET"
                      " lms_ack = lms_ack OR ?,"
                      " num_failures = num_failures + ?,"
                      " retired = retired OR ? WHERE id = ?",
                      params, ARRAY_LENGTH(params), NULL);
}
