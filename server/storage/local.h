/*
 * Files in a folder, MEDIA_ROOT/QUEUE/KEY. Everything here runs on a worker,
 * and tells in its job how it went. Internal to server/storage/.
 *
 * No path is ever put together from what somebody sent: each part is opened
 * by itself below the part before, symbolic links are not followed, and the
 * parts are an encoded queue name (queue_name.h) and a key (file_key.h).
 */
#ifndef XQUEUE_STORAGE_LOCAL_H
#define XQUEUE_STORAGE_LOCAL_H

#include "server/storage/backend.h"

#include <sys/types.h>

struct local {
    char *root; /* an absolute path; owns */

    /*
     * Which folder it was at the start. Another one in its place may be what
     * is below a volume that is not mounted.
     */
    dev_t device;
    ino_t inode;
    struct links *links; /* owns */
};

/* How far a deletion has come: a long one is done in pieces. */
struct local_deletion {
    size_t position;
    bool has_failed; /* some file */
    char reason[STORAGE_REASON_SIZE];
};

enum { LOCAL_DELETE_TURN = 500, LOCAL_PAGE = 10000 /* files */ };

struct local_work;
typedef enum files_turn local_run(struct local_work *work);

struct local_work {
    const struct local *local;
    void *job;           /* one of the structs of storage.h */
    struct arena *arena; /* for what comes out; with all this the task's */
    struct local_deletion deletion;

    local_run *run; /* internal to local.c, as the next */
    struct files_work work;
};

/* Each as its namesake in storage.h; a deletion says FILES_MORE until done. */
local_run local_put;
local_run local_get;
local_run local_delete;
local_run local_list;
local_run local_open;
local_run local_read;

#endif
