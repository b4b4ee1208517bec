/*
 * The outbox: looking what is due, and claiming it:
 *
 *   look_at_due how many are due, and since when?
 *   lock_due    the longest due that nobody else holds, from then on
 *   load_texts  of the submissions; long replies only tell their size
 *   bound_bytes what does not fit into memory together stays due
 *   mark_owned  the others are ours, until the lease ends
 *   load_long   the long replies among them
 */
#include "db/outbox.h"

#include "db/floors.h"

enum {
    MAX_DESTINATIONS = 1000,
    MAX_CLAIM_BYTES = 32 * 1024 * 1024, /* of texts; one alone may be longer */
    LONG_BYTES = 64 * 1024 /* a longer reply is loaded once it is ours */
};

struct claim {
    struct outbox_claim *self;
    struct arena *arena; /* of this run */
    int64_t now_us;
    struct db_rows rows; /* seq, id, attempts, created_us, kind */
    int64_t *seqs;
    struct db_rows texts;   /* seq, bytes, queue_name, header, reply */
    struct db_rows replies; /* seq, reply: the long ones */
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
static enum db_status look_at_due(struct db_conn *db, struct claim *claim,
                                  struct floor_look *look, size_t *ret_count);
static enum db_status lock_due(struct db_conn *db, struct claim *claim,
                               const struct floor_look *look, size_t count);
static enum db_status load_texts(struct db_conn *db, struct claim *claim);
static void bound_bytes(struct claim *claim);
static int64_t bytes_of(const struct claim *claim, size_t number);
static enum db_status mark_owned(struct db_conn *db, struct claim *claim);
static enum db_status load_long(struct db_conn *db, struct claim *claim);
static void fill_items(struct claim *claim);
static void fill_item(struct claim *claim, size_t number, size_t row);
static bool find_seq(const struct db_rows *rows, int64_t seq, size_t *ret_row);
static enum db_status drop_orphans(struct db_conn *db, struct claim *claim);

const struct db_op outbox_look_op = {
    .kind = DB_OP_KIND("outbox_look", 1, 0),
    .run_batch = run_look,
};

const struct db_op outbox_claim_op = {
    .kind = DB_OP_KIND("outbox_claim", 1, 0),
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
    if (status == DB_OK)
        status = load_texts(db, claim);
    if (status == DB_OK)
        bound_bytes(claim);
    if (status == DB_OK)
        status = mark_owned(db, claim);
    if (status == DB_OK)
        status = load_long(db, claim);
    if (status == DB_OK)
        fill_items(claim);
    if (status == DB_OK)
        status = drop_orphans(db, claim);
    arena_free(claim->arena);
    return status;
}

static enum db_status take_due(struct db_conn *db, struct claim *claim)
{
    struct floors *floors = db_conn_floors(db);
    struct floor_look look =
        floors_begin(floors, FLOOR_OF_DESTINATION, claim->self->destination);
    size_t count;
    enum db_status status = look_at_due(db, claim, &look, &count);

    claim->rows = (struct db_rows){.count = 0};
    if (status == DB_OK && count > 0)
        status = lock_due(db, claim, &look, count);
    if (status != DB_OK) {
        floors_failed(floors, &look);
        return status;
    }
    floors_end(floors, &look, count > 0 ? look.from_us : claim->now_us);
    claim->seqs =
        arena_alloc(claim->arena, (claim->rows.count + 1) * sizeof(int64_t));
    for (size_t i = 0; i < claim->rows.count; i++)
        claim->seqs[i] = db_integer(&claim->rows, i, 0);
    claim->self->more = claim->rows.count == claim->self->limit;
    return DB_OK;
}

/*
 * Locking what it steps over, a claim would be slow while callbacks that were
 * delivered cannot be purged: behind the last that is due their leases stand in
 * the index, all of the last seconds, and it would go on to the first that has
 * not ended. So a plain read, which is ten times as fast, says where it begins
 * and how many it finds.
 */
static enum db_status look_at_due(struct db_conn *db, struct claim *claim,
                                  struct floor_look *look, size_t *ret_count)
{
    const struct db_param params[] = {
        DB_INTEGER(claim->self->destination),
        DB_INTEGER(look->from_us),
        DB_INTEGER(claim->now_us),
        DB_INTEGER(claim->self->limit),
    };
    struct db_rows rows;
    enum db_status status =
        db_query(db, claim->arena,
                 "SELECT due_us FROM xqueue_outbox FORCE INDEX (due)"
                 " WHERE destination = ? AND due_us >= ? AND due_us <= ?"
                 " ORDER BY due_us, seq LIMIT ?",
                 params, ARRAY_LENGTH(params), &rows);

    if (status != DB_OK)
        return status;
    *ret_count = rows.count;
    if (rows.count > 0)
        look->from_us = db_integer(&rows, 0, 0);
    return DB_OK;
}

static enum db_status lock_due(struct db_conn *db, struct claim *claim,
                               const struct floor_look *look, size_t count)
{
    const struct db_param params[] = {
        DB_INTEGER(claim->self->destination),
        DB_INTEGER(look->from_us),
        DB_INTEGER(claim->now_us),
        DB_INTEGER(count),
    };

    return db_query(db, claim->arena,
                    "SELECT seq, id, attempts, created_us, kind"
                    " FROM xqueue_outbox FORCE INDEX (due)"
                    " WHERE destination = ? AND due_us >= ? AND due_us <= ?"
                    " ORDER BY due_us, seq LIMIT ? FOR UPDATE SKIP LOCKED",
                    params, ARRAY_LENGTH(params), &claim->rows);
}

#define REPLY "COALESCE(o.reply, s.grader_reply)"

static enum db_status load_texts(struct db_conn *db, struct claim *claim)
{
    struct db_params params = db_params_new(claim->arena);
    const char *sql;

    db_params_add(&params, DB_INTEGER(LONG_BYTES));
    sql = arena_printf(
        claim->arena,
        "SELECT o.seq, OCTET_LENGTH(s.xqueue_header) + OCTET_LENGTH(" REPLY
        "), s.queue_name, s.xqueue_header,"
        " IF(OCTET_LENGTH(" REPLY ") <= ?, " REPLY ", NULL)"
        " FROM xqueue_outbox o JOIN queue_submission s ON s.id = o.id"
        " WHERE o.seq IN (%s)",
        db_params_add_list(&params, claim->seqs, claim->rows.count));
    return db_query(db, claim->arena, sql, params.list, params.count,
                    &claim->texts);
}

/* What does not fit into memory together stays due. */
static void bound_bytes(struct claim *claim)
{
    int64_t bytes = bytes_of(claim, 0);
    size_t fit = 1;

    while (fit < claim->rows.count) {
        bytes += bytes_of(claim, fit);
        if (bytes > MAX_CLAIM_BYTES)
            break;
        fit++;
    }
    if (fit < claim->rows.count)
        claim->self->more = true;
    claim->rows.count = fit;
}

static int64_t bytes_of(const struct claim *claim, size_t number)
{
    size_t row;

    return find_seq(&claim->texts, claim->seqs[number], &row)
               ? db_integer(&claim->texts, row, 1)
               : 0;
}

static enum db_status mark_owned(struct db_conn *db, struct claim *claim)
{
    struct db_params params = db_params_new(claim->arena);

    db_params_add(&params, DB_INTEGER(claim->now_us + claim->self->lease_us));
    db_params_add(&params, DB_BYTES(claim->self->owner, OWNER_SIZE));
    return db_execute_for(db,
                          "UPDATE xqueue_outbox FORCE INDEX (PRIMARY)"
                          " SET due_us = ?, owner = ?, attempts = attempts + 1"
                          " WHERE seq",
                          &params, claim->seqs, claim->rows.count);
}

static enum db_status load_long(struct db_conn *db, struct claim *claim)
{
    struct db_params params = db_params_new(claim->arena);
    int64_t *seqs = arena_alloc(claim->arena, claim->rows.count * sizeof *seqs);
    size_t count = 0;
    size_t row;
    const char *sql;

    for (size_t i = 0; i < claim->rows.count; i++) {
        if (find_seq(&claim->texts, claim->seqs[i], &row) &&
            db_is_null(&claim->texts, row, 4))
            seqs[count++] = claim->seqs[i];
    }
    claim->replies = (struct db_rows){.count = 0};
    if (count == 0)
        return DB_OK;
    sql = arena_printf(claim->arena,
                       "SELECT o.seq, " REPLY " FROM xqueue_outbox o"
                       " JOIN queue_submission s ON s.id = o.id"
                       " WHERE o.seq IN (%s)",
                       db_params_add_list(&params, seqs, count));
    return db_query(db, claim->arena, sql, params.list, params.count,
                    &claim->replies);
}

static void fill_items(struct claim *claim)
{
    struct outbox_claim *self = claim->self;
    size_t row;

    self->items =
        arena_alloc(self->arena, claim->rows.count * sizeof *self->items);
    for (size_t i = 0; i < claim->rows.count; i++) {
        if (find_seq(&claim->texts, claim->seqs[i], &row))
            fill_item(claim, i, row);
    }
}

static void fill_item(struct claim *claim, size_t number, size_t row)
{
    struct outbox_claim *self = claim->self;
    const struct db_rows *rows = &claim->rows;
    struct text reply = db_text(&claim->texts, row, 4);
    size_t long_row;

    if (find_seq(&claim->replies, claim->seqs[number], &long_row))
        reply = db_text(&claim->replies, long_row, 1);
    self->items[self->count++] = (struct outbox_item){
        .seq = claim->seqs[number],
        .id = db_integer(rows, number, 1),
        .attempt = db_integer(rows, number, 2) + 1,
        .age_us = claim->now_us - db_integer(rows, number, 3),
        .kind = (enum outbox_kind)db_integer(rows, number, 4),
        .queue_name = arena_copy(self->arena, db_text(&claim->texts, row, 2)),
        .header = arena_copy(self->arena, db_text(&claim->texts, row, 3)),
        .reply = arena_copy(self->arena, reply),
    };
}

static bool find_seq(const struct db_rows *rows, int64_t seq, size_t *ret_row)
{
    for (size_t row = 0; row < rows->count; row++) {
        if (db_integer(rows, row, 0) == seq) {
            *ret_row = row;
            return true;
        }
    }
    return false;
}

/* Their submission was deleted: there is nothing left to tell. */
static enum db_status drop_orphans(struct db_conn *db, struct claim *claim)
{
    static const struct db_index outbox = {"xqueue_outbox", "PRIMARY", "seq"};
    static const struct db_index live = {"xqueue_live", "PRIMARY", "id"};
    size_t size = claim->rows.count * sizeof(int64_t);
    int64_t *seqs = arena_alloc(claim->arena, size);
    int64_t *ids = arena_alloc(claim->arena, size);
    size_t count = 0;
    size_t row;
    enum db_status status;

    for (size_t i = 0; i < claim->rows.count; i++) {
        if (find_seq(&claim->texts, claim->seqs[i], &row))
            continue;
        seqs[count] = claim->seqs[i];
        ids[count++] = db_integer(&claim->rows, i, 1);
    }
    status = db_delete_for(db, claim->arena, &outbox, seqs, count);
    if (status != DB_OK)
        return status;
    return db_delete_for(db, claim->arena, &live, ids, count);
}
