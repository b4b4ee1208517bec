/*
 * Storing submissions, many in one transaction:
 *
 *   look            for what the new ones replace, and how many wait
 *   supersede       retire the former
 *   insert_wide     queue_submission: the history and Django's view
 *   insert_files    xqueue_files, for those of many files
 *   insert_live     where each stands, and which problem it is about
 *   insert_ready    the order in which they are handed out
 *   count_waiting   depth, and the number that each reply tells
 */
#include "db/submit.h"

#include "db/arrival_day.h"
#include "db/queue.h"
#include "server/base/utf8.h"

#include <string.h>

enum {
    BATCH = 64,
    BESIDE = 16,     /* a quarter of a batch costs little more than its rows */
    URL_COLUMN = 128 /* characters */
};

struct batch {
    struct db_job **jobs;
    size_t count;
    struct arena *arena;

    int64_t *replaced; /* ids of what the new ones replace, when looked at */
    size_t replaced_count;
    struct db_rows looked; /* id, NULL; queue_id, how many waited then */
};

static enum db_status run_insert(struct db_conn *db, struct db_job **jobs,
                                 size_t count);
static enum db_status insert_body(struct db_conn *db, int64_t now_us,
                                  void *context);
static void find_superseded_within(struct batch *batch);
static enum db_status look(struct db_conn *db, struct batch *batch);
static void take_look(struct batch *batch, const struct db_rows *rows);
static enum db_status supersede(struct db_conn *db, struct batch *batch);
static enum db_status supersede_row(struct db_conn *db, struct arena *arena,
                                    const struct live_row *row);
static enum db_status insert_wide(struct db_conn *db, struct batch *batch,
                                  int64_t now_us);
static enum db_status insert_files(struct db_conn *db, struct batch *batch);
static enum db_status insert_live(struct db_conn *db, struct batch *batch,
                                  int64_t now_us);
static enum db_status insert_ready(struct db_conn *db, struct batch *batch,
                                   int64_t now_us);
static enum db_status count_waiting(struct db_conn *db, struct batch *batch);
static enum db_status count_queue(struct db_conn *db, struct batch *batch,
                                  int64_t queue_id);
static enum db_status length_before(struct db_conn *db, struct batch *batch,
                                    int64_t queue_id, int64_t *ret_waiting);

/*
 * While a batch is on its way to the disk the next is put together and sent,
 * when it is worth a transaction: the clients of one at a time would all wait
 * for the disk, then all for the processor.
 */
const struct db_op submission_insert_op = {
    .kind = {.name = "submit",
             .max_batch = BATCH,
             .max_running = 2,
             .min_beside = BESIDE,
             .run = db_pool_run},
    .run_batch = run_insert,
};

static struct submission_insert *item(const struct batch *batch, size_t i)
{
    return CONTAINER_OF(batch->jobs[i], struct submission_insert, job);
}

static enum db_status run_insert(struct db_conn *db, struct db_job **jobs,
                                 size_t count)
{
    struct batch batch = {.jobs = jobs, .count = count};

    return db_transact(db, insert_body, &batch);
}

static enum db_status insert_body(struct db_conn *db, int64_t now_us,
                                  void *context)
{
    struct batch *batch = context;
    enum db_status status;

    batch->arena = arena_new();
    find_superseded_within(batch);
    status = look(db, batch);
    if (status == DB_OK)
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

/*
 * Both in one trip. A plain read: the rows are locked by id afterwards, in
 * their order.
 */
static enum db_status look(struct db_conn *db, struct batch *batch)
{
    struct arena *arena = batch->arena;
    struct db_params params = db_params_new(arena);
    size_t padded = db_ladder_up(batch->count);
    int64_t *queue_ids = arena_alloc(arena, batch->count * sizeof *queue_ids);
    struct db_rows rows;
    enum db_status status;
    const char *sql;

    for (size_t i = 0; i < padded; i++) {
        size_t n = i < batch->count ? i : batch->count - 1;

        db_params_add(&params, DB_BYTES(item(batch, n)->problem, PROBLEM_SIZE));
    }
    for (size_t i = 0; i < batch->count; i++)
        queue_ids[i] = item(batch, i)->queue_id;
    sql = db_params_add_list(&params, queue_ids, batch->count);
    sql = arena_printf(arena,
                       "SELECT id, NULL FROM xqueue_live WHERE problem IN (%s)"
                       " UNION ALL SELECT queue_id,"
                       " CAST(SUM(waiting) AS SIGNED) FROM xqueue_depth"
                       " WHERE queue_id IN (%s) GROUP BY queue_id",
                       sql, sql);
    status = db_query(db, arena, sql, params.list, params.count, &rows);
    if (status == DB_OK)
        take_look(batch, &rows);
    return status;
}

/* Of a queue it says how many wait, of a submission nothing. */
static void take_look(struct batch *batch, const struct db_rows *rows)
{
    batch->replaced =
        arena_alloc(batch->arena, (rows->count + 1) * sizeof(int64_t));
    batch->replaced_count = 0;
    for (size_t row = 0; row < rows->count; row++) {
        if (db_is_null(rows, row, 1))
            batch->replaced[batch->replaced_count++] = db_integer(rows, row, 0);
    }
    batch->looked = *rows;
}

static enum db_status supersede(struct db_conn *db, struct batch *batch)
{
    struct live_row *rows = NULL;
    size_t count;
    enum db_status status =
        hot_set_lock(db, batch->arena, batch->replaced, batch->replaced_count,
                     false, &rows, &count);

    for (size_t i = 0; i < count && status == DB_OK; i++)
        status = supersede_row(db, batch->arena, &rows[i]);
    return status;
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
        status = db_defer(db,
                          "UPDATE xqueue_live SET problem = NULL, state = 3"
                          " WHERE id = ?",
                          id, 1);
    } else {
        status = hot_set_keep_lease(db, row);
        if (status == DB_OK)
            status = hot_set_forget(db, arena, row, 1);
    }
    if (status == DB_OK)
        status = db_defer(db,
                          "UPDATE queue_submission SET retired = 1"
                          " WHERE id = ?",
                          id, 1);
    return status;
}

static enum db_status insert_wide(struct db_conn *db, struct batch *batch,
                                  int64_t now_us)
{
    enum { PER_ROW = 10 };
    struct db_params params = db_params_new(batch->arena);
    size_t step;

    for (size_t i = 0; i < batch->count; i++) {
        const struct submission_insert *self = item(batch, i);
        struct file_texts files = files_columns(&self->files);

        db_params_add(&params, DB_TEXT(self->requester_id));
        db_params_add(&params,
                      DB_TEXT(utf8_prefix(self->callback_url, URL_COLUMN)));
        db_params_add(&params, DB_TEXT(self->queue_name));
        db_params_add(&params, DB_TEXT(self->header));
        db_params_add(&params, DB_TEXT(self->body));
        db_params_add(&params, DB_INTEGER(now_us));
        db_params_add(&params, DB_INTEGER(now_us));
        db_params_add(&params, DB_INTEGER(self->superseded));
        db_params_add(&params, DB_TEXT(files.keys));
        db_params_add(&params, DB_TEXT(files.urls));
    }
    for (size_t first = 0; first < batch->count; first += step) {
        enum db_status status;

        step = db_rows_of_insert(&params, first, PER_ROW);
        status = db_execute(
            db,
            db_repeat(batch->arena,
                      "INSERT INTO queue_submission (requester_id,"
                      " lms_callback_url, queue_name, xqueue_header,"
                      " xqueue_body, arrival_time, xqueue_arrival_day,"
                      " retired, s3_keys, s3_urls, grader_id, pullkey, "
                      "grader_reply, num_failures,"
                      " lms_ack) VALUES ",
                      "(?, ?, ?, ?, ?, " SQL_TIME_FROM_US ", " SQL_DAY_FROM_US
                      ", ?, ?, ?, '', '', '', 0, 0)",
                      step, ""),
            params.list + first * PER_ROW, step * PER_ROW, NULL);
        if (status != DB_OK)
            return status;
        /* The numbers of one multi-row INSERT are consecutive. */
        for (size_t i = 0; i < step; i++)
            item(batch, first + i)->id =
                (int64_t)(db_insert_id(db) +
                          i * db_conn_autoincrement_step(db));
    }
    return DB_OK;
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
    /*
     * Has somebody else stored the same problem since we looked, this is a
     * conflict: go again, now superseding his.
     */
    return db_insert_rows(db,
                          "INSERT INTO xqueue_live (id, queue_id,"
                          " arrival_us, problem, destination, state,"
                          " attempts, pullkey, grader_id) VALUES ",
                          "(?, ?, ?, ?, ?, 0, 0, '', '')", "", &params, 5);
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
    enum db_status status = length_before(db, batch, queue_id, &waiting);

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

/* As looked at, unless the queue has become shorter by what was replaced. */
static enum db_status length_before(struct db_conn *db, struct batch *batch,
                                    int64_t queue_id, int64_t *ret_waiting)
{
    const struct db_rows *rows = &batch->looked;

    if (batch->replaced_count > 0)
        return queue_lengths(db, batch->arena, &queue_id, 1, ret_waiting);
    *ret_waiting = 0;
    for (size_t row = 0; row < rows->count; row++) {
        if (db_integer(rows, row, 0) == queue_id)
            *ret_waiting = db_integer(rows, row, 1);
    }
    return DB_OK;
}
