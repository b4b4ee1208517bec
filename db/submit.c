/*
 * Storing submissions, many in one transaction:
 *
 *   supersede       retire what the new ones replace
 *   insert_wide     queue_submission: the history and Django's view
 *   insert_files    xqueue_files, for those of many files
 *   insert_live     where each stands, and which problem it is about
 *   insert_ready    the order in which they are handed out
 *   count_waiting   depth, and the number that each reply tells
 */
#include "db/submit.h"

#include "db/queue.h"
#include "server/base/utf8.h"

#include <string.h>

enum {
    BATCH = 64,
    STATEMENT_BYTES = 1 << 20, /* of header and body in one INSERT */
    URL_COLUMN = 128           /* characters */
};

struct batch {
    struct db_job **jobs;
    size_t count;
    struct arena *arena;
};

static enum db_status run_insert(struct db_conn *db, struct db_job **jobs,
                                 size_t count);
static enum db_status insert_body(struct db_conn *db, int64_t now_us,
                                  void *context);
static void find_superseded_within(struct batch *batch);
static enum db_status supersede(struct db_conn *db, struct batch *batch);
static enum db_status supersede_row(struct db_conn *db, struct arena *arena,
                                    const struct live_row *row);
static enum db_status find_prior(struct db_conn *db, struct batch *batch,
                                 int64_t **ret_ids, size_t *ret_count);
static enum db_status insert_wide(struct db_conn *db, struct batch *batch,
                                  int64_t now_us);
static size_t rows_of_next_statement(const struct batch *batch, size_t first);
static enum db_status insert_files(struct db_conn *db, struct batch *batch);
static enum db_status insert_live(struct db_conn *db, struct batch *batch,
                                  int64_t now_us);
static enum db_status insert_ready(struct db_conn *db, struct batch *batch,
                                   int64_t now_us);
static enum db_status count_waiting(struct db_conn *db, struct batch *batch);
static enum db_status count_queue(struct db_conn *db, struct batch *batch,
                                  int64_t queue_id);

const struct db_op submission_insert_op = {
    .kind = DB_OP_KIND("submit", BATCH),
    .run_batch = run_insert,
};

static struct submission_insert *item(const struct batch *batch, size_t i)
{
    return CONTAINER_OF(batch->jobs[i], struct submission_insert, job);
}

static enum db_status run_insert(struct db_conn *db, struct db_job **jobs,
                                 size_t count)
{
    struct batch batch = {jobs, count, NULL};

    return db_transact(db, insert_body, &batch);
}

static enum db_status insert_body(struct db_conn *db, int64_t now_us,
                                  void *context)
{
    struct batch *batch = context;
    enum db_status status;

    batch->arena = arena_new();
    find_superseded_within(batch);
    status = supersede(db, batch);
    if (status == DB_OK)
        status = insert_wide(db, batch, now_us);
    if (status == DB_OK)
        status = insert_files(db, batch);
    if (status == DB_OK)
        status = insert_live(db, batch, now_us);
    if (status == DB_OK)
        status = insert_ready(db, batch, now_us);
    if (status == DB_OK)
        status = count_waiting(db, batch);
    arena_free(batch->arena);
    return status;
}

/* Of two in one batch about the same problem, the later one stays. */
static void find_superseded_within(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        item(batch, i)->superseded = false;
        for (size_t later = i + 1; later < batch->count; later++) {
            if (memcmp(item(batch, i)->problem, item(batch, later)->problem,
                       PROBLEM_SIZE) == 0)
                item(batch, i)->superseded = true;
        }
    }
}

static enum db_status supersede(struct db_conn *db, struct batch *batch)
{
    struct live_row *rows = NULL;
    int64_t *ids;
    size_t count = 0;
    enum db_status status = find_prior(db, batch, &ids, &count);

    if (status == DB_OK)
        status =
            hot_set_lock(db, batch->arena, ids, count, false, &rows, &count);
    for (size_t i = 0; i < count && status == DB_OK; i++)
        status = supersede_row(db, batch->arena, &rows[i]);
    return status;
}

/* A plain read: the rows are locked by id afterwards, in their order. */
static enum db_status find_prior(struct db_conn *db, struct batch *batch,
                                 int64_t **ret_ids, size_t *ret_count)
{
    size_t padded = db_ladder_up(batch->count);
    struct db_params params = db_params_new(batch->arena);
    struct db_rows rows;
    enum db_status status;

    for (size_t i = 0; i < padded; i++) {
        size_t n = i < batch->count ? i : batch->count - 1;

        db_params_add(&params, DB_BYTES(item(batch, n)->problem, PROBLEM_SIZE));
    }
    status = db_query(db, batch->arena,
                      db_repeat(batch->arena,
                                "SELECT id FROM xqueue_live"
                                " WHERE problem IN (",
                                "?", padded, ")"),
                      params.list, params.count, &rows);
    if (status != DB_OK)
        return status;
    *ret_ids = arena_alloc(batch->arena, (rows.count + 1) * sizeof(int64_t));
    for (size_t i = 0; i < rows.count; i++)
        (*ret_ids)[i] = db_integer(&rows, i, 0);
    *ret_count = rows.count;
    return DB_OK;
}

/*
 * A leased one keeps its row, so that its grader's key stays valid; anything
 * else leaves the hot set at once.
 */
static enum db_status supersede_row(struct db_conn *db, struct arena *arena,
                                    const struct live_row *row)
{
    const struct db_param id[] = {DB_INTEGER(row->id)};
    enum db_status status;

    if (row->state == LIVE_LEASED) {
        status = db_execute(db,
                            "UPDATE xqueue_live SET problem = NULL, state = 3"
                            " WHERE id = ?",
                            id, 1, NULL);
    } else {
        status = hot_set_keep_lease(db, row);
        if (status == DB_OK)
            status = hot_set_forget(db, arena, row, 1);
    }
    if (status == DB_OK)
        status = db_execute(db,
                            "UPDATE queue_submission SET retired = 1"
                            " WHERE id = ?",
                            id, 1, NULL);
    return status;
}

static enum db_status insert_wide(struct db_conn *db, struct batch *batch,
                                  int64_t now_us)
{
    size_t first = 0;

    while (first < batch->count) {
        size_t step = rows_of_next_statement(batch, first);
        struct db_params params = db_params_new(batch->arena);
        enum db_status status;

        for (size_t i = first; i < first + step; i++) {
            const struct submission_insert *self = item(batch, i);
            struct file_texts files = files_columns(&self->files);

            db_params_add(&params, DB_TEXT(self->requester_id));
            db_params_add(&params,
                          DB_TEXT(utf8_prefix(self->callback_url, URL_COLUMN)));
            db_params_add(&params, DB_TEXT(self->queue_name));
            db_params_add(&params, DB_TEXT(self->header));
            db_params_add(&params, DB_TEXT(self->body));
            db_params_add(&params, DB_INTEGER(now_us));
            db_params_add(&params, DB_INTEGER(self->superseded));
            db_params_add(&params, DB_TEXT(files.keys));
            db_params_add(&params, DB_TEXT(files.urls));
        }
        status = db_execute(
            db,
            db_repeat(batch->arena,
                      "INSERT INTO queue_submission (requester_id,"
                      " lms_callback_url, queue_name, xqueue_header,"
                      " xqueue_body, arrival_time, retired, s3_keys, s3_urls,"
                      " grader_id, pullkey, grader_reply, num_failures,"
                      " lms_ack) VALUES ",
                      "(?, ?, ?, ?, ?, " SQL_TIME_FROM_US
                      ", ?, ?, ?, '', '', '', 0, 0)",
                      step, ""),
            params.list, params.count, NULL);
        if (status != DB_OK)
            return status;
        /* The numbers of one multi-row INSERT are consecutive. */
        for (size_t i = 0; i < step; i++)
            item(batch, first + i)->id =
                (int64_t)(db_insert_id(db) +
                          i * db_conn_autoincrement_step(db));
        first += step;
    }
    return DB_OK;
}

/* A power of two, and not more bytes than a server takes in one packet. */
static size_t rows_of_next_statement(const struct batch *batch, size_t first)
{
    size_t rows = 0;
    size_t bytes = 0;

    while (first + rows < batch->count) {
        const struct submission_insert *self = item(batch, first + rows);

        bytes += self->header.size + self->body.size;
        if (rows > 0 && bytes > STATEMENT_BYTES)
            break;
        rows++;
    }
    return db_ladder_down(rows);
}

static enum db_status insert_files(struct db_conn *db, struct batch *batch)
{
    enum db_status status = DB_OK;

    for (size_t i = 0; i < batch->count && status == DB_OK; i++)
        status = files_store(db, item(batch, i)->id, &item(batch, i)->files);
    return status;
}

static enum db_status insert_live(struct db_conn *db, struct batch *batch,
                                  int64_t now_us)
{
    struct db_params params = db_params_new(batch->arena);
    enum db_status status;

    for (size_t i = 0; i < batch->count; i++) {
        const struct submission_insert *self = item(batch, i);

        if (self->superseded)
            continue;
        db_params_add(&params, DB_INTEGER(self->id));
        db_params_add(&params, DB_INTEGER(self->queue_id));
        db_params_add(&params, DB_INTEGER(now_us));
        db_params_add(&params, DB_BYTES(self->problem, PROBLEM_SIZE));
        db_params_add(&params, DB_INTEGER(self->destination));
    }
    status = db_insert_rows(db,
                            "INSERT INTO xqueue_live (id, queue_id,"
                            " arrival_us, problem, destination, state,"
                            " attempts, pullkey, grader_id) VALUES ",
                            "(?, ?, ?, ?, ?, 0, 0, '', '')", "", &params, 5);
    /*
     * Somebody else stored the same problem since we looked: go again, now
     * superseding his.
     */
    return status == DB_DUPLICATE ? DB_CONFLICT : status;
}

static enum db_status insert_ready(struct db_conn *db, struct batch *batch,
                                   int64_t now_us)
{
    struct db_params params = db_params_new(batch->arena);

    for (size_t i = 0; i < batch->count; i++) {
        const struct submission_insert *self = item(batch, i);

        if (self->superseded)
            continue;
        db_params_add(&params, DB_INTEGER(self->queue_id));
        db_params_add(&params, DB_INTEGER(now_us));
        db_params_add(&params, DB_INTEGER(self->id));
    }
    return db_insert_rows(
        db, "INSERT INTO xqueue_ready (queue_id, arrival_us, id) VALUES ",
        "(?, ?, ?)", "", &params, 3);
}

/* Each queue once, where its first submission of the batch stands. */
static enum db_status count_waiting(struct db_conn *db, struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        int64_t queue_id = item(batch, i)->queue_id;
        size_t first = 0;
        enum db_status status;

        while (item(batch, first)->queue_id != queue_id)
            first++;
        if (first != i)
            continue;
        status = count_queue(db, batch, queue_id);
        if (status != DB_OK)
            return status;
    }
    return DB_OK;
}

static enum db_status count_queue(struct db_conn *db, struct batch *batch,
                                  int64_t queue_id)
{
    int64_t waiting;
    int64_t added = 0;
    enum db_status status =
        queue_lengths(db, batch->arena, &queue_id, 1, &waiting);

    if (status != DB_OK)
        return status;
    for (size_t i = 0; i < batch->count; i++) {
        struct submission_insert *self = item(batch, i);

        if (self->queue_id != queue_id)
            continue;
        self->waiting = waiting + added + 1;
        if (!self->superseded)
            added++;
    }
    return hot_set_count(db, queue_id, added);
}
