/*
 * What has to be done now and then: leases that ran out, the session epoch,
 * old tokens and sessions. Every process does it; the database sees to it
 * that they do not get in each other's way. Loop thread.
 */
#ifndef XQUEUE_API_HOUSEKEEPING_H
#define XQUEUE_API_HOUSEKEEPING_H

#include "server/task/env.h"

struct housekeeping;

struct housekeeping *housekeeping_start(struct env *env);

/* Begin nothing new. */
void housekeeping_stop(struct housekeeping *housekeeping);

/* Only when env->tasks is 0. NULL is legal. */
void housekeeping_free(struct housekeeping *housekeeping);

#endif
