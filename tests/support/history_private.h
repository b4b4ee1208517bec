/*
 * The list behind tests/support/history.h, and what its checker gathers.
 */
#ifndef XQUEUE_TESTS_HISTORY_PRIVATE_H
#define XQUEUE_TESTS_HISTORY_PRIVATE_H

#include "tests/support/history.h"

#include <pthread.h>

struct history {
    const char *queue;
    bool is_pushed;
    pthread_mutex_t lock;
    struct event *events; /* owns; in the order they ended, nearly */
    size_t count;
    size_t room;
    int64_t counts[EVENT_KINDS][OUTCOMES];
    int64_t *kills_us; /* owns */
    size_t kill_count;
};

/* All that is known of a number. */
struct fate {
    const struct event *submit;
    const struct event **pulls; /* answered ones */
    size_t pull_count;
    const struct event *put; /* accepted */
    size_t unknown_puts;
    const struct graded **graded; /* in the order they came, as these: */
    size_t graded_count;
    const struct received **received;
    size_t received_count;
};

struct check {
    const struct history *history;
    const struct history_facts *facts;
    struct history_counts *counts;
    struct fate *fates;
    int64_t fate_count;
    size_t by_kill; /* deliveries again that a kill excuses */
    struct buffer problems;
    size_t problem_count;
};

/* Was a server killed between these? */
bool check_has_kill(const struct check *check, int64_t from_us, int64_t to_us);

/* In words, up to a number; then they are only counted. */
void check_complain(struct check *check, int64_t number, const char *what);

/* NULL for a number that was never sent. */
struct fate *check_fate(struct check *check, int64_t number);

/* Append to one of a fate's lists. */
void check_append(const void ***list, size_t *count, const void *item);

/* history_pulls.c: no two leases at once; none after the result. */
void check_pulls(struct check *check, int64_t number);

/* history_pushes.c: pushed again only after a kill; never after the result. */
void check_collect_graded(struct check *check);
void check_pushes(struct check *check, int64_t number);
void check_all_pushes(struct check *check);

/* Is this the grade of one of the times that it was pushed? */
bool check_is_grade(const struct fate *fate, int64_t number, struct text text);

#endif
