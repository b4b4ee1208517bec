/*
 * /xqueue/login/ - open a session.
 *
 *   api_login         GET: say so; POST: was the password verified lately?
 *   load_user         if not, look at the user
 *   check_password    and hash it on another thread
 *   password_checked  it is right
 *   open_session      if the user still has it
 *   session_opened    reply with the cookie
 *
 * The LMS logs in for every submission (R17, R18): the memory of verified
 * passwords is what keeps that cheap.
 */
#include "db/session.h"
#include "db/user.h"
#include "server/api/endpoints.h"
#include "server/api/reply.h"
#include "server/base/clock.h"
#include "server/base/password.h"
#include "server/config/config.h"
#include "server/http/cookie.h"
#include "server/session/session_id.h"
#include "server/session/sessions.h"

#include <string.h>

static const char *const bad_credentials = "Incorrect login credentials";

struct login {
    struct task *task;
    struct text username;
    struct text password;
    struct user_load load;
    struct password_check check;
    bool is_checked; /* just now, not lately */
    struct session_open open;
    char cookie[SESSION_COOKIE_SIZE + 1];
};

static enum step load_user(struct task *task);
static enum step user_loaded(struct task *task);
static enum step check_password(struct task *task);
static void check_done(struct password_check *check);
static enum step password_checked(struct task *task);
static enum step open_session(struct task *task);
static enum step session_opened(struct task *task);

enum step api_login(struct task *task)
{
    struct request *request = request_of(task);
    struct login *self = request_new_state(task, sizeof *self);
    const unsigned char *verified;
    struct form form;
    enum form_status status;

    if (http_method(request->http) != HTTP_POST)
        return reply_fail(task, "login_required");
    status = request_read_form(task, &form);
    if (status != FORM_OK)
        return reply_form_refused(task, status);
    self->task = task;
    self->username = form_get(&form, "username");
    self->password = form_get(&form, "password");
    if (text_is_absent(self->username) || text_is_absent(self->password))
        return reply_fail(task, "Insufficient login info");
    if (self->password.size > PASSWORD_MAX_SIZE)
        return reply_fail(task, bad_credentials);
    verified =
        verified_passwords_find(task->env->sessions->verified, self->username,
                                self->password, clock_monotonic_ms());
    if (verified == NULL)
        return load_user(task);
    memcpy(self->open.password, verified, SESSION_PASSWORD_SIZE);
    return open_session(task);
}

static enum step load_user(struct task *task)
{
    struct login *self = request_of(task)->state;

    self->load.arena = task->arena;
    self->load.username = self->username;
    return task_await_database(task, &self->load.job, &user_load_op,
                               user_loaded);
}

static enum step user_loaded(struct task *task)
{
    struct sessions *sessions = task->env->sessions;
    struct login *self = request_of(task)->state;
    enum db_status status = self->load.job.status;
    int64_t now_ms = clock_monotonic_ms();
    int64_t delay_ms;

    if (status != DB_OK && status != DB_NOT_FOUND)
        return reply_unavailable(task, &self->load.job);
    if (status == DB_NOT_FOUND || !self->load.user.is_active)
        self->load.user.password = TEXT_ABSENT;
    delay_ms =
        login_throttle_delay_ms(sessions->throttle, self->username, now_ms);
    if (delay_ms > 0)
        return task_await_time(task, delay_ms, check_password);
    return check_password(task);
}

static enum step check_password(struct task *task)
{
    struct login *self = request_of(task)->state;

    self->check.done = check_done;
    if (!password_pool_submit(task->env->sessions->passwords, &self->check,
                              self->password, self->load.user.password))
        return reply_busy(task, "too many passwords to check");
    return task_wait(task, password_checked);
}

static void check_done(struct password_check *check)
{
    struct login *self = CONTAINER_OF(check, struct login, check);

    task_resume(self->task);
}

static enum step password_checked(struct task *task)
{
    struct sessions *sessions = task->env->sessions;
    struct login *self = request_of(task)->state;
    int64_t now_ms = clock_monotonic_ms();

    if (self->check.canceled)
        return reply_busy(task, "stopping");
    if (!self->check.matches) {
        login_throttle_failed(sessions->throttle, self->username, now_ms);
        return reply_fail(task, bad_credentials);
    }
    login_throttle_succeeded(sessions->throttle, self->username);
    verified_passwords_remember(sessions->verified, self->username,
                                self->password, self->load.user.password,
                                now_ms);
    self->is_checked = true;
    session_password_of(self->load.user.password, self->open.password);
    return open_session(task);
}

static enum step open_session(struct task *task)
{
    struct login *self = request_of(task)->state;

    session_id_make(self->cookie, self->open.id);
    self->open.username = self->username;
    self->open.age_s = task->env->config->session_cookie_age_s;
    return task_await_database(task, &self->open.job, &session_open_op,
                               session_opened);
}

static enum step session_opened(struct task *task)
{
    const struct config *config = task->env->config;
    struct login *self = request_of(task)->state;
    struct cached_session session = {self->open.user_id, self->username};
    const struct cookie cookie = {
        .name = config->session_cookie_name,
        .value = self->cookie,
        .max_age_s = config->session_cookie_age_s,
        .secure = config->session_cookie_secure,
        .same_site = config->session_cookie_samesite,
    };

    if (self->open.job.status == DB_NOT_FOUND)
        return self->is_checked ? reply_fail(task, bad_credentials)
                                : load_user(task);
    if (self->open.job.status != DB_OK)
        return reply_unavailable(task, &self->open.job);
    session_cache_put(task->env->sessions->cache, self->open.id, &session,
                      config->session_cookie_age_s * 1000000,
                      self->open.session_epoch, clock_monotonic_ms());
    request_of(task)->username = self->username;
    return reply_ok_cookie(task, text_of("Logged in"),
                           cookie_format(task->arena, &cookie));
}
