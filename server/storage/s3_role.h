/*
 * Asking for the credentials of our role: Amazon's token service, with a web
 * identity, when the environment names one; the container's agent, when it
 * names that; or the instance's metadata service (its second version: with a
 * token). Loop thread.
 *
 * Only the environment of the process says whom to ask. The last two are the
 * one kind of requests that may go to link-local addresses.
 */
#ifndef XQUEUE_STORAGE_S3_ROLE_H
#define XQUEUE_STORAGE_S3_ROLE_H

#include "server/base/arena.h"
#include "server/task/loop.h"

enum { S3_ROLE_REASON_SIZE = 160 };

/* Borrows until the next s3_role_ask(). */
struct s3_role_answer {
    const char *access_key; /* NULL: there are none, see the reason */
    const char *secret_key;
    const char *session_token; /* NULL: none */
    int64_t expires_us;        /* since 1970 */
    char reason[S3_ROLE_REASON_SIZE];
};

struct s3_role_owner {
    void *context;
    void (*answered)(void *context, const struct s3_role_answer *answer);
};

struct s3_role;

/* NULL when the environment says that there is nobody to ask. */
struct s3_role *s3_role_new(struct loop *loop, struct s3_role_owner owner);

/*
 * `answered` is called once, later, within some seconds. Not while an answer
 * is awaited.
 */
void s3_role_ask(struct s3_role *role);

/* `answered` is not called any more. NULL is legal. */
void s3_role_free(struct s3_role *role);

#endif
