/*
 * The delivering part of the service: who talks to the LMS and to graders.
 * Loop thread.
 */
#ifndef XQUEUE_CLI_DELIVERY_H
#define XQUEUE_CLI_DELIVERY_H

#include "server/config/config.h"
#include "server/task/env.h"

struct delivery;

/* Sets env->fetcher, env->callbacks and env->pushes. */
struct delivery *delivery_start(struct env *env);

/*
 * There is a new configuration: what begins from now on follows it, what is
 * under way ends as it began.
 */
void delivery_reload(struct delivery *delivery, const struct config *old);

/* End what is under way now; env->fetcher is NULL afterwards. */
void delivery_cut_off(struct delivery *delivery);

/* Only when no task is left. NULL is legal. */
void delivery_free(struct delivery *delivery);

#endif
