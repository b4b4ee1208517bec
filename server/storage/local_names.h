/*
 * The names in the folders of a local storage, in order. Worker. Internal to
 * server/storage/local_list.c.
 */
#ifndef XQUEUE_STORAGE_LOCAL_NAMES_H
#define XQUEUE_STORAGE_LOCAL_NAMES_H

#include "server/storage/local_folder.h"

/* Of folders that may be a queue's. */
struct local_folders {
    char **names; /* in the arena they were made with */
    size_t count;
};

/*
 * The first `limit` keys behind `after`; reading a folder of any size takes
 * the memory of twice as many.
 */
struct local_keys {
    const char *after; /* borrows; "" for all */
    size_t limit;
    char (*keys)[FILE_KEY_SIZE + 1]; /* borrows: room for 2 * limit */

    size_t count; /* out */
    bool more;    /* there are others */
};

/*
 * Both also remove what was left over. `folder` stays open; the reason is one
 * of the system's.
 */
bool local_read_folders(int folder, int64_t now_s, struct arena *arena,
                        struct local_folders *ret_folders) MUST_CHECK;
bool local_read_keys(int folder, int64_t now_s,
                     struct local_keys *keys) MUST_CHECK;

#endif
