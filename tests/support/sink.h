/*
 * A pretended LMS as a process of its own: tests/tools/lms_sink.c; paths that
 * make it misbehave are listed in tests/tools/common/manner.h. One thread.
 */
#ifndef XQUEUE_TESTS_SINK_H
#define XQUEUE_TESTS_SINK_H

#include "server/base/arena.h"

struct sink;

struct received {
    int64_t number;  /* from 1, in the order they came */
    int64_t at_us;   /* when it came, by clock_monotonic_us() */
    int64_t status;  /* what it was answered with */
    int64_t in_hand; /* callbacks not answered yet when it came, with itself */
    int64_t twins;   /* those of them to the same path */
    struct text path;
    struct text content_type; /* may be absent, as all that follow */
    struct text authorization;
    struct text header; /* xqueue_header */
    struct text body;   /* xqueue_body */
};

struct received_list {
    struct received *items;
    size_t count;
};

/* Remembers the last `keep` callbacks; 0 means 100. */
struct sink *sink_start(size_t keep);

/* The same on the port it had: an LMS that comes back. It has forgotten. */
void sink_restart(struct sink *sink);

/* Hang up on everybody; sink_restart() may follow. */
void sink_kill(struct sink *sink);

/* Stop and free it. NULL is legal. */
void sink_stop(struct sink *sink);

uint16_t sink_port(const struct sink *sink);

/* "http://127.0.0.1:PORT" and the path; lives as long as the sink. */
const char *sink_url(struct sink *sink, const char *path);

/*
 * Wait until `count` callbacks have come since the start, then give all that
 * it remembers; the test fails when they do not come in time. The texts live
 * as long as the sink.
 */
struct received_list sink_wait(struct sink *sink, int64_t count,
                               int timeout_ms);

/* What has come so far. */
struct received_list sink_received(struct sink *sink);

#endif
