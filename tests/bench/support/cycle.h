/*
 * Whole cycles as a load: clients that submit, clients that pull and send back
 * the result of what they got (or nobody, where a grader is pushed to), and an
 * LMS that is called back. Everything is counted, and verified by SQL.
 */
#ifndef XQUEUE_BENCH_CYCLE_H
#define XQUEUE_BENCH_CYCLE_H

#include "tests/bench/support/cycle_words.h"
#include "tests/bench/support/peers.h"

#include <stddef.h>
#include <stdint.h>

struct cycle_settings {
    uint16_t port;
    const struct cycle_words *words;
    const struct fast_lms *lms;
    size_t submitters;
    size_t pollers; /* 0: a grader is pushed to */
    /* Submitters pause while so many have not been called back. */
    int64_t most_open;
    double seconds;       /* submitting; then all that is open is waited for */
    int64_t *next_number; /* of the LMS's; moves on */
};

struct cycle_result {
    int64_t cycles;
    double per_second; /* from the first submission to the last callback */
    double commits;    /* durable ones, of each cycle */
};

/*
 * Blocks until all are called back. Whatever is lost, comes twice or is not in
 * the database as it must be makes the report fail.
 */
struct cycle_result cycle_run(const struct cycle_settings *settings);

#endif
