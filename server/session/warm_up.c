/*
 * Verifying the passwords of USERS before anybody asks. For each of them:
 *
 *   load_next   the user's stored hash
 *   loaded      hash the configured password on another thread
 *   checked     remember the pair, if it is right
 */
#include "server/session/warm_up.h"

#include "db/user.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/config/config.h"
#include "server/session/sessions.h"
#include "server/task/task.h"

/* The LMS and the graders are among the first; each takes a hash's time. */
enum { USERS_MAX = 32 };

struct warm_up_user {
    struct text name;
    struct text password;
};

struct warm_up {
    struct task *task;
    struct warm_up_user *users;
    size_t count;
    size_t next;
    struct user_load load;
    struct password_check check;
};

static void copy_users(struct warm_up *self, const struct config *config);
static enum step load_next(struct task *task);
static enum step loaded(struct task *task);
static void check_done(struct password_check *check);
static enum step checked(struct task *task);

void warm_up(struct env *env)
{
    struct task *task = task_new(env, sizeof(struct warm_up));
    struct warm_up *self = task->self;

    self->task = task;
    copy_users(self, env->config);
    task_run(task, load_next);
}

/* A reload may end the configuration before that. */
static void copy_users(struct warm_up *self, const struct config *config)
{
    struct arena *arena = self->task->arena;

    self->users = arena_alloc(arena, USERS_MAX * sizeof *self->users);
    for (size_t i = 0; i < config->user_count && i < USERS_MAX; i++)
        self->users[self->count++] = (struct warm_up_user){
            .name = arena_copy(arena, text_of(config->users[i].name)),
            .password = arena_copy(arena, text_of(config->users[i].password)),
        };
}

/* One after the other: logins do not queue behind all, nor does a stop. */
static enum step load_next(struct task *task)
{
    struct warm_up *self = task->self;

    if (self->next == self->count || task->env->stopping)
        return task_end(task);
    self->load = (struct user_load){
        .arena = task->arena,
        .username = self->users[self->next].name,
    };
    return task_await_database(task, &self->load.job, &user_load_op, loaded);
}

static enum step loaded(struct task *task)
{
    struct warm_up *self = task->self;

    self->check = (struct password_check){.done = check_done};
    if (self->load.job.status == DB_OK && self->load.user.is_active &&
        password_pool_submit(task->env->sessions->passwords, &self->check,
                             self->users[self->next].password,
                             self->load.user.password))
        return task_wait(task, checked);
    self->next++;
    return load_next(task);
}

static void check_done(struct password_check *check)
{
    struct warm_up *self = CONTAINER_OF(check, struct warm_up, check);

    task_resume(self->task);
}

static enum step checked(struct task *task)
{
    struct warm_up *self = task->self;
    const struct warm_up_user *user = &self->users[self->next++];

    if (self->check.matches)
        verified_passwords_remember(task->env->sessions->verified, user->name,
                                    user->password, self->load.user.password,
                                    clock_monotonic_ms());
    log_event(LOG_DEBUG, "warm_up", log_text("user", user->name),
              log_string("result",
                         self->check.matches ? "verified" : "not verified"));
    return load_next(task);
}
