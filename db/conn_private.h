/*
 * What conn.c, statement.c, rows.c and transaction.c share of a connection.
 * Private to db/.
 */
#ifndef XQUEUE_DB_CONN_PRIVATE_H
#define XQUEUE_DB_CONN_PRIVATE_H

#include "db/conn.h"
#include "db/floors.h"
#include "db/mysql_private.h"

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

/* --- prepared statements --- */

struct statements *statements_new(void);

/* After mysql_close(), so that nothing is sent. NULL is legal. */
void statements_free(struct statements *statements);

/* A statement that has just been executed; its result is not yet read. */
enum db_status statement_run(struct db_conn *db, const char *sql,
                             const struct db_param *params, size_t count,
                             MYSQL_STMT **ret_statement) MUST_CHECK;

#endif
