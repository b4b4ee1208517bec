/*
 * A MariaDB for a test program, and what tests ask of it.
 */
#include "tests/support/mariadb.h"

#include "db/mysql_private.h"
#include "db/schema.h"
#include "server/base/buffer.h"
#include "server/base/clock.h"
#include "server/base/crypto.h"
#include "server/base/memory.h"
#include "tests/support/mariadb_server.h"
#include "tests/support/port.h"

#include <errno.h>
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
    struct certificates certificates;
    unsigned port;
    bool is_private;
    struct db_settings settings;
    char prefix[32]; /* of the databases' names */
    char database[64];
    unsigned databases;
    char *external; /* XQUEUE_TEST_DATABASE, cut into pieces */
} here;

static void start_private(void);
static void see_that_it_answers(void);
static void use_external(const char *words);
static MYSQL *connect_to(const char *database);
static char *query_value(const char *sql);
static char *format_sql(const char *format, va_list arguments)
    PRINTF_LIKE(1, 0);
static void read_file(const char *path, struct buffer *sql);
static void drop_databases(void);

void mariadb_start(void)
{
    const char *external = getenv("XQUEUE_TEST_DATABASE");

    if (external != NULL && external[0] != '\0')
        use_external(external);
    else
        start_private();
}

void mariadb_start_own(void)
{
    here.server.is_durable = true;
    start_private();
}

void mariadb_start_own_with(const char *const *options)
{
    here.server.options = options;
    mariadb_start_own();
}

void mariadb_start_tls(void)
{
    static char words[4][96];
    static const char *const network[] = {words[0],
                                          words[1],
                                          words[2],
                                          words[3],
                                          "--bind-address=127.0.0.1,127.0.0.2",
                                          NULL};

    certificates_make(&here.certificates);
    here.port = port_reserve();
    snprintf(words[0], sizeof words[0], "--port=%u", here.port);
    snprintf(words[1], sizeof words[1], "--ssl-ca=%s", here.certificates.ca);
    snprintf(words[2], sizeof words[2], "--ssl-cert=%s",
             here.certificates.server);
    snprintf(words[3], sizeof words[3], "--ssl-key=%s",
             here.certificates.server_key);
    here.server.network = network;
    mariadb_start_own();
}

void mariadb_stop(void)
{
    if (here.is_private) {
        mariadb_server_end(&here.server, SIGKILL);
        mariadb_server_remove(&here.server);
    } else {
        drop_databases();
    }
    if (here.server.network != NULL)
        certificates_remove(&here.certificates);
    free(here.external);
}

unsigned mariadb_port(void)
{
    return here.port;
}

const struct certificates *mariadb_certificates(void)
{
    return &here.certificates;
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
    if (here.is_private)
        see_that_it_answers();
    here.settings.name = NULL;
    snprintf(here.database, sizeof here.database, "%s_%d_%u", here.prefix,
             (int)getpid(), ++here.databases);
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
    struct buffer sql = {NULL, 0, 0};
    MYSQL *mysql = connect_to(here.database);
    int more;

    read_file(path, &sql);
    mysql_set_server_option(mysql, MYSQL_OPTION_MULTI_STATEMENTS_ON);
    more = mysql_real_query(mysql, sql.data, sql.size);
    while (more == 0) {
        mysql_free_result(mysql_store_result(mysql));
        more = mysql_next_result(mysql);
    }
    if (more > 0)
        fatal("%s: %s", path, mysql_error(mysql));
    mysql_close(mysql);
    buffer_free(&sql);
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

static void start_private(void)
{
    here.is_private = true;
    snprintf(here.prefix, sizeof here.prefix, "xqueue_test");
    mariadb_server_create(&here.server);
    mariadb_server_start(&here.server);
    here.settings = (struct db_settings){
        .unix_socket = here.server.socket, .user = "root", .password = ""};
}

/* A test that failed may have left it stopped, about to end, or down. */
static void see_that_it_answers(void)
{
    mariadb_server_thaw(&here.server);
    if (mariadb_server_answers(&here.server))
        return;
    mariadb_kill();
    mariadb_restart();
}

/* "host:port:user:password" */
static void use_external(const char *words)
{
    char *parts[4] = {NULL};
    char *rest = here.external = xstrdup(words);
    unsigned tag;

    /* A process on another machine may have our number. */
    crypto_random(&tag, sizeof tag);
    snprintf(here.prefix, sizeof here.prefix, "xqueue_test_%08x", tag);
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

/* Of the repository. */
static void read_file(const char *path, struct buffer *sql)
{
    char *name = xasprintf("%s/%s", SOURCE_DIR, path);
    FILE *file = fopen(name, "re");
    char piece[4096];
    size_t size;

    if (file == NULL)
        fatal("%s: %s", name, strerror(errno));
    while ((size = fread(piece, 1, sizeof piece, file)) > 0)
        buffer_append(sql, piece, size);
    fclose(file);
    free(name);
}

/* On a server that is not ours, all of this program's. */
static void drop_databases(void)
{
    char *next = xasprintf("SELECT SCHEMA_NAME FROM"
                           " information_schema.SCHEMATA WHERE SCHEMA_NAME"
                           " LIKE '%s\\_%%' LIMIT 1",
                           here.prefix);
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
