/*
 * The number that tells every process when to forget sessions.
 */
#include "db/epoch.h"

#include "db/transaction.h"

struct epoch_batch {
    struct db_job **jobs;
    size_t count;
};

static enum db_status run_load(struct db_conn *db, struct db_job **jobs,
                               size_t count);
static enum db_status load_body(struct db_conn *db, int64_t now_us,
                                void *context);

const struct db_op epoch_load_op = {
    .kind = DB_OP_KIND("epoch_load", 64, 1),
    .run_batch = run_load,
};

enum db_status epoch_advance(struct db_conn *db)
{
    return db_execute(db,
                      "INSERT INTO xqueue_epoch (name, number)"
                      " VALUES ('session', 1)"
                      " ON DUPLICATE KEY UPDATE number = number + 1",
                      NULL, 0, NULL);
}

static enum db_status run_load(struct db_conn *db, struct db_job **jobs,
                               size_t count)
{
    struct epoch_batch batch = {jobs, count};

    return db_read(db, load_body, &batch);
}

static enum db_status load_body(struct db_conn *db, int64_t now_us,
                                void *context)
{
    struct epoch_batch *batch = context;
    struct arena *arena = arena_new();
    struct db_rows rows;
    enum db_status status = db_query(
        db, arena, "SELECT number FROM xqueue_epoch WHERE name = 'session'",
        NULL, 0, &rows);

    (void)now_us;
    for (size_t i = 0; i < batch->count && status == DB_OK; i++)
        CONTAINER_OF(batch->jobs[i], struct epoch_load, job)->number =
            rows.count > 0 ? db_integer(&rows, 0, 0) : 0;
    arena_free(arena);
    return status;
}
