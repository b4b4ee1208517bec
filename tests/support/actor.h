/*
 * Who uses the service: the LMS, which submits, and a grader, who pulls and
 * puts results; both are the user lms with the password "password", on the
 * queue test-pull. Each has a connection of its own. One thread.
 *
 *     lms = actor_new(service_port(service));
 *     actor_submit(lms, sink_url(sink, "/a"), "1", "print(1)");
 *     lease = actor_pull(grader);
 *     actor_put(grader, &lease, "right");
 *
 * actor_try_...() never fail the test, whatever comes; the others do, unless
 * all goes well.
 */
#ifndef XQUEUE_TESTS_ACTOR_H
#define XQUEUE_TESTS_ACTOR_H

#include "tests/support/http_client.h"

struct actor;

/* A submission in the hands of a grader. */
struct lease {
    int64_t id;
    const char *key;
    const char *header; /* as put_result wants it */
    struct text body;
};

enum pull_outcome {
    PULL_GOT_ONE,
    PULL_EMPTY,
    PULL_FAILED /* anything else; perhaps one was leased */
};

/* Logs in. */
struct actor *actor_new(uint16_t port);

/* With the same session, on another connection. */
struct actor *actor_beside(const struct actor *other);

/* With the session of that cookie; makes no request. */
struct actor *actor_with_cookie(uint16_t port, const char *cookie);

void actor_free(struct actor *actor); /* NULL is legal */

/* For what is not covered here; free it with the actor. */
struct http_client *actor_client(struct actor *actor);

/* Replies, headers and leases so far are gone: for loops. */
void actor_forget(struct actor *actor);

/* `key` becomes the lms_key. Returns the xqueue_header. */
const char *actor_submit(struct actor *actor, const char *url, const char *key,
                         const char *body);
const struct reply *actor_try_submit(struct actor *actor, const char *header,
                                     const char *body);
const char *actor_header(struct actor *actor, const char *url, const char *key);

struct lease actor_pull(struct actor *actor);
enum pull_outcome actor_try_pull(struct actor *actor, struct lease *ret_lease);
void actor_expect_empty(struct actor *actor);

void actor_put(struct actor *actor, const struct lease *lease,
               const char *result);
const struct reply *actor_try_put(struct actor *actor, const char *header,
                                  const char *result);

#endif
