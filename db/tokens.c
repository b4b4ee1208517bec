/*
 * Forgetting the tokens of old transactions.
 */
#include "db/tokens.h"

#include "db/transaction.h"

static enum db_status run_forget(struct db_conn *db, struct db_job **jobs,
                                 size_t count);

const struct db_op tokens_forget_op = {
    .kind = DB_OP_KIND("forget_tokens", 1, 0),
    .run_batch = run_forget,
};

static enum db_status run_forget(struct db_conn *db, struct db_job **jobs,
                                 size_t count)
{
    struct tokens_forget *self =
        CONTAINER_OF(jobs[0], struct tokens_forget, job);

    (void)count;
    return db_forget_old_tokens(db, self->limit);
}
