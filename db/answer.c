/*
 * Taking results, several in one transaction:
 *
 *   lock the live rows of all of them, in the order of id; then for each
 *   answer_live     a submission that is not finished, or
 *   answer_history  one that is: an amended result, or a late one
 *
 * The key lives in the live row while there is one, in queue_submission
 * afterwards. An amended result that has to be delivered makes a finished
 * submission live again, so that a newer one of the same problem still
 * supersedes it.
 */
#include "db/answer.h"

#include "db/live_batch.h"
#include "db/outbox_row.h"
#include "server/base/crypto.h"

#include <string.h>

enum { BATCH = 32, NEWER_LOOKED_AT = 100 };

static enum db_status run_answer(struct db_conn *db, struct db_job **jobs,
                                 size_t count);
static enum db_status answer_body(struct db_conn *db, int64_t now_us,
                                  void *context);
static enum db_status answer_live(struct db_conn *db, struct live_batch *batch,
                                  struct submission_answer *self,
                                  const struct live_row *live);
static enum db_status store_live_result(struct db_conn *db,
                                        struct live_batch *batch,
                                        const struct submission_answer *self,
                                        const struct live_row *live);
static enum db_status answer_history(struct db_conn *db,
                                     struct live_batch *batch,
                                     struct submission_answer *self);
static enum db_status deliver_history(struct db_conn *db,
                                      struct live_batch *batch,
                                      struct submission_answer *self,
                                      struct text header, int64_t arrival_us);
static enum db_status is_replaced(struct db_conn *db, struct live_batch *batch,
                                  const unsigned char *problem, int64_t id,
                                  bool *ret_replaced);
static enum db_status was_replaced(struct db_conn *db, struct live_batch *batch,
                                   const struct submission_answer *self,
                                   const unsigned char *problem,
                                   bool *ret_replaced);
static enum db_status revive(struct db_conn *db, int64_t id,
                             const unsigned char *problem, int64_t destination,
                             int64_t arrival_us);
static enum db_status store_result(struct db_conn *db, struct live_batch *batch,
                                   const struct submission_answer *self);
static enum db_status add_callback(struct db_conn *db, struct live_batch *batch,
                                   struct submission_answer *self,
                                   int64_t destination, int64_t arrival_us);
static bool key_matches(const struct submission_answer *self,
                        struct text pullkey);

const struct db_op submission_answer_op = {
    .kind = DB_OP_KIND("put_result", BATCH),
    .run_batch = run_answer,
};

static struct submission_answer *item(struct db_job **jobs, size_t i)
{
    return CONTAINER_OF(jobs[i], struct submission_answer, job);
}

static int64_t submission_of(struct db_job *job)
{
    return CONTAINER_OF(job, struct submission_answer, job)->id;
}

static enum db_status run_answer(struct db_conn *db, struct db_job **jobs,
                                 size_t count)
{
    struct live_batch batch = {
        .jobs = jobs, .count = count, .submission_of = submission_of};

    /* Two results of one submission: one after the other, not together. */
    if (live_batch_has_twins(&batch))
        return DB_REFUSED;
    return db_transact(db, answer_body, &batch);
}

static enum db_status answer_body(struct db_conn *db, int64_t now_us,
                                  void *context)
{
    struct live_batch *batch = context;
    enum db_status status;

    batch->arena = arena_new();
    batch->now_us = now_us;
    status = live_batch_lock(db, batch);
    for (size_t i = 0; i < batch->count && status == DB_OK; i++) {
        struct submission_answer *self = item(batch->jobs, i);
        const struct live_row *live = live_batch_find(batch, self->id);

        self->job.status = DB_OK;
        self->will_deliver = false;
        if (live != NULL)
            status = answer_live(db, batch, self, live);
        else
            status = answer_history(db, batch, self);
    }
    arena_free(batch->arena);
    return status;
}

static enum db_status answer_live(struct db_conn *db, struct live_batch *batch,
                                  struct submission_answer *self,
                                  const struct live_row *live)
{
    enum db_status status = DB_OK;

    if (!key_matches(self, live->pullkey)) {
        self->job.status = DB_MISMATCH;
        return DB_OK;
    }
    if (live->state == LIVE_SUPERSEDED) {
        status = store_live_result(db, batch, self, live);
        return status == DB_OK ? hot_set_forget(db, live) : status;
    }
    status = add_callback(db, batch, self, live->destination, live->arrival_us);
    if (status == DB_OK)
        status = store_live_result(db, batch, self, live);
    if (status == DB_OK)
        status = hot_set_settle(db, live, LIVE_ANSWERED);
    return status;
}

static enum db_status store_live_result(struct db_conn *db,
                                        struct live_batch *batch,
                                        const struct submission_answer *self,
                                        const struct live_row *live)
{
    enum db_status status = store_result(db, batch, self);

    return status == DB_OK ? hot_set_keep_lease(db, live) : status;
}

static enum db_status answer_history(struct db_conn *db,
                                     struct live_batch *batch,
                                     struct submission_answer *self)
{
    const struct db_param id[] = {DB_INTEGER(self->id)};
    struct db_rows rows;
    bool wanted;
    enum db_status status = db_query(
        db, batch->arena,
        "SELECT pullkey, retired, lms_ack, xqueue_header,"
        " " SQL_US_FROM_TIME(
            "arrival_time") ", lms_callback_url"
                            " FROM queue_submission WHERE id = ? FOR UPDATE",
        id, 1, &rows);

    if (status != DB_OK)
        return status;
    if (rows.count == 0) {
        self->job.status = DB_NOT_FOUND;
        return DB_OK;
    }
    if (!key_matches(self, db_text(&rows, 0, 0))) {
        self->job.status = DB_MISMATCH;
        return DB_OK;
    }
    /* Retired without the LMS's word: superseded, or given up. */
    wanted = db_integer(&rows, 0, 1) == 0 || db_integer(&rows, 0, 2) != 0;
    if (wanted)
        status = deliver_history(db, batch, self, db_text(&rows, 0, 3),
                                 db_integer(&rows, 0, 4));
    return status == DB_OK ? store_result(db, batch, self) : status;
}

static enum db_status deliver_history(struct db_conn *db,
                                      struct live_batch *batch,
                                      struct submission_answer *self,
                                      struct text header, int64_t arrival_us)
{
    unsigned char problem[PROBLEM_SIZE];
    int64_t destination;
    bool replaced;
    enum db_status status;

    if (!self->identify(header, problem, &destination))
        return DB_OK;
    status = is_replaced(db, batch, problem, self->id, &replaced);
    if (status == DB_OK && !replaced)
        status = was_replaced(db, batch, self, problem, &replaced);
    if (status != DB_OK || replaced)
        return status;
    status = revive(db, self->id, problem, destination, arrival_us);
    if (status != DB_OK)
        return status;
    return add_callback(db, batch, self, destination, arrival_us);
}

/*
 * Does another submission of the same problem wait for its grade? An old
 * reply could wipe the LMS's state of it.
 */
static enum db_status is_replaced(struct db_conn *db, struct live_batch *batch,
                                  const unsigned char *problem, int64_t id,
                                  bool *ret_replaced)
{
    const struct db_param params[] = {
        DB_BYTES(problem, PROBLEM_SIZE),
        DB_INTEGER(id),
    };
    struct db_rows rows;
    enum db_status status =
        db_query(db, batch->arena,
                 "SELECT id FROM xqueue_live WHERE problem = ? AND id <> ?",
                 params, ARRAY_LENGTH(params), &rows);

    if (status == DB_OK)
        *ret_replaced = rows.count > 0;
    return status;
}

/*
 * Or was a newer one finished already? The column holds no more than the
 * beginning of the URL, so each that shares it is looked at whole.
 */
static enum db_status was_replaced(struct db_conn *db, struct live_batch *batch,
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
    enum db_status status = db_query(
        db, batch->arena,
        "SELECT xqueue_header FROM queue_submission WHERE lms_callback_url ="
        " (SELECT lms_callback_url FROM queue_submission WHERE id = ?)"
        " AND id > ? ORDER BY id DESC LIMIT ?",
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

static enum db_status store_result(struct db_conn *db, struct live_batch *batch,
                                   const struct submission_answer *self)
{
    const struct db_param params[] = {
        DB_TEXT(self->reply),
        DB_INTEGER(batch->now_us),
        DB_INTEGER(self->id),
    };

    return db_execute(db,
                      "UPDATE queue_submission SET grader_reply = ?,"
                      " return_time = " SQL_TIME_FROM_US " WHERE id = ?",
                      params, ARRAY_LENGTH(params), NULL);
}

static enum db_status add_callback(struct db_conn *db, struct live_batch *batch,
                                   struct submission_answer *self,
                                   int64_t destination, int64_t arrival_us)
{
    const struct outbox_row row = {
        .id = self->id,
        .destination = destination,
        .due_us =
            outbox_due_us(arrival_us, self->callback_delay_us, batch->now_us),
        .now_us = batch->now_us,
        .kind = OUTBOX_RESULT,
        .reply = TEXT_ABSENT,
    };
    enum db_status status = outbox_add(db, batch->arena, &row);

    if (status == DB_OK) {
        self->will_deliver = true;
        self->destination = destination;
    }
    return status;
}

static bool key_matches(const struct submission_answer *self,
                        struct text pullkey)
{
    return pullkey.size > 0 && crypto_equal(self->pullkey, pullkey);
}
