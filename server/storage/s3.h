/*
 * Files in an S3 bucket, as objects PREFIX/QUEUE/KEY: what the parts of the
 * backend share. Internal to server/storage/. Loop thread, but for links.
 *
 * What storage.h offers is done by sub-tasks: each has its own steps, and
 * resumes the task that waits for it.
 */
#ifndef XQUEUE_STORAGE_S3_H
#define XQUEUE_STORAGE_S3_H

#include "server/storage/backend.h"
#include "server/storage/s3_address.h"
#include "server/storage/s3_credentials.h"

enum {
    /* Requests at a time, of the process and of one job. */
    S3_MOST_CONNECTIONS = 16,
    S3_MOST_PER_PUT = 4,
    S3_MOST_PER_DELETE = 8,

    /*
     * How long a job may try, with its repeats, and then take back what it
     * has done: an LMS waits 10 s. Nobody may have more time than S3_WORK_MS:
     * then whoever waits for a connection gets one before its own is up.
     */
    S3_WORK_MS = 7000,
    S3_TAKE_BACK_MS = 1500
};

struct s3 {
    struct env *env;             /* borrows */
    struct arena *arena;         /* owns; all the texts */
    struct s3_bucket bucket;     /* never changes */
    struct fetcher *fetcher;     /* owns */
    struct s3_credentials *keys; /* owns */
    bool verify_tls;
    const char *ca_file; /* may be NULL */
    int64_t link_lifetime_s;
};

enum step s3_await_put(struct storage *storage, struct task *task,
                       struct storage_put *put, task_step *next);
enum step s3_await_get(struct storage *storage, struct task *task,
                       struct storage_get *get, task_step *next);
enum step s3_await_delete(struct storage *storage, struct task *task,
                          struct storage_delete *job, task_step *next);
enum step s3_await_list(struct storage *storage, struct task *task,
                        struct storage_list *list, task_step *next);

/* Which object a file is, as a key of the bucket; without the prefix. */
struct text s3_key_of(struct text queue_name, const char *key,
                      struct arena *arena);

/*
 * `task` waits while a sub-task runs, from `first` on, with a copy of `state`
 * as its own; then comes `next`.
 */
enum step s3_await(struct task *task, const void *state, size_t size,
                   task_step *first, task_step *next) MUST_CHECK;

/* Ends a sub-task, and lets `parent` go on. */
enum step s3_end(struct task *task, struct task *parent) MUST_CHECK;

#endif
