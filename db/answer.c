/*
 * Taking results, several in one transaction:
 *
 *   lock the live rows of all of them, in the order of id
 *   take_live      those of submissions that are not finished
 *   take_history   those that are: db/answer_history.h
 *   add_callbacks  what is to be told to the LMS
 *   store_results  in queue_submission, with the facts of the leases
 *   settle_live    where the submissions stand now
 *
 * Each step is a statement or two for all of them together.
 *
 * The key lives in the live row while there is one, in queue_submission
 * afterwards.
 */
#include "db/answer.h"

#include "db/answer_history.h"
#include "db/outbox_row.h"
#include "server/base/crypto.h"

enum { BATCH = 64 };

/* Do the facts of a lease go to queue_submission with the result? */
enum lease_facts { LEASE_FACTS_NONE, LEASE_FACTS_KEPT };

/* One statement's share of the results. */
struct results {
    const struct submission_answer *answers[DB_LADDER_TOP];
    const struct live_row *live[DB_LADDER_TOP];
    size_t count;
    size_t bytes;
};

static enum db_status run_answer(struct db_conn *db, struct db_job **jobs,
                                 size_t count);
static enum db_status answer_body(struct db_conn *db, int64_t now_us,
                                  void *context);
static enum db_status answer_all(struct db_conn *db,
                                 struct answer_batch *batch);
static bool take_live(struct answer_batch *batch);
static void take(struct answer_batch *batch, struct submission_answer *self,
                 const struct live_row *live);
static enum db_status add_callbacks(struct db_conn *db,
                                    const struct answer_batch *batch);
static enum db_status store_results(struct db_conn *db,
                                    const struct answer_batch *batch,
                                    enum lease_facts facts);
static enum lease_facts facts_of(const struct taken_answer *taken);
static enum db_status store(struct db_conn *db,
                            const struct answer_batch *batch,
                            struct results *results, enum lease_facts facts);
static const char *add_lease_facts(struct db_params *params,
                                   const struct results *results,
                                   const int64_t *ids);
static enum db_status settle_live(struct db_conn *db,
                                  const struct answer_batch *batch);

const struct db_op submission_answer_op = {
    .kind = DB_OP_KIND("put_result", BATCH, 1),
    .run_batch = run_answer,
};

static struct submission_answer *item(const struct answer_batch *batch,
                                      size_t i)
{
    return CONTAINER_OF(batch->live.jobs[i], struct submission_answer, job);
}

static int64_t submission_of(struct db_job *job)
{
    return CONTAINER_OF(job, struct submission_answer, job)->id;
}

bool answer_key_fits(const struct submission_answer *answer,
                     struct text pullkey)
{
    return pullkey.size > 0 && crypto_equal(answer->pullkey, pullkey);
}

static enum db_status run_answer(struct db_conn *db, struct db_job **jobs,
                                 size_t count)
{
    struct answer_batch batch = {
        .live = {.jobs = jobs, .count = count, .submission_of = submission_of}};

    /* Two results of one submission: one after the other, not together. */
    if (live_batch_has_twins(&batch.live))
        return DB_REFUSED;
    return db_transact(db, answer_body, &batch);
}

static enum db_status answer_body(struct db_conn *db, int64_t now_us,
                                  void *context)
{
    struct answer_batch *batch = context;
    enum db_status status;

    batch->live.arena = arena_new();
    batch->live.now_us = now_us;
    batch->taken_count = 0;
    batch->taken = arena_alloc(batch->live.arena,
                               batch->live.count * sizeof *batch->taken);
    for (size_t i = 0; i < batch->live.count; i++) {
        item(batch, i)->job.status = DB_OK;
        item(batch, i)->will_deliver = false;
    }
    status = answer_all(db, batch);
    arena_free(batch->live.arena);
    return status;
}

static enum db_status answer_all(struct db_conn *db, struct answer_batch *batch)
{
    enum db_status status = live_batch_lock(db, &batch->live);

    if (status == DB_OK && !take_live(batch))
        status = answer_history_take(db, batch);
    if (status == DB_OK)
        status = add_callbacks(db, batch);
    if (status == DB_OK)
        status = store_results(db, batch, LEASE_FACTS_KEPT);
    if (status == DB_OK)
        status = store_results(db, batch, LEASE_FACTS_NONE);
    return status == DB_OK ? settle_live(db, batch) : status;
}

/* False when some are not live. */
static bool take_live(struct answer_batch *batch)
{
    bool all_live = true;

    for (size_t i = 0; i < batch->live.count; i++) {
        struct submission_answer *self = item(batch, i);
        const struct live_row *live = live_batch_find(&batch->live, self->id);

        if (live == NULL)
            all_live = false;
        else if (!answer_key_fits(self, live->pullkey))
            self->job.status = DB_MISMATCH;
        else
            take(batch, self, live);
    }
    return all_live;
}

static void take(struct answer_batch *batch, struct submission_answer *self,
                 const struct live_row *live)
{
    batch->taken[batch->taken_count++] = (struct taken_answer){
        .answer = self, .live = live, .arrival_us = live->arrival_us};
    self->will_deliver = live->state != LIVE_SUPERSEDED;
    if (self->will_deliver)
        self->destination = live->destination;
}

static enum db_status add_callbacks(struct db_conn *db,
                                    const struct answer_batch *batch)
{
    struct arena *arena = batch->live.arena;
    int64_t now_us = batch->live.now_us;
    struct outbox_row *rows =
        arena_alloc(arena, (batch->taken_count + 1) * sizeof *rows);
    size_t count = 0;

    for (size_t i = 0; i < batch->taken_count; i++) {
        const struct taken_answer *taken = &batch->taken[i];
        const struct submission_answer *answer = taken->answer;

        if (answer->will_deliver)
            rows[count++] = (struct outbox_row){
                .id = answer->id,
                .destination = answer->destination,
                .due_us = outbox_due_us(taken->arrival_us,
                                        answer->callback_delay_us, now_us),
                .now_us = now_us,
                .kind = OUTBOX_RESULT,
                .reply = TEXT_ABSENT,
            };
    }
    return outbox_add_all(db, arena, rows, count);
}

/* As many together as a statement may carry. */
static enum db_status store_results(struct db_conn *db,
                                    const struct answer_batch *batch,
                                    enum lease_facts facts)
{
    struct results results = {.count = 0};
    enum db_status status = DB_OK;

    for (size_t i = 0; i < batch->taken_count && status == DB_OK; i++) {
        const struct taken_answer *taken = &batch->taken[i];
        size_t size = taken->answer->reply.size;

        if (facts_of(taken) != facts)
            continue;
        if (results.count == DB_LADDER_TOP ||
            results.bytes + size > DB_STATEMENT_BYTES)
            status = store(db, batch, &results, facts);
        results.answers[results.count] = taken->answer;
        results.live[results.count++] = taken->live;
        results.bytes += size;
    }
    return status == DB_OK ? store(db, batch, &results, facts) : status;
}

/* Nothing of one that was never pulled. */
static enum lease_facts facts_of(const struct taken_answer *taken)
{
    return taken->live != NULL && taken->live->pulled_us != 0
               ? LEASE_FACTS_KEPT
               : LEASE_FACTS_NONE;
}

/* One statement: each row picks its texts by its place in the list. */
static enum db_status store(struct db_conn *db,
                            const struct answer_batch *batch,
                            struct results *results, enum lease_facts facts)
{
    struct arena *arena = batch->live.arena;
    struct db_params params = db_params_new(arena);
    size_t count = results->count;
    int64_t ids[DB_LADDER_TOP];
    struct text replies[DB_LADDER_TOP];
    const char *reply;
    const char *lease = "";

    if (count == 0)
        return DB_OK;
    for (size_t i = 0; i < count; i++) {
        ids[i] = results->answers[i]->id;
        replies[i] = results->answers[i]->reply;
    }
    db_params_add(&params, DB_INTEGER(batch->live.now_us));
    reply = db_params_add_choice(&params, "id", ids, replies, count);
    if (facts == LEASE_FACTS_KEPT)
        lease = add_lease_facts(&params, results, ids);
    *results = (struct results){.count = 0};
    return db_execute_for(
        db,
        arena_printf(arena,
                     "UPDATE queue_submission FORCE INDEX (PRIMARY)"
                     " SET return_time = " SQL_TIME_FROM_US ","
                     " grader_reply = %s%s WHERE id",
                     reply, lease),
        &params, ids, count);
}

/* The same that hot_set_keep_lease() writes. */
static const char *add_lease_facts(struct db_params *params,
                                   const struct results *results,
                                   const int64_t *ids)
{
    size_t count = results->count;
    struct text keys[DB_LADDER_TOP];
    struct text graders[DB_LADDER_TOP];
    struct text pulled[DB_LADDER_TOP];
    const char *key;
    const char *grader;

    for (size_t i = 0; i < count; i++) {
        keys[i] = results->live[i]->pullkey;
        graders[i] = results->live[i]->grader_id;
        pulled[i] = text_of(arena_printf(
            params->arena, "%lld", (long long)results->live[i]->pulled_us));
    }
    key = db_params_add_choice(params, "id", ids, keys, count);
    grader = db_params_add_choice(params, "id", ids, graders, count);
    return arena_printf(params->arena,
                        ", pullkey = %s, grader_id = %s, pull_time ="
                        " TIMESTAMP'1970-01-01 00:00:00'"
                        " + INTERVAL CAST(%s AS SIGNED) MICROSECOND",
                        key, grader,
                        db_params_add_choice(params, "id", ids, pulled, count));
}

static enum db_status settle_live(struct db_conn *db,
                                  const struct answer_batch *batch)
{
    size_t size = (batch->taken_count + 1) * sizeof(struct live_row);
    struct live_row *answered = arena_alloc(batch->live.arena, size);
    struct live_row *superseded = arena_alloc(batch->live.arena, size);
    size_t answered_count = 0;
    size_t superseded_count = 0;
    enum db_status status;

    for (size_t i = 0; i < batch->taken_count; i++) {
        const struct live_row *live = batch->taken[i].live;

        if (live != NULL && live->state == LIVE_SUPERSEDED)
            superseded[superseded_count++] = *live;
        else if (live != NULL)
            answered[answered_count++] = *live;
    }
    status = hot_set_settle(db, batch->live.arena, answered, answered_count,
                            LIVE_ANSWERED);
    if (status != DB_OK)
        return status;
    return hot_set_forget(db, batch->live.arena, superseded, superseded_count);
}
