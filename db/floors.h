/*
 * Scan floors: where a claim of the oldest waiting submission begins to look,
 * and where one of the callbacks that are due the longest.
 *
 * A row that was taken out of xqueue_ready stays in the index, marked as
 * deleted, until the server purges it; while anybody holds an old snapshot (a
 * dump, a long report), it cannot. Each claim would then step over everything
 * that was handed out since. So each process remembers for each queue an
 * arrival time below which nothing seems to wait: the floor. It is the same
 * with xqueue_outbox, its destinations, and the times when callbacks are due.
 *
 * It is a guess, and need not be more. Something may wait below it: a lease
 * that ran out has gone back to its place, another process's claim has rolled
 * back, a submit took long to commit, somebody changed the tables by hand. So
 * now and then a claim is a sweep: it begins at the very beginning, and what
 * it finds is the new floor, be it lower or higher. The next sweep is due
 * SWEEP_PAUSE times as long after the last one as that one took: they cost
 * one thread at most a fiftieth of its time, and while the server can purge
 * they are some ten milliseconds apart. SWEEP_PAUSE_MAX_US bounds how long
 * anything that waits can be overlooked. What this process itself puts back
 * lowers the floor as soon as it is committed.
 *
 * To step over what was handed out costs a claim ten times what it costs a
 * plain read, for it locks what it steps over. So a pull's sweep finds the
 * first row by a plain read, and claims from there. A claim of callbacks always
 * does: see db/outbox.c.
 *
 * After millions of rows under one snapshot, a sweep would take longer than a
 * statement may, and end with the connection. The next ones then begin at a
 * day ago, at an eighth of that, and so on, until they are through; and
 * further back again once they are fast. What waits from before that may be
 * overlooked until the snapshot ends; the rest is not held up.
 *
 * One for all threads of a pool; any thread. NULL stands for no floors: every
 * claim begins at the beginning.
 */
#ifndef XQUEUE_DB_FLOORS_H
#define XQUEUE_DB_FLOORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct floors;

enum floor_of {
    FLOOR_OF_QUEUE,      /* by its number; arrival times */
    FLOOR_OF_DESTINATION /* times when callbacks are due */
};

struct floors *floors_new(void);
void floors_free(struct floors *floors);

/* One claim's look into one queue, or at one destination. */
struct floor_look {
    enum floor_of of;
    int64_t number;
    int64_t from_us;  /* to begin at */
    bool is_sweep;    /* find the first row by a plain read, to begin there */
    int64_t begin_us; /* internal: monotonic */
    uint64_t lowered; /* internal: how often it had been, then */
};

struct floor_look floors_begin(struct floors *floors, enum floor_of of,
                               int64_t number);

/*
 * The claim has been made: `lowest_us` is that of the first row that it found,
 * or the time at which there was none.
 */
void floors_end(struct floors *floors, const struct floor_look *look,
                int64_t lowest_us);

/* The claim has failed: it is not known what it would have found. */
void floors_failed(struct floors *floors, const struct floor_look *look);

/* One of this time waits (again). */
void floors_lower(struct floors *floors, enum floor_of of, int64_t number,
                  int64_t time_us);

/*
 * What a transaction puts back, to be told once it has committed: the claims
 * of others do not find it before, and would raise the floor above it again.
 * All zero is an empty one. One for each queue or destination.
 */
struct floor_marks {
    struct floor_mark {
        enum floor_of of;
        int64_t number;
        int64_t time_us; /* the lowest */
    } * list;            /* owns: free() it at last */
    size_t count;
    size_t capacity;
};

void floor_marks_add(struct floor_marks *marks, enum floor_of of,
                     int64_t number, int64_t time_us);

/* floors_lower() for each; empty afterwards. */
void floor_marks_lower(struct floor_marks *marks, struct floors *floors);

#endif
