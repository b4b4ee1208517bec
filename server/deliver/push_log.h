/*
 * What the log says of pushes. Any thread.
 */
#ifndef XQUEUE_DELIVER_PUSH_LOG_H
#define XQUEUE_DELIVER_PUSH_LOG_H

#include "db/push.h"
#include "server/fetch/fetch.h"

/* Of a push; all is borrowed. */
struct push_report {
    uint64_t number;            /* of its task */
    const struct push_end *end; /* as far as it is known */
    const struct fetch *fetch;  /* the newest try */
    const char *queue_name;
    int64_t attempt;
    int64_t tries;
    const char *reason; /* NULL: none */
};

/* It is tried again after a wait. */
void push_log_retry(const struct push_report *report);

/* It is over, and recorded. */
void push_log_end(const struct push_report *report);

/* It is over, and the database does not take that. */
void push_log_unrecorded(const struct push_report *report, const char *then);

#endif
