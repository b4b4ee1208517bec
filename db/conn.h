/*
 * One connection to MySQL or MariaDB, its settings and its prepared
 * statements. Blocking; owned by one thread. Nothing in db/ logs: it returns
 * a status and keeps the text.
 *
 * Every session has: utf8mb4, time zone +00:00, READ COMMITTED, strict mode,
 * connect/read/write time-outs, local infile off, no automatic reconnect.
 * A broken connection is closed at once and opened again by the next
 * operation that starts outside a transaction.
 */
#ifndef XQUEUE_DB_CONN_H
#define XQUEUE_DB_CONN_H

#include "db/status.h"
#include "server/base/arena.h"
#include "server/base/compiler.h"
#include "server/base/text.h"

enum db_tls { DB_TLS_OFF, DB_TLS_REQUIRED, DB_TLS_VERIFY_CA, DB_TLS_VERIFY };

struct db_settings {
    const char *host;        /* NULL: the default socket */
    unsigned port;           /* 0: the default */
    const char *unix_socket; /* NULL: TCP, or the library's default */
    const char *name;
    const char *user;
    const char *password;
    enum db_tls tls;
    const char *tls_ca;         /* file, may be NULL */
    const char *tls_cert;       /* file, may be NULL */
    const char *tls_key;        /* file, may be NULL */
    unsigned connect_timeout_s; /* 0 means 3 */
    unsigned timeout_s;         /* read and write; 0 means 8 */
};

struct db_conn;

/* Once per process, before any thread; and last of all. */
void db_library_start(void);
void db_library_stop(void);

/* On each thread that uses connections. */
void db_thread_start(void);
void db_thread_stop(void);

/* Does not connect yet. `settings` and its strings are borrowed for life. */
struct db_conn *db_conn_new(const struct db_settings *settings);
void db_conn_free(struct db_conn *db);

/* Connect if needed. DB_OK, DB_AWAY, or DB_FAILED (wrong password, ...). */
enum db_status db_conn_open(struct db_conn *db) MUST_CHECK;
void db_conn_close(struct db_conn *db);
bool db_conn_is_open(const struct db_conn *db);

/*
 * Make sure that an open connection which has been idle for `idle_s` seconds
 * still lives: a broken one is closed. False when it is closed (now).
 */
bool db_conn_check(struct db_conn *db, unsigned idle_s);

/*
 * Read and write time-outs in place of the settings', for work that takes
 * long; 0 restores them. Counts from the next time the connection opens:
 * close it to be sure.
 */
void db_conn_set_timeout(struct db_conn *db, unsigned timeout_s);

/*
 * Which slot of a slotted counter this connection writes: the number of the
 * pool's thread, from 1; 0 (a new connection) is for commands.
 */
void db_conn_set_slot(struct db_conn *db, unsigned slot);
unsigned db_conn_slot(const struct db_conn *db);

/*
 * What this process knows about where claims should begin: see db/floors.h.
 * Borrowed; NULL (a new connection) for nothing.
 */
struct floors;
void db_conn_share_floors(struct db_conn *db, struct floors *floors);
struct floors *db_conn_floors(const struct db_conn *db);

/*
 * Within a transaction: what it puts back. The floors are told when it has
 * committed.
 */
struct floor_marks;
struct floor_marks *db_conn_floor_marks(struct db_conn *db);

/* Text and client/server number of the last failure: for the log line. */
const char *db_conn_error(const struct db_conn *db);
unsigned db_conn_error_number(const struct db_conn *db);

/* Facts read at connect. */
const char *db_conn_version(const struct db_conn *db);
uint64_t db_conn_max_packet(const struct db_conn *db); /* bytes */
uint64_t db_conn_autoincrement_step(const struct db_conn *db);
uint64_t db_conn_id(const struct db_conn *db); /* server's */

/* How often it has asked the server for something and awaited the answer. */
uint64_t db_conn_trips(const struct db_conn *db);

/* --- statements ------------------------------------------------------- */

struct db_param {
    enum {
        DB_PARAM_NULL,
        DB_PARAM_INTEGER,
        DB_PARAM_TEXT, /* utf8mb4: bound as a string */
        DB_PARAM_BYTES /* binary: bound as a blob */
    } kind;
    int64_t integer;
    struct text text; /* borrowed until the call returns */
};

#define DB_NULL ((struct db_param){.kind = DB_PARAM_NULL})
#define DB_INTEGER(i)                                                          \
    ((struct db_param){.kind = DB_PARAM_INTEGER, .integer = (int64_t)(i)})
#define DB_TEXT(t) db_text_param(t)
#define DB_BYTES(pointer, length)                                              \
    ((struct db_param){.kind = DB_PARAM_BYTES,                                 \
                       .text = {(const char *)(pointer), (length)}})

/* DB_TEXT(): an absent text is NULL. */
static inline struct db_param db_text_param(struct text text)
{
    return (struct db_param){.kind = text_is_absent(text) ? DB_PARAM_NULL
                                                          : DB_PARAM_TEXT,
                             .text = text};
}

/* An integer column beyond int64_t is not used anywhere. */
struct db_rows {
    size_t count;
    size_t columns;
    struct db_cell *cells; /* count * columns, in the arena */
};

struct db_cell {
    bool is_null;
    bool is_integer; /* `integer` holds it; else `text` does */
    int64_t integer;
    struct text text; /* in the arena */
};

/*
 * Run one statement with bound parameters. `sql` is prepared once per
 * connection and cached by its text (at most 128 statements, the least
 * recently used one leaves). ret_affected may be NULL; it counts rows
 * *found* for UPDATE, not rows changed.
 */
enum db_status db_execute(struct db_conn *db, const char *sql,
                          const struct db_param *params, size_t count,
                          uint64_t *ret_affected) MUST_CHECK;

/*
 * The same for a statement whose outcome nobody waits for: within a
 * transaction it goes with the next trip to the server, at the latest with
 * that of COMMIT, in the order of the calls; one with a text does not wait. One
 * that fails is the end of its trip, and the status of what led to that trip; a
 * duplicate is a conflict. Outside of a transaction it goes at once.
 */
enum db_status db_defer(struct db_conn *db, const char *sql,
                        const struct db_param *params, size_t count) MUST_CHECK;

/* Does db_defer() send a statement with these as text, or prepare it? */
bool db_can_defer(const struct db_conn *db, const struct db_param *params,
                  size_t count);

/* db_execute() of a SELECT: all rows, copied into the arena. */
enum db_status db_query(struct db_conn *db, struct arena *arena,
                        const char *sql, const struct db_param *params,
                        size_t count, struct db_rows *ret_rows) MUST_CHECK;

/* The first AUTO_INCREMENT value of the last INSERT. */
uint64_t db_insert_id(struct db_conn *db);

/*
 * Text protocol, no parameters: DDL, SET, and what cannot be prepared.
 * Results are read and dropped.
 */
enum db_status db_execute_text(struct db_conn *db, const char *sql) MUST_CHECK;

/*
 * Cells of a row. What is not of that kind reads as 0 or as an absent text:
 * a row that somebody has changed by hand must not end the server.
 */
bool db_is_null(const struct db_rows *rows, size_t row, size_t column);
int64_t db_integer(const struct db_rows *rows, size_t row, size_t column);
struct text db_text(const struct db_rows *rows, size_t row, size_t column);

/*
 * "(?, ?), (?, ?)" and the like: `sql` followed by `count` copies of `piece`
 * joined by ", " and by `tail`. In the arena.
 */
const char *db_repeat(struct arena *arena, const char *sql, const char *piece,
                      size_t count, const char *tail);

/*
 * The server's clock, in microseconds since 1970 UTC, inside a statement.
 * Exact: UNIX_TIMESTAMP() of a time with microseconds is a decimal.
 */
#define SQL_NOW_US "CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED)"

#endif
