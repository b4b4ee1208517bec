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

enum { SESSION_PASSWORD_SIZE = 16 };

/* What is kept of auth_user.password, the hash, beside a session. */
void session_password_of(struct text stored,
                         unsigned char ret_digest[SESSION_PASSWORD_SIZE]);

/*
 * Open a session for a user whose password was verified against the stored
 * hash of that digest. DB_NOT_FOUND when he has another one now, is not active,
 * or is gone: nothing is written.
 */
struct session_open {
    struct db_job job;
    unsigned char id[SHA256_SIZE];
    struct text username; /* borrows */
    unsigned char password[SESSION_PASSWORD_SIZE];
    int64_t age_s;
    int64_t user_id;       /* out */
    int64_t session_epoch; /* out: as of the moment the user was looked up */
    bool login_is_stale;   /* internal: last_login is a minute old, or NULL */
    int64_t expires_us;    /* internal */
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
