/*
 * A pull that comes to nothing: its lease ends at once.
 */
#include "db/pull.h"

#include "db/lease.h"
#include "server/base/crypto.h"

static enum db_status run_return(struct db_conn *db, struct db_job **jobs,
                                 size_t count);
static enum db_status return_body(struct db_conn *db, int64_t now_us,
                                  void *context);

const struct db_op pull_return_op = {
    .kind = DB_OP_KIND("pull_return", 1, 0),
    .run_batch = run_return,
};

static enum db_status run_return(struct db_conn *db, struct db_job **jobs,
                                 size_t count)
{
    (void)count;
    return db_transact(db, return_body, jobs[0]);
}

static enum db_status return_body(struct db_conn *db, int64_t now_us,
                                  void *context)
{
    struct pull_return *self = CONTAINER_OF(context, struct pull_return, job);
    struct arena *arena = arena_new();
    struct live_row *rows = NULL;
    size_t count = 0;
    enum db_status status =
        hot_set_lock(db, arena, &self->id, 1, false, &rows, &count);

    (void)now_us;
    if (status == DB_OK && count == 1 &&
        crypto_equal(text_of(self->pullkey), rows[0].pullkey))
        status = lease_return(db, arena, &rows[0], LEASE_ATTEMPT_UNCOUNTED);
    arena_free(arena);
    return status;
}
