/*
 * Clients that speak HTTP/1.1 as fast as they are answered, or at a rate of
 * their own: one thread, one epoll, no allocation per request, so that the
 * load costs little beside what it measures.
 *
 * Each client sends a request, reads the whole reply, and goes on. What it
 * sends is the benchmark's: `next` writes it, `answered` looks at the reply.
 */
#ifndef XQUEUE_BENCH_HTTP_LOAD_H
#define XQUEUE_BENCH_HTTP_LOAD_H

#include "server/base/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One client; the benchmark may use these fields as it likes. */
struct http_load_client {
    size_t number;    /* from 0 */
    int64_t requests; /* written so far */
    int step;         /* of an exchange; 0 at first and after a failure */
    char cookie[64];  /* "" at first */
    char text[512];   /* e.g. the header of a pulled submission */
};

struct http_load_reply {
    int status;
    struct text head;   /* status line and headers, with the empty line */
    struct text body;   /* NUL-terminated, one byte past its size */
    int64_t latency_us; /* since it was sent; with a rate, since it was due */
};

enum http_load_go {
    HTTP_LOAD_GO,       /* on the same connection */
    HTTP_LOAD_GO_FRESH, /* on a new connection; the old one is closed */
    HTTP_LOAD_REST,     /* nothing to do just now: ask again in 1 ms */
    HTTP_LOAD_END       /* this client has done */
};

struct http_load_settings {
    uint16_t port;
    size_t clients;
    double seconds; /* stop asking after so long; 0: until all have ended */
    double rate;    /* requests a second of each client; 0: no pause */

    /* Append the whole next request, head and body, to what is empty. */
    enum http_load_go (*next)(struct http_load_client *client,
                              struct buffer *request, void *context);

    /*
     * False: it was not what it must be; counted as failed, and the client
     * goes on with what its fields say. NULL: any 200 is right.
     */
    bool (*answered)(struct http_load_client *client,
                     const struct http_load_reply *reply, void *context);
    void *context;
};

struct http_load_result {
    int64_t answered;
    int64_t failed; /* wrong, cut, or not answered within 30 s */
    double seconds; /* from the first request to the last answer */
    double p50_ms;
    double p99_ms;
    double cpu_seconds; /* of the load itself */
};

/*
 * Blocks until it is over: what was asked in time is waited for. Raises the
 * limit of open files when the clients are many. A connection that cannot be
 * made from this address any more, since its ports are used up, is made from
 * 127.0.0.2 and so on.
 */
struct http_load_result
http_load_run(const struct http_load_settings *settings);

#endif
