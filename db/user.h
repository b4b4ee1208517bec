/*
 * Accounts: Django's table auth_user.
 *
 * Names are looked up as the column's collation compares, because that is
 * what keeps two accounts apart, but must then be equal byte for byte: "LMS"
 * neither logs in as "lms" nor becomes a second account beside it.
 */
#ifndef XQUEUE_DB_USER_H
#define XQUEUE_DB_USER_H

#include "db/pool.h"

enum { USER_NAME_MAX = 150 }; /* characters */

struct user {
    int64_t id;
    struct text username;
    struct text password; /* the hash: see server/base/password.h */
    bool is_active;
    bool is_staff;
    bool is_superuser;
};

/* DB_NOT_FOUND when there is no such user. */
struct user_load {
    struct db_job job;
    struct arena *arena;  /* borrows; the user's texts live in it */
    struct text username; /* borrows; any bytes */
    struct user user;     /* out */
};

extern const struct db_op user_load_op;

/*
 * Create the user, or give an existing one another password, which ends the
 * sessions opened with the old one. DB_DUPLICATE when the collation takes
 * the name of another account for the same; DB_REFUSED when it is no name.
 */
struct user_store {
    struct db_job job;
    struct text username; /* borrows */
    struct text password; /* borrows; the hash */
    bool created;         /* out */
};

extern const struct db_op user_store_op;

/* By id, at most `limit`. */
struct user_list {
    struct db_job job;
    struct arena *arena; /* borrows; everything below lives in it */
    size_t limit;
    struct user *users; /* out */
    size_t count;       /* out */
};

extern const struct db_op user_list_op;

#endif
