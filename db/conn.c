/*
 * One connection: opening it with the session that we rely on, closing it
 * when it breaks, and keeping the text of what went wrong.
 */
#include "db/conn.h"

#include "db/conn_private.h"
#include "db/failure.h"
#include "server/base/clock.h"
#include "server/base/memory.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECT_TIMEOUT_S = 3, TIMEOUT_S = 8, IDLE_S = 30 };

/* What every statement of ours relies on. */
static const char *const session[] = {
    /* The collation is named because one client library asks MariaDB for one
     * that it does not know, and silently gets latin1. */
    "SET NAMES utf8mb4 COLLATE utf8mb4_unicode_ci",
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    "SET SESSION time_zone = '+00:00', innodb_lock_wait_timeout = 3,"
    " lock_wait_timeout = 3, autocommit = 1, sql_mode ="
    " 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION,NO_ZERO_IN_DATE,"
    "ERROR_FOR_DIVISION_BY_ZERO'",
};

static const char facts[] =
    "SELECT VERSION(), @@max_allowed_packet, @@auto_increment_increment,"
    " CONNECTION_ID(), @@character_set_client, @@sql_mode";

static bool tls_is_verifiable(struct db_conn *db);
static void set_options(const struct db_conn *db, MYSQL *mysql);
static enum db_status connect_failed(struct db_conn *db);
static enum db_status set_up_session(struct db_conn *db);
static enum db_status read_facts(struct db_conn *db);
static bool take_facts(struct db_conn *db, MYSQL_RES *result);
static uint64_t fact(const char *text);
static void keep_error(struct db_conn *db, unsigned number, const char *text);
static enum db_status classify(struct db_conn *db, unsigned number,
                               const char *text);

void db_library_start(void)
{
    /* Before the library looks at it: a vanished server is a return value. */
    signal(SIGPIPE, SIG_IGN);
    if (mysql_library_init(0, NULL, NULL) != 0)
        fatal("the MySQL client library does not start");
}

void db_library_stop(void)
{
    mysql_library_end();
}

void db_thread_start(void)
{
    if (mysql_thread_init() != 0)
        fatal("the MySQL client library refuses a thread");
}

void db_thread_stop(void)
{
    mysql_thread_end();
}

struct db_conn *db_conn_new(const struct db_settings *settings)
{
    struct db_conn *db = xcalloc(1, sizeof *db);

    db->settings = settings;
    return db;
}

void db_conn_free(struct db_conn *db)
{
    if (db == NULL)
        return;
    db_conn_close(db);
    free(db->put_back.list);
    buffer_free(&db->deferred);
    free(db);
}

enum db_status db_conn_open(struct db_conn *db)
{
    const struct db_settings *settings = db->settings;
    const char *host = settings->unix_socket != NULL ? NULL : settings->host;
    enum db_status status;

    if (db->mysql != NULL)
        return DB_OK;
    if (!tls_is_verifiable(db))
        return DB_FAILED;
    db->mysql = mysql_init(NULL);
    if (db->mysql == NULL)
        fatal("out of memory: a database connection");
    set_options(db, db->mysql);
    if (mysql_real_connect(db->mysql, host, settings->user, settings->password,
                           settings->name, settings->port,
                           settings->unix_socket,
                           CLIENT_FOUND_ROWS | CLIENT_MULTI_STATEMENTS) == NULL)
        return connect_failed(db);
    /* Connector/C takes a plain connection where it cannot have TLS. */
    if (settings->tls != DB_TLS_OFF &&
        mysql_get_ssl_cipher(db->mysql) == NULL) {
        db_conn_close(db);
        return conn_refuse(db, DB_FAILED, "the database does not speak TLS");
    }
    db->statements = statements_new();
    db->used_ms = clock_monotonic_ms();
    status = set_up_session(db);
    if (status != DB_OK)
        db_conn_close(db);
    return status;
}

void db_conn_close(struct db_conn *db)
{
    if (db->mysql == NULL)
        return;
    mysql_close(db->mysql);
    db->mysql = NULL;
    statements_free(db->statements);
    db->statements = NULL;
    deferred_drop(db);
}

bool db_conn_is_open(const struct db_conn *db)
{
    return db->mysql != NULL;
}

bool db_conn_check(struct db_conn *db, unsigned idle_s)
{
    int64_t now_ms = clock_monotonic_ms();

    if (db->mysql == NULL)
        return false;
    if (now_ms - db->used_ms < (int64_t)idle_s * 1000)
        return true;
    if (mysql_ping(db->mysql) != 0) {
        keep_error(db, mysql_errno(db->mysql), mysql_error(db->mysql));
        db_conn_close(db);
        return false;
    }
    db->used_ms = now_ms;
    return true;
}

void db_conn_set_timeout(struct db_conn *db, unsigned timeout_s)
{
    db->timeout_s = timeout_s;
}

void db_conn_set_slot(struct db_conn *db, unsigned slot)
{
    db->slot = slot;
}

unsigned db_conn_slot(const struct db_conn *db)
{
    return db->slot;
}

void db_conn_share_floors(struct db_conn *db, struct floors *floors)
{
    db->floors = floors;
}

struct floors *db_conn_floors(const struct db_conn *db)
{
    return db->floors;
}

struct floor_marks *db_conn_floor_marks(struct db_conn *db)
{
    return &db->put_back;
}

const char *db_conn_error(const struct db_conn *db)
{
    return db->error;
}

unsigned db_conn_error_number(const struct db_conn *db)
{
    return db->error_number;
}

const char *db_conn_version(const struct db_conn *db)
{
    return db->version;
}

uint64_t db_conn_max_packet(const struct db_conn *db)
{
    return db->max_packet;
}

uint64_t db_conn_autoincrement_step(const struct db_conn *db)
{
    return db->autoincrement_step;
}

uint64_t db_conn_id(const struct db_conn *db)
{
    return db->id;
}

uint64_t db_conn_trips(const struct db_conn *db)
{
    return db->trips;
}

enum db_status conn_ready(struct db_conn *db)
{
    if (db->in_transaction)
        return db->mysql != NULL ? DB_OK : DB_AWAY;
    if (db_conn_check(db, IDLE_S))
        return DB_OK;
    return db_conn_open(db);
}

enum db_status conn_failed(struct db_conn *db)
{
    return classify(db, mysql_errno(db->mysql), mysql_error(db->mysql));
}

enum db_status conn_statement_failed(struct db_conn *db, MYSQL_STMT *stmt)
{
    return classify(db, mysql_stmt_errno(stmt), mysql_stmt_error(stmt));
}

enum db_status conn_refuse(struct db_conn *db, enum db_status status,
                           const char *text)
{
    keep_error(db, 0, text);
    return status;
}

/* Without a CA, what "verified" means depends on the library's release. */
static bool tls_is_verifiable(struct db_conn *db)
{
    const struct db_settings *settings = db->settings;

    if (settings->tls < DB_TLS_VERIFY_CA || settings->tls_ca != NULL)
        return true;
    keep_error(db, 0, "verifying the database's certificate needs a CA file");
    return false;
}

static void set_options(const struct db_conn *db, MYSQL *mysql)
{
    const struct db_settings *settings = db->settings;
    unsigned connect_s = settings->connect_timeout_s > 0
                             ? settings->connect_timeout_s
                             : CONNECT_TIMEOUT_S;
    unsigned timeout_s =
        settings->timeout_s > 0 ? settings->timeout_s : TIMEOUT_S;
    unsigned local_infile = 0;

    if (db->timeout_s > 0)
        timeout_s = db->timeout_s;
    if (timeout_s < connect_s)
        connect_s = timeout_s;
    mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s);
    mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &timeout_s);
    mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &timeout_s);
    mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &local_infile);
    mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    mysql_private_tls(mysql, settings->tls);
    if (settings->tls == DB_TLS_OFF)
        return;
    if (settings->tls_ca != NULL)
        mysql_options(mysql, MYSQL_OPT_SSL_CA, settings->tls_ca);
    if (settings->tls_cert != NULL)
        mysql_options(mysql, MYSQL_OPT_SSL_CERT, settings->tls_cert);
    if (settings->tls_key != NULL)
        mysql_options(mysql, MYSQL_OPT_SSL_KEY, settings->tls_key);
}

static enum db_status connect_failed(struct db_conn *db)
{
    unsigned number = mysql_errno(db->mysql);

    keep_error(db, number, mysql_error(db->mysql));
    db_conn_close(db);
    return failure_of_connect(number);
}

static enum db_status set_up_session(struct db_conn *db)
{
    for (size_t i = 0; i < ARRAY_LENGTH(session); i++) {
        if (mysql_query(db->mysql, session[i]) != 0)
            return conn_failed(db);
    }
    return read_facts(db);
}

static enum db_status read_facts(struct db_conn *db)
{
    MYSQL_RES *result;
    bool complete;

    if (mysql_query(db->mysql, facts) != 0)
        return conn_failed(db);
    result = mysql_store_result(db->mysql);
    if (result == NULL)
        return conn_failed(db);
    complete = take_facts(db, result);
    mysql_free_result(result);
    if (!complete)
        return conn_refuse(db, DB_FAILED,
                           "the server does not keep to utf8mb4 and strict "
                           "mode, or does not tell its settings");
    return DB_OK;
}

static bool take_facts(struct db_conn *db, MYSQL_RES *result)
{
    MYSQL_ROW row = mysql_fetch_row(result);

    if (row == NULL || mysql_num_fields(result) != 6)
        return false;
    for (size_t i = 0; i < 6; i++) {
        if (row[i] == NULL)
            return false;
    }
    snprintf(db->version, sizeof db->version, "%s", row[0]);
    db->max_packet = fact(row[1]);
    db->autoincrement_step = fact(row[2]);
    db->id = fact(row[3]);
    return strcmp(row[4], "utf8mb4") == 0 &&
           strstr(row[5], "STRICT_TRANS_TABLES") != NULL;
}

static uint64_t fact(const char *text)
{
    return strtoull(text, NULL, 10);
}

static void keep_error(struct db_conn *db, unsigned number, const char *text)
{
    db->error_number = number;
    snprintf(db->error, sizeof db->error, "%s", text);
}

static enum db_status classify(struct db_conn *db, unsigned number,
                               const char *text)
{
    enum db_status status = failure_of_statement(number, text);

    keep_error(db, number, text);
    if (status == DB_CONFLICT || status == DB_AWAY)
        db->met = status;
    if (failure_ends_connection(number)) {
        db->met = DB_AWAY;
        db_conn_close(db);
    }
    return status;
}
