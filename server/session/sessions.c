/*
 * What this process remembers about who may speak.
 */
#include "server/session/sessions.h"

#include "server/base/memory.h"
#include "server/base/password.h"
#include "server/task/loop.h"

#include <stdlib.h>

static void collect(void *context);

struct sessions *sessions_start(struct loop *loop, const struct config *config)
{
    struct sessions *sessions = xcalloc(1, sizeof *sessions);
    struct password_pool_settings settings = {
        .threads = (size_t)config->password_threads,
        .least_iterations = PASSWORD_ITERATIONS,
        .wake = loop_wake,
    };

    sessions->cache = session_cache_new();
    sessions->verified = verified_passwords_new();
    sessions->throttle = login_throttle_new();
    sessions->wake = loop_wake_new(loop, collect, sessions);
    settings.wake_context = sessions->wake;
    sessions->passwords = password_pool_start(&settings);
    return sessions;
}

void sessions_stop(struct sessions *sessions)
{
    if (sessions == NULL)
        return;
    password_pool_stop(sessions->passwords);
    loop_wake_free(sessions->wake);
    login_throttle_free(sessions->throttle);
    verified_passwords_free(sessions->verified);
    session_cache_free(sessions->cache);
    free(sessions);
}

static void collect(void *context)
{
    struct sessions *sessions = context;

    password_pool_collect(sessions->passwords);
}
