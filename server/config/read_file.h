/*
 * A small file as a whole.
 */
#ifndef XQUEUE_CONFIG_READ_FILE_H
#define XQUEUE_CONFIG_READ_FILE_H

#include "server/base/buffer.h"

struct file_content {
    struct buffer bytes;    /* the caller frees it */
    bool is_world_writable; /* anybody may change the file */
};

/*
 * Read a regular file of at most `limit` bytes. Neither a pipe nor a device
 * can make it wait. False with the reason in words, which lives until the
 * next call.
 */
bool read_file(const char *path, size_t limit, struct file_content *ret_content,
               const char **ret_why) MUST_CHECK;

#endif
