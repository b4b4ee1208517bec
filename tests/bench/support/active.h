/*
 * What a benchmark of whole active cycles begins with: a server with the queue
 * "bench" that nobody is pushed from, an LMS, and what its clients say. Of
 * the settings of a load a benchmark changes what it must; the rest is the
 * same for all of them.
 *
 *     struct active active;
 *
 *     active_begin(&active, NULL);
 *     rate = cycle_run(&active.load).per_second;
 *     active_end(&active);
 */
#ifndef XQUEUE_BENCH_ACTIVE_H
#define XQUEUE_BENCH_ACTIVE_H

#include "db/conn.h"
#include "tests/bench/support/cycle.h"

enum { ACTIVE_BODY_BYTES = 1024 };

/* Stays where it began: `load` points into it. */
struct active {
    const struct db_settings *database;
    struct fast_lms *lms;
    struct cycle_words *words; /* with bodies of ACTIVE_BODY_BYTES at first */
    int64_t next_number;
    struct cycle_settings load; /* 64 that submit, 64 that pull */
};

/*
 * A new database, and `service` of service_story.h upon it, with these further
 * lines of its configuration; NULL: none.
 */
void active_begin(struct active *active, const char *more);
void active_end(struct active *active);

/* From now on bodies have that size. */
void active_set_body_bytes(struct active *active, size_t body_bytes);

#endif
