/*
 * A request of the XQueue protocol: a task with what the client sent.
 */
#ifndef XQUEUE_API_REQUEST_H
#define XQUEUE_API_REQUEST_H

#include "server/base/crypto.h"
#include "server/http/form.h"
#include "server/http/server.h"
#include "server/task/task.h"

struct route;

struct request {
    struct http_request *http; /* borrows; ends with the reply */
    const struct route *route;
    void *state; /* of the endpoint, in the task's arena */

    /* Who speaks, once the session is known (routes that need a login). */
    unsigned char session_id[SHA256_SIZE];
    struct text username;

    /* For the line in the log; absent and 0 while unknown. */
    struct text queue;
    int64_t submission;
    bool is_routine; /* success is no news */
};

struct request *request_of(struct task *task);

/* Cleared memory for the endpoint's own state. */
void *request_new_state(struct task *task, size_t size);

/* The last value of a query parameter; absent when there is none. */
struct text request_parameter(struct task *task, const char *name);

/*
 * The fields and files of the body. Anything but FORM_OK has to be answered
 * with reply_form_refused().
 */
enum form_status request_read_form(struct task *task,
                                   struct form *ret_form) MUST_CHECK;

/*
 * Who submits or grades, for the record: X-Real-IP where a proxy sent it,
 * else the peer's address (R53). At most 128 characters.
 */
struct text request_client_address(struct task *task);

/*
 * How the client has called us, as far as Host and X-Forwarded-Proto tell:
 * "http://xqueue:18040". What links to files begin with.
 */
struct text request_base_url(struct task *task);

#endif
