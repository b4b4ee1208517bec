/*
 * The grades of pushes:
 *
 *   add_callbacks  what is to be told to the LMS; before grader_reply changes:
 *                  see outbox_add()
 *   store_all      in queue_submission, as many at a time as fit into a
 *                  statement
 *   settle         where the submissions stand now
 */
#include "db/push_grades.h"

#include "db/outbox_row.h"
#include "db/params.h"
#include "server/base/utf8.h"

static enum db_status add_callbacks(struct db_conn *db,
                                    const struct live_batch *batch,
                                    const struct push_grade *grades,
                                    size_t count);
static enum db_status store_all(struct db_conn *db,
                                const struct live_batch *batch,
                                const struct push_grade *grades, size_t count);
static size_t count_that_fit(const struct push_grade *grades, size_t count);
static enum db_status store(struct db_conn *db, const struct live_batch *batch,
                            const struct push_grade *grades, size_t count);
static enum db_status settle(struct db_conn *db, const struct live_batch *batch,
                             const struct push_grade *grades, size_t count);

enum db_status push_grades_store(struct db_conn *db,
                                 const struct live_batch *batch,
                                 const struct push_grade *grades, size_t count)
{
    enum db_status status = add_callbacks(db, batch, grades, count);

    if (status == DB_OK)
        status = store_all(db, batch, grades, count);
    return status == DB_OK ? settle(db, batch, grades, count) : status;
}

static enum db_status add_callbacks(struct db_conn *db,
                                    const struct live_batch *batch,
                                    const struct push_grade *grades,
                                    size_t count)
{
    struct outbox_row *rows =
        arena_alloc(batch->arena, (count + 1) * sizeof *rows);
    enum db_status status;

    for (size_t i = 0; i < count; i++) {
        const struct live_row *live = grades[i].live;

        rows[i] = (struct outbox_row){
            .id = live->id,
            .destination = live->destination,
            .due_us =
                outbox_due_us(live->arrival_us,
                              grades[i].push->callback_delay_us, batch->now_us),
            .now_us = batch->now_us,
            .kind = OUTBOX_RESULT,
            .reply = TEXT_ABSENT,
        };
    }
    status = outbox_add_all(db, batch->arena, rows, count);
    for (size_t i = 0; i < count && status == DB_OK; i++) {
        grades[i].push->will_deliver = true;
        grades[i].push->destination = grades[i].live->destination;
    }
    return status;
}

static enum db_status store_all(struct db_conn *db,
                                const struct live_batch *batch,
                                const struct push_grade *grades, size_t count)
{
    enum db_status status = DB_OK;

    while (count > 0 && status == DB_OK) {
        size_t some = count_that_fit(grades, count);

        status = store(db, batch, grades, some);
        grades += some;
        count -= some;
    }
    return status;
}

/* One at least. */
static size_t count_that_fit(const struct push_grade *grades, size_t count)
{
    size_t bytes = 0;

    for (size_t i = 0; i < count; i++) {
        bytes += grades[i].push->reply.size;
        if (i > 0 && (bytes > DB_STATEMENT_BYTES || i == DB_LADDER_TOP))
            return i;
    }
    return count;
}

static enum db_status store(struct db_conn *db, const struct live_batch *batch,
                            const struct push_grade *grades, size_t count)
{
    struct arena *arena = batch->arena;
    struct db_params params = db_params_new(arena);
    int64_t ids[DB_LADDER_TOP];
    struct text pushed[DB_LADDER_TOP];
    struct text graders[DB_LADDER_TOP];
    struct text replies[DB_LADDER_TOP];
    const char *when;
    const char *grader;
    const char *reply;

    for (size_t i = 0; i < count; i++) {
        const struct push_end *push = grades[i].push;

        ids[i] = push->id;
        pushed[i] =
            text_of(arena_printf(arena, "%lld", (long long)push->pushed_us));
        graders[i] = utf8_prefix(push->grader_id, GRADER_ID_CHARACTERS);
        replies[i] = push->reply;
    }
    when = db_params_add_choice(&params, "id", ids, pushed, count);
    db_params_add(&params, DB_INTEGER(batch->now_us));
    grader = db_params_add_choice(&params, "id", ids, graders, count);
    reply = db_params_add_choice(&params, "id", ids, replies, count);
    return db_execute_for(
        db,
        arena_printf(arena,
                     "UPDATE queue_submission FORCE INDEX (PRIMARY)"
                     " SET push_time = TIMESTAMP'1970-01-01 00:00:00'"
                     " + INTERVAL CAST(%s AS SIGNED) MICROSECOND,"
                     " return_time = " SQL_TIME_FROM_US ", grader_id = %s,"
                     " grader_reply = %s WHERE id",
                     when, grader, reply),
        &params, ids, count);
}

static enum db_status settle(struct db_conn *db, const struct live_batch *batch,
                             const struct push_grade *grades, size_t count)
{
    struct live_row *rows =
        arena_alloc(batch->arena, (count + 1) * sizeof *rows);

    for (size_t i = 0; i < count; i++)
        rows[i] = *grades[i].live;
    return hot_set_settle(db, batch->arena, rows, count, LIVE_ANSWERED);
}
