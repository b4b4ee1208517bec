/*
 * A light load that does not wait for the server, from its start until it is
 * ended: in turns the length of a queue is asked for and a small submission
 * is sent, each when it is due. For benchmarks: what makes the server slow
 * shows as latency, counted from when a request was due.
 */
#ifndef XQUEUE_TESTS_SUPPORT_LIGHT_LOAD_H
#define XQUEUE_TESTS_SUPPORT_LIGHT_LOAD_H

#include <stddef.h>
#include <stdint.h>

enum { LIGHT_LOAD_MOST = 60000 }; /* requests; then it ends by itself */

enum light_kind { LIGHT_LOOK, LIGHT_SUBMIT, LIGHT_KINDS };

struct light_load;

struct light_load_settings {
    uint16_t port;      /* of the server */
    const char *cookie; /* of a session */
    const char *queue;
    double rate;    /* requests a second */
    size_t threads; /* so many may be slow at a time */
};

/* Latencies in ms, in any order; freed by the caller. */
struct light_result {
    double *latencies_ms[LIGHT_KINDS];
    size_t counts[LIGHT_KINDS];
    size_t failed; /* replies that were not as they must be */
};

/* Borrows the settings and what they point to. */
struct light_load *light_load_start(const struct light_load_settings *settings);

/* No more requests; waits for those under way; frees it. */
struct light_result light_load_end(struct light_load *load);

#endif
