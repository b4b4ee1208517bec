/*
 * One connection of a bare loop.
 *
 *   submit   1 INSERT of all rows; commits by itself
 *   pull     SELECT ... FOR UPDATE SKIP LOCKED, DELETE from the line, INSERT
 *            of the leases, COMMIT
 *   result   1 INSERT of all replies; commits by itself
 */
#include "tests/bench/support/raw_worker.h"

#include "server/base/arena.h"
#include "server/base/clock.h"
#include "server/base/memory.h"
#include "tests/bench/support/raw_session.h"

#include <stdlib.h>
#include <string.h>

struct raw_worker {
    const struct raw_steps_settings *settings;
    _Atomic int64_t *next;
    int64_t rows_made;
    struct raw_session *session;
    struct arena *arena; /* texts of statements */
    struct raw_statement *first;
    struct raw_statement *take;  /* of a pull */
    struct raw_statement *lease; /* of a pull */
    int64_t wanted;
    int64_t now_us;
    int64_t id;         /* just fetched */
    int64_t arrival_us; /* the same */
    char *body;
    char reply[RAW_REPLY_BYTES];
    int64_t ids[RAW_MOST_ROWS];
    int64_t arrivals[RAW_MOST_ROWS];
};

static void prepare_submit(struct raw_worker *worker);
static void prepare_pull(struct raw_worker *worker);
static void prepare_take(struct raw_worker *worker);
static void prepare_lease(struct raw_worker *worker);
static void prepare_result(struct raw_worker *worker);
static bool pull(struct raw_worker *worker);
static bool put_results(struct raw_worker *worker);

struct raw_worker *raw_worker_new(const struct raw_steps_settings *settings,
                                  _Atomic int64_t *next, int64_t rows_made)
{
    struct raw_worker *worker = xcalloc(1, sizeof *worker);

    worker->settings = settings;
    worker->next = next;
    worker->rows_made = rows_made;
    worker->wanted = (int64_t)settings->rows;
    worker->arena = arena_new();
    worker->body = xmalloc(settings->body_bytes + 1);
    memset(worker->body, 'b', settings->body_bytes + 1);
    memset(worker->reply, 'r', sizeof worker->reply);
    worker->session = raw_session_open(settings->database);
    if (settings->step == RAW_SUBMIT)
        prepare_submit(worker);
    else if (settings->step == RAW_PULL)
        prepare_pull(worker);
    else
        prepare_result(worker);
    return worker;
}

void raw_worker_free(struct raw_worker *worker)
{
    raw_statement_free(worker->first);
    raw_statement_free(worker->take);
    raw_statement_free(worker->lease);
    raw_session_close(worker->session);
    arena_free(worker->arena);
    free(worker->body);
    free(worker);
}

bool raw_worker_step(struct raw_worker *worker)
{
    worker->now_us = clock_wall_us();
    if (worker->settings->step == RAW_PULL)
        return pull(worker);
    if (worker->settings->step == RAW_RESULT)
        return put_results(worker);
    raw_statement_run(worker->first);
    return true;
}

static void prepare_submit(struct raw_worker *worker)
{
    size_t rows = worker->settings->rows;
    struct raw_place *params =
        arena_alloc(worker->arena, 2 * rows * sizeof *params);

    for (size_t i = 0; i < rows; i++) {
        params[2 * i] = (struct raw_place){.integer = &worker->now_us};
        params[2 * i + 1] = (struct raw_place){
            .text = worker->body, .size = worker->settings->body_bytes};
    }
    worker->first = raw_statement_new(
        worker->session,
        db_repeat(worker->arena,
                  "INSERT INTO raw_submission (queue_id, state, arrival_us,"
                  " body) VALUES ",
                  "(1, 0, ?, ?)", rows, ""),
        params, 2 * rows, NULL, 0);
}

static void prepare_pull(struct raw_worker *worker)
{
    const struct raw_place params[] = {{.integer = &worker->wanted}};
    const struct raw_place columns[] = {
        {.integer = &worker->id},
        {.integer = &worker->arrival_us},
        {.text = worker->body, .size = worker->settings->body_bytes + 1},
    };

    raw_session_commit_myself(worker->session);
    worker->first = raw_statement_new(
        worker->session,
        "SELECT r.id, r.arrival_us, s.body FROM raw_ready r"
        " STRAIGHT_JOIN raw_submission s ON s.id = r.id WHERE r.queue_id = 1"
        " ORDER BY r.arrival_us, r.id LIMIT ? FOR UPDATE SKIP LOCKED",
        params, 1, columns, 3);
    prepare_take(worker);
    prepare_lease(worker);
}

/*
 * Several are looked up by a join to a list: of a list in IN (...) the
 * optimizer may make a scan, which waits for rows that others hold.
 */
static void prepare_take(struct raw_worker *worker)
{
    size_t rows = worker->settings->rows;
    struct raw_place *params =
        arena_alloc(worker->arena, 2 * rows * sizeof *params);
    const char *sql = "DELETE FROM raw_ready WHERE queue_id = 1"
                      " AND arrival_us = ? AND id = ?";
    const char *list = "SELECT CAST(? AS SIGNED) AS arrival_us,"
                       " CAST(? AS SIGNED) AS id";

    for (size_t i = 0; i < rows; i++) {
        params[2 * i] = (struct raw_place){.integer = &worker->arrivals[i]};
        params[2 * i + 1] = (struct raw_place){.integer = &worker->ids[i]};
        if (i > 0)
            list =
                arena_printf(worker->arena, "%s UNION ALL SELECT ?, ?", list);
    }
    if (rows > 1)
        sql = arena_printf(worker->arena,
                           "DELETE r FROM (%s) AS taken STRAIGHT_JOIN"
                           " raw_ready r ON r.queue_id = 1"
                           " AND r.arrival_us = taken.arrival_us"
                           " AND r.id = taken.id",
                           list);
    worker->take =
        raw_statement_new(worker->session, sql, params, 2 * rows, NULL, 0);
}

static void prepare_lease(struct raw_worker *worker)
{
    size_t rows = worker->settings->rows;
    struct raw_place *params =
        arena_alloc(worker->arena, 2 * rows * sizeof *params);

    for (size_t i = 0; i < rows; i++) {
        params[2 * i] = (struct raw_place){.integer = &worker->ids[i]};
        params[2 * i + 1] = (struct raw_place){.integer = &worker->now_us};
    }
    worker->lease = raw_statement_new(
        worker->session,
        db_repeat(worker->arena,
                  "INSERT INTO raw_leased (id, expires_us) VALUES ", "(?, ?)",
                  rows, ""),
        params, 2 * rows, NULL, 0);
}

static void prepare_result(struct raw_worker *worker)
{
    size_t rows = worker->settings->rows;
    struct raw_place *params =
        arena_alloc(worker->arena, 2 * rows * sizeof *params);

    for (size_t i = 0; i < rows; i++) {
        params[2 * i] = (struct raw_place){.integer = &worker->ids[i]};
        params[2 * i + 1] = (struct raw_place){.text = worker->reply,
                                               .size = sizeof worker->reply};
    }
    worker->first = raw_statement_new(
        worker->session,
        db_repeat(worker->arena, "INSERT INTO raw_result (id, reply) VALUES ",
                  "(?, ?)", rows, ""),
        params, 2 * rows, NULL, 0);
}

/* What is less than a whole transaction is left: the run is over then. */
static bool pull(struct raw_worker *worker)
{
    size_t count = 0;

    raw_statement_run(worker->first);
    while (raw_statement_fetch(worker->first)) {
        worker->ids[count] = worker->id;
        worker->arrivals[count] = worker->arrival_us;
        count++;
    }
    if (count < worker->settings->rows) {
        raw_session_roll_back(worker->session);
        return false;
    }
    raw_statement_run(worker->take);
    raw_statement_run(worker->lease);
    raw_session_commit(worker->session);
    return true;
}

static bool put_results(struct raw_worker *worker)
{
    int64_t rows = (int64_t)worker->settings->rows;
    int64_t first = atomic_fetch_add(worker->next, rows);

    if (first + rows > worker->rows_made)
        return false;
    for (int64_t i = 0; i < rows; i++)
        worker->ids[i] = first + i + 1;
    raw_statement_run(worker->first);
    return true;
}
