/*
 * What a grader is sent: the JSON of a push. The files come last in it; where
 * they are named in a file of their own, they are added afterwards.
 */
#ifndef XQUEUE_DELIVER_PUSH_REQUEST_H
#define XQUEUE_DELIVER_PUSH_REQUEST_H

#include "db/push.h"
#include "server/base/buffer.h"
#include "server/storage/file_map.h"

enum push_request_state {
    PUSH_REQUEST_WHOLE,
    PUSH_REQUEST_NEEDS_MAP, /* the file of map_key */
    PUSH_REQUEST_AWAY,      /* which, or the links, cannot be had just now */
    PUSH_REQUEST_BROKEN     /* it holds no map, or is gone: for good */
};

struct push_request {
    struct buffer json; /* owns */
    enum push_request_state state;
    char map_key[FILE_KEY_SIZE + 1];
};

/* Any thread. Texts that do not stay come from `arena`. */
void push_request_write(struct push_request *request, struct arena *arena,
                        const struct file_links *links,
                        const struct push_item *item);

/* The file of a request that needs one has been read, or not. */
void push_request_add_map(struct push_request *request, struct arena *arena,
                          const struct file_links *links,
                          const struct storage_get *get);

#endif
