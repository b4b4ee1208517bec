/*
 * Forgetting the tokens of old transactions (see db/transaction.h) as an
 * operation for the pool.
 */
#ifndef XQUEUE_DB_TOKENS_H
#define XQUEUE_DB_TOKENS_H

#include "db/pool.h"

struct tokens_forget {
    struct db_job job;
    size_t limit;
};

extern const struct db_op tokens_forget_op;

#endif
