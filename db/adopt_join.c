/*
 * One chunk of submissions that join the hot set, in one transaction:
 *
 *   lock_wide        lock the submissions, leave out those that need nothing
 *   judge            what each of them is now
 *   settle_problems  which one of several is the problem's
 *   insert_live, insert_ready, insert_outbox, retire_finished
 */
#include "db/adopt_join.h"

#include "db/outbox_row.h"

#include <string.h>

enum newcomer_kind { JOIN_WAITING, JOIN_LEASED, JOIN_ANSWERED, JOIN_FINISHED };

struct newcomer {
    enum newcomer_kind kind;
    struct live_row live; /* state, times, key */
    bool has_problem;
    unsigned char problem[PROBLEM_SIZE];
    bool has_callbacks; /* in the outbox already */
    bool is_unknown;    /* the header names no callback */
};

struct chunk {
    struct db_conn *db;
    struct arena *arena;
    struct adopt_chunk *task;
    int64_t now_us;
    struct newcomer *list; /* in the order of id */
    size_t count;
};

static enum db_status lock_wide(struct chunk *chunk);
static enum db_status read_ids(struct chunk *chunk, const char *table,
                               struct db_rows *ret_rows);
static bool holds(const struct db_rows *ids, int64_t id);
static void judge(struct chunk *chunk, const struct db_rows *rows, size_t row);
static bool find_queue(const struct adopt_chunk *task, struct text name,
                       int64_t *ret_number);
static void judge_lease(struct chunk *chunk, struct newcomer *newcomer,
                        struct text pullkey);
static enum db_status settle_problems(struct chunk *chunk);
static void settle_within(struct chunk *chunk);
static enum db_status settle_against(struct chunk *chunk,
                                     struct newcomer *newcomer);
static enum db_status insert_live(struct chunk *chunk);
static enum db_status insert_ready(struct chunk *chunk);
static enum db_status insert_outbox(struct chunk *chunk);
static enum db_status retire_finished(struct chunk *chunk);
static void count_all(struct chunk *chunk);

enum db_status adopt_join_body(struct db_conn *db, int64_t now_us,
                               void *context)
{
    struct chunk chunk = {
        .db = db, .arena = arena_new(), .task = context, .now_us = now_us};
    enum db_status status;

    chunk.task->counts = (struct adopt_counts){0};
    status = lock_wide(&chunk);
    if (status == DB_OK)
        status = settle_problems(&chunk);
    if (status == DB_OK)
        status = insert_live(&chunk);
    if (status == DB_OK)
        status = insert_ready(&chunk);
    if (status == DB_OK)
        status = insert_outbox(&chunk);
    if (status == DB_OK)
        status = retire_finished(&chunk);
    if (status == DB_OK)
        count_all(&chunk);
    arena_free(chunk.arena);
    return status;
}

#define ARRIVED_US SQL_US_FROM_TIME("arrival_time")
#define PULLED_US  SQL_US_FROM_TIME("pull_time")
#define HAS_RESULT "return_time IS NOT NULL AND grader_reply <> ''"

static enum db_status lock_wide(struct chunk *chunk)
{
    struct db_params params = db_params_new(chunk->arena);
    struct db_rows rows;
    struct db_rows live;
    struct db_rows callbacks;
    const char *sql = arena_printf(
        chunk->arena,
        "SELECT id, queue_name, xqueue_header, " ARRIVED_US ", " PULLED_US
        ", pullkey, grader_id, " HAS_RESULT ", lms_ack FROM queue_submission"
        " WHERE id IN (%s) AND retired = 0 ORDER BY id FOR UPDATE",
        db_params_add_list(&params, chunk->task->ids, chunk->task->id_count));
    enum db_status status = db_query(chunk->db, chunk->arena, sql, params.list,
                                     params.count, &rows);

    if (status == DB_OK)
        status = read_ids(chunk, "xqueue_live", &live);
    if (status == DB_OK)
        status = read_ids(chunk, "xqueue_outbox", &callbacks);
    if (status != DB_OK)
        return status;
    chunk->list =
        arena_zalloc(chunk->arena, (rows.count + 1) * sizeof *chunk->list);
    for (size_t i = 0; i < rows.count; i++) {
        int64_t id = db_integer(&rows, i, 0);

        if (holds(&live, id))
            continue;
        chunk->list[chunk->count].has_callbacks = holds(&callbacks, id);
        judge(chunk, &rows, i);
    }
    return DB_OK;
}

/* Which of the chunk's ids have rows there. */
static enum db_status read_ids(struct chunk *chunk, const char *table,
                               struct db_rows *ret_rows)
{
    struct db_params params = db_params_new(chunk->arena);
    const char *sql = arena_printf(
        chunk->arena, "SELECT id FROM %s WHERE id IN (%s)", table,
        db_params_add_list(&params, chunk->task->ids, chunk->task->id_count));

    return db_query(chunk->db, chunk->arena, sql, params.list, params.count,
                    ret_rows);
}

static bool holds(const struct db_rows *ids, int64_t id)
{
    for (size_t i = 0; i < ids->count; i++) {
        if (db_integer(ids, i, 0) == id)
            return true;
    }
    return false;
}

/* Fills the next place of the list, and takes it unless nothing is to do. */
static void judge(struct chunk *chunk, const struct db_rows *rows, size_t row)
{
    struct newcomer *newcomer = &chunk->list[chunk->count];
    struct live_row *live = &newcomer->live;
    bool has_result = db_integer(rows, row, 7) != 0;
    bool acknowledged = db_integer(rows, row, 8) != 0;

    if (!find_queue(chunk->task, db_text(rows, row, 1), &live->queue_id))
        return; /* renamed meanwhile: the next time */
    live->id = db_integer(rows, row, 0);
    live->arrival_us = db_integer(rows, row, 3);
    live->pulled_us = db_integer(rows, row, 4);
    live->grader_id = db_text(rows, row, 6);
    newcomer->has_problem = chunk->task->settings->identify(
        db_text(rows, row, 2), newcomer->problem, &live->destination);
    newcomer->is_unknown = !newcomer->has_problem;
    judge_lease(chunk, newcomer, db_text(rows, row, 5));
    if (has_result)
        newcomer->kind = acknowledged ? JOIN_FINISHED : JOIN_ANSWERED;
    if (newcomer->kind == JOIN_ANSWERED)
        live->state = LIVE_ANSWERED;
    if (newcomer->kind != JOIN_LEASED)
        live->expires_us = 0;
    chunk->count++;
}

static bool find_queue(const struct adopt_chunk *task, struct text name,
                       int64_t *ret_number)
{
    for (size_t i = 0; i < task->queue_count; i++) {
        if (text_equal(task->queues[i].name, name)) {
            *ret_number = task->queues[i].number;
            return true;
        }
    }
    return false;
}

static void judge_lease(struct chunk *chunk, struct newcomer *newcomer,
                        struct text pullkey)
{
    struct live_row *live = &newcomer->live;
    int64_t from_us =
        live->pulled_us < chunk->now_us ? live->pulled_us : chunk->now_us;

    newcomer->kind = JOIN_WAITING;
    live->state = LIVE_WAITING;
    live->pullkey = text_of("");
    if (live->pulled_us == 0)
        return;
    live->attempts = 1;
    live->pullkey = pullkey;
    for (size_t i = 0; i < pullkey.size; i++) {
        /* No key that anybody handed out, and its column is ASCII. */
        if ((unsigned char)pullkey.data[i] >= 0x80)
            live->pullkey = text_of("");
    }
    live->expires_us = from_us + chunk->task->settings->lease_us;
    if (live->expires_us > chunk->now_us) {
        newcomer->kind = JOIN_LEASED;
        live->state = LIVE_LEASED;
    }
}

static enum db_status settle_problems(struct chunk *chunk)
{
    enum db_status status = DB_OK;

    settle_within(chunk);
    for (size_t i = 0; i < chunk->count && status == DB_OK; i++) {
        if (chunk->list[i].has_problem)
            status = settle_against(chunk, &chunk->list[i]);
    }
    return status;
}

static void settle_within(struct chunk *chunk)
{
    for (size_t i = 0; i < chunk->count; i++) {
        if (chunk->list[i].kind == JOIN_FINISHED)
            chunk->list[i].has_problem = false;
    }
    for (size_t i = 0; i < chunk->count; i++) {
        struct newcomer *older = &chunk->list[i];

        for (size_t k = i + 1; k < chunk->count && older->has_problem; k++) {
            const struct newcomer *newer = &chunk->list[k];

            if (newer->has_problem &&
                memcmp(older->problem, newer->problem, PROBLEM_SIZE) == 0)
                older->has_problem = false;
        }
    }
}

static enum db_status settle_against(struct chunk *chunk,
                                     struct newcomer *newcomer)
{
    const struct db_param problem[] = {
        DB_BYTES(newcomer->problem, PROBLEM_SIZE)};
    struct db_rows rows;
    enum db_status status = db_query(
        chunk->db, chunk->arena, "SELECT id FROM xqueue_live WHERE problem = ?",
        problem, 1, &rows);

    if (status != DB_OK || rows.count == 0)
        return status;
    if (db_integer(&rows, 0, 0) > newcomer->live.id) {
        newcomer->has_problem = false;
        return DB_OK;
    }
    return db_execute(chunk->db,
                      "UPDATE xqueue_live SET problem = NULL"
                      " WHERE problem = ?",
                      problem, 1, NULL);
}

static enum db_status insert_live(struct chunk *chunk)
{
    enum { PER_ROW = 11 };
    struct db_params params = db_params_new(chunk->arena);

    for (size_t i = 0; i < chunk->count; i++) {
        const struct newcomer *newcomer = &chunk->list[i];
        const struct live_row *live = &newcomer->live;

        if (newcomer->kind == JOIN_FINISHED)
            continue;
        db_params_add(&params, DB_INTEGER(live->id));
        db_params_add(&params, DB_INTEGER(live->queue_id));
        db_params_add(&params, DB_INTEGER(live->arrival_us));
        db_params_add(&params, DB_INTEGER(live->state));
        db_params_add(&params, DB_INTEGER(live->attempts));
        db_params_add(&params, newcomer->has_problem
                                   ? DB_BYTES(newcomer->problem, PROBLEM_SIZE)
                                   : DB_NULL);
        db_params_add(&params, DB_INTEGER(live->destination));
        db_params_add(&params, DB_TEXT(live->pullkey));
        db_params_add(&params, live->pulled_us != 0
                                   ? DB_INTEGER(live->pulled_us)
                                   : DB_NULL);
        db_params_add(&params, live->expires_us != 0
                                   ? DB_INTEGER(live->expires_us)
                                   : DB_NULL);
        db_params_add(&params, DB_TEXT(live->grader_id));
    }
    /* A submit of the same problem since we looked: a conflict, look again. */
    return db_insert_rows(chunk->db,
                          "INSERT INTO xqueue_live (id, queue_id,"
                          " arrival_us, state, attempts, problem,"
                          " destination, pullkey, pulled_us, expires_us,"
                          " grader_id) VALUES ",
                          "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", "", &params,
                          PER_ROW);
}

static enum db_status insert_ready(struct chunk *chunk)
{
    enum { PER_ROW = 3 };
    struct db_params params = db_params_new(chunk->arena);
    enum db_status status;

    for (size_t i = 0; i < chunk->count; i++) {
        const struct live_row *live = &chunk->list[i].live;

        if (chunk->list[i].kind != JOIN_WAITING)
            continue;
        db_params_add(&params, DB_INTEGER(live->queue_id));
        db_params_add(&params, DB_INTEGER(live->arrival_us));
        db_params_add(&params, DB_INTEGER(live->id));
    }
    status = db_insert_rows(
        chunk->db,
        "INSERT INTO xqueue_ready (queue_id, arrival_us, id) VALUES ",
        "(?, ?, ?)", "", &params, PER_ROW);
    for (size_t i = 0; i < chunk->task->queue_count && status == DB_OK; i++) {
        int64_t number = chunk->task->queues[i].number;
        int64_t waiting = 0;

        for (size_t k = 0; k < chunk->count; k++) {
            if (chunk->list[k].kind == JOIN_WAITING &&
                chunk->list[k].live.queue_id == number)
                waiting++;
        }
        if (waiting > 0)
            status = hot_set_count(chunk->db, number, waiting);
    }
    return status;
}

static enum db_status insert_outbox(struct chunk *chunk)
{
    enum db_status status = DB_OK;

    for (size_t i = 0; i < chunk->count && status == DB_OK; i++) {
        const struct newcomer *newcomer = &chunk->list[i];
        const struct outbox_row row = {
            .id = newcomer->live.id,
            .destination = newcomer->live.destination,
            .due_us = chunk->now_us,
            .now_us = chunk->now_us,
            .kind = OUTBOX_RESULT,
            .reply = TEXT_ABSENT,
        };

        if (newcomer->kind == JOIN_ANSWERED && !newcomer->has_callbacks)
            status = outbox_add(chunk->db, chunk->arena, &row);
    }
    return status;
}

static enum db_status retire_finished(struct chunk *chunk)
{
    enum db_status status = DB_OK;

    for (size_t i = 0; i < chunk->count && status == DB_OK; i++) {
        const struct db_param id[] = {DB_INTEGER(chunk->list[i].live.id)};

        if (chunk->list[i].kind == JOIN_FINISHED)
            status = db_execute(chunk->db,
                                "UPDATE queue_submission SET retired = 1"
                                " WHERE id = ?",
                                id, 1, NULL);
    }
    return status;
}

static void count_all(struct chunk *chunk)
{
    struct adopt_counts *counts = &chunk->task->counts;

    for (size_t i = 0; i < chunk->count; i++) {
        const struct newcomer *newcomer = &chunk->list[i];

        counts->waiting += newcomer->kind == JOIN_WAITING;
        counts->leased += newcomer->kind == JOIN_LEASED;
        counts->answered += newcomer->kind == JOIN_ANSWERED;
        counts->finished += newcomer->kind == JOIN_FINISHED;
        counts->unknown += newcomer->is_unknown;
    }
}
