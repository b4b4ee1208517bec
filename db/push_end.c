/*
 * What became of pushes, several in one transaction:
 *
 *   lock           the live rows of all of them, in the order of id
 *   end_ours       each that is no plain grade: what its outcome asks for, when
 *                  the lease is still ours
 *   push_grades_store
 *                  the plain grades, all together
 *   leave_places   those that no other push has taken over, in any case
 *
 * A lease is ours as long as the newest key is: one that ran out a moment
 * ago, and that nobody else has got, still takes the grade. Nobody repeats
 * the end of a push but one who does not know how the first try ended: of a
 * submission with a result there is nothing left to do.
 */
#include "db/push.h"

#include "db/lease.h"
#include "db/live_batch.h"
#include "db/outbox_row.h"
#include "db/push_grades.h"
#include "server/base/crypto.h"
#include "server/base/utf8.h"

enum { BATCH = 64 };

static enum db_status run_end(struct db_conn *db, struct db_job **jobs,
                              size_t count);
static void prepare_all(struct db_job **jobs, size_t count);
static enum db_status end_body(struct db_conn *db, int64_t now_us,
                               void *context);
static enum db_status end_all(struct db_conn *db, struct live_batch *batch);
static bool is_plain_grade(const struct push_end *self,
                           const struct live_row *live);
static bool is_ours(const struct push_end *self, const struct live_row *live);
static enum db_status end_ours(struct db_conn *db, struct live_batch *batch,
                               struct push_end *self,
                               const struct live_row *live);
static enum db_status add_callback(struct db_conn *db, struct live_batch *batch,
                                   struct push_end *self,
                                   const struct live_row *live);
static enum db_status store_outcome(struct db_conn *db,
                                    struct live_batch *batch,
                                    const struct push_end *self,
                                    const struct live_row *live);
static enum db_status leave_places(struct db_conn *db,
                                   const struct live_batch *batch);

const struct db_op push_end_op = {
    .kind = DB_OP_KIND("push_end", BATCH, 1),
    .run_batch = run_end,
};

static struct push_end *item(struct db_job **jobs, size_t i)
{
    return CONTAINER_OF(jobs[i], struct push_end, job);
}

static int64_t submission_of(struct db_job *job)
{
    return CONTAINER_OF(job, struct push_end, job)->id;
}

static enum db_status run_end(struct db_conn *db, struct db_job **jobs,
                              size_t count)
{
    struct live_batch batch = {
        .jobs = jobs, .count = count, .submission_of = submission_of};

    /* Two pushes of one submission: one after the other, not together. */
    if (live_batch_has_twins(&batch))
        return DB_REFUSED;
    prepare_all(jobs, count);
    return db_transact(db, end_body, &batch);
}

/* Once, even when a batch that failed runs again job by job. */
static void prepare_all(struct db_job **jobs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct push_end *self = item(jobs, i);

        if (self->prepare != NULL)
            self->prepare(self);
        self->prepare = NULL;
    }
}

static enum db_status end_body(struct db_conn *db, int64_t now_us,
                               void *context)
{
    struct live_batch *batch = context;
    enum db_status status;

    batch->arena = arena_new();
    batch->now_us = now_us;
    status = live_batch_lock(db, batch);
    if (status == DB_OK)
        status = end_all(db, batch);
    if (status == DB_OK)
        status = leave_places(db, batch);
    arena_free(batch->arena);
    return status;
}

static enum db_status end_all(struct db_conn *db, struct live_batch *batch)
{
    struct push_grade *grades =
        arena_alloc(batch->arena, batch->count * sizeof *grades);
    enum db_status status = DB_OK;
    size_t count = 0;

    for (size_t i = 0; i < batch->count && status == DB_OK; i++) {
        struct push_end *self = item(batch->jobs, i);
        const struct live_row *live = live_batch_find(batch, self->id);

        self->will_deliver = false;
        self->job.status =
            live != NULL && is_ours(self, live) ? DB_OK : DB_MISMATCH;
        if (self->job.status != DB_OK)
            continue;
        if (is_plain_grade(self, live))
            grades[count++] = (struct push_grade){self, live};
        else
            status = end_ours(db, batch, self, live);
    }
    return status == DB_OK ? push_grades_store(db, batch, grades, count)
                           : status;
}

static bool is_plain_grade(const struct push_end *self,
                           const struct live_row *live)
{
    return self->outcome == PUSH_GRADED && live->state != LIVE_SUPERSEDED &&
           live->pulled_us == 0;
}

/* A grade is worth having even after we have given up. */
static bool is_ours(const struct push_end *self, const struct live_row *live)
{
    if (!crypto_equal(text_of(self->pullkey), live->pullkey))
        return false;
    if (live->state == LIVE_DEAD)
        return self->outcome == PUSH_GRADED;
    return live->state != LIVE_ANSWERED;
}

static enum db_status end_ours(struct db_conn *db, struct live_batch *batch,
                               struct push_end *self,
                               const struct live_row *live)
{
    enum live_state end =
        self->outcome == PUSH_GRADED ? LIVE_ANSWERED : LIVE_DEAD;
    enum db_status status = DB_OK;

    /* One whose lease ran out is back already. */
    if (self->outcome == PUSH_UNSENT || self->outcome == PUSH_CUT_OFF)
        return lease_return(db, batch->arena, live,
                            self->outcome == PUSH_UNSENT
                                ? LEASE_ATTEMPT_UNCOUNTED
                                : LEASE_ATTEMPT_COUNTS);
    /* Before grader_reply changes: see outbox_add(). */
    if (live->state != LIVE_SUPERSEDED)
        status = add_callback(db, batch, self, live);
    if (status == DB_OK)
        status = store_outcome(db, batch, self, live);
    if (status != DB_OK)
        return status;
    if (live->state == LIVE_SUPERSEDED)
        return hot_set_forget(db, batch->arena, live, 1);
    return hot_set_settle(db, batch->arena, live, 1, end);
}

static enum db_status add_callback(struct db_conn *db, struct live_batch *batch,
                                   struct push_end *self,
                                   const struct live_row *live)
{
    bool is_graded = self->outcome == PUSH_GRADED;
    const struct outbox_row row = {
        .id = self->id,
        .destination = live->destination,
        .due_us = outbox_due_us(live->arrival_us, self->callback_delay_us,
                                batch->now_us),
        .now_us = batch->now_us,
        .kind = is_graded ? OUTBOX_RESULT : OUTBOX_FAILURE,
        .reply = is_graded ? TEXT_ABSENT : self->reply,
    };
    enum db_status status = outbox_add(db, batch->arena, &row);

    if (status == DB_OK) {
        self->will_deliver = true;
        self->destination = live->destination;
    }
    return status;
}

/*
 * If it was pulled once, the key goes along, and an earlier one is good for
 * nothing any more.
 */
static enum db_status store_outcome(struct db_conn *db,
                                    struct live_batch *batch,
                                    const struct push_end *self,
                                    const struct live_row *live)
{
    bool is_graded = self->outcome == PUSH_GRADED;
    const struct db_param params[] = {
        DB_INTEGER(self->pushed_us),
        DB_INTEGER(batch->now_us),
        DB_TEXT(utf8_prefix(self->grader_id, GRADER_ID_CHARACTERS)),
        is_graded ? DB_TEXT(self->reply) : DB_NULL,
        DB_INTEGER(!is_graded),
        DB_INTEGER(self->id),
    };
    enum db_status status = hot_set_keep_lease(db, live);

    if (status != DB_OK)
        return status;
    return db_execute(db,
                      "UPDATE queue_submission SET"
                      " push_time = " SQL_TIME_FROM_US ","
                      " return_time = " SQL_TIME_FROM_US ", grader_id = ?,"
                      " grader_reply = COALESCE(?, grader_reply),"
                      " num_failures = num_failures + ? WHERE id = ?",
                      params, ARRAY_LENGTH(params), NULL);
}

static enum db_status leave_places(struct db_conn *db,
                                   const struct live_batch *batch)
{
    enum db_status status = DB_OK;

    for (size_t i = 0; i < batch->count && status == DB_OK; i++) {
        const struct push_end *self = item(batch->jobs, i);

        if (self->place.number != 0)
            status = push_place_leave(db, self->queue_id, &self->place);
    }
    return status;
}
