/*
 * What this process remembers about who may speak: the session cache, the
 * verified passwords, the throttle, and the threads that hash. Loop thread.
 */
#ifndef XQUEUE_SESSION_SESSIONS_H
#define XQUEUE_SESSION_SESSIONS_H

#include "server/config/config.h"
#include "server/session/login_throttle.h"
#include "server/session/password_pool.h"
#include "server/session/session_cache.h"
#include "server/session/verified_passwords.h"

struct loop;

struct sessions {
    struct session_cache *cache;
    struct verified_passwords *verified;
    struct login_throttle *throttle;
    struct password_pool *passwords;
    struct loop_wake *wake; /* internal */
};

struct sessions *sessions_start(struct loop *loop, const struct config *config);

/* Joins the threads. NULL is legal. */
void sessions_stop(struct sessions *sessions);

#endif
