/*
 * One request to S3, signed, and made up to S3_CALL_TRIES times while nobody
 * answers or the answer is that S3 itself is not well. Loop thread.
 */
#ifndef XQUEUE_STORAGE_S3_CALL_H
#define XQUEUE_STORAGE_S3_CALL_H

#include "server/fetch/fetch.h"
#include "server/storage/s3.h"

enum { S3_CALL_TRIES = 3, S3_CALL_LEAST_REPLY = 16 * 1024 };

/*
 * To be embedded. Fill the first part; `done` comes once, later. Within it
 * the call may be started again.
 */
struct s3_call {
    struct s3 *s3;      /* borrows, as everything here */
    const char *method; /* "GET", "HEAD", "PUT" or "DELETE" */

    /* The object; without a key the bucket itself. */
    struct text queue_name;
    const char *key;
    const struct sigv4_pair *query;
    size_t query_count;
    struct text body;           /* of a PUT */
    const char *content_sha256; /* its digest; NULL: there is no body */
    size_t max_reply_bytes;     /* S3_CALL_LEAST_REPLY at least */

    int64_t deadline_ms; /* it is done by then; see clock_monotonic_ms() */
    void (*done)(struct s3_call *call);
    void *context; /* the owner's */

    /*
     * The outcome. STORAGE_NOT_FOUND is the object's: without its bucket, S3
     * is STORAGE_UNAVAILABLE. So is a reply of more than max_reply_bytes.
     */
    enum storage_status status;
    long http_status; /* of the last answer; 0: none */
    char reason[STORAGE_REASON_SIZE];
    bool may_have_come; /* S3 may have obeyed */
    struct buffer reply;

    struct fetch fetch; /* internal, like all below */
    struct arena *arena;
    const char *access_key;
    const char *headers[6];
    unsigned tries;
    struct loop_timer *retry;
    struct s3_wish wish;
};

void s3_call_start(struct s3_call *call);

/* Start it, then `next`. Takes `done` and the context for itself. */
enum step s3_call_await(struct s3_call *call, struct task *task,
                        task_step *next) MUST_CHECK;

/*
 * In `done`: S3 answered that it will not, and not because it is not well.
 */
bool s3_call_was_refused(const struct s3_call *call);

/* After `done`, or when it was never started: frees what it holds. */
void s3_call_free(struct s3_call *call);

#endif
