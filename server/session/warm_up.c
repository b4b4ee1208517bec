/*
 * Verifying the passwords of USERS before anybody asks.
 *
 *   load      the user's stored hash
 *   loaded    hash the configured password on another thread
 *   checked   remember the pair, if it is right
 */
#include "server/session/warm_up.h"

#include "db/user.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/config/config.h"
#include "server/session/sessions.h"
#include "server/task/task.h"

/* As many as may wait for the password threads; the LMS is among the first. */
enum { USERS_MAX = PASSWORD_POOL_WAITING / 2 };

struct warm_up {
    struct task *task;
    struct text username;
    struct text password;
    struct user_load load;
    struct password_check check;
};

static enum step load(struct task *task);
static enum step loaded(struct task *task);
static void check_done(struct password_check *check);
static enum step checked(struct task *task);

void warm_up(struct env *env)
{
    const struct config *config = env->config;

    for (size_t i = 0; i < config->user_count && i < USERS_MAX; i++) {
        struct task *task = task_new(env, sizeof(struct warm_up));
        struct warm_up *self = task->self;

        self->task = task;
        self->username =
            arena_copy(task->arena, text_of(config->users[i].name));
        self->password =
            arena_copy(task->arena, text_of(config->users[i].password));
        task_run(task, load);
    }
}

static enum step load(struct task *task)
{
    struct warm_up *self = task->self;

    self->load.arena = task->arena;
    self->load.username = self->username;
    return task_await_database(task, &self->load.job, &user_load_op, loaded);
}

static enum step loaded(struct task *task)
{
    struct warm_up *self = task->self;

    self->check.done = check_done;
    if (self->load.job.status != DB_OK || !self->load.user.is_active ||
        !password_pool_submit(task->env->sessions->passwords, &self->check,
                              self->password, self->load.user.password))
        return task_end(task);
    return task_wait(task, checked);
}

static void check_done(struct password_check *check)
{
    struct warm_up *self = CONTAINER_OF(check, struct warm_up, check);

    task_resume(self->task);
}

static enum step checked(struct task *task)
{
    struct warm_up *self = task->self;

    if (self->check.matches)
        verified_passwords_remember(
            task->env->sessions->verified, self->username, self->password,
            self->load.user.password, clock_monotonic_ms());
    log_event(LOG_DEBUG, "warm_up", log_text("user", self->username),
              log_string("result",
                         self->check.matches ? "verified" : "not verified"));
    return task_end(task);
}
