/*
 * The schema: SQL files, embedded in the program, run in the order of their
 * names, each once, and written into the ledger xqueue_migration.
 *
 * DDL commits by itself, so a migration that was interrupted runs again from
 * its start: every statement in migrations/ can be repeated.
 */
#ifndef XQUEUE_DB_SCHEMA_H
#define XQUEUE_DB_SCHEMA_H

#include "db/conn.h"

struct schema_step {
    const char *name; /* the file's, "0001_django.sql" */
    bool is_applied;
};

struct schema_list {
    struct schema_step *steps; /* in the arena */
    size_t count;
};

/* The migrations that this program has, in order. */
enum db_status schema_status(struct db_conn *db, struct arena *arena,
                             struct schema_list *ret_list) MUST_CHECK;

enum schema_event {
    SCHEMA_WAITING,   /* another process migrates; name is NULL */
    SCHEMA_PENDING,   /* it would run: SCHEMA_DRY_RUN */
    SCHEMA_RUNNING,   /* it begins */
    SCHEMA_STATEMENT, /* one of its statements begins */
    SCHEMA_APPLIED    /* it is done */
};

typedef void schema_progress(enum schema_event event, const char *name,
                             void *context);

enum schema_mode { SCHEMA_APPLY, SCHEMA_DRY_RUN };

/*
 * Run what is not applied. Concurrent calls on one database wait for each
 * other, up to a minute; then DB_CONFLICT. Time-outs of the connection do
 * not count meanwhile. `progress` may be NULL. After DB_FAILED,
 * db_conn_error() tells why; running again goes on where it stopped.
 */
enum db_status schema_migrate(struct db_conn *db, enum schema_mode mode,
                              schema_progress *progress,
                              void *context) MUST_CHECK;

/*
 * Give the Django server the indexes back that it needs. On a large table that
 * takes minutes; time-outs of the connection do not count. The migrations that
 * took them away are not applied then, so that this program asks for `migrate`
 * before it serves again.
 */
enum db_status schema_hand_back(struct db_conn *db) MUST_CHECK;

/*
 * DB_OK: the schema is what this program expects. DB_MISMATCH: it is not,
 * and *ret_problem (in the arena) says what to do, for people.
 */
enum db_status schema_is_current(struct db_conn *db, struct arena *arena,
                                 const char **ret_problem) MUST_CHECK;

#endif
