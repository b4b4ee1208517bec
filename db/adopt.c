/*
 * Bringing queue_submission and the hot set together:
 *
 *   leave   live rows that no longer say what queue_submission says
 *   join    unretired submissions without a live row (adopt_join.c)
 *
 * Each walks over the ids once, a chunk at a time.
 */
#include "db/adopt.h"

#include "db/adopt_join.h"
#include "db/queue.h"

enum { CHUNK = 500 };

/*
 * Why a live row leaves: the submission is gone; or somebody else retired it
 * (we do so only to a superseded one that is leased); or somebody else took
 * its result, or leased it later than we did.
 */
#define PULL_US                                                                \
    "TIMESTAMPDIFF(MICROSECOND, TIMESTAMP'1970-01-01 00:00:00', s.pull_time)"
#define IS_GONE "s.id IS NULL OR (s.retired = 1 AND l.state <> 3)"
#define IS_STALE                                                               \
    "(l.state IN (0, 1) AND s.retired = 0 AND ("                               \
    " (s.return_time IS NOT NULL AND s.grader_reply <> '') OR"                 \
    " (" PULL_US " > COALESCE(l.pulled_us, 0) AND"                             \
    " s.pullkey <> CONVERT(l.pullkey USING utf8mb4) COLLATE utf8mb4_bin)))"
#define LIVE_AND_WIDE                                                          \
    " FROM xqueue_live l LEFT JOIN queue_submission s ON s.id = l.id"

struct walk {
    struct db_conn *db;
    const struct adopt_settings *settings;
    struct adopt_counts counts;
    struct arena *arena; /* for the whole walk */
    struct adopt_queue *queues;
    size_t queue_count;
};

struct leave_chunk {
    const int64_t *ids;
    size_t id_count;
    int64_t left;
    int64_t renewed;
};

struct hand_chunk {
    const int64_t *ids;
    size_t id_count;
    int64_t count;
};

static enum db_status leave_all(struct walk *walk);
static enum db_status leave_body(struct db_conn *db, int64_t now_us,
                                 void *context);
static enum db_status join_all(struct walk *walk);
static enum db_status join_chunk(struct walk *walk, struct arena *arena,
                                 int64_t *last, size_t *ret_count);
static enum db_status know_queues(struct walk *walk,
                                  const struct db_rows *rows);
static bool knows_queue(const struct walk *walk, struct text name);
static enum db_status learn_queue(struct walk *walk, struct text name);
static enum db_status hand_body(struct db_conn *db, int64_t now_us,
                                void *context);
static enum db_status next_ids(struct db_conn *db, struct arena *arena,
                               const char *sql, int64_t after,
                               struct db_rows *ret_rows, int64_t **ret_ids);

enum db_status adopt_all(struct db_conn *db,
                         const struct adopt_settings *settings,
                         struct adopt_counts *ret_counts)
{
    struct walk walk = {.db = db, .settings = settings, .arena = arena_new()};
    enum db_status status = leave_all(&walk);

    if (status == DB_OK)
        status = join_all(&walk);
    if (status == DB_OK)
        *ret_counts = walk.counts;
    arena_free(walk.arena);
    return status;
}

enum db_status adopt_hand_back(struct db_conn *db, int64_t *ret_count)
{
    enum db_status status;
    int64_t total = 0;
    int64_t last = 0;
    size_t found;

    do {
        struct hand_chunk chunk = {.count = 0};
        struct arena *arena = arena_new();
        struct db_rows rows;
        int64_t *ids;

        status = next_ids(db, arena,
                          "SELECT id FROM xqueue_live WHERE id > ? AND"
                          " pulled_us IS NOT NULL ORDER BY id LIMIT ?",
                          last, &rows, &ids);
        found = status == DB_OK ? rows.count : 0;
        if (found > 0) {
            last = ids[found - 1];
            chunk.ids = ids;
            chunk.id_count = found;
            status = db_transact(db, hand_body, &chunk);
            total += chunk.count;
        }
        arena_free(arena);
    } while (status == DB_OK && found == CHUNK);
    if (status == DB_OK)
        *ret_count = total;
    return status;
}

static enum db_status leave_all(struct walk *walk)
{
    enum db_status status;
    int64_t last = 0;
    size_t found;

    do {
        struct arena *arena = arena_new();
        struct leave_chunk chunk = {.left = 0};
        struct db_rows rows;
        int64_t *ids;

        status =
            next_ids(walk->db, arena,
                     "SELECT l.id" LIVE_AND_WIDE " WHERE l.id > ? AND (" IS_GONE
                     " OR " IS_STALE ") ORDER BY l.id LIMIT ?",
                     last, &rows, &ids);
        found = status == DB_OK ? rows.count : 0;
        if (found > 0) {
            last = ids[found - 1];
            chunk.ids = ids;
            chunk.id_count = found;
            status = db_transact(walk->db, leave_body, &chunk);
            walk->counts.left += chunk.left;
            walk->counts.renewed += chunk.renewed;
        }
        arena_free(arena);
    } while (status == DB_OK && found == CHUNK);
    return status;
}

/*
 * With the live rows locked, nobody of ours changes what the second look
 * sees.
 */
static enum db_status leave_body(struct db_conn *db, int64_t now_us,
                                 void *context)
{
    struct leave_chunk *chunk = context;
    struct arena *arena = arena_new();
    struct db_params params = db_params_new(arena);
    struct live_row *live;
    size_t count = 0;
    struct db_rows rows = {0, 0, NULL};
    const char *sql = arena_printf(
        arena,
        "SELECT l.id, " IS_STALE LIVE_AND_WIDE " WHERE l.id IN (%s) AND"
        " (" IS_GONE " OR " IS_STALE ")",
        db_params_add_list(&params, chunk->ids, chunk->id_count));
    enum db_status status = hot_set_lock(db, arena, chunk->ids, chunk->id_count,
                                         false, &live, &count);

    (void)now_us;
    chunk->left = 0;
    chunk->renewed = 0;
    if (status == DB_OK)
        status = db_query(db, arena, sql, params.list, params.count, &rows);
    for (size_t i = 0; i < rows.count && status == DB_OK; i++) {
        const struct live_row *row =
            hot_set_find(live, count, db_integer(&rows, i, 0));
        bool renewed = !db_is_null(&rows, i, 1) && db_integer(&rows, i, 1) != 0;

        if (row == NULL)
            continue;
        chunk->left += renewed ? 0 : 1;
        chunk->renewed += renewed ? 1 : 0;
        if (!renewed)
            status = hot_set_keep_lease(db, row);
        if (status == DB_OK)
            status = hot_set_forget(db, arena, row, 1);
    }
    arena_free(arena);
    return status;
}

static enum db_status join_all(struct walk *walk)
{
    enum db_status status;
    int64_t last = 0;
    size_t found;

    do {
        struct arena *arena = arena_new();

        status = join_chunk(walk, arena, &last, &found);
        arena_free(arena);
    } while (status == DB_OK && found == CHUNK);
    return status;
}

static enum db_status join_chunk(struct walk *walk, struct arena *arena,
                                 int64_t *last, size_t *ret_count)
{
    struct adopt_chunk chunk = {.settings = walk->settings};
    struct db_rows rows;
    int64_t *ids;
    enum db_status status = next_ids(
        walk->db, arena,
        "SELECT s.id, s.queue_name FROM queue_submission s"
        " IGNORE INDEX (PRIMARY) LEFT JOIN"
        " xqueue_live l ON l.id = s.id WHERE s.retired = 0 AND s.id > ?"
        " AND l.id IS NULL ORDER BY s.id LIMIT ?",
        *last, &rows, &ids);

    *ret_count = status == DB_OK ? rows.count : 0;
    if (*ret_count == 0)
        return status;
    *last = ids[rows.count - 1];
    status = know_queues(walk, &rows);
    if (status != DB_OK)
        return status;
    chunk.queues = walk->queues;
    chunk.queue_count = walk->queue_count;
    chunk.ids = ids;
    chunk.id_count = rows.count;
    status = db_transact(walk->db, adopt_join_body, &chunk);
    walk->counts.waiting += chunk.counts.waiting;
    walk->counts.leased += chunk.counts.leased;
    walk->counts.answered += chunk.counts.answered;
    walk->counts.finished += chunk.counts.finished;
    walk->counts.unknown += chunk.counts.unknown;
    return status;
}

/* Queues that nobody has configured are queues all the same. */
static enum db_status know_queues(struct walk *walk, const struct db_rows *rows)
{
    enum db_status status = DB_OK;

    for (size_t i = 0; i < rows->count && status == DB_OK; i++) {
        if (!knows_queue(walk, db_text(rows, i, 1)))
            status = learn_queue(walk, db_text(rows, i, 1));
    }
    return status;
}

static bool knows_queue(const struct walk *walk, struct text name)
{
    for (size_t i = 0; i < walk->queue_count; i++) {
        if (text_equal(walk->queues[i].name, name))
            return true;
    }
    return false;
}

static enum db_status learn_queue(struct walk *walk, struct text name)
{
    size_t count = walk->queue_count;
    struct adopt_queue *longer =
        arena_alloc(walk->arena, (count + 1) * sizeof *longer);
    struct queue_numbers find = {
        .job = {.op = &queue_numbers_op},
        .names = &name,
        .count = 1,
        .ret_numbers = &longer[count].number,
    };
    enum db_status status = db_run(walk->db, &find.job);

    if (status != DB_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        longer[i] = walk->queues[i];
    longer[count].name = arena_copy(walk->arena, name);
    walk->queues = longer;
    walk->queue_count = count + 1;
    return DB_OK;
}

static enum db_status hand_body(struct db_conn *db, int64_t now_us,
                                void *context)
{
    struct hand_chunk *chunk = context;
    struct arena *arena = arena_new();
    struct live_row *rows = NULL;
    size_t count = 0;
    enum db_status status = hot_set_lock(db, arena, chunk->ids, chunk->id_count,
                                         false, &rows, &count);

    (void)now_us;
    chunk->count = 0;
    for (size_t i = 0; i < count && status == DB_OK; i++) {
        status = hot_set_keep_lease(db, &rows[i]);
        chunk->count += rows[i].pulled_us != 0 ? 1 : 0;
    }
    arena_free(arena);
    return status;
}

/* The ids are the first column of the rows. */
static enum db_status next_ids(struct db_conn *db, struct arena *arena,
                               const char *sql, int64_t after,
                               struct db_rows *ret_rows, int64_t **ret_ids)
{
    const struct db_param params[] = {DB_INTEGER(after), DB_INTEGER(CHUNK)};
    enum db_status status =
        db_query(db, arena, sql, params, ARRAY_LENGTH(params), ret_rows);

    if (status == DB_AWAY) /* an idle connection may have been lost */
        status =
            db_query(db, arena, sql, params, ARRAY_LENGTH(params), ret_rows);
    if (status != DB_OK)
        return status;
    *ret_ids = arena_alloc(arena, (ret_rows->count + 1) * sizeof(int64_t));
    for (size_t i = 0; i < ret_rows->count; i++)
        (*ret_ids)[i] = db_integer(ret_rows, i, 0);
    return DB_OK;
}
