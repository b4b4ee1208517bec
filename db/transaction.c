/*
 * Transactions that know how they ended.
 *
 * The token's first half is the database's clock, not ours: whoever deletes
 * old tokens then never deletes one that is still needed because two hosts
 * disagree about the time. The clock comes back with the insert, as its
 * LAST_INSERT_ID, so that it costs no trip of its own.
 */
#include "db/transaction.h"

#include "db/conn_private.h"
#include "server/base/clock.h"
#include "server/base/crypto.h"
#include "server/base/memory.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

enum {
    TOKEN_SIZE = 16,
    TRIES = 8,
    TRY_MS = 4000,    /* no new try after this time */
    SETTLE_MS = 4000, /* for settling, from the moment of doubt */
    PAUSE_MS = 300
};

struct transaction {
    struct db_conn *db;
    db_body *body;
    void *context;
    int64_t deadline_ms; /* of new tries; of settling once settle() began */
    int64_t now_us;      /* the database's */
    unsigned char token[TOKEN_SIZE];
    bool connected;     /* this try began with a connection */
    bool lost;          /* a connection has been lost before COMMIT */
    bool in_doubt;      /* COMMIT was sent and not answered */
    bool settled;       /* the connection's time-outs are those of settling */
    unsigned timeout_s; /* the connection's own, meanwhile */
};

static enum db_status attempt(struct transaction *transaction);
static bool worth_another_try(struct transaction *transaction,
                              enum db_status status, unsigned tries);
static enum db_status begin(struct transaction *transaction);
static enum db_status insert_new_token(struct transaction *transaction);
static enum db_status run_body(struct transaction *transaction);
static enum db_status commit(struct transaction *transaction);
static void roll_back(struct db_conn *db);
static enum db_status settle(struct transaction *transaction);
static enum db_status insert_same_token(struct transaction *transaction);
static bool make_durable(struct transaction *transaction);
static void kill_connection(struct db_conn *db, uint64_t id);
static void limit_time(struct transaction *transaction);
static void restore_timeouts(struct transaction *transaction,
                             enum db_status status);
static void take_clock(struct transaction *transaction);
static enum db_status read_clock(struct db_conn *db, int64_t *ret_now_us);
static void token_time(unsigned char *token, int64_t time_us);
static void pause_about(int ms);

enum db_status db_transact(struct db_conn *db, db_body *body, void *context)
{
    struct transaction transaction = {
        .db = db,
        .body = body,
        .context = context,
        .deadline_ms = clock_monotonic_ms() + TRY_MS,
        .timeout_s = db->timeout_s,
    };
    enum db_status status;

    if (db->in_transaction)
        fatal("a transaction within a transaction");
    for (unsigned tries = 1;; tries++) {
        status = attempt(&transaction);
        if (!worth_another_try(&transaction, status, tries))
            break;
        pause_about(5 << tries);
    }
    if (transaction.settled)
        restore_timeouts(&transaction, status);
    /* Also when nobody knows: it may have committed, and this is a guess. */
    floor_marks_lower(&db->put_back, db->floors);
    return status;
}

enum db_status db_read(struct db_conn *db, db_body *body, void *context)
{
    enum db_status status = conn_ready(db);

    if (status != DB_OK)
        return status;
    status = body(db, 0, context);
    if (status != DB_AWAY)
        return status;
    status = conn_ready(db);
    return status == DB_OK ? body(db, 0, context) : status;
}

enum db_status db_forget_old_tokens(struct db_conn *db, size_t limit)
{
    unsigned char before[TOKEN_SIZE] = {0};
    struct db_param params[] = {DB_BYTES(before, sizeof before),
                                DB_INTEGER(limit)};
    int64_t now_us;
    enum db_status status = read_clock(db, &now_us);

    if (status != DB_OK)
        return status;
    token_time(before, now_us - INT64_C(3600) * 1000000);
    return db_execute(db,
                      "DELETE FROM xqueue_commit WHERE token < ?"
                      " ORDER BY token LIMIT ?",
                      params, ARRAY_LENGTH(params), NULL);
}

/* Begin, run and commit; when the end is in doubt, settle it and go on. */
static enum db_status attempt(struct transaction *transaction)
{
    struct db_conn *db = transaction->db;
    enum db_status status = begin(transaction);

    while (status == DB_OK) {
        status = run_body(transaction);
        if (status == DB_OK)
            status = commit(transaction);
        if (!transaction->in_doubt)
            break;
        status = settle(transaction);
        if (status == DB_DUPLICATE) {
            status = DB_OK;
            break;
        }
    }
    if (db->in_transaction)
        roll_back(db);
    return status;
}

static bool worth_another_try(struct transaction *transaction,
                              enum db_status status, unsigned tries)
{
    if (clock_monotonic_ms() >= transaction->deadline_ms || tries >= TRIES)
        return false;
    if (status == DB_CONFLICT)
        return true;
    if (status != DB_AWAY || !transaction->connected || transaction->lost)
        return false;
    transaction->lost = true;
    return true;
}

static enum db_status begin(struct transaction *transaction)
{
    struct db_conn *db = transaction->db;
    enum db_status status = conn_ready(db);

    transaction->connected = status == DB_OK;
    if (status != DB_OK)
        return status;
    db->met = DB_OK;
    db->in_transaction = true;
    status = db_defer(db, "BEGIN", NULL, 0);
    return status == DB_OK ? insert_new_token(transaction) : status;
}

static enum db_status insert_new_token(struct transaction *transaction)
{
    unsigned char *random = transaction->token + 8;
    struct db_param param = DB_BYTES(random, 8);
    bool begun;
    enum db_status status;

    crypto_random(random, 8);
    status = deferred_run(transaction->db,
                          "INSERT INTO xqueue_commit (token) VALUES (CONCAT("
                          "UNHEX(LPAD(HEX(LAST_INSERT_ID(" SQL_NOW_US
                          ")), 16, '0')), CAST(? AS BINARY(8))))",
                          &param, 1, &begun);
    if (status != DB_OK)
        return status;
    take_clock(transaction);
    token_time(transaction->token, transaction->now_us);
    return DB_OK;
}

/* A body that overlooks a lost or undone transaction must not commit. */
static enum db_status run_body(struct transaction *transaction)
{
    struct db_conn *db = transaction->db;
    enum db_status status =
        transaction->body(db, transaction->now_us, transaction->context);

    return db->met != DB_OK ? db->met : status;
}

static enum db_status commit(struct transaction *transaction)
{
    struct db_conn *db = transaction->db;
    bool reached;
    enum db_status status = deferred_run(db, "COMMIT", NULL, 0, &reached);

    if (status == DB_OK)
        db->in_transaction = false;
    else if (db->mysql == NULL || (reached && status != DB_CONFLICT))
        transaction->in_doubt = true;
    return status;
}

/* Keeps the error that led here. */
static void roll_back(struct db_conn *db)
{
    unsigned number = db->error_number;
    char error[sizeof db->error];

    memcpy(error, db->error, sizeof error);
    deferred_drop(db);
    if (db->mysql != NULL && db_execute_text(db, "ROLLBACK") != DB_OK)
        db_conn_close(db);
    db->in_transaction = false;
    db->error_number = number;
    memcpy(db->error, error, sizeof error);
}

/*
 * DB_DUPLICATE: it had committed. DB_OK: it had not and cannot any more; a
 * new transaction with the same token is open. DB_UNKNOWN: time is over.
 */
static enum db_status settle(struct transaction *transaction)
{
    struct db_conn *db = transaction->db;
    uint64_t old_id = db->id;

    if (!transaction->settled)
        transaction->deadline_ms = clock_monotonic_ms() + SETTLE_MS;
    transaction->settled = true;
    db_conn_close(db);
    for (int ms = 20;; ms = ms < PAUSE_MS ? ms * 2 : ms) {
        enum db_status status;

        if (clock_monotonic_ms() >= transaction->deadline_ms)
            break;
        db->in_transaction = false;
        limit_time(transaction);
        status = insert_same_token(transaction);
        if (status == DB_OK)
            transaction->in_doubt = false;
        if (status == DB_OK)
            return DB_OK;
        roll_back(db);
        if (status == DB_CONFLICT)
            kill_connection(db, old_id);
        if (status == DB_DUPLICATE && make_durable(transaction))
            return DB_DUPLICATE;
        pause_about(ms);
    }
    return DB_UNKNOWN;
}

static enum db_status insert_same_token(struct transaction *transaction)
{
    struct db_conn *db = transaction->db;
    struct db_param param = DB_BYTES(transaction->token, TOKEN_SIZE);
    enum db_status status = conn_ready(db);

    if (status != DB_OK)
        return status;
    db->met = DB_OK;
    db->in_transaction = true;
    status = db_execute_text(db, "BEGIN");
    if (status == DB_OK)
        status = db_execute(db,
                            "INSERT INTO xqueue_commit (token)"
                            " VALUES (IF(LAST_INSERT_ID(" SQL_NOW_US
                            ") > 0, CAST(? AS BINARY(16)), NULL))",
                            &param, 1, NULL);
    if (status == DB_OK)
        take_clock(transaction);
    return status;
}

/*
 * A committing transaction shows its rows a moment before its log is on the
 * disk. A commit of our own, later in the same log, waits for both.
 */
static bool make_durable(struct transaction *transaction)
{
    struct db_conn *db = transaction->db;
    struct transaction later = {.db = db};

    if (db->mysql == NULL || begin(&later) != DB_OK) {
        roll_back(db);
        return false;
    }
    if (commit(&later) != DB_OK) {
        db_conn_close(db);
        db->in_transaction = false;
        return false;
    }
    return true;
}

/*
 * The old connection still holds the token, perhaps because the server has
 * not noticed that it broke. It is of our own user, so we may end it.
 */
static void kill_connection(struct db_conn *db, uint64_t id)
{
    char sql[40];

    if (db->mysql == NULL || db->id == id)
        return;
    snprintf(sql, sizeof sql, "KILL %llu", (unsigned long long)id);
    if (db_execute_text(db, sql) != DB_OK)
        return; /* it has gone by itself */
}

/* Nothing may take longer than the time that is left. */
static void limit_time(struct transaction *transaction)
{
    int64_t left_ms = transaction->deadline_ms - clock_monotonic_ms();

    db_conn_set_timeout(transaction->db, (unsigned)(left_ms / 1000 + 1));
}

/* They count from the next connect; a failed one is for the next caller. */
static void restore_timeouts(struct transaction *transaction,
                             enum db_status status)
{
    struct db_conn *db = transaction->db;

    db_conn_set_timeout(db, transaction->timeout_s);
    db_conn_close(db);
    if (status == DB_OK)
        (void)!db_conn_open(db); /* else the next caller finds out */
}

static void take_clock(struct transaction *transaction)
{
    transaction->now_us = (int64_t)transaction->db->insert_id;
}

static enum db_status read_clock(struct db_conn *db, int64_t *ret_now_us)
{
    struct arena *arena = arena_new();
    struct db_rows rows;
    enum db_status status =
        db_query(db, arena, "SELECT " SQL_NOW_US, NULL, 0, &rows);

    if (status == DB_OK)
        *ret_now_us = db_integer(&rows, 0, 0);
    arena_free(arena);
    return status;
}

/* Big-endian, so that tokens sort by time. */
static void token_time(unsigned char *token, int64_t time_us)
{
    for (int i = 7; i >= 0; i--) {
        token[i] = (unsigned char)(time_us & 0xff);
        time_us >>= 8;
    }
}

/* Between half of it and all of it, at most PAUSE_MS. */
static void pause_about(int ms)
{
    unsigned char random;
    int limit = ms < PAUSE_MS ? ms : PAUSE_MS;

    crypto_random(&random, 1);
    poll(NULL, 0, limit / 2 + limit * random / 512);
}
