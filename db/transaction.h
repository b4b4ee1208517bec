/*
 * Transactions that know how they ended.
 *
 * Every write transaction begins by inserting a random token into
 * xqueue_commit. When the connection breaks during COMMIT, nobody knows
 * whether the server did it. Inserting the same token again on a new
 * connection settles it exactly: the insert waits for the old transaction,
 * then either fails as a duplicate (it had committed) or succeeds (it had
 * not, and no longer can).
 *
 * A body may therefore run more than once: it must set its outputs from
 * scratch each time and have no other effect.
 */
#ifndef XQUEUE_DB_TRANSACTION_H
#define XQUEUE_DB_TRANSACTION_H

#include "db/conn.h"

/*
 * `now_us` is the database's clock at the start of the transaction,
 * microseconds since 1970 UTC: the only clock that leases and due times use.
 */
typedef enum db_status db_body(struct db_conn *db, int64_t now_us,
                               void *context);

/*
 * Run `body` in a transaction: COMMIT when it returns DB_OK, ROLLBACK
 * otherwise. Tries again after DB_CONFLICT (8 tries at most, none later than
 * 6 seconds after the first, with jitter) and after a connection lost before
 * COMMIT (once); settles one lost during COMMIT, within 6 seconds. A body
 * that overlooks a conflict or a lost connection is not committed.
 * Returns what the body returned, or DB_AWAY, DB_CONFLICT, DB_UNKNOWN,
 * DB_FAILED. After DB_OK the change is durable.
 */
enum db_status db_transact(struct db_conn *db, db_body *body,
                           void *context) MUST_CHECK;

/*
 * The same without a transaction, for bodies that only read: connects,
 * retries once after a lost connection. `now_us` is then 0, for asking would
 * be a statement of its own: a body that needs the clock says SQL_NOW_US.
 */
enum db_status db_read(struct db_conn *db, db_body *body,
                       void *context) MUST_CHECK;

/* Delete tokens older than an hour, at most `limit`. */
enum db_status db_forget_old_tokens(struct db_conn *db,
                                    size_t limit) MUST_CHECK;

#endif
