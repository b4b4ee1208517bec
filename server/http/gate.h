/*
 * Is a request acceptable at all? Asked before any route, about what evhttp
 * has parsed, because evhttp lets pass much that another reader of the same
 * bytes would take differently. Pure; knows no evhttp.
 *
 * What evhttp loses before we can ask is head_watch.h's business.
 */
#ifndef XQUEUE_HTTP_GATE_H
#define XQUEUE_HTTP_GATE_H

#include "server/base/compiler.h"
#include "server/base/text.h"

struct gate_field {
    struct text name;
    struct text value; /* without blanks at both ends */
};

struct gate_request {
    struct text method;
    int major; /* of the version */
    int minor;
    struct text target; /* as it was sent */
    const struct gate_field *fields;
    size_t field_count;
    size_t body_size; /* that was read, without chunk framing */
};

struct gate_limits {
    size_t max_fields;       /* 64 */
    size_t max_target_bytes; /* 8192 */
};

struct gate_verdict {
    int status;         /* 0: acceptable; else answer this and close */
    const char *reason; /* constant words for people; NULL when acceptable */
};

struct gate_verdict gate_judge(const struct gate_request *request,
                               const struct gate_limits *limits);

#endif
