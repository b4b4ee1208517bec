/*
 * Was a submission with this very header stored, by whomever?
 */
#include "db/submit.h"

#include "db/arrival_day.h"
#include "server/base/utf8.h"

enum { URL_COLUMN = 128 /* characters */ };

static enum db_status run_look(struct db_conn *db, struct db_job **jobs,
                               size_t count);
static enum db_status look_body(struct db_conn *db, int64_t now_us,
                                void *context);

const struct db_op submission_known_op = {
    .kind = DB_OP_KIND("submit_known", 1, 0),
    .run_batch = run_look,
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
    struct submission_known *self =
        CONTAINER_OF(context, struct submission_known, job);
    const struct db_param params[] = {
        DB_TEXT(utf8_prefix(self->callback_url, URL_COLUMN)),
        DB_TEXT(self->queue_name),
        DB_TEXT(self->header),
    };
    struct arena *arena = arena_new();
    struct db_rows rows;
    enum db_status status = db_query(
        db, arena,
        "SELECT s.id" SQL_FROM_CALLBACK_URL(
            "?") " AND s.queue_name = ? AND s.xqueue_header = ? LIMIT 1",
        params, ARRAY_LENGTH(params), &rows);

    (void)now_us;
    if (status == DB_OK)
        self->is_known = rows.count > 0;
    arena_free(arena);
    return status;
}
