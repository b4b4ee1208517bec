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
    size_t pollers; /* 0: somebody else grades */

    /* The first number, and how many; 0: they go on. About so many. */
    int64_t first;
    int64_t enough;
    int pause_ms; /* of each, after a submit */

    /*
     * Submitters pause while about so many are acknowledged and have no
     * result: there is an end to what is left when they end. 0: no limit.
     */
    int most_open;

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

/* Wait until the submitters have ended by themselves: see `enough`. */
void load_wait_for_enough(struct load *load);

/* The submitters end, each after what it is at. */
void load_end_submits(struct load *load);

/* The pollers too; frees it. */
void load_end(struct load *load);

#endif
