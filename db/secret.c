/*
 * Secrets that the processes of one database share.
 */
#include "db/secret.h"

#include "db/transaction.h"
#include "server/base/crypto.h"

#include <string.h>

struct wanted {
    const char *name;
    unsigned char secret[SECRET_SIZE];
};

static enum db_status get_body(struct db_conn *db, int64_t now_us,
                               void *context);
static enum db_status read_secret(struct db_conn *db, struct wanted *wanted);
static enum db_status make_secret(struct db_conn *db,
                                  const struct wanted *wanted);

enum db_status secret_get(struct db_conn *db, const char *name,
                          unsigned char ret_secret[SECRET_SIZE])
{
    struct wanted wanted = {.name = name};
    enum db_status status = db_transact(db, get_body, &wanted);

    if (status == DB_OK)
        memcpy(ret_secret, wanted.secret, SECRET_SIZE);
    crypto_wipe(&wanted, sizeof wanted);
    return status;
}

/* Of two processes that make it at the same time one waits for the other. */
static enum db_status get_body(struct db_conn *db, int64_t now_us,
                               void *context)
{
    struct wanted *wanted = context;
    enum db_status status = read_secret(db, wanted);

    (void)now_us;
    if (status != DB_NOT_FOUND)
        return status;
    status = make_secret(db, wanted);
    return status == DB_OK ? read_secret(db, wanted) : status;
}

static enum db_status read_secret(struct db_conn *db, struct wanted *wanted)
{
    const struct db_param params[] = {DB_TEXT(text_of(wanted->name))};
    struct arena *arena = arena_new();
    struct db_rows rows;
    enum db_status status =
        db_query(db, arena, "SELECT secret FROM xqueue_secret WHERE name = ?",
                 params, ARRAY_LENGTH(params), &rows);

    if (status == DB_OK && rows.count == 0)
        status = DB_NOT_FOUND;
    if (status == DB_OK && db_text(&rows, 0, 0).size != SECRET_SIZE)
        status = DB_FAILED;
    if (status == DB_OK)
        memcpy(wanted->secret, db_text(&rows, 0, 0).data, SECRET_SIZE);
    arena_free(arena);
    return status;
}

static enum db_status make_secret(struct db_conn *db,
                                  const struct wanted *wanted)
{
    unsigned char random[SECRET_SIZE];
    const struct db_param params[] = {
        DB_TEXT(text_of(wanted->name)),
        DB_BYTES(random, sizeof random),
    };
    enum db_status status;

    crypto_random(random, sizeof random);
    status = db_execute(
        db, "INSERT IGNORE INTO xqueue_secret (name, secret) VALUES (?, ?)",
        params, ARRAY_LENGTH(params), NULL);
    crypto_wipe(random, sizeof random);
    return status;
}
