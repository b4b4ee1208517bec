/*
 * Statements with bound parameters, over the binary protocol. Each text is
 * prepared once per connection; the least recently used of 128 makes room.
 */
#include "db/conn_private.h"
#include "server/base/clock.h"
#include "server/base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { CACHE_SIZE = 128 };

/* A statement that must be prepared again, and too many of them. */
enum {
    ERROR_UNKNOWN_STATEMENT = 1243,
    ERROR_TOO_MANY_STATEMENTS = 1461,
    ERROR_PREPARE_AGAIN = 1615
};

/* What the protocol adds to the parameters' own bytes, generously. */
enum { PACKET_OVERHEAD = 1024, PARAM_OVERHEAD = 16 };

struct prepared {
    char *sql;        /* owns */
    uint64_t hash;    /* of sql */
    MYSQL_STMT *stmt; /* owns */
    uint64_t used;    /* when, by the cache's count */
};

struct statements {
    struct prepared entries[CACHE_SIZE];
    size_t count;
    uint64_t uses;
};

static enum db_status check_size(struct db_conn *db,
                                 const struct db_param *params, size_t count);
static enum db_status run_once(struct db_conn *db, const char *sql,
                               const struct db_param *params, size_t count,
                               MYSQL_STMT **ret_statement);
static bool is_stale(unsigned number);
static void forget(struct statements *statements, const char *sql);
static void forget_all(struct statements *statements);
static enum db_status find_or_prepare(struct db_conn *db, const char *sql,
                                      MYSQL_STMT **ret_statement);
static struct prepared *find(struct statements *statements, const char *sql);
static enum db_status prepare(struct db_conn *db, const char *sql,
                              MYSQL_STMT **ret_statement);
static struct prepared *make_room(struct statements *statements);
static void bind_param(MYSQL_BIND *bind, const struct db_param *param);
static uint64_t hash_of(const char *sql);
static enum db_status drop_results(struct db_conn *db);

struct statements *statements_new(void)
{
    return xcalloc(1, sizeof(struct statements));
}

void statements_free(struct statements *statements)
{
    if (statements == NULL)
        return;
    forget_all(statements);
    free(statements);
}

enum db_status db_execute(struct db_conn *db, const char *sql,
                          const struct db_param *params, size_t count,
                          uint64_t *ret_affected)
{
    MYSQL_STMT *stmt;
    enum db_status status = statement_run(db, sql, params, count, &stmt);

    if (status != DB_OK)
        return status;
    if (mysql_stmt_field_count(stmt) > 0) {
        if (mysql_stmt_free_result(stmt) != 0)
            return conn_statement_failed(db, stmt);
        return DB_OK;
    }
    if (ret_affected != NULL)
        *ret_affected = mysql_stmt_affected_rows(stmt);
    db->insert_id = mysql_stmt_insert_id(stmt);
    return DB_OK;
}

uint64_t db_insert_id(struct db_conn *db)
{
    return db->insert_id;
}

enum db_status db_execute_text(struct db_conn *db, const char *sql)
{
    enum db_status status = conn_ready(db);

    if (status == DB_OK)
        status = deferred_flush(db);
    if (status != DB_OK)
        return status;
    db->trips++;
    if (mysql_real_query(db->mysql, sql, (unsigned long)strlen(sql)) != 0)
        return conn_failed(db);
    db->used_ms = clock_monotonic_ms();
    return drop_results(db);
}

enum db_status statement_run(struct db_conn *db, const char *sql,
                             const struct db_param *params, size_t count,
                             MYSQL_STMT **ret_statement)
{
    enum db_status status = conn_ready(db);

    if (status == DB_OK)
        status = check_size(db, params, count);
    if (status == DB_OK)
        status = deferred_flush(db);
    if (status != DB_OK)
        return status;
    status = run_once(db, sql, params, count, ret_statement);
    if (status == DB_FAILED && is_stale(db->error_number)) {
        if (db->error_number == ERROR_TOO_MANY_STATEMENTS)
            forget_all(db->statements);
        else
            forget(db->statements, sql);
        status = run_once(db, sql, params, count, ret_statement);
    }
    return status;
}

/* The server would answer too large a packet by closing the connection. */
static enum db_status check_size(struct db_conn *db,
                                 const struct db_param *params, size_t count)
{
    uint64_t size = PACKET_OVERHEAD;

    for (size_t i = 0; i < count; i++)
        size += params[i].text.size + PARAM_OVERHEAD;
    if (size > db->max_packet)
        return conn_refuse(db, DB_REFUSED,
                           "larger than the server's max_allowed_packet");
    return DB_OK;
}

static enum db_status run_once(struct db_conn *db, const char *sql,
                               const struct db_param *params, size_t count,
                               MYSQL_STMT **ret_statement)
{
    MYSQL_STMT *stmt = NULL;
    MYSQL_BIND *binds;
    enum db_status status = find_or_prepare(db, sql, &stmt);
    bool failed;

    if (status != DB_OK)
        return status;
    if (mysql_stmt_param_count(stmt) != count)
        fatal("%zu parameters for: %.300s", count, sql);
    binds = xcalloc(count, sizeof *binds);
    for (size_t i = 0; i < count; i++)
        bind_param(&binds[i], &params[i]);
    db->trips++;
    failed = (count > 0 && mysql_stmt_bind_param(stmt, binds) != 0) ||
             mysql_stmt_execute(stmt) != 0;
    free(binds);
    if (failed)
        return conn_statement_failed(db, stmt);
    db->used_ms = clock_monotonic_ms();
    *ret_statement = stmt;
    return DB_OK;
}

static bool is_stale(unsigned number)
{
    return number == ERROR_UNKNOWN_STATEMENT ||
           number == ERROR_TOO_MANY_STATEMENTS || number == ERROR_PREPARE_AGAIN;
}

static void forget(struct statements *statements, const char *sql)
{
    struct prepared *entry = find(statements, sql);

    if (entry == NULL)
        return;
    mysql_stmt_close(entry->stmt);
    free(entry->sql);
    *entry = statements->entries[--statements->count];
}

static void forget_all(struct statements *statements)
{
    for (size_t i = 0; i < statements->count; i++) {
        mysql_stmt_close(statements->entries[i].stmt);
        free(statements->entries[i].sql);
    }
    statements->count = 0;
}

static enum db_status find_or_prepare(struct db_conn *db, const char *sql,
                                      MYSQL_STMT **ret_statement)
{
    struct prepared *entry = find(db->statements, sql);

    if (entry == NULL)
        return prepare(db, sql, ret_statement);
    entry->used = ++db->statements->uses;
    *ret_statement = entry->stmt;
    return DB_OK;
}

static struct prepared *find(struct statements *statements, const char *sql)
{
    uint64_t hash = hash_of(sql);

    for (size_t i = 0; i < statements->count; i++) {
        struct prepared *entry = &statements->entries[i];

        if (entry->hash == hash && strcmp(entry->sql, sql) == 0)
            return entry;
    }
    return NULL;
}

static enum db_status prepare(struct db_conn *db, const char *sql,
                              MYSQL_STMT **ret_statement)
{
    MYSQL_STMT *stmt = mysql_stmt_init(db->mysql);
    struct prepared *entry;

    if (stmt == NULL)
        fatal("out of memory: a prepared statement");
    if (mysql_stmt_prepare(stmt, sql, (unsigned long)strlen(sql)) != 0) {
        enum db_status status = conn_statement_failed(db, stmt);

        mysql_stmt_close(stmt);
        return status;
    }
    entry = make_room(db->statements);
    *entry = (struct prepared){.sql = xstrdup(sql),
                               .hash = hash_of(sql),
                               .stmt = stmt,
                               .used = ++db->statements->uses};
    *ret_statement = stmt;
    return DB_OK;
}

static struct prepared *make_room(struct statements *statements)
{
    struct prepared *oldest = &statements->entries[0];

    if (statements->count < CACHE_SIZE)
        return &statements->entries[statements->count++];
    for (size_t i = 1; i < CACHE_SIZE; i++) {
        if (statements->entries[i].used < oldest->used)
            oldest = &statements->entries[i];
    }
    mysql_stmt_close(oldest->stmt);
    free(oldest->sql);
    return oldest;
}

/* The library only reads through `buffer`, although it is not const. */
static void bind_param(MYSQL_BIND *bind, const struct db_param *param)
{
    switch (param->kind) {
    case DB_PARAM_NULL:
        bind->buffer_type = MYSQL_TYPE_NULL;
        return;
    case DB_PARAM_INTEGER:
        bind->buffer_type = MYSQL_TYPE_LONGLONG;
        bind->buffer = (void *)(uintptr_t)&param->integer;
        return;
    case DB_PARAM_TEXT:
    case DB_PARAM_BYTES:
        bind->buffer_type =
            param->kind == DB_PARAM_TEXT ? MYSQL_TYPE_STRING : MYSQL_TYPE_BLOB;
        bind->buffer = (void *)(uintptr_t)param->text.data;
        bind->buffer_length = (unsigned long)param->text.size;
        return;
    }
    fatal("no kind of parameter has the number %d", (int)param->kind);
}

/* FNV-1a. */
static uint64_t hash_of(const char *sql)
{
    uint64_t hash = 14695981039346656037ULL;

    for (const char *c = sql; *c != '\0'; c++)
        hash = (hash ^ (unsigned char)*c) * 1099511628211ULL;
    return hash;
}

static enum db_status drop_results(struct db_conn *db)
{
    int more;

    do {
        MYSQL_RES *result = mysql_store_result(db->mysql);

        if (result == NULL && mysql_errno(db->mysql) != 0)
            return conn_failed(db);
        if (result != NULL)
            mysql_free_result(result);
        more = mysql_next_result(db->mysql);
    } while (more == 0);
    return more < 0 ? DB_OK : conn_failed(db);
}
