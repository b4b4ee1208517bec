/*
 * Queues: their short numbers, how many submissions wait in them, and whether
 * any does.
 */
#include "db/queue.h"

#include "db/hot_set.h"

enum { LOOK_AT = 256 /* queues with one statement */ };

struct lengths_batch {
    struct db_job **jobs;
    size_t count;
};

static enum db_status run_numbers(struct db_conn *db, struct db_job **jobs,
                                  size_t count);
static enum db_status numbers_body(struct db_conn *db, int64_t now_us,
                                   void *context);
static enum db_status find_or_make(struct db_conn *db, struct arena *arena,
                                   struct text name, int64_t *ret_number);
static enum db_status run_lengths(struct db_conn *db, struct db_job **jobs,
                                  size_t count);
static enum db_status lengths_body(struct db_conn *db, int64_t now_us,
                                   void *context);
static enum db_status run_look(struct db_conn *db, struct db_job **jobs,
                               size_t count);
static enum db_status look_body(struct db_conn *db, int64_t now_us,
                                void *context);
static enum db_status look_at(struct db_conn *db, struct arena *arena,
                              const int64_t *queue_ids, size_t count,
                              bool *ret_waiting);

const struct db_op queue_numbers_op = {
    .kind = DB_OP_KIND("queue_numbers", 1, 0),
    .run_batch = run_numbers,
};

const struct db_op queue_length_op = {
    .kind = DB_OP_KIND("queue_length", 64, 1),
    .run_batch = run_lengths,
};

const struct db_op queue_look_op = {
    .kind = DB_OP_KIND("queue_look", 1, 0),
    .run_batch = run_look,
};

enum db_status queue_lengths(struct db_conn *db, struct arena *arena,
                             const int64_t *queue_ids, size_t count,
                             int64_t *ret_waiting)
{
    struct db_params params = db_params_new(arena);
    struct db_rows rows;
    enum db_status status;
    const char *sql = arena_printf(
        arena,
        "SELECT queue_id, CAST(SUM(waiting) AS SIGNED) FROM xqueue_depth"
        " WHERE queue_id IN (%s) GROUP BY queue_id",
        db_params_add_list(&params, queue_ids, count));

    status = db_query(db, arena, sql, params.list, params.count, &rows);
    if (status != DB_OK)
        return status;
    for (size_t i = 0; i < count; i++) {
        ret_waiting[i] = 0;
        for (size_t row = 0; row < rows.count; row++) {
            if (db_integer(&rows, row, 0) == queue_ids[i])
                ret_waiting[i] = db_integer(&rows, row, 1);
        }
    }
    return DB_OK;
}

static enum db_status run_numbers(struct db_conn *db, struct db_job **jobs,
                                  size_t count)
{
    (void)count;
    return db_transact(db, numbers_body, jobs[0]);
}

static enum db_status numbers_body(struct db_conn *db, int64_t now_us,
                                   void *context)
{
    struct queue_numbers *self =
        CONTAINER_OF(context, struct queue_numbers, job);
    struct arena *arena = arena_new();
    enum db_status status = DB_OK;

    (void)now_us;
    for (size_t i = 0; i < self->count && status == DB_OK; i++)
        status = find_or_make(db, arena, self->names[i], &self->ret_numbers[i]);
    arena_free(arena);
    return status;
}

static enum db_status find_or_make(struct db_conn *db, struct arena *arena,
                                   struct text name, int64_t *ret_number)
{
    const struct db_param params[] = {DB_TEXT(name)};
    struct db_rows rows;
    enum db_status status =
        db_query(db, arena, "SELECT id FROM xqueue_queue WHERE name = ?",
                 params, 1, &rows);

    if (status != DB_OK)
        return status;
    if (rows.count > 0) {
        *ret_number = db_integer(&rows, 0, 0);
        return DB_OK;
    }
    status = db_execute(db, "INSERT INTO xqueue_queue (name) VALUES (?)",
                        params, 1, NULL);
    if (status == DB_DUPLICATE)
        return DB_CONFLICT; /* another process made it just now: look again */
    if (status == DB_OK)
        *ret_number = (int64_t)db_insert_id(db);
    return status;
}

static enum db_status run_lengths(struct db_conn *db, struct db_job **jobs,
                                  size_t count)
{
    struct lengths_batch batch = {jobs, count};

    return db_read(db, lengths_body, &batch);
}

static enum db_status lengths_body(struct db_conn *db, int64_t now_us,
                                   void *context)
{
    struct lengths_batch *batch = context;
    struct arena *arena = arena_new();
    int64_t *ids = arena_alloc(arena, batch->count * sizeof *ids);
    int64_t *waiting = arena_alloc(arena, batch->count * sizeof *waiting);
    enum db_status status;

    (void)now_us;
    for (size_t i = 0; i < batch->count; i++)
        ids[i] =
            CONTAINER_OF(batch->jobs[i], struct queue_length, job)->queue_id;
    status = queue_lengths(db, arena, ids, batch->count, waiting);
    for (size_t i = 0; i < batch->count && status == DB_OK; i++)
        CONTAINER_OF(batch->jobs[i], struct queue_length, job)->waiting =
            waiting[i];
    arena_free(arena);
    return status;
}

static enum db_status run_look(struct db_conn *db, struct db_job **jobs,
                               size_t count)
{
    (void)count;
    return db_read(db, look_body, jobs[0]);
}

static enum db_status look_body(struct db_conn *db, int64_t now_us,
                                void *context)
{
    struct queue_look *self = CONTAINER_OF(context, struct queue_look, job);
    struct arena *arena = arena_new();
    enum db_status status = DB_OK;

    (void)now_us;
    for (size_t i = 0; i < self->count && status == DB_OK; i += LOOK_AT) {
        size_t left = self->count - i;

        status =
            look_at(db, arena, self->queue_ids + i,
                    left < LOOK_AT ? left : LOOK_AT, self->ret_waiting + i);
    }
    arena_free(arena);
    return status;
}

/*
 * For each queue the first entry of its range, however many wait behind it.
 * Ordered by the whole key: in a subquery MySQL does not see that queue_id is
 * one value, and would sort all that wait.
 */
static enum db_status look_at(struct db_conn *db, struct arena *arena,
                              const int64_t *queue_ids, size_t count,
                              bool *ret_waiting)
{
    struct db_params params = db_params_new(arena);
    struct db_rows rows;
    const char *sql = arena_printf(
        arena,
        "SELECT q.id, (SELECT r.id FROM xqueue_ready r FORCE INDEX (PRIMARY)"
        " WHERE r.queue_id = q.id"
        " ORDER BY r.queue_id, r.arrival_us, r.id LIMIT 1)"
        " FROM xqueue_queue q FORCE INDEX (PRIMARY) WHERE q.id IN (%s)",
        db_params_add_list(&params, queue_ids, count));
    enum db_status status =
        db_query(db, arena, sql, params.list, params.count, &rows);

    if (status != DB_OK)
        return status;
    for (size_t i = 0; i < count; i++) {
        ret_waiting[i] = false;
        for (size_t row = 0; row < rows.count; row++) {
            if (db_integer(&rows, row, 0) == queue_ids[i])
                ret_waiting[i] = !db_is_null(&rows, row, 1);
        }
    }
    return DB_OK;
}
