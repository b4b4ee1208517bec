/*
 * A blocking connection with prepared statements.
 */
#include "tests/bench/support/raw_session.h"

#include "db/mysql_private.h"
#include "server/base/memory.h"

#include <stdlib.h>
#include <string.h>

struct raw_session {
    MYSQL *mysql;
};

struct raw_statement {
    MYSQL_STMT *stmt;
    MYSQL_BIND *params;
    MYSQL_BIND *columns;
    unsigned long *lengths; /* of texts */
};

static MYSQL_BIND bind_of(const struct raw_place *place, unsigned long *length);
static void check(const struct raw_statement *statement, bool failed);

struct raw_session *raw_session_open(const struct db_settings *settings)
{
    struct raw_session *session = xmalloc(sizeof *session);

    session->mysql = mysql_init(NULL);
    if (session->mysql == NULL)
        fatal("out of memory");
    mysql_options(session->mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    mysql_private_tls(session->mysql, DB_TLS_OFF);
    if (mysql_real_connect(session->mysql, settings->host, settings->user,
                           settings->password, settings->name, settings->port,
                           settings->unix_socket, 0) == NULL)
        fatal("no database: %s", mysql_error(session->mysql));
    raw_session_run(session,
                    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
    return session;
}

void raw_session_close(struct raw_session *session)
{
    mysql_close(session->mysql);
    free(session);
}

void raw_session_commit_myself(struct raw_session *session)
{
    if (mysql_autocommit(session->mysql, 0) != 0)
        fatal("%s", mysql_error(session->mysql));
}

void raw_session_commit(struct raw_session *session)
{
    if (mysql_commit(session->mysql) != 0)
        fatal("COMMIT: %s", mysql_error(session->mysql));
}

void raw_session_roll_back(struct raw_session *session)
{
    if (mysql_rollback(session->mysql) != 0)
        fatal("ROLLBACK: %s", mysql_error(session->mysql));
}

void raw_session_run(struct raw_session *session, const char *sql)
{
    if (mysql_query(session->mysql, sql) != 0)
        fatal("%s: %s", sql, mysql_error(session->mysql));
    mysql_free_result(mysql_store_result(session->mysql));
}

int64_t raw_session_integer(struct raw_session *session, const char *sql)
{
    MYSQL_RES *result;
    MYSQL_ROW row;
    int64_t value = 0;

    if (mysql_query(session->mysql, sql) != 0)
        fatal("%s: %s", sql, mysql_error(session->mysql));
    result = mysql_store_result(session->mysql);
    row = result != NULL ? mysql_fetch_row(result) : NULL;
    if (row != NULL && row[0] != NULL)
        value = strtoll(row[0], NULL, 10);
    mysql_free_result(result);
    return value;
}

struct raw_statement *
raw_statement_new(struct raw_session *session, const char *sql,
                  const struct raw_place *params, size_t param_count,
                  const struct raw_place *columns, size_t column_count)
{
    struct raw_statement *statement = xmalloc(sizeof *statement);
    unsigned long *length;

    statement->stmt = mysql_stmt_init(session->mysql);
    if (statement->stmt == NULL)
        fatal("out of memory");
    statement->params = xcalloc(param_count + 1, sizeof *statement->params);
    statement->columns = xcalloc(column_count + 1, sizeof *statement->columns);
    statement->lengths =
        xcalloc(param_count + column_count + 1, sizeof *statement->lengths);
    length = statement->lengths;
    for (size_t i = 0; i < param_count; i++)
        statement->params[i] = bind_of(&params[i], length++);
    for (size_t i = 0; i < column_count; i++)
        statement->columns[i] = bind_of(&columns[i], length++);
    check(statement,
          mysql_stmt_prepare(statement->stmt, sql, strlen(sql)) != 0);
    check(statement,
          mysql_stmt_bind_param(statement->stmt, statement->params) != 0);
    if (column_count > 0)
        check(statement,
              mysql_stmt_bind_result(statement->stmt, statement->columns) != 0);
    return statement;
}

void raw_statement_free(struct raw_statement *statement)
{
    if (statement == NULL)
        return;
    mysql_stmt_close(statement->stmt);
    free(statement->params);
    free(statement->columns);
    free(statement->lengths);
    free(statement);
}

void raw_statement_run(struct raw_statement *statement)
{
    check(statement, mysql_stmt_execute(statement->stmt) != 0);
}

bool raw_statement_fetch(struct raw_statement *statement)
{
    int status = mysql_stmt_fetch(statement->stmt);

    check(statement, status != 0 && status != MYSQL_NO_DATA);
    return status == 0;
}

static MYSQL_BIND bind_of(const struct raw_place *place, unsigned long *length)
{
    MYSQL_BIND bind = {0};

    bind.length = length;
    if (place->text != NULL) {
        bind.buffer_type = MYSQL_TYPE_STRING;
        bind.buffer = place->text;
        *length = place->size;
    } else {
        bind.buffer_type = MYSQL_TYPE_LONGLONG;
        bind.buffer = place->integer;
        *length = sizeof *place->integer;
    }
    bind.buffer_length = *length;
    return bind;
}

static void check(const struct raw_statement *statement, bool failed)
{
    if (failed)
        fatal("a prepared statement: %s", mysql_stmt_error(statement->stmt));
}
