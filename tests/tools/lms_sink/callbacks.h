/*
 * What a callback looks like in the sink's records, and in a line for people.
 * Loop thread.
 */
#ifndef XQUEUE_TESTS_LMS_SINK_CALLBACKS_H
#define XQUEUE_TESTS_LMS_SINK_CALLBACKS_H

#include "tests/tools/common/records.h"

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

/* Keep a copy, print a line. */
void callbacks_add(struct records *records, const struct callback *callback);

#endif
