/*
 * Replies in pieces, for the server of http_child.h.
 *
 *   /stream?SIZE      so many bytes, in pieces of 256 KiB; see below
 *   /crumbs?SIZE      the same in pieces of 1,000 bytes
 *   /pausing?SIZE     the same in halves, the second after 1,500 ms
 *   /ahead?SIZE       ends without waiting for its last piece
 *   /delayed?SIZE     the same, begun after 1,500 ms
 *   /short?SIZE       ends after half of what it promised
 *   /nothing?SIZE     ends at once
 *
 * The bytes are those of http_stream_byte().
 */
#ifndef XQUEUE_TESTS_SUPPORT_HTTP_STREAMS_H
#define XQUEUE_TESTS_SUPPORT_HTTP_STREAMS_H

#include "server/http/server.h"

struct event_base;

/* How the streams of a server ended so far. */
struct http_stream_counts {
    unsigned whole;
    unsigned gone; /* told so by on_written() */
};

/* Which byte stands there in every stream. */
char http_stream_byte(uint64_t position);

/* False when the path is none of these. */
bool http_streams_take(struct event_base *base, struct http_request *request,
                       volatile struct http_stream_counts *counts);

#endif
