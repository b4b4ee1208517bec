/*
 * The outbox: what became of callbacks. Many records share a transaction:
 *
 *   lock_all     the live rows, in the order of id
 *   look         which outbox rows are still ours, and what stands behind them
 *   postpone     those to be tried again get a new time
 *   drop         the others go
 *   wake_next    a later callback of the same submission becomes due
 *   note         what queue_submission says of them; after its last callback a
 *                submission is retired
 *   forget_live  and leaves the hot set
 *
 * Each step is one statement for all records that it is about.
 */
#include "db/outbox.h"

#include "db/live_batch.h"

#include <string.h>

enum { BATCH = 64 };

struct list {
    int64_t *ids; /* room for all */
    size_t count;
};

/* What queue_submission says after an outcome. */
struct note {
    enum outbox_outcome outcome;
    bool is_last; /* no callback is left */
    bool is_acknowledged;
    bool is_failure;
};

static const struct note notes[] = {
    {OUTBOX_DELIVERED, true, true, false},
    {OUTBOX_DELIVERED, false, true, false},
    {OUTBOX_GIVE_UP, true, false, true},
    {OUTBOX_GIVE_UP, false, false, true},
    {OUTBOX_RETRY, false, false, true},
};

struct recording {
    struct live_batch live;

    /* Of those that are still ours. */
    const struct outbox_record **postponed;
    size_t postponed_count;
    struct list over;                       /* seqs; they go */
    struct list next;                       /* seqs of those behind them */
    struct list last;                       /* submissions without any more */
    struct list noted[ARRAY_LENGTH(notes)]; /* submissions */
};

static enum db_status run_record(struct db_conn *db, struct db_job **jobs,
                                 size_t count);
static enum db_status record_body(struct db_conn *db, int64_t now_us,
                                  void *context);
static enum db_status record_all(struct db_conn *db,
                                 struct recording *recording);
static enum db_status lock_all(struct db_conn *db, struct recording *recording);
static enum db_status look(struct db_conn *db, struct recording *recording);
static void make_lists(struct recording *recording);
static struct list new_list(struct arena *arena, size_t count);
static bool is_ours(const struct outbox_record *record, struct text owner);
static void put_into_lists(struct recording *recording,
                           const struct outbox_record *record, int64_t next);
static void put(struct list *list, int64_t id);
static enum db_status postpone(struct db_conn *db,
                               const struct recording *recording);
static enum db_status drop(struct db_conn *db,
                           const struct recording *recording);
static enum db_status wake_next(struct db_conn *db,
                                const struct recording *recording);
static enum db_status note_all(struct db_conn *db,
                               const struct recording *recording);
static enum db_status forget_live(struct db_conn *db,
                                  const struct recording *recording);

const struct db_op outbox_record_op = {
    .kind = DB_OP_KIND("outbox_record", BATCH, 1),
    .run_batch = run_record,
};

static struct outbox_record *item(const struct recording *recording, size_t i)
{
    return CONTAINER_OF(recording->live.jobs[i], struct outbox_record, job);
}

static int64_t submission_of(struct db_job *job)
{
    return CONTAINER_OF(job, struct outbox_record, job)->id;
}

static enum db_status run_record(struct db_conn *db, struct db_job **jobs,
                                 size_t count)
{
    struct recording recording = {
        .live = {.jobs = jobs, .count = count, .submission_of = submission_of}};

    /* Two callbacks of one submission: one after the other. */
    if (live_batch_has_twins(&recording.live))
        return DB_REFUSED;
    return db_transact(db, record_body, &recording);
}

static enum db_status record_body(struct db_conn *db, int64_t now_us,
                                  void *context)
{
    struct recording *recording = context;
    enum db_status status;

    recording->live.arena = arena_new();
    recording->live.now_us = now_us;
    status = record_all(db, recording);
    arena_free(recording->live.arena);
    return status;
}

static enum db_status record_all(struct db_conn *db,
                                 struct recording *recording)
{
    enum db_status status = lock_all(db, recording);

    if (status == DB_OK)
        status = look(db, recording);
    if (status == DB_OK)
        status = postpone(db, recording);
    if (status == DB_OK)
        status = drop(db, recording);
    if (status == DB_OK)
        status = wake_next(db, recording);
    if (status == DB_OK)
        status = note_all(db, recording);
    return status == DB_OK ? forget_live(db, recording) : status;
}

/*
 * Nobody else may add a callback of these submissions meanwhile: one put
 * behind a callback that is just going would never become due. One retired by
 * force has no live row; see db/outbox_row.h.
 */
static enum db_status lock_all(struct db_conn *db, struct recording *recording)
{
    struct live_batch *live = &recording->live;
    struct db_params params = db_params_new(live->arena);
    const char *sql;
    int64_t *ids;
    size_t count = 0;
    struct db_rows rows;
    enum db_status status = live_batch_lock(db, live);

    if (status != DB_OK || live->row_count == live->count)
        return status;
    ids = arena_alloc(live->arena, live->count * sizeof *ids);
    for (size_t i = 0; i < live->count; i++) {
        if (live_batch_find(live, item(recording, i)->id) == NULL)
            ids[count++] = item(recording, i)->id;
    }
    sql = arena_printf(live->arena,
                       "SELECT id FROM queue_submission FORCE INDEX (PRIMARY)"
                       " WHERE id IN (%s) ORDER BY id FOR UPDATE",
                       db_params_add_list(&params, ids, count));
    return db_query(db, live->arena, sql, params.list, params.count, &rows);
}

static enum db_status look(struct db_conn *db, struct recording *recording)
{
    struct arena *arena = recording->live.arena;
    size_t count = recording->live.count;
    struct db_params params = db_params_new(arena);
    int64_t *seqs = arena_alloc(arena, count * sizeof *seqs);
    struct db_rows rows;
    enum db_status status;
    const char *sql;

    for (size_t i = 0; i < count; i++)
        seqs[i] = item(recording, i)->seq;
    sql = arena_printf(arena,
                       "SELECT o.seq, o.owner, (SELECT MIN(behind.seq)"
                       " FROM xqueue_outbox behind FORCE INDEX (submission)"
                       " WHERE behind.id = o.id AND behind.seq <> o.seq)"
                       " FROM xqueue_outbox o FORCE INDEX (PRIMARY)"
                       " WHERE o.seq IN (%s) FOR UPDATE",
                       db_params_add_list(&params, seqs, count));
    status = db_query(db, arena, sql, params.list, params.count, &rows);
    if (status != DB_OK)
        return status;
    make_lists(recording);
    for (size_t i = 0; i < count; i++) {
        for (size_t row = 0; row < rows.count; row++) {
            if (db_integer(&rows, row, 0) == item(recording, i)->seq &&
                is_ours(item(recording, i), db_text(&rows, row, 1)))
                put_into_lists(recording, item(recording, i),
                               db_integer(&rows, row, 2));
        }
    }
    return DB_OK;
}

static void make_lists(struct recording *recording)
{
    struct arena *arena = recording->live.arena;
    size_t count = recording->live.count;

    recording->postponed =
        arena_alloc(arena, count * sizeof *recording->postponed);
    recording->postponed_count = 0;
    recording->over = new_list(arena, count);
    recording->next = new_list(arena, count);
    recording->last = new_list(arena, count);
    for (size_t i = 0; i < ARRAY_LENGTH(notes); i++)
        recording->noted[i] = new_list(arena, count);
}

static struct list new_list(struct arena *arena, size_t count)
{
    return (struct list){.ids = arena_alloc(arena, count * sizeof(int64_t))};
}

/* Nothing happens to one that somebody else has claimed meanwhile. */
static bool is_ours(const struct outbox_record *record, struct text owner)
{
    return owner.size == OWNER_SIZE &&
           memcmp(owner.data, record->owner, OWNER_SIZE) == 0;
}

/* `next` is the seq of the callback behind it, 0 when there is none. */
static void put_into_lists(struct recording *recording,
                           const struct outbox_record *record, int64_t next)
{
    bool is_over = record->outcome == OUTBOX_DELIVERED ||
                   record->outcome == OUTBOX_GIVE_UP;
    bool is_last = is_over && next == 0;

    if (is_over)
        put(&recording->over, record->seq);
    else
        recording->postponed[recording->postponed_count++] = record;
    if (is_last)
        put(&recording->last, record->id);
    else if (is_over)
        put(&recording->next, next);
    for (size_t i = 0; i < ARRAY_LENGTH(notes); i++) {
        if (notes[i].outcome == record->outcome && notes[i].is_last == is_last)
            put(&recording->noted[i], record->id);
    }
}

static void put(struct list *list, int64_t id)
{
    list->ids[list->count++] = id;
}

/* Of one that we cut off, the attempt does not count either. */
static enum db_status postpone(struct db_conn *db,
                               const struct recording *recording)
{
    struct arena *arena = recording->live.arena;
    struct db_params params = db_params_new(arena);
    size_t count = recording->postponed_count;
    int64_t *seqs = arena_alloc(arena, (count + 1) * sizeof *seqs);
    struct text *due = arena_alloc(arena, (count + 1) * sizeof *due);
    struct text *undone = arena_alloc(arena, (count + 1) * sizeof *undone);
    const char *due_choice;
    const char *undone_choice;

    if (count == 0)
        return DB_OK;
    for (size_t i = 0; i < count; i++) {
        const struct outbox_record *record = recording->postponed[i];
        bool is_retry = record->outcome == OUTBOX_RETRY;
        int64_t wait_us = is_retry ? record->retry_us : 0;

        seqs[i] = record->seq;
        due[i] = text_of(arena_printf(
            arena, "%lld", (long long)(recording->live.now_us + wait_us)));
        undone[i] = text_of(is_retry ? "0" : "1");
    }
    due_choice = db_params_add_choice(&params, "seq", seqs, due, count);
    undone_choice = db_params_add_choice(&params, "seq", seqs, undone, count);
    return db_execute_for(
        db,
        arena_printf(arena,
                     "UPDATE xqueue_outbox FORCE INDEX (PRIMARY)"
                     " SET due_us = %s, owner = NULL,"
                     " attempts = attempts - CAST(%s AS SIGNED) WHERE seq",
                     due_choice, undone_choice),
        &params, seqs, count);
}

static enum db_status drop(struct db_conn *db,
                           const struct recording *recording)
{
    static const struct db_index seqs = {"xqueue_outbox", "PRIMARY", "seq"};

    return db_delete_for(db, recording->live.arena, &seqs, recording->over.ids,
                         recording->over.count);
}

static enum db_status wake_next(struct db_conn *db,
                                const struct recording *recording)
{
    struct db_params params = db_params_new(recording->live.arena);

    db_params_add(&params, DB_INTEGER(recording->live.now_us));
    return db_execute_for(db,
                          "UPDATE xqueue_outbox FORCE INDEX (PRIMARY)"
                          " SET due_us = ? WHERE due_us IS NULL AND seq",
                          &params, recording->next.ids, recording->next.count);
}

/* Django's columns keep their meaning: see queue_submission. */
static enum db_status note_all(struct db_conn *db,
                               const struct recording *recording)
{
    enum db_status status = DB_OK;

    for (size_t i = 0; i < ARRAY_LENGTH(notes) && status == DB_OK; i++) {
        struct db_params params = db_params_new(recording->live.arena);

        db_params_add(&params, DB_INTEGER(notes[i].is_acknowledged));
        db_params_add(&params, DB_INTEGER(notes[i].is_failure));
        db_params_add(&params, DB_INTEGER(notes[i].is_last));
        status = db_execute_for(
            db,
            "UPDATE queue_submission FORCE INDEX (PRIMARY) SET"
            " lms_ack = lms_ack OR ?, num_failures = num_failures + ?,"
            " retired = retired OR ? WHERE id",
            &params, recording->noted[i].ids, recording->noted[i].count);
    }
    return status;
}

static enum db_status forget_live(struct db_conn *db,
                                  const struct recording *recording)
{
    static const struct db_index ids = {"xqueue_live", "PRIMARY", "id"};

    return db_delete_for(db, recording->live.arena, &ids, recording->last.ids,
                         recording->last.count);
}
