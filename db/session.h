/*
 * Login sessions: the table xqueue_session.
 *
 * A session is known here by the SHA-256 of its cookie's value and lives as
 * long as its user is active and has the password it was opened with.
 */
#ifndef XQUEUE_DB_SESSION_H
#define XQUEUE_DB_SESSION_H

#include "db/pool.h"
#include "server/base/crypto.h"

struct session_open {
    struct db_job job;
    unsigned char id[SHA256_SIZE];
    int64_t user_id;
    struct text password; /* borrows; the hash that was verified */
    bool login_is_stale;  /* as user_load said: last_login becomes now */
    int64_t age_s;
};

extern const struct db_op session_open_op;

/* DB_NOT_FOUND when nobody is logged in with this id (any more). */
struct session_load {
    struct db_job job;
    struct arena *arena; /* borrows; the username lives in it */
    unsigned char id[SHA256_SIZE];
    int64_t user_id;       /* out */
    struct text username;  /* out */
    int64_t remaining_us;  /* out: until it expires; positive */
    int64_t session_epoch; /* out: as of the moment the row was read */
};

extern const struct db_op session_load_op;

/* Delete a session, if there is one, and make every process forget it. */
struct session_end {
    struct db_job job;
    unsigned char id[SHA256_SIZE];
};

extern const struct db_op session_end_op;

/* Delete expired sessions, at most `limit`. */
struct sessions_forget_expired {
    struct db_job job;
    size_t limit;
    size_t deleted; /* out */
};

extern const struct db_op sessions_forget_expired_op;

#endif
