/*
 * What stands behind storage.h: one of these for each place that files can
 * be. Internal to server/storage/.
 */
#ifndef XQUEUE_STORAGE_BACKEND_H
#define XQUEUE_STORAGE_BACKEND_H

#include "server/storage/files_pool.h"
#include "server/storage/storage.h"

/* Each as its namesake in storage.h. */
struct storage_backend {
    /* Sets storage->state; false with a reason, which the caller frees. */
    bool (*start)(struct storage *storage,
                  const struct storage_settings *settings, char **ret_error);
    void (*stop)(struct storage *storage); /* the state may be NULL */

    enum step (*await_put)(struct storage *storage, struct task *task,
                           struct storage_put *put, task_step *next);
    enum step (*await_get)(struct storage *storage, struct task *task,
                           struct storage_get *get, task_step *next);
    enum step (*await_delete)(struct storage *storage, struct task *task,
                              struct storage_delete *job, task_step *next);
    enum step (*await_list)(struct storage *storage, struct task *task,
                            struct storage_list *list, task_step *next);

    /* NULL where files are not served from here; then reading is, too. */
    enum step (*await_open)(struct storage *storage, struct task *task,
                            struct storage_open *open, task_step *next);
    enum step (*await_read)(struct storage *storage, struct task *task,
                            struct storage_read *read, task_step *next);

    struct text (*link)(const struct storage *storage, struct arena *arena,
                        struct text queue_name, const char *key,
                        struct text base, int64_t now_s);
    enum storage_link_state (*link_check)(const struct storage *storage,
                                          struct text queue_name,
                                          struct text key, struct text query,
                                          int64_t now_s); /* may be NULL */
};

struct storage {
    const struct storage_backend *backend;
    struct env *env; /* borrows */
    struct files_pool *pool;
    void *state; /* the backend's; owns */
};

struct storage_reader {
    int file; /* owns */
};

extern const struct storage_backend local_backend;
extern const struct storage_backend s3_backend;

/* What a job looks like that the pool did not take. */
enum storage_status storage_refused(char ret_reason[STORAGE_REASON_SIZE]);

#endif
