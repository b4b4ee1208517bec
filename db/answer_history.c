/*
 * Results of submissions that are finished.
 *
 * The key is in queue_submission now. An amended result that has to be
 * delivered makes a finished submission live again, so that a newer one of the
 * same problem still supersedes it. They are few: each is looked at on its
 * own.
 */
#include "db/answer_history.h"

#include "db/arrival_day.h"

#include <string.h>

enum { NEWER_LOOKED_AT = 100 };

static enum db_status lock_wide(struct db_conn *db,
                                const struct answer_batch *batch,
                                struct db_rows *ret_rows);
static enum db_status take(struct db_conn *db, struct answer_batch *batch,
                           struct submission_answer *self,
                           const struct db_rows *rows);
static enum db_status take_found(struct db_conn *db, struct answer_batch *batch,
                                 struct submission_answer *self,
                                 const struct db_rows *rows, size_t row);
static enum db_status deliver(struct db_conn *db, struct answer_batch *batch,
                              struct submission_answer *self,
                              struct text header, int64_t arrival_us);
static enum db_status is_replaced(struct db_conn *db, struct arena *arena,
                                  const unsigned char *problem, int64_t id,
                                  bool *ret_replaced);
static enum db_status was_replaced(struct db_conn *db, struct arena *arena,
                                   const struct submission_answer *self,
                                   const unsigned char *problem,
                                   bool *ret_replaced);
static enum db_status revive(struct db_conn *db, int64_t id,
                             const unsigned char *problem, int64_t destination,
                             int64_t arrival_us);

static struct submission_answer *finished(const struct answer_batch *batch,
                                          size_t i)
{
    struct submission_answer *self =
        CONTAINER_OF(batch->live.jobs[i], struct submission_answer, job);

    return live_batch_find(&batch->live, self->id) == NULL ? self : NULL;
}

enum db_status answer_history_take(struct db_conn *db,
                                   struct answer_batch *batch)
{
    struct db_rows rows;
    enum db_status status = lock_wide(db, batch, &rows);

    for (size_t i = 0; i < batch->live.count && status == DB_OK; i++) {
        if (finished(batch, i) != NULL)
            status = take(db, batch, finished(batch, i), &rows);
    }
    return status;
}

static enum db_status lock_wide(struct db_conn *db,
                                const struct answer_batch *batch,
                                struct db_rows *ret_rows)
{
    struct arena *arena = batch->live.arena;
    struct db_params params = db_params_new(arena);
    int64_t *ids = arena_alloc(arena, batch->live.count * sizeof *ids);
    size_t count = 0;
    const char *sql;

    for (size_t i = 0; i < batch->live.count; i++) {
        if (finished(batch, i) != NULL)
            ids[count++] = finished(batch, i)->id;
    }
    *ret_rows = (struct db_rows){0};
    if (count == 0)
        return DB_OK;
    sql = arena_printf(
        arena,
        "SELECT id, pullkey, retired, lms_ack, xqueue_header,"
        " " SQL_US_FROM_TIME(
            "arrival_time") " FROM queue_submission FORCE INDEX (PRIMARY)"
                            " WHERE id IN (%s) ORDER BY id FOR UPDATE",
        db_params_add_list(&params, ids, count));
    return db_query(db, arena, sql, params.list, params.count, ret_rows);
}

static enum db_status take(struct db_conn *db, struct answer_batch *batch,
                           struct submission_answer *self,
                           const struct db_rows *rows)
{
    for (size_t row = 0; row < rows->count; row++) {
        if (db_integer(rows, row, 0) == self->id)
            return take_found(db, batch, self, rows, row);
    }
    self->job.status = DB_NOT_FOUND;
    return DB_OK;
}

static enum db_status take_found(struct db_conn *db, struct answer_batch *batch,
                                 struct submission_answer *self,
                                 const struct db_rows *rows, size_t row)
{
    int64_t arrival_us = db_integer(rows, row, 5);
    /* Retired without the LMS's word: superseded, or given up. */
    bool wanted =
        db_integer(rows, row, 2) == 0 || db_integer(rows, row, 3) != 0;

    if (!answer_key_fits(self, db_text(rows, row, 1))) {
        self->job.status = DB_MISMATCH;
        return DB_OK;
    }
    batch->taken[batch->taken_count++] =
        (struct taken_answer){.answer = self, .arrival_us = arrival_us};
    if (!wanted)
        return DB_OK;
    return deliver(db, batch, self, db_text(rows, row, 4), arrival_us);
}

static enum db_status deliver(struct db_conn *db, struct answer_batch *batch,
                              struct submission_answer *self,
                              struct text header, int64_t arrival_us)
{
    struct arena *arena = batch->live.arena;
    unsigned char problem[PROBLEM_SIZE];
    int64_t destination;
    bool replaced;
    enum db_status status;

    if (!self->identify(header, problem, &destination))
        return DB_OK;
    status = is_replaced(db, arena, problem, self->id, &replaced);
    if (status == DB_OK && !replaced)
        status = was_replaced(db, arena, self, problem, &replaced);
    if (status != DB_OK || replaced)
        return status;
    self->will_deliver = true;
    self->destination = destination;
    return revive(db, self->id, problem, destination, arrival_us);
}

/*
 * Does another submission of the same problem wait for its grade? An old
 * reply could wipe the LMS's state of it.
 */
static enum db_status is_replaced(struct db_conn *db, struct arena *arena,
                                  const unsigned char *problem, int64_t id,
                                  bool *ret_replaced)
{
    const struct db_param params[] = {
        DB_BYTES(problem, PROBLEM_SIZE),
        DB_INTEGER(id),
    };
    struct db_rows rows;
    enum db_status status = db_query(
        db, arena, "SELECT id FROM xqueue_live WHERE problem = ? AND id <> ?",
        params, ARRAY_LENGTH(params), &rows);

    if (status == DB_OK)
        *ret_replaced = rows.count > 0;
    return status;
}

/*
 * Or was a newer one finished already? The column holds no more than the
 * beginning of the URL, so each that shares it is looked at whole.
 */
static enum db_status was_replaced(struct db_conn *db, struct arena *arena,
                                   const struct submission_answer *self,
                                   const unsigned char *problem,
                                   bool *ret_replaced)
{
    const struct db_param params[] = {
        DB_INTEGER(self->id),
        DB_INTEGER(self->id),
        DB_INTEGER(NEWER_LOOKED_AT),
    };
    unsigned char other[PROBLEM_SIZE];
    int64_t destination;
    struct db_rows rows;
    enum db_status status =
        db_query(db, arena,
                 "SELECT s.xqueue_header" SQL_FROM_CALLBACK_URL(
                     "(SELECT lms_callback_url FROM queue_submission WHERE id "
                     "= ?)") " AND s.id > ? ORDER BY s.id DESC LIMIT ?",
                 params, ARRAY_LENGTH(params), &rows);

    if (status != DB_OK)
        return status;
    *ret_replaced = false;
    for (size_t row = 0; row < rows.count && !*ret_replaced; row++)
        *ret_replaced =
            self->identify(db_text(&rows, row, 0), other, &destination) &&
            memcmp(other, problem, PROBLEM_SIZE) == 0;
    return DB_OK;
}

/* As an answered one, not retired until the LMS has heard again. */
static enum db_status revive(struct db_conn *db, int64_t id,
                             const unsigned char *problem, int64_t destination,
                             int64_t arrival_us)
{
    const struct db_param id_only[] = {DB_INTEGER(id)};
    const struct db_param params[] = {
        DB_INTEGER(arrival_us),
        DB_BYTES(problem, PROBLEM_SIZE),
        DB_INTEGER(destination),
        DB_INTEGER(id),
    };
    enum db_status status = db_execute(
        db,
        "INSERT INTO xqueue_live (id, queue_id, arrival_us, state, attempts,"
        " problem, destination, pullkey, grader_id)"
        " SELECT s.id, COALESCE(q.id, 0), ?, 2, 0, ?, ?, s.pullkey,"
        " s.grader_id FROM queue_submission s"
        " LEFT JOIN xqueue_queue q ON q.name = s.queue_name WHERE s.id = ?",
        params, ARRAY_LENGTH(params), NULL);

    /* Somebody else stored one just now: look again. */
    if (status == DB_DUPLICATE)
        return DB_CONFLICT;
    if (status != DB_OK)
        return status;
    return db_execute(db,
                      "UPDATE queue_submission SET retired = 0 WHERE id = ?",
                      id_only, 1, NULL);
}
