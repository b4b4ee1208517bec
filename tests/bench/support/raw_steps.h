/*
 * R1 and R2: the same steps in a bare driver loop, with prepared statements,
 * durable transactions, the best index and no HTTP: what the database alone
 * gives. R1 has one row in a transaction, R2 has 256.
 */
#ifndef XQUEUE_BENCH_RAW_STEPS_H
#define XQUEUE_BENCH_RAW_STEPS_H

#include "db/conn.h"

#include <stddef.h>
#include <stdint.h>

enum raw_step { RAW_SUBMIT, RAW_PULL, RAW_RESULT };

struct raw_steps_settings {
    const struct db_settings *database; /* makes tables of its own in it */
    enum raw_step step;
    size_t connections; /* a thread each */
    size_t rows;        /* in a transaction: 1 for R1, 256 for R2 */
    size_t body_bytes;
    double seconds;
};

/*
 * Rows a second. What a step needs is made beforehand, outside of the time;
 * afterwards the rows are verified by SQL.
 */
double raw_steps_run(const struct raw_steps_settings *settings);

#endif
