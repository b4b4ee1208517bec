/*
 * Retiring many submissions: ids are read in chunks, then each is retired in
 * a transaction of its own, so that nobody waits for long.
 */
#include "db/retire.h"

#include "db/outbox_row.h"

enum { CHUNK = 500 };

enum retire_how { TELL_THEN_RETIRE, RETIRE_SILENTLY, RETIRE_AND_TELL };

struct retire {
    const struct retire_settings *settings;
    enum retire_how how;
    int64_t id; /* the one being retired */
    bool found; /* out: it was not finished meanwhile */
};

struct search {
    const char *sql; /* id, queue_name, num_failures; ends in "LIMIT ?" */
    struct db_params params; /* the first one is the last id */
    struct arena *arena;
    struct db_rows rows;
};

static enum db_status retire_found(struct db_conn *db, struct retire *retire,
                                   struct search *search, int64_t *ret_retired);
static enum db_status search_body(struct db_conn *db, int64_t now_us,
                                  void *context);
static enum db_status retire_body(struct db_conn *db, int64_t now_us,
                                  void *context);
static bool is_wanted(const struct retire *retire, const struct live_row *live);
static enum db_status retire_row(struct db_conn *db,
                                 const struct retire *retire,
                                 struct arena *arena,
                                 const struct live_row *live, int64_t now_us);
static enum db_status tell(struct db_conn *db, const struct retire *retire,
                           struct arena *arena, const struct live_row *live,
                           int64_t now_us);
static enum db_status mark_retired(struct db_conn *db, int64_t id);
static enum db_status count_body(struct db_conn *db, int64_t now_us,
                                 void *context);

enum db_status count_unretired(struct db_conn *db, struct arena *arena,
                               struct queue_count **ret_counts,
                               size_t *ret_count)
{
    struct search search = {.arena = arena};
    enum db_status status = db_read(db, count_body, &search);

    if (status != DB_OK)
        return status;
    *ret_count = search.rows.count;
    *ret_counts =
        arena_alloc(arena, (search.rows.count + 1) * sizeof **ret_counts);
    for (size_t i = 0; i < search.rows.count; i++)
        (*ret_counts)[i] = (struct queue_count){
            .queue_name = db_text(&search.rows, i, 0),
            .count = db_integer(&search.rows, i, 1),
        };
    return DB_OK;
}

enum db_status retire_failed(struct db_conn *db,
                             const struct retire_settings *settings,
                             int64_t max_failures, bool force,
                             int64_t *ret_retired)
{
    struct retire retire = {
        .settings = settings,
        .how = force ? RETIRE_SILENTLY : TELL_THEN_RETIRE,
    };
    struct arena *arena = arena_new();
    struct search search = {.arena = arena, .params = db_params_new(arena)};
    enum db_status status;
    bool one_queue = !text_is_absent(settings->queue_name);

    search.sql = arena_printf(arena,
                              "SELECT id, queue_name, num_failures"
                              " FROM queue_submission WHERE id > ?"
                              " AND retired = 0 AND num_failures > 0"
                              " AND num_failures >= ?%s ORDER BY id LIMIT ?",
                              one_queue ? " AND queue_name = ?" : "");
    db_params_add(&search.params, DB_INTEGER(0));
    db_params_add(&search.params, DB_INTEGER(max_failures));
    if (one_queue)
        db_params_add(&search.params, DB_TEXT(settings->queue_name));
    db_params_add(&search.params, DB_INTEGER(CHUNK));
    status = retire_found(db, &retire, &search, ret_retired);
    arena_free(arena);
    return status;
}

enum db_status retire_old(struct db_conn *db,
                          const struct retire_settings *settings,
                          struct text before, int64_t *ret_retired)
{
    struct retire retire = {
        .settings = settings,
        .how = RETIRE_AND_TELL,
    };
    struct arena *arena = arena_new();
    struct search search = {.arena = arena, .params = db_params_new(arena)};
    enum db_status status;
    bool bounded = !text_is_absent(before);

    search.sql = arena_printf(arena,
                              "SELECT id, queue_name, num_failures"
                              " FROM queue_submission WHERE id > ?"
                              " AND retired = 0 AND queue_name = ?%s"
                              " ORDER BY id LIMIT ?",
                              bounded ? " AND arrival_time <= ?" : "");
    db_params_add(&search.params, DB_INTEGER(0));
    db_params_add(&search.params, DB_TEXT(settings->queue_name));
    if (bounded)
        db_params_add(&search.params, DB_TEXT(before));
    db_params_add(&search.params, DB_INTEGER(CHUNK));
    status = retire_found(db, &retire, &search, ret_retired);
    arena_free(arena);
    return status;
}

static enum db_status retire_found(struct db_conn *db, struct retire *retire,
                                   struct search *search, int64_t *ret_retired)
{
    const struct retire_settings *settings = retire->settings;
    int64_t retired = 0;
    enum db_status status = db_read(db, search_body, search);

    while (status == DB_OK && search->rows.count > 0) {
        for (size_t i = 0; i < search->rows.count && status == DB_OK; i++) {
            retire->id = db_integer(&search->rows, i, 0);
            status = db_transact(db, retire_body, retire);
            if (status != DB_OK || !retire->found)
                continue;
            retired++;
            if (settings->progress != NULL)
                settings->progress(retire->id, db_text(&search->rows, i, 1),
                                   db_integer(&search->rows, i, 2),
                                   settings->context);
        }
        search->params.list[0] = DB_INTEGER(retire->id);
        if (status == DB_OK)
            status = db_read(db, search_body, search);
    }
    if (status == DB_OK)
        *ret_retired = retired;
    return status;
}

static enum db_status search_body(struct db_conn *db, int64_t now_us,
                                  void *context)
{
    struct search *search = context;

    (void)now_us;
    return db_query(db, search->arena, search->sql, search->params.list,
                    search->params.count, &search->rows);
}

static enum db_status retire_body(struct db_conn *db, int64_t now_us,
                                  void *context)
{
    struct retire *retire = context;
    struct arena *arena = arena_new();
    struct live_row *live = NULL;
    size_t count;
    enum db_status status =
        hot_set_lock(db, arena, &retire->id, 1, false, &live, &count);

    retire->found = status == DB_OK && count > 0 && is_wanted(retire, live);
    if (retire->found)
        status = retire_row(db, retire, arena, live, now_us);
    arena_free(arena);
    return status;
}

/*
 * One that was superseded since it was found is none any more. One whose
 * result is on its way to the LMS is graded: an LMS that was away for a
 * minute must not cost the learner that grade.
 */
static bool is_wanted(const struct retire *retire, const struct live_row *live)
{
    if (live->state == LIVE_ANSWERED)
        return retire->how == RETIRE_SILENTLY;
    return live->state != LIVE_SUPERSEDED;
}

static enum db_status retire_row(struct db_conn *db,
                                 const struct retire *retire,
                                 struct arena *arena,
                                 const struct live_row *live, int64_t now_us)
{
    enum db_status status = hot_set_keep_lease(db, live);

    if (status != DB_OK)
        return status;
    if (retire->how == TELL_THEN_RETIRE) {
        status = tell(db, retire, arena, live, now_us);
        if (status != DB_OK)
            return status;
        return hot_set_settle(db, arena, live, 1, LIVE_DEAD);
    }
    status = hot_set_forget(db, arena, live, 1);
    if (status == DB_OK && retire->how == RETIRE_AND_TELL)
        status = tell(db, retire, arena, live, now_us);
    return status == DB_OK ? mark_retired(db, live->id) : status;
}

/* Instead of whatever else was on its way for this submission. */
static enum db_status tell(struct db_conn *db, const struct retire *retire,
                           struct arena *arena, const struct live_row *live,
                           int64_t now_us)
{
    const struct outbox_row row = {
        .id = live->id,
        .destination = live->destination,
        .due_us = now_us,
        .now_us = now_us,
        .kind =
            retire->how == RETIRE_AND_TELL ? OUTBOX_RETIRED : OUTBOX_FAILURE,
        .reply = retire->settings->failure,
    };
    enum db_status status = hot_set_drop_callbacks(db, arena, &live->id, 1);

    return status == DB_OK ? outbox_add(db, arena, &row) : status;
}

static enum db_status mark_retired(struct db_conn *db, int64_t id)
{
    const struct db_param params[] = {DB_INTEGER(id)};

    return db_execute(db,
                      "UPDATE queue_submission SET retired = 1 WHERE id = ?",
                      params, 1, NULL);
}

static enum db_status count_body(struct db_conn *db, int64_t now_us,
                                 void *context)
{
    struct search *search = context;

    (void)now_us;
    return db_query(db, search->arena,
                    "SELECT queue_name, COUNT(*) AS number"
                    " FROM queue_submission WHERE retired = 0"
                    " GROUP BY queue_name ORDER BY number DESC, queue_name",
                    NULL, 0, &search->rows);
}
