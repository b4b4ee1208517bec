/*
 * Statements that wait for the next trip to the server, as one text: it runs
 * what stands between the semicolons in order, up to the first that fails.
 *
 * Nothing that comes from outside is ever part of that text: only integers and
 * bytes of our own making (digests, tokens), in hexadecimal. A statement with a
 * text is prepared, and goes by itself.
 */
#include "db/conn_private.h"
#include "server/base/clock.h"
#include "server/base/memory.h"

#include <string.h>

enum {
    TRIP_BYTES = 256 * 1024,
    SMALL_PACKET = 1024 * 1024 /* such a server gets each by itself */
};

static enum db_status run_now(struct db_conn *db, const char *sql,
                              const struct db_param *params, size_t count);
static bool has_text(const struct db_param *params, size_t count);
static void add(struct db_conn *db, const char *sql,
                const struct db_param *params, size_t count);
static void add_literal(struct buffer *text, const struct db_param *param);
static void add_hex(struct buffer *text, struct text bytes);
static enum db_status send_all(struct db_conn *db);
static enum db_status take_results(struct db_conn *db);

enum db_status db_defer(struct db_conn *db, const char *sql,
                        const struct db_param *params, size_t count)
{
    enum db_status status = DB_OK;

    if (!db_can_defer(db, params, count))
        return run_now(db, sql, params, count);
    if (!db->in_transaction) /* a connection that is opened has no text yet */
        status = conn_ready(db);
    else if (db->deferred.size > TRIP_BYTES)
        status = deferred_flush(db);
    if (status != DB_OK)
        return status;
    add(db, sql, params, count);
    return db->in_transaction ? DB_OK : send_all(db);
}

bool db_can_defer(const struct db_conn *db, const struct db_param *params,
                  size_t count)
{
    return db->max_packet >= SMALL_PACKET && !has_text(params, count);
}

enum db_status deferred_flush(struct db_conn *db)
{
    return db->deferred_count == 0 ? DB_OK : send_all(db);
}

enum db_status deferred_run(struct db_conn *db, const char *sql,
                            const struct db_param *params, size_t count,
                            bool *ret_reached)
{
    size_t before = db->deferred_count;
    enum db_status status;

    add(db, sql, params, count);
    status = send_all(db);
    *ret_reached = db->deferred_done >= before;
    return status;
}

void deferred_drop(struct db_conn *db)
{
    buffer_clear(&db->deferred);
    db->deferred_count = 0;
}

static enum db_status run_now(struct db_conn *db, const char *sql,
                              const struct db_param *params, size_t count)
{
    /* MySQL does not prepare BEGIN. */
    enum db_status status = count == 0
                                ? db_execute_text(db, sql)
                                : db_execute(db, sql, params, count, NULL);

    if (status == DB_DUPLICATE && db->in_transaction)
        db->met = status = DB_CONFLICT;
    return status;
}

static bool has_text(const struct db_param *params, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (params[i].kind == DB_PARAM_TEXT && !text_is_absent(params[i].text))
            return true;
    }
    return false;
}

static void add(struct db_conn *db, const char *sql,
                const struct db_param *params, size_t count)
{
    struct buffer *text = &db->deferred;
    const char *rest = sql;
    size_t used = 0;

    if (db->deferred_count++ > 0)
        buffer_append_string(text, "; ");
    for (;;) {
        size_t size = strcspn(rest, "?");

        buffer_append(text, rest, size);
        rest += size;
        if (*rest == '\0')
            break;
        if (used == count)
            fatal("%zu parameters are too few for: %.300s", count, sql);
        add_literal(text, &params[used++]);
        rest++;
    }
    if (used != count)
        fatal("%zu parameters are too many for: %.300s", count, sql);
}

static void add_literal(struct buffer *text, const struct db_param *param)
{
    switch (param->kind) {
    case DB_PARAM_NULL:
    case DB_PARAM_TEXT: /* absent: has_text() */
        buffer_append_string(text, "NULL");
        return;
    case DB_PARAM_INTEGER:
        buffer_append_integer(text, param->integer);
        return;
    case DB_PARAM_BYTES:
        add_hex(text, param->text);
        return;
    }
    fatal("no kind of parameter has the number %d", (int)param->kind);
}

static void add_hex(struct buffer *text, struct text bytes)
{
    static const char digits[] = "0123456789abcdef";

    buffer_append_string(text, "x'");
    while (bytes.size > 0) {
        char piece[128];
        size_t count = bytes.size < 64 ? bytes.size : 64;

        for (size_t i = 0; i < count; i++) {
            piece[2 * i] = digits[(unsigned char)bytes.data[i] >> 4];
            piece[2 * i + 1] = digits[(unsigned char)bytes.data[i] & 15];
        }
        buffer_append(text, piece, 2 * count);
        bytes = (struct text){bytes.data + count, bytes.size - count};
    }
    buffer_append_char(text, '\'');
}

/*
 * What was looked at before has changed when one of them is there already:
 * the transaction begins anew.
 */
static enum db_status send_all(struct db_conn *db)
{
    enum db_status status = conn_ready(db);

    db->deferred_done = 0;
    if (status != DB_OK) {
        deferred_drop(db);
        return status;
    }
    db->trips++;
    if (mysql_real_query(db->mysql, db->deferred.data,
                         (unsigned long)db->deferred.size) != 0)
        status = conn_failed(db);
    else
        status = take_results(db);
    deferred_drop(db);
    if (status == DB_DUPLICATE && db->in_transaction)
        db->met = status = DB_CONFLICT;
    return status;
}

static enum db_status take_results(struct db_conn *db)
{
    int more;

    do {
        MYSQL_RES *result = mysql_store_result(db->mysql);

        if (result == NULL && mysql_errno(db->mysql) != 0)
            return conn_failed(db);
        if (result != NULL)
            mysql_free_result(result);
        db->insert_id = mysql_insert_id(db->mysql);
        db->deferred_done++;
        more = mysql_next_result(db->mysql);
    } while (more == 0);
    db->used_ms = clock_monotonic_ms();
    return more < 0 ? DB_OK : conn_failed(db);
}
