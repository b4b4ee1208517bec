/*
 * A MariaDB for a test program, and what tests ask of it.
 */
#include "tests/support/mariadb.h"

#include "db/mysql_private.h"
#include "db/schema.h"
#include "server/base/buffer.h"
#include "server/base/clock.h"
#include "server/base/memory.h"
#include "tests/support/mariadb_server.h"

#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WAIT_MS = 20000, VALUES = 64, ERROR_NO_SUCH_CONNECTION = 1094 };

/* Made before the tests fork, so every test has its own copy. */
static struct {
    struct mariadb_server server;
    bool is_private;
    struct db_settings settings;
    char database[64];
    unsigned databases;
    pid_t program;
    char *external; /* XQUEUE_TEST_DATABASE, cut into pieces */
} here;

static void start(bool durable);
static void use_external(const char *words);
static MYSQL *connect_to(const char *database);
static char *query_value(const char *sql);
static char *format_sql(const char *format, va_list arguments)
    PRINTF_LIKE(1, 0);
static void drop_databases(void);

void mariadb_start(void)
{
    start(false);
}

void mariadb_start_durable(void)
{
    start(true);
}

void mariadb_stop(void)
{
    if (here.is_private) {
        mariadb_server_end(&here.server, SIGKILL);
        mariadb_server_remove(&here.server);
    } else {
        drop_databases();
    }
    free(here.external);
}

bool mariadb_is_private(void)
{
    return here.is_private;
}

bool mariadb_is_mysql(void)
{
    return strcmp(mariadb_value("SELECT VERSION() LIKE '%%MariaDB%%'"), "0") ==
           0;
}

const char *mariadb_session_status(void)
{
    return mariadb_is_mysql() ? "performance_schema.session_status"
                              : "information_schema.SESSION_STATUS";
}

const char *mariadb_global_status(void)
{
    return mariadb_is_mysql() ? "performance_schema.global_status"
                              : "information_schema.GLOBAL_STATUS";
}

void mariadb_kill(void)
{
    mariadb_server_end(&here.server, SIGKILL);
}

void mariadb_shut_down(void)
{
    mariadb_server_end(&here.server, SIGTERM);
}

void mariadb_restart(void)
{
    mariadb_server_start(&here.server);
}

const struct db_settings *mariadb_empty_database(void)
{
    /* A test that failed may have left it down. */
    if (here.is_private && !mariadb_server_answers(&here.server))
        mariadb_restart();
    here.settings.name = NULL;
    snprintf(here.database, sizeof here.database, "t_%d_%d_%u",
             (int)here.program, (int)getpid(), ++here.databases);
    mariadb_run("CREATE DATABASE %s CHARACTER SET utf8mb4"
                " COLLATE utf8mb4_unicode_ci",
                here.database);
    here.settings.name = here.database;
    return &here.settings;
}

const struct db_settings *mariadb_database(void)
{
    const struct db_settings *settings = mariadb_empty_database();
    struct db_conn *db = db_conn_new(settings);

    if (schema_migrate(db, SCHEMA_APPLY, NULL, NULL) != DB_OK)
        fatal("the test database gets no schema: %s", db_conn_error(db));
    db_conn_free(db);
    return settings;
}

void mariadb_load(const char *path)
{
    char *file = xasprintf("%s/%s", SOURCE_DIR, path);
    char *user = xasprintf("--user=%s", here.settings.user);
    char *password = xasprintf("--password=%s", here.settings.password);
    char *where = here.is_private
                      ? xasprintf("--socket=%s", here.settings.unix_socket)
                      : xasprintf("--host=%s", here.settings.host);
    char *how = here.is_private ? xstrdup("--protocol=socket")
                                : xasprintf("--port=%u", here.settings.port);

    mariadb_server_command((const char *const[]){"mariadb", "--no-defaults",
                                                 where, how, user, password,
                                                 here.database, NULL},
                           file);
    free(file);
    free(user);
    free(password);
    free(where);
    free(how);
}

void mariadb_kill_connection(uint64_t id)
{
    MYSQL *mysql = connect_to(NULL);
    char *sql = xasprintf("KILL %llu", (unsigned long long)id);

    if (mysql_query(mysql, sql) != 0 &&
        mysql_errno(mysql) != ERROR_NO_SUCH_CONNECTION)
        fatal("%s: %s", sql, mysql_error(mysql));
    mysql_close(mysql);
    free(sql);
}

void mariadb_run(const char *format, ...)
{
    va_list arguments;
    char *sql;

    va_start(arguments, format);
    sql = format_sql(format, arguments);
    va_end(arguments);
    free(query_value(sql));
    free(sql);
}

const char *mariadb_value(const char *format, ...)
{
    static char *values[VALUES]; /* a test forgets the oldest */
    static size_t next;
    va_list arguments;
    char *sql;

    va_start(arguments, format);
    sql = format_sql(format, arguments);
    va_end(arguments);
    next = (next + 1) % VALUES;
    free(values[next]);
    values[next] = query_value(sql);
    free(sql);
    return values[next];
}

void mariadb_wait_for_value(const char *expected, const char *format, ...)
{
    int64_t deadline_ms = clock_monotonic_ms() + WAIT_MS;
    va_list arguments;
    char *sql;
    char *value;

    va_start(arguments, format);
    sql = format_sql(format, arguments);
    va_end(arguments);
    for (;;) {
        value = query_value(sql);
        if (strcmp(value, expected) == 0)
            break;
        if (clock_monotonic_ms() > deadline_ms)
            ck_abort_msg("%s stays %s, not %s", sql, value, expected);
        free(value);
        poll(NULL, 0, 10);
    }
    free(value);
    free(sql);
}

static void start(bool durable)
{
    const char *external = getenv("XQUEUE_TEST_DATABASE");

    here.program = getpid();
    if (external != NULL && external[0] != '\0') {
        use_external(external);
        return;
    }
    here.is_private = true;
    here.server.is_durable = durable;
    mariadb_server_create(&here.server);
    mariadb_server_start(&here.server);
    here.settings = (struct db_settings){
        .unix_socket = here.server.socket, .user = "root", .password = ""};
}

/* "host:port:user:password" */
static void use_external(const char *words)
{
    char *parts[4] = {NULL};
    char *rest = here.external = xstrdup(words);

    for (size_t i = 0; i < 4 && rest != NULL; i++)
        parts[i] = i < 3 ? strsep(&rest, ":") : rest;
    if (parts[3] == NULL)
        fatal("XQUEUE_TEST_DATABASE is not host:port:user:password");
    here.settings = (struct db_settings){
        .host = parts[0],
        .port = (unsigned)strtoul(parts[1], NULL, 10),
        .user = parts[2],
        .password = parts[3],
    };
}

static MYSQL *connect_to(const char *database)
{
    MYSQL *mysql = mysql_init(NULL);
    const struct db_settings *settings = &here.settings;

    if (mysql == NULL)
        fatal("out of memory");
    mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    mysql_private_tls(mysql, DB_TLS_OFF);
    if (mysql_real_connect(mysql, settings->host, settings->user,
                           settings->password, database, settings->port,
                           settings->unix_socket, 0) == NULL)
        fatal("no test database: %s", mysql_error(mysql));
    mysql_query(mysql, "SET time_zone = '+00:00'");
    return mysql;
}

static char *query_value(const char *sql)
{
    MYSQL *mysql = connect_to(here.settings.name);
    MYSQL_RES *result;
    char *value = xstrdup("");

    if (mysql_query(mysql, sql) != 0)
        fatal("%s: %s", sql, mysql_error(mysql));
    result = mysql_store_result(mysql);
    if (result != NULL) {
        MYSQL_ROW row = mysql_fetch_row(result);

        if (row != NULL) {
            free(value);
            value = xstrdup(row[0] == NULL ? "NULL" : row[0]);
        }
        mysql_free_result(result);
    }
    mysql_close(mysql);
    return value;
}

static char *format_sql(const char *format, va_list arguments)
{
    char *sql;

    if (vasprintf(&sql, format, arguments) < 0)
        fatal("out of memory");
    return sql;
}

/* On a server that is not ours, all of this program's. */
static void drop_databases(void)
{
    char *next = xasprintf("SELECT SCHEMA_NAME FROM"
                           " information_schema.SCHEMATA WHERE SCHEMA_NAME"
                           " LIKE 't\\_%d\\_%%' LIMIT 1",
                           (int)here.program);
    char *name;

    here.settings.name = NULL;
    for (;;) {
        name = query_value(next);
        if (name[0] == '\0')
            break;
        mariadb_run("DROP DATABASE %s", name);
        free(name);
    }
    free(name);
    free(next);
}
