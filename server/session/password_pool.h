/*
 * Threads that check passwords, which takes a good part of a second each.
 * Submitting and collecting belong to one thread, the loop's. Equal checks
 * that wait together cost one.
 */
#ifndef XQUEUE_SESSION_PASSWORD_POOL_H
#define XQUEUE_SESSION_PASSWORD_POOL_H

#include "server/base/text.h"
#include "server/base/workers.h"

enum { PASSWORD_POOL_WAITING = 32 }; /* checks not yet begun */

/* To be embedded. From submit until `done` it belongs to the pool. */
struct password_check {
    void (*done)(struct password_check *check); /* set before submitting */
    bool matches;                               /* out */
    bool canceled; /* out: the pool stopped before it was looked at */

    struct job job;       /* internal, like all below */
    struct text password; /* both in `memory` */
    struct text stored;
    char *memory; /* owns */
    size_t memory_size;
    int least_iterations;
};

struct password_pool;

struct password_pool_settings {
    size_t threads;
    int least_iterations; /* of a refusal: see server/base/password.h */
    void (*wake)(void *wake_context); /* see workers.h */
    void *wake_context;
};

struct password_pool *
password_pool_start(const struct password_pool_settings *settings);

/*
 * Compare `password` with the hash `stored`; both are copied. An absent
 * `stored` (no such user) takes as long as any other refusal. False when
 * PASSWORD_POOL_WAITING are waiting: nothing was taken.
 */
bool password_pool_submit(struct password_pool *pool,
                          struct password_check *check, struct text password,
                          struct text stored) MUST_CHECK;

/* Run `done` of finished checks. */
void password_pool_collect(struct password_pool *pool);

/* Checks submitted and not yet collected. */
size_t password_pool_pending(struct password_pool *pool);

/* Running checks end, waiting ones are canceled. NULL is legal. */
void password_pool_stop(struct password_pool *pool);

#endif
