/*
 * Single steps as loads over HTTP: clients that keep their connections, each
 * asking for the same thing as fast as it is answered.
 */
#ifndef XQUEUE_BENCH_STEPS_H
#define XQUEUE_BENCH_STEPS_H

#include "server/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct steps;

struct steps_settings {
    uint16_t port;
    const char *cookie; /* of a session */
    const char *origin; /* of the LMS that submissions name */
    bool is_scattered;  /* callback addresses in no order, as in life */
    size_t body_bytes;
};

/* Copies the settings. */
struct steps *steps_new(const struct steps_settings *settings);
void steps_free(struct steps *steps);

enum step {
    STEP_SUBMIT,
    STEP_PULL,   /* what it gets is remembered */
    STEP_LENGTH, /* get_queuelen */
    STEP_RESULT, /* of what was pulled and has none, the oldest first */
    /* Submit, then pull, and so on: as many wait as before. */
    STEP_PAIR
};

struct steps_result {
    double per_second; /* of requests that had their answer */
    double submit_ms;  /* mean of those, 0 for none */
    double pull_ms;
    int64_t empty; /* pulls that got nothing */
};

/* Whatever fails is told to the report. */
struct steps_result steps_run(struct steps *steps, enum step step,
                              const char *queue, size_t clients,
                              double seconds);

/* Handed out since the beginning, and how many of them more than once. */
int64_t steps_pulled(const struct steps *steps);
int64_t steps_duplicates(const struct steps *steps);

#endif
