/*
 * The accounts of the configuration's USERS.
 */
#include "server/session/update_users.h"

#include "db/user.h"
#include "server/base/password.h"

#include <string.h>

static enum db_status update_user(struct db_conn *db, struct arena *arena,
                                  const struct update_users *self,
                                  const struct config_user *user,
                                  enum user_outcome *ret_outcome);
static enum db_status store_user(struct db_conn *db, const char *name,
                                 const char *hash,
                                 enum user_outcome *ret_outcome);

enum db_status update_users(struct db_conn *db, struct update_users *self)
{
    memset(self->outcomes, 0, sizeof self->outcomes);
    for (size_t i = 0; i < self->count; i++) {
        struct arena *arena = arena_new();
        enum user_outcome outcome = USER_REFUSED;
        enum db_status status =
            update_user(db, arena, self, &self->users[i], &outcome);

        arena_free(arena);
        if (status != DB_OK)
            return status;
        self->outcomes[outcome]++;
        if (self->progress != NULL)
            self->progress(self->context, &self->users[i], outcome);
    }
    return DB_OK;
}

static enum db_status update_user(struct db_conn *db, struct arena *arena,
                                  const struct update_users *self,
                                  const struct config_user *user,
                                  enum user_outcome *ret_outcome)
{
    const struct text password = text_of(user->password);
    struct user_load load = {
        .job.op = &user_load_op,
        .arena = arena,
        .username = text_of(user->name),
    };
    char hash[PASSWORD_HASH_SIZE];

    db_run(db, &load.job);
    if (load.job.status != DB_OK && load.job.status != DB_NOT_FOUND)
        return load.job.status;
    if (load.job.status == DB_OK &&
        password_verify(password, load.user.password, 0)) {
        *ret_outcome = USER_UNCHANGED;
        return DB_OK;
    }
    if (!password_make(password,
                       self->iterations > 0 ? self->iterations
                                            : PASSWORD_ITERATIONS,
                       hash)) {
        *ret_outcome = USER_REFUSED;
        return DB_OK;
    }
    return store_user(db, user->name, hash, ret_outcome);
}

static enum db_status store_user(struct db_conn *db, const char *name,
                                 const char *hash,
                                 enum user_outcome *ret_outcome)
{
    struct user_store store = {
        .job.op = &user_store_op,
        .username = text_of(name),
        .password = text_of(hash),
    };

    db_run(db, &store.job);
    if (store.job.status == DB_DUPLICATE)
        *ret_outcome = USER_CLASHES;
    else if (store.job.status == DB_REFUSED)
        *ret_outcome = USER_REFUSED;
    else if (store.job.status != DB_OK)
        return store.job.status;
    else
        *ret_outcome = store.created ? USER_CREATED : USER_CHANGED;
    return DB_OK;
}
