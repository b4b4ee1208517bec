/*
 * The number in xqueue_epoch that tells every process when to forget what it
 * remembers about sessions: it grows at each logout and password change.
 */
#ifndef XQUEUE_DB_EPOCH_H
#define XQUEUE_DB_EPOCH_H

#include "db/pool.h"

struct epoch_load {
    struct db_job job;
    int64_t number; /* out; 0 when there is no row */
};

extern const struct db_op epoch_load_op;

/* Inside a transaction, as its last statement: its row is locked briefly. */
enum db_status epoch_advance(struct db_conn *db) MUST_CHECK;

#endif
