/*
 * The callbacks that the sink took: the last few, as JSON lines. Loop thread.
 */
#ifndef XQUEUE_TESTS_LMS_SINK_CALLBACKS_H
#define XQUEUE_TESTS_LMS_SINK_CALLBACKS_H

#include "server/base/text.h"

struct callbacks;
struct evbuffer;

struct callback {
    int status;  /* what it is answered with; 0: nothing */
    int in_hand; /* callbacks not answered yet when it came, with itself */
    int twins;   /* those of them to the same path */
    struct text path;
    struct text content_type; /* may be absent, as all that follow */
    struct text authorization;
    struct text header; /* form field xqueue_header */
    struct text body;   /* form field xqueue_body */
};

struct callbacks *callbacks_new(size_t keep);
void callbacks_free(struct callbacks *callbacks);

/* Count it, keep a copy, print a line. */
void callbacks_add(struct callbacks *callbacks,
                   const struct callback *callback);

/* Since the start, forgotten ones included. */
int64_t callbacks_count(const struct callbacks *callbacks);

/* Append those kept, oldest first, one JSON object a line. */
void callbacks_write(const struct callbacks *callbacks,
                     struct evbuffer *output);

#endif
