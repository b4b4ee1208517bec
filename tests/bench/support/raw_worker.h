/*
 * One connection of a bare loop: its statements and its transactions. Private
 * to raw_steps.
 */
#ifndef XQUEUE_BENCH_RAW_WORKER_H
#define XQUEUE_BENCH_RAW_WORKER_H

#include "tests/bench/support/raw_steps.h"

#include <stdatomic.h>
#include <stdbool.h>

enum { RAW_REPLY_BYTES = 200, RAW_MOST_ROWS = 256 };

struct raw_worker;

/*
 * `next` is the next number of a submission that waits for its result; all
 * workers of a run share it. `rows_made` is how many were made beforehand.
 */
struct raw_worker *raw_worker_new(const struct raw_steps_settings *settings,
                                  _Atomic int64_t *next, int64_t rows_made);
void raw_worker_free(struct raw_worker *worker);

/*
 * One transaction of settings->rows rows, committed. False: nothing is left
 * to work on, and nothing was done.
 */
bool raw_worker_step(struct raw_worker *worker);

#endif
