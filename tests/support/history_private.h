/*
 * The list behind tests/support/history.h.
 */
#ifndef XQUEUE_TESTS_HISTORY_PRIVATE_H
#define XQUEUE_TESTS_HISTORY_PRIVATE_H

#include "tests/support/history.h"

#include <pthread.h>

struct history {
    pthread_mutex_t lock;
    struct event *events; /* owns; in the order they ended, nearly */
    size_t count;
    size_t room;
    int64_t counts[EVENT_KINDS][OUTCOMES];
    int64_t *kills_us; /* owns */
    size_t kill_count;
};

#endif
