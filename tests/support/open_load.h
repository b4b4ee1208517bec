/*
 * A load that does not wait for the server: submission number i is sent when
 * it is due, whatever became of those before it. For benchmarks: what is slow
 * shows as latency, counted from when a submission was due.
 */
#ifndef XQUEUE_TESTS_SUPPORT_OPEN_LOAD_H
#define XQUEUE_TESTS_SUPPORT_OPEN_LOAD_H

#include "server/base/buffer.h"

struct open_load_settings {
    uint16_t port;      /* of the server */
    const char *cookie; /* of a session */
    const char *origin; /* of the LMS */
    /* The queue of a number. Called by several threads. */
    const char *(*queue)(int64_t number, void *context);
    void *context;
    double rate; /* a second */
    int64_t count;
    size_t threads; /* so many submits may be slow at a time */
};

struct sent {
    int64_t due_us;  /* clock_monotonic_us(), as all here */
    int64_t sent_us; /* later than due when the threads are too few */
    int64_t done_us;
    bool acknowledged;
};

/*
 * Submit the numbers from 0 on, with bodies "N xxx", and give what became of
 * each, freed by the caller. Back when all have been answered.
 */
struct sent *open_load_run(const struct open_load_settings *settings);

#endif
