/*
 * An HTTP server in a process of its own, for tests that are its clients.
 *
 * What it does with a request is told by the path:
 *   /echo   method, path, query and body size in the reply's body
 *   /body   the reply's body is the request's
 *   /big    1 MiB in the reply
 *   /large  8 MiB in the reply
 *   /close  closes after the reply
 *   /late   replies after 50 ms
 *   /hold   replies when told to, by http_child_release()
 * and as http_streams.h says.
 * When it ends it looks for leaks, and the parent for how it ended.
 */
#ifndef XQUEUE_TESTS_SUPPORT_HTTP_CHILD_H
#define XQUEUE_TESTS_SUPPORT_HTTP_CHILD_H

#include "server/http/server.h"
#include "tests/support/http_streams.h"

#include <sys/types.h>

enum { HTTP_CHILD_PATHS = 256 };

/* In memory shared with the child, which writes it every 10 ms. */
struct http_child_report {
    unsigned requests; /* that reached the handler */
    char last_path[64];
    size_t in_flight;
    size_t connections;
    size_t most_connections;
    size_t most_body_memory; /* bytes */
    size_t body_memory;
    size_t most_unwritten; /* bytes of replies in memory */
    bool starved;
    struct http_stream_counts streams;
    int64_t cpu_ms;   /* when it ended */
    char order[1024]; /* the queries in the order of the requests */
};

struct http_child {
    pid_t process;
    uint16_t port;
    int control;
    volatile struct http_child_report *report;
};

/* Small and quick settings for tests, on an ephemeral port. */
struct http_settings http_child_settings(void);

/* `open_files`: the limit of the child, or 0. */
struct http_child http_child_start(const struct http_settings *settings,
                                   unsigned open_files);

/* Reply to all that /hold; give back what http_child_starve() took. */
void http_child_release(const struct http_child *child);

/* Take all descriptors that are left to the child. */
void http_child_starve(const struct http_child *child);
void http_child_stop_accepting(const struct http_child *child);

/* Ends it; fails the test when it crashed or leaked. */
void http_child_end(struct http_child *child);

/* Waits up to 5 s for report->field to be what the test wants. */
#define HTTP_CHILD_AWAIT(child, condition)                                     \
    do {                                                                       \
        for (int i = 0; i < 500 && !(condition); i++)                          \
            http_child_wait_ms(10);                                            \
        ck_assert_msg((condition), "%s", #condition);                          \
    } while (0)

void http_child_wait_ms(int ms);

#endif
