/*
 * The accounts of the configuration's USERS, created or given their password
 * in the database. Blocking: for commands, on a thread with a connection.
 */
#ifndef XQUEUE_SESSION_UPDATE_USERS_H
#define XQUEUE_SESSION_UPDATE_USERS_H

#include "db/conn.h"
#include "server/config/config.h"

enum user_outcome {
    USER_CREATED,
    USER_CHANGED,   /* had another password; its sessions have ended */
    USER_UNCHANGED, /* had this one already; its sessions go on */
    USER_CLASHES,   /* the database takes the name for another user's */
    USER_REFUSED,   /* no possible name, or a password over 4096 bytes */
    USER_OUTCOMES,
};

struct update_users {
    const struct config_user *users; /* borrows */
    size_t count;
    int iterations; /* of new hashes; 0 means PASSWORD_ITERATIONS */
    void (*progress)(void *context, const struct config_user *user,
                     enum user_outcome outcome); /* may be NULL */
    void *context;
    size_t outcomes[USER_OUTCOMES]; /* out: how many ended how */
};

/*
 * Goes on after a user that clashes or is refused; stops at the first
 * failure of the database and returns it (the outcomes then count the users
 * before). A password is hashed anew only if the stored hash does not verify
 * it, so that sessions survive when nothing has changed.
 */
enum db_status update_users(struct db_conn *db,
                            struct update_users *self) MUST_CHECK;

#endif
