/*
 * How a path wants to be answered: the prefixes that the head of lms_sink.c
 * lists. Loop thread.
 */
#ifndef XQUEUE_TESTS_LMS_SINK_MANNER_H
#define XQUEUE_TESTS_LMS_SINK_MANNER_H

struct manners;

struct manner {
    int status; /* 0: close the connection */
    long slow_ms;
    const char *location; /* NULL: no redirect; borrows from the uri */
};

/* Remembers how often each path that fails at first was called. */
struct manners *manners_new(void);
void manners_free(struct manners *manners);

/* Reading it counts as one call of that path. */
struct manner manners_read(struct manners *manners, const char *uri);

#endif
