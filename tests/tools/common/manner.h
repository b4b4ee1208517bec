/*
 * How a path wants to be answered. It may begin with one or more of these, to
 * misbehave:
 *
 *     /status/CODE/...         answer with CODE
 *     /fail/TIMES/CODE/...     answer the first TIMES calls of that path with
 *                              CODE, later ones as usual
 *     /slow/MS/...             answer later
 *     /stall/...               never answer
 *     /redirect/CODE/...       send the caller to the rest of the path
 *     /drop/...                close the connection without an answer
 *
 * Loop thread.
 */
#ifndef XQUEUE_TESTS_TOOLS_MANNER_H
#define XQUEUE_TESTS_TOOLS_MANNER_H

#include "server/base/text.h"

struct evhttp_request;

struct manners;

struct manner {
    int status;           /* 0: close the connection */
    long slow_ms;         /* negative: never */
    const char *location; /* NULL: no redirect; borrows from the uri */
};

/* Remembers how often each path that fails at first was called. */
struct manners *manners_new(void);
void manners_free(struct manners *manners);

/* Reading it counts as one call of that path. */
struct manner manners_read(struct manners *manners, const char *uri);

/* Answer so; `type` and `body` are those of an answer with 200. */
void manner_answer(const struct manner *manner, struct evhttp_request *request,
                   const char *type, struct text body);

#endif
