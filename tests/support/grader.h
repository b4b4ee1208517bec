/*
 * A pretended passive grader as a process of its own: tests/tools/grader.c;
 * paths that make it misbehave are listed in tests/tools/common/manner.h. One
 * thread.
 */
#ifndef XQUEUE_TESTS_GRADER_H
#define XQUEUE_TESTS_GRADER_H

#include "server/base/arena.h"
#include "server/base/buffer.h"

struct grader;

/* A push that came to it. */
struct graded {
    int64_t number;     /* from 1, in the order they came */
    int64_t at_us;      /* when it came, by clock_monotonic_us() */
    int64_t status;     /* what it was answered with */
    int64_t submission; /* the number that its body begins with, or -1 */
    int64_t time;       /* it came for the first, second ... time */
    int64_t in_hand;    /* pushes to its path not answered then, with itself */
    int64_t twins;      /* those of them of the same submission */
    struct text path;
    struct text authorization; /* may be absent */
};

struct graded_list {
    struct graded *items;
    size_t count;
};

/* Over all that came to a path. */
struct path_count {
    int64_t came;
    int64_t in_hand; /* not answered yet */
    int64_t most;    /* that were in hand at a time, ever */
};

/* On `ports` ports; remembers the last `keep` pushes; 0 means 1 and 100. */
struct grader *grader_start(size_t keep, size_t ports);

/* Hang up on everybody. Restart: the same ports; it has forgotten. */
void grader_kill(struct grader *grader);
void grader_restart(struct grader *grader);

/* Stop and free it. NULL is legal. */
void grader_stop(struct grader *grader);

/* "http://127.0.0.1:PORT" and the path; lives as long as the grader. */
const char *grader_url(struct grader *grader, size_t place, const char *path);

/*
 * Wait until `count` pushes have come since the start, then give those that
 * it remembers from number `from` (1: all) on; the test fails when they do not
 * come in time. The texts live as long as the grader.
 */
struct graded_list grader_wait(struct grader *grader, int64_t from,
                               int64_t count, int timeout_ms);

/* What has come so far. */
struct graded_list grader_graded(struct grader *grader);

/* All 0 for a path to which nothing came. */
struct path_count grader_path(struct grader *grader, const char *path);

/* The grade of a submission that came for the `time`-th time. */
void grader_write_grade(struct buffer *buffer, int64_t submission,
                        int64_t time);

#endif
