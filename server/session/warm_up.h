/*
 * Verifying the passwords of USERS before anybody asks: then the first login
 * after a start is as quick as any other. A stock xqueue-watcher gives up
 * when its first login takes a second. Loop thread.
 */
#ifndef XQUEUE_SESSION_WARM_UP_H
#define XQUEUE_SESSION_WARM_UP_H

#include "server/task/env.h"

/*
 * Begins a task that takes the users of the configuration one by one, until
 * the service stops; what does not verify is left alone.
 */
void warm_up(struct env *env);

#endif
