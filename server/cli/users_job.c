/*
 * update_users as an operation for the database pool.
 */
#include "server/cli/users_job.h"

#include "server/session/update_users.h"

static enum db_status run_users(struct db_conn *db, struct db_job **jobs,
                                size_t count);

const struct db_op users_job_op = {
    .kind = DB_OP_KIND("update_users", 1, 0),
    .run_batch = run_users,
};

static enum db_status run_users(struct db_conn *db, struct db_job **jobs,
                                size_t count)
{
    struct users_job *self = CONTAINER_OF(jobs[0], struct users_job, job);
    struct update_users update = {
        .users = self->users,
        .count = self->count,
    };
    enum db_status status = update_users(db, &update);

    (void)count;
    self->changed =
        update.outcomes[USER_CREATED] + update.outcomes[USER_CHANGED];
    return status;
}
