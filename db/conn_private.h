/*
 * What conn.c, statement.c, rows.c and transaction.c share of a connection.
 * Private to db/.
 */
#ifndef XQUEUE_DB_CONN_PRIVATE_H
#define XQUEUE_DB_CONN_PRIVATE_H

#include "db/conn.h"
#include "db/floors.h"
#include "db/mysql_private.h"
#include "server/base/buffer.h"

struct statements; /* the prepared ones: statement.c */

struct db_conn {
    const struct db_settings *settings; /* borrows */
    MYSQL *mysql;                       /* owns; NULL while closed */
    struct statements *statements;      /* owns; those of `mysql` */
    unsigned slot;
    struct floors *floors; /* borrows; may be NULL */
    unsigned timeout_s;    /* in place of the settings' time-outs, or 0 */
    int64_t used_ms;       /* when the server last answered */
    uint64_t insert_id;    /* of the last statement */

    /*
     * While in_transaction a lost connection is not opened again, and the
     * worst that a statement met is kept, so that a body that overlooks it
     * cannot commit half of its work.
     */
    bool in_transaction;
    enum db_status met; /* DB_OK, DB_CONFLICT or DB_AWAY */
    struct floor_marks put_back;

    /* Statements that wait for the next trip: see deferred.c. */
    struct buffer deferred;
    size_t deferred_count;
    size_t deferred_done; /* of the last trip, those that succeeded */
    uint64_t trips;

    char version[64];
    uint64_t max_packet;
    uint64_t autoincrement_step;
    uint64_t id;
    unsigned error_number;
    char error[256];
};

/*
 * Before a statement: DB_OK when the connection is there. Outside of a
 * transaction, opens it and sees to it that one long idle still lives.
 */
enum db_status conn_ready(struct db_conn *db) MUST_CHECK;

/* After a failed call: keep the error, close what is broken, and classify. */
enum db_status conn_failed(struct db_conn *db);
enum db_status conn_statement_failed(struct db_conn *db, MYSQL_STMT *stmt);

/* The same for an error of our own making, without a number. */
enum db_status conn_refuse(struct db_conn *db, enum db_status status,
                           const char *text);

/* --- statements that travel together --- */

/* Send what waits, if anything does. */
enum db_status deferred_flush(struct db_conn *db) MUST_CHECK;

/*
 * Send what waits and this statement after it. *ret_reached: those before it
 * have succeeded, so that the status is its own.
 */
enum db_status deferred_run(struct db_conn *db, const char *sql,
                            const struct db_param *params, size_t count,
                            bool *ret_reached) MUST_CHECK;

/* With a transaction that is given up. */
void deferred_drop(struct db_conn *db);

/* --- prepared statements --- */

struct statements *statements_new(void);

/* After mysql_close(), so that nothing is sent. NULL is legal. */
void statements_free(struct statements *statements);

/* A statement that has just been executed; its result is not yet read. */
enum db_status statement_run(struct db_conn *db, const char *sql,
                             const struct db_param *params, size_t count,
                             MYSQL_STMT **ret_statement) MUST_CHECK;

#endif
