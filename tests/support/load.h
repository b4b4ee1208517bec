/*
 * Many clients at once, in threads: submitters, and pollers that grade what
 * they get. All they do goes into a history. They share one login and keep
 * their connections. A submitter sends every number once, whatever comes; a
 * poller puts a result until somebody takes or refuses it.
 */
#ifndef XQUEUE_TESTS_LOAD_H
#define XQUEUE_TESTS_LOAD_H

#include "tests/support/history.h"

struct load;

struct load_settings {
    struct history *history; /* borrows, as all here */
    const char *cookie;      /* of a session */
    const char *origin;      /* of the LMS that callbacks go to */
    const uint16_t *ports;   /* of the servers, taken in turns */
    size_t port_count;
    size_t submitters;
    size_t pollers;

    /* Of so many leases a poller drops one, or is late with it; 0: none. */
    size_t drop_every;
    size_t late_every;
    int late_ms;
};

/* Copies the settings. */
struct load *load_start(const struct load_settings *settings);

/* Wait until so many submits are acknowledged, results accepted. */
void load_wait_for_submits(struct load *load, int64_t count);
void load_wait_for_results(struct load *load, int64_t count);

/* The submitters end, each after what it is at. */
void load_end_submits(struct load *load);

/* The pollers too; frees it. */
void load_end(struct load *load);

#endif
