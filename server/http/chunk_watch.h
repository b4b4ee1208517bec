/*
 * Follows the raw bytes of a chunked body and tells whether it is spelled in
 * the one way that everybody reads alike: hexadecimal digits, CR LF, the
 * data, CR LF, ..., a zero, CR LF, CR LF; no extensions and no trailers.
 *
 * evhttp also takes "0x3", "+3", bare line feeds and blank lines between
 * chunks, which another server in front of us may read differently. Embed
 * it; no memory of its own; pure.
 */
#ifndef XQUEUE_HTTP_CHUNK_WATCH_H
#define XQUEUE_HTTP_CHUNK_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum chunk_watch_state {
    CHUNK_WATCH_SIZE,
    CHUNK_WATCH_SIZE_LF,
    CHUNK_WATCH_DATA,
    CHUNK_WATCH_DATA_CR,
    CHUNK_WATCH_DATA_LF,
    CHUNK_WATCH_END_CR,
    CHUNK_WATCH_END_LF,
    CHUNK_WATCH_WHOLE,
    CHUNK_WATCH_WRONG,
};

struct chunk_watch {
    enum chunk_watch_state state;
    unsigned digits;
    uint64_t left; /* bytes of the present chunk */
};

void chunk_watch_start(struct chunk_watch *watch);

/* Bytes after the end of the body are left alone. */
void chunk_watch_feed(struct chunk_watch *watch, const char *data, size_t size);

/* The end has been seen, and all before it was as it should be. */
bool chunk_watch_is_whole(const struct chunk_watch *watch);

#endif
