/*
 * Locks with names, which the processes of one database share: for what only
 * one of them may do at a time.
 */
#ifndef XQUEUE_DB_NAMED_LOCK_H
#define XQUEUE_DB_NAMED_LOCK_H

#include "db/conn.h"

/*
 * Wait up to `wait_s` seconds for the lock; DB_OK with false when somebody
 * else has it still. It ends with the connection. To take one's own lock once
 * more makes sure that it is still there: after a lost connection it may be
 * another's.
 */
enum db_status named_lock_take(struct db_conn *db, const char *name,
                               int64_t wait_s, bool *ret_is_ours) MUST_CHECK;

#endif
