/*
 * /xqueue/logout/ - end the session, on every process (R57).
 *
 *   api_logout     delete the session
 *   session_ended  forget it here too, and reply
 */
#include "db/session.h"
#include "server/api/auth.h"
#include "server/api/endpoints.h"
#include "server/api/reply.h"
#include "server/config/config.h"
#include "server/http/cookie.h"
#include "server/session/sessions.h"

static enum step session_ended(struct task *task);
static enum step say_goodbye(struct task *task);

enum step api_logout(struct task *task)
{
    struct session_end *end = request_new_state(task, sizeof *end);

    if (!auth_read_cookie(task, end->id))
        return say_goodbye(task);
    return task_await_database(task, &end->job, &session_end_op, session_ended);
}

static enum step session_ended(struct task *task)
{
    struct session_end *end = request_of(task)->state;

    if (end->job.status != DB_OK && end->job.status != DB_NOT_FOUND)
        return reply_unavailable(task, &end->job);
    session_cache_remove(task->env->sessions->cache, end->id);
    return say_goodbye(task);
}

static enum step say_goodbye(struct task *task)
{
    const struct config *config = task->env->config;
    const struct cookie cookie = {
        .name = config->session_cookie_name,
        .value = "",
        .max_age_s = 0,
        .secure = config->session_cookie_secure,
        .same_site = config->session_cookie_samesite,
    };

    return reply_ok_cookie(task, text_of("Goodbye"),
                           cookie_format(task->arena, &cookie));
}
