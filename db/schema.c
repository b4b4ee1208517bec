/*
 * The schema: what is applied, and applying the rest under a lock that all
 * processes share.
 */
#include "db/schema.h"

#include "db/conn_private.h"
#include "db/named_lock.h"
#include "db/sql_script.h"

#include <stdlib.h>
#include <string.h>

enum { LONG_S = 7 * 24 * 3600 }; /* for an ALTER of a very large table */

struct migration {
    const char *name;
    const char *sql;
};

/* Made by CMake from migrations/, sorted by name; ends with NULLs. */
extern const struct migration migrations_embedded[];

struct run {
    struct db_conn *db;
    schema_progress *progress;
    void *context;
};

/* What a run does while no other process changes the schema. */
typedef enum db_status run_body(const struct run *run);

static enum db_status run_alone(const struct run *run, run_body *body);
static enum db_status run_locked(const struct run *run, run_body *body);
static enum db_status get_lock(const struct run *run, bool *ret_is_ours);
static enum db_status make_ledger(struct db_conn *db, struct arena *arena);
static enum db_status migrate_body(const struct run *run);
static enum db_status apply(const struct run *run,
                            const struct migration *migration);
static enum db_status run_script(const struct run *run,
                                 const struct migration *migration);
static enum db_status hand_back_body(const struct run *run);
static enum db_status plan(const struct run *run);
static enum db_status read_ledger(struct db_conn *db, struct arena *arena,
                                  struct db_rows *ret_rows);
static bool has_name(const struct db_rows *ledger, const char *name);
static bool is_ours(struct text name);
static void tell(const struct run *run, enum schema_event event,
                 const char *name);

enum db_status schema_status(struct db_conn *db, struct arena *arena,
                             struct schema_list *ret_list)
{
    struct db_rows ledger;
    struct schema_list list = {NULL, 0};
    enum db_status status = read_ledger(db, arena, &ledger);

    if (status != DB_OK)
        return status;
    while (migrations_embedded[list.count].name != NULL)
        list.count++;
    list.steps = arena_alloc(arena, list.count * sizeof *list.steps);
    for (size_t i = 0; i < list.count; i++) {
        const char *name = migrations_embedded[i].name;

        list.steps[i] = (struct schema_step){name, has_name(&ledger, name)};
    }
    *ret_list = list;
    return DB_OK;
}

enum db_status schema_migrate(struct db_conn *db, enum schema_mode mode,
                              schema_progress *progress, void *context)
{
    const struct run run = {db, progress, context};

    if (mode == SCHEMA_DRY_RUN)
        return plan(&run);
    return run_alone(&run, migrate_body);
}

enum db_status schema_hand_back(struct db_conn *db)
{
    const struct run run = {.db = db};

    return run_alone(&run, hand_back_body);
}

enum db_status schema_is_current(struct db_conn *db, struct arena *arena,
                                 const char **ret_problem)
{
    struct db_rows ledger;
    enum db_status status = read_ledger(db, arena, &ledger);

    if (status != DB_OK)
        return status;
    for (const struct migration *m = migrations_embedded; m->name; m++) {
        if (has_name(&ledger, m->name))
            continue;
        *ret_problem = arena_printf(
            arena, "migration %s is not applied: run xqueue migrate", m->name);
        return DB_MISMATCH;
    }
    for (size_t i = 0; i < ledger.count; i++) {
        struct text name = db_text(&ledger, i, 0);

        if (is_ours(name))
            continue;
        *ret_problem = arena_printf(
            arena,
            "the database has migration %.*s of a newer version: run that one",
            TEXT_ARGUMENTS(name));
        return DB_MISMATCH;
    }
    return DB_OK;
}

static enum db_status run_alone(const struct run *run, run_body *body)
{
    struct db_conn *db = run->db;
    unsigned timeout_s = db->timeout_s;
    enum db_status status;

    db_conn_close(db);
    db_conn_set_timeout(db, LONG_S);
    status = run_locked(run, body);
    /* This also gives the lock back. */
    db_conn_close(db);
    db_conn_set_timeout(db, timeout_s);
    return status;
}

static enum db_status run_locked(const struct run *run, run_body *body)
{
    bool is_lock_ours = false;
    enum db_status status = get_lock(run, &is_lock_ours);

    if (status != DB_OK)
        return status;
    if (!is_lock_ours)
        return conn_refuse(run->db, DB_CONFLICT,
                           "another process has been migrating this database "
                           "for more than a minute");
    /* Other sessions may hold the tables for a while. */
    status = db_execute_text(run->db, "SET SESSION lock_wait_timeout = 60");
    return status == DB_OK ? body(run) : status;
}

static enum db_status get_lock(const struct run *run, bool *ret_is_ours)
{
    enum db_status status = named_lock_take(run->db, "migrate", 0, ret_is_ours);

    if (status != DB_OK || *ret_is_ours)
        return status;
    tell(run, SCHEMA_WAITING, NULL);
    return named_lock_take(run->db, "migrate", 60, ret_is_ours);
}

/* Looked for first: a user that may not create tables may run this, too. */
static enum db_status make_ledger(struct db_conn *db, struct arena *arena)
{
    struct db_rows rows;
    enum db_status status = db_query(db, arena,
                                     "SELECT 1 FROM information_schema.TABLES"
                                     " WHERE TABLE_SCHEMA = DATABASE()"
                                     " AND TABLE_NAME = 'xqueue_migration'",
                                     NULL, 0, &rows);

    if (status != DB_OK || rows.count > 0)
        return status;
    return db_execute_text(
        db, "CREATE TABLE IF NOT EXISTS xqueue_migration ("
            " name VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,"
            " applied_us BIGINT NOT NULL, PRIMARY KEY (name)) ENGINE=InnoDB");
}

static enum db_status migrate_body(const struct run *run)
{
    struct arena *arena = arena_new();
    struct db_rows ledger;
    enum db_status status = make_ledger(run->db, arena);

    if (status == DB_OK)
        status = read_ledger(run->db, arena, &ledger);
    for (const struct migration *m = migrations_embedded;
         m->name != NULL && status == DB_OK; m++) {
        if (!has_name(&ledger, m->name))
            status = apply(run, m);
    }
    arena_free(arena);
    return status;
}

static enum db_status apply(const struct run *run,
                            const struct migration *migration)
{
    const struct db_param name[] = {DB_TEXT(text_of(migration->name))};
    enum db_status status;

    tell(run, SCHEMA_RUNNING, migration->name);
    status = run_script(run, migration);
    if (status == DB_OK)
        status =
            db_execute(run->db,
                       "INSERT INTO xqueue_migration (name, applied_us) VALUES"
                       " (?, " SQL_NOW_US ")",
                       name, ARRAY_LENGTH(name), NULL);
    if (status == DB_OK)
        tell(run, SCHEMA_APPLIED, migration->name);
    return status;
}

static enum db_status run_script(const struct run *run,
                                 const struct migration *migration)
{
    enum db_status status = DB_OK;
    size_t position = 0;

    while (status == DB_OK) {
        struct arena *arena = arena_new();
        const char *sql = sql_script_next(arena, migration->sql, &position);
        bool at_end = sql == NULL;

        if (!at_end) {
            tell(run, SCHEMA_STATEMENT, migration->name);
            /* Losing the connection means losing the lock. */
            status = db_conn_is_open(run->db) ? db_execute_text(run->db, sql)
                                              : DB_AWAY;
        }
        arena_free(arena);
        if (at_end)
            break;
    }
    return status;
}

/*
 * The opposite of 0008_arrival_day.sql, as far as Django needs it: our column
 * and our index are in nobody's way.
 */
static enum db_status hand_back_body(const struct run *run)
{
    struct arena *arena = arena_new();
    struct db_rows rows;
    enum db_status status =
        db_query(run->db, arena,
                 "SELECT 1 FROM information_schema.STATISTICS"
                 " WHERE TABLE_SCHEMA = DATABASE()"
                 " AND TABLE_NAME = 'queue_submission'"
                 " AND COLUMN_NAME = 'lms_callback_url'"
                 " AND SEQ_IN_INDEX = 1",
                 NULL, 0, &rows);

    if (status == DB_OK && rows.count == 0)
        status =
            db_execute_text(run->db, "ALTER TABLE queue_submission ADD INDEX"
                                     " queue_submi_lms_cal_367510_idx"
                                     " (lms_callback_url, retired),"
                                     " ALGORITHM=INPLACE, LOCK=NONE");
    if (status == DB_OK)
        status =
            db_execute_text(run->db, "DELETE FROM xqueue_migration"
                                     " WHERE name = '0008_arrival_day.sql'");
    arena_free(arena);
    return status;
}

static enum db_status plan(const struct run *run)
{
    struct arena *arena = arena_new();
    struct schema_list list = {NULL, 0};
    enum db_status status = schema_status(run->db, arena, &list);

    for (size_t i = 0; i < list.count; i++) {
        if (!list.steps[i].is_applied)
            tell(run, SCHEMA_PENDING, list.steps[i].name);
    }
    arena_free(arena);
    return status;
}

/* Names, in order; none when there is no ledger yet. */
static enum db_status read_ledger(struct db_conn *db, struct arena *arena,
                                  struct db_rows *ret_rows)
{
    enum { NO_SUCH_TABLE = 1146 };
    enum db_status status =
        db_query(db, arena, "SELECT name FROM xqueue_migration ORDER BY name",
                 NULL, 0, ret_rows);

    if (status == DB_FAILED && db_conn_error_number(db) == NO_SUCH_TABLE) {
        *ret_rows = (struct db_rows){0, 1, NULL};
        return DB_OK;
    }
    return status;
}

static bool has_name(const struct db_rows *ledger, const char *name)
{
    for (size_t i = 0; i < ledger->count; i++) {
        if (text_equal_string(db_text(ledger, i, 0), name))
            return true;
    }
    return false;
}

static bool is_ours(struct text name)
{
    for (const struct migration *m = migrations_embedded; m->name; m++) {
        if (text_equal_string(name, m->name))
            return true;
    }
    return false;
}

static void tell(const struct run *run, enum schema_event event,
                 const char *name)
{
    if (run->progress != NULL)
        run->progress(event, name, run->context);
}
