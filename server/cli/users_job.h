/*
 * update_users as an operation for the database pool: hashing takes its
 * time, on a thread that may.
 */
#ifndef XQUEUE_CLI_USERS_JOB_H
#define XQUEUE_CLI_USERS_JOB_H

#include "db/pool.h"
#include "server/config/config.h"

struct users_job {
    struct db_job job;
    const struct config_user *users; /* borrows */
    size_t count;
    size_t changed; /* out: created or given another password */
};

extern const struct db_op users_job_op;

#endif
