/*
 * R5: a bare curl multi in a process of its own that posts the same bytes
 * again and again: what a POST alone costs with this library.
 */
#ifndef XQUEUE_BENCH_RAW_POST_H
#define XQUEUE_BENCH_RAW_POST_H

#include "server/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct raw_post_settings {
    const char *url;
    struct text body;
    const char *content_type; /* NULL: send none */
    size_t concurrency;
    int64_t count;
    bool fresh; /* a new connection for each, as pushes have by default */
};

struct raw_post_result {
    double per_second;
    double cpu_seconds; /* of the poster */
};

/* Blocks until all are answered with 200; anything else fails the benchmark. */
struct raw_post_result raw_post_run(const struct raw_post_settings *settings);

#endif
