/*
 * A blocking connection with prepared statements, bound once and run again
 * and again: the least that the client library can do. One thread each;
 * whatever fails ends the program.
 */
#ifndef XQUEUE_BENCH_RAW_SESSION_H
#define XQUEUE_BENCH_RAW_SESSION_H

#include "db/conn.h"

#include <stdint.h>

struct raw_session;
struct raw_statement;

/* READ COMMITTED; commits by itself until told otherwise. */
struct raw_session *raw_session_open(const struct db_settings *settings);
void raw_session_close(struct raw_session *session);
void raw_session_commit_myself(struct raw_session *session);
void raw_session_commit(struct raw_session *session);
void raw_session_roll_back(struct raw_session *session);

/* Text protocol: tables, seeding; the first cell of an answer. */
void raw_session_run(struct raw_session *session, const char *sql);
int64_t raw_session_integer(struct raw_session *session, const char *sql);

/*
 * Where a parameter or a column of the answer is: an integer, or, with
 * `text`, so many bytes. Bound when the statement is made.
 */
struct raw_place {
    int64_t *integer;
    char *text;
    size_t size;
};

/* `columns` may be NULL: a statement without an answer. */
struct raw_statement *
raw_statement_new(struct raw_session *session, const char *sql,
                  const struct raw_place *params, size_t param_count,
                  const struct raw_place *columns, size_t column_count);
void raw_statement_free(struct raw_statement *statement);
void raw_statement_run(struct raw_statement *statement);

/* The next row into the columns' places; false behind the last one. */
bool raw_statement_fetch(struct raw_statement *statement);

#endif
