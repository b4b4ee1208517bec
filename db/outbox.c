/*
 * The outbox: looking what is due, and claiming it.
 */
#include "db/outbox.h"

enum {
    MAX_DESTINATIONS = 1000,
    MAX_CLAIM_BYTES = 32 * 1024 * 1024 /* of texts; one alone may be longer */
};

struct claim {
    struct outbox_claim *self;
    struct arena *arena; /* of this run */
    int64_t now_us;
    struct db_rows rows; /* seq, id, attempts, created_us, kind */
    int64_t *seqs;
};

static enum db_status run_look(struct db_conn *db, struct db_job **jobs,
                               size_t count);
static enum db_status look_body(struct db_conn *db, int64_t now_us,
                                void *context);
static enum db_status run_claim(struct db_conn *db, struct db_job **jobs,
                                size_t count);
static enum db_status claim_body(struct db_conn *db, int64_t now_us,
                                 void *context);
static enum db_status take_due(struct db_conn *db, struct claim *claim);
static enum db_status bound_bytes(struct db_conn *db, struct claim *claim);
static size_t count_that_fit(const struct claim *claim,
                             const struct db_rows *sizes);
static enum db_status mark_owned(struct db_conn *db, struct claim *claim);
static enum db_status load_texts(struct db_conn *db, struct claim *claim);
static void fill_item(struct claim *claim, size_t number,
                      const struct db_rows *texts, size_t row);
static enum db_status drop_orphans(struct db_conn *db, struct claim *claim,
                                   const struct db_rows *texts);
static enum db_status drop_orphan(struct db_conn *db, int64_t seq, int64_t id);

const struct db_op outbox_look_op = {
    .kind = DB_OP_KIND("outbox_look", 1),
    .run_batch = run_look,
};

const struct db_op outbox_claim_op = {
    .kind = DB_OP_KIND("outbox_claim", 1),
    .run_batch = run_claim,
};

static enum db_status run_look(struct db_conn *db, struct db_job **jobs,
                               size_t count)
{
    (void)count;
    return db_read(db, look_body, jobs[0]);
}

static enum db_status look_body(struct db_conn *db, int64_t now_us,
                                void *context)
{
    struct outbox_look *self = CONTAINER_OF(context, struct outbox_look, job);
    const struct db_param limit[] = {DB_INTEGER(MAX_DESTINATIONS)};
    struct db_rows rows;
    enum db_status status =
        db_query(db, self->arena,
                 "SELECT destination, GREATEST(0, MIN(due_us) - " SQL_NOW_US ")"
                 " FROM xqueue_outbox WHERE due_us IS NOT NULL"
                 " GROUP BY destination ORDER BY MIN(due_us) LIMIT ?",
                 limit, 1, &rows);

    (void)now_us;
    if (status != DB_OK)
        return status;
    self->due = arena_alloc(self->arena, (rows.count + 1) * sizeof *self->due);
    self->count = rows.count;
    for (size_t i = 0; i < rows.count; i++)
        self->due[i] = (struct outbox_due){
            .destination = db_integer(&rows, i, 0),
            .wait_us = db_integer(&rows, i, 1),
        };
    return DB_OK;
}

static enum db_status run_claim(struct db_conn *db, struct db_job **jobs,
                                size_t count)
{
    struct claim claim = {
        .self = CONTAINER_OF(jobs[0], struct outbox_claim, job),
    };
    enum db_status status = db_transact(db, claim_body, &claim);

    (void)count;
    return status == DB_NOT_FOUND ? DB_OK : status;
}

/* DB_NOT_FOUND when none is due: nothing is committed then, nor flushed. */
static enum db_status claim_body(struct db_conn *db, int64_t now_us,
                                 void *context)
{
    struct claim *claim = context;
    enum db_status status;

    claim->arena = arena_new();
    claim->now_us = now_us;
    claim->self->count = 0;
    claim->self->more = false;
    status = take_due(db, claim);
    if (status == DB_OK && claim->rows.count == 0)
        status = DB_NOT_FOUND;
    if (status == DB_OK && claim->rows.count > 1)
        status = bound_bytes(db, claim);
    if (status == DB_OK)
        status = mark_owned(db, claim);
    if (status == DB_OK)
        status = load_texts(db, claim);
    arena_free(claim->arena);
    return status;
}

static enum db_status take_due(struct db_conn *db, struct claim *claim)
{
    const struct db_param params[] = {
        DB_INTEGER(claim->self->destination),
        DB_INTEGER(claim->now_us),
        DB_INTEGER(claim->self->limit),
    };
    enum db_status status =
        db_query(db, claim->arena,
                 "SELECT seq, id, attempts, created_us, kind"
                 " FROM xqueue_outbox FORCE INDEX (due)"
                 " WHERE destination = ? AND due_us <= ?"
                 " ORDER BY due_us, seq LIMIT ? FOR UPDATE SKIP LOCKED",
                 params, ARRAY_LENGTH(params), &claim->rows);

    if (status != DB_OK)
        return status;
    claim->seqs =
        arena_alloc(claim->arena, (claim->rows.count + 1) * sizeof(int64_t));
    for (size_t i = 0; i < claim->rows.count; i++)
        claim->seqs[i] = db_integer(&claim->rows, i, 0);
    claim->self->more = claim->rows.count == claim->self->limit;
    return DB_OK;
}

/* What does not fit into memory together stays due. */
static enum db_status bound_bytes(struct db_conn *db, struct claim *claim)
{
    struct db_params params = db_params_new(claim->arena);
    struct db_rows sizes;
    enum db_status status;
    size_t fit;
    const char *sql = arena_printf(
        claim->arena,
        "SELECT o.seq, OCTET_LENGTH(s.xqueue_header)"
        " + COALESCE(OCTET_LENGTH(COALESCE(o.reply, s.grader_reply)), 0)"
        " FROM xqueue_outbox o JOIN queue_submission s ON s.id = o.id"
        " WHERE o.seq IN (%s)",
        db_params_add_list(&params, claim->seqs, claim->rows.count));

    status = db_query(db, claim->arena, sql, params.list, params.count, &sizes);
    if (status != DB_OK)
        return status;
    fit = count_that_fit(claim, &sizes);
    if (fit < claim->rows.count)
        claim->self->more = true;
    claim->rows.count = fit;
    return DB_OK;
}

static size_t count_that_fit(const struct claim *claim,
                             const struct db_rows *sizes)
{
    int64_t bytes = 0;

    for (size_t i = 0; i < claim->rows.count; i++) {
        for (size_t row = 0; row < sizes->count; row++) {
            if (db_integer(sizes, row, 0) == claim->seqs[i])
                bytes += db_integer(sizes, row, 1);
        }
        if (bytes > MAX_CLAIM_BYTES && i > 0)
            return i;
    }
    return claim->rows.count;
}

static enum db_status mark_owned(struct db_conn *db, struct claim *claim)
{
    struct db_params params = db_params_new(claim->arena);
    const char *sql;

    db_params_add(&params, DB_INTEGER(claim->now_us + claim->self->lease_us));
    db_params_add(&params, DB_BYTES(claim->self->owner, OWNER_SIZE));
    sql = arena_printf(
        claim->arena,
        "UPDATE xqueue_outbox FORCE INDEX (PRIMARY) SET due_us = ?, owner = ?,"
        " attempts = attempts + 1 WHERE seq IN (%s)",
        db_params_add_list(&params, claim->seqs, claim->rows.count));
    return db_execute(db, sql, params.list, params.count, NULL);
}

static enum db_status load_texts(struct db_conn *db, struct claim *claim)
{
    struct db_params params = db_params_new(claim->arena);
    struct outbox_claim *self = claim->self;
    struct db_rows texts;
    enum db_status status;
    const char *sql = arena_printf(
        claim->arena,
        "SELECT o.seq, s.queue_name, s.xqueue_header,"
        " COALESCE(o.reply, s.grader_reply) FROM xqueue_outbox o"
        " JOIN queue_submission s ON s.id = o.id WHERE o.seq IN (%s)",
        db_params_add_list(&params, claim->seqs, claim->rows.count));

    status = db_query(db, claim->arena, sql, params.list, params.count, &texts);
    if (status != DB_OK)
        return status;
    self->items =
        arena_alloc(self->arena, (claim->rows.count + 1) * sizeof *self->items);
    for (size_t i = 0; i < claim->rows.count; i++) {
        for (size_t row = 0; row < texts.count; row++) {
            if (db_integer(&texts, row, 0) == claim->seqs[i])
                fill_item(claim, i, &texts, row);
        }
    }
    return drop_orphans(db, claim, &texts);
}

static void fill_item(struct claim *claim, size_t number,
                      const struct db_rows *texts, size_t row)
{
    struct outbox_claim *self = claim->self;
    const struct db_rows *rows = &claim->rows;

    self->items[self->count++] = (struct outbox_item){
        .seq = claim->seqs[number],
        .id = db_integer(rows, number, 1),
        .attempt = db_integer(rows, number, 2) + 1,
        .age_us = claim->now_us - db_integer(rows, number, 3),
        .kind = (enum outbox_kind)db_integer(rows, number, 4),
        .queue_name = arena_copy(self->arena, db_text(texts, row, 1)),
        .header = arena_copy(self->arena, db_text(texts, row, 2)),
        .reply = arena_copy(self->arena, db_text(texts, row, 3)),
    };
}

/* Their submission was deleted: there is nothing left to tell. */
static enum db_status drop_orphans(struct db_conn *db, struct claim *claim,
                                   const struct db_rows *texts)
{
    if (texts->count == claim->rows.count)
        return DB_OK;
    for (size_t i = 0; i < claim->rows.count; i++) {
        bool found = false;
        enum db_status status;

        for (size_t row = 0; row < texts->count; row++)
            found = found || db_integer(texts, row, 0) == claim->seqs[i];
        if (found)
            continue;
        status =
            drop_orphan(db, claim->seqs[i], db_integer(&claim->rows, i, 1));
        if (status != DB_OK)
            return status;
    }
    return DB_OK;
}

static enum db_status drop_orphan(struct db_conn *db, int64_t seq, int64_t id)
{
    const struct db_param seqs[] = {DB_INTEGER(seq)};
    const struct db_param ids[] = {DB_INTEGER(id)};
    enum db_status status = db_execute(
        db, "DELETE FROM xqueue_outbox WHERE seq = ?", seqs, 1, NULL);

    if (status != DB_OK)
        return status;
    return db_execute(db, "DELETE FROM xqueue_live WHERE id = ?", ids, 1, NULL);
}
