/*
 * Who we are to S3. In this order: the settings, the environment
 * (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, with AWS_SESSION_TOKEN), a
 * role: that of a web identity, of the container, of the machine. Those of a
 * role are fetched anew before they expire. Loop thread, but for
 * s3_credentials_copy().
 */
#ifndef XQUEUE_STORAGE_S3_CREDENTIALS_H
#define XQUEUE_STORAGE_S3_CREDENTIALS_H

#include "server/storage/sigv4.h"
#include "server/storage/storage.h"

#include <sys/queue.h>

struct s3_credentials;

/* Somebody who needs them. */
struct s3_wish {
    void (*granted)(struct s3_wish *wish);
    TAILQ_ENTRY(s3_wish) entry; /* internal */
};

/*
 * NULL with a reason, which the caller frees, when there can be none. A role
 * is asked for at once, and its answer not waited for.
 */
struct s3_credentials *
s3_credentials_new(struct loop *loop, const struct storage_settings *settings,
                   char **ret_error);

/*
 * A copy in the arena; all but region and service. False when there are none:
 * none yet, or none that are still good. Any thread.
 */
bool s3_credentials_copy(struct s3_credentials *credentials,
                         struct arena *arena,
                         struct sigv4_credentials *ret_copy) MUST_CHECK;

/*
 * `granted` is called once, later, within some seconds: there are credentials,
 * or s3_credentials_reason() says why not. The wish stays until then.
 */
void s3_credentials_await(struct s3_credentials *credentials,
                          struct s3_wish *wish);

/* Why there were none the last time. */
const char *s3_credentials_reason(const struct s3_credentials *credentials);

/* S3 says that these are no longer good; if they are a role's, drop them. */
void s3_credentials_refused(struct s3_credentials *credentials,
                            const char *access_key);

/* Nobody waits any more. NULL is legal. */
void s3_credentials_free(struct s3_credentials *credentials);

#endif
