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

/* A long list is done in pieces: FILES_MORE until it is. */
struct local_deletion {
    struct storage_delete *job;
    size_t position;
    bool has_failed; /* some file */
    char reason[STORAGE_REASON_SIZE];
};

enum { LOCAL_DELETE_TURN = 500, LOCAL_PAGE = 10000 /* files */ };

void local_put(const struct local *local, struct storage_put *put);
void local_get(const struct local *local, struct storage_get *get,
               struct arena *arena);
enum files_turn local_delete(const struct local *local,
                             struct local_deletion *deletion);
void local_list(const struct local *local, struct storage_list *list,
                struct arena *arena);
void local_open(const struct local *local, struct storage_open *open);
void local_read(struct storage_read *read);

#endif
