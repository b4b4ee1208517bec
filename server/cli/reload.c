/*
 * SIGHUP: a new configuration while the service runs.
 *
 *   service_reload  load it; with a mistake in it, the old one stays
 *   number_queues   the database knows the queues by number
 *   store_users     USERS as `update_users` does it
 *   put_in_force    from here on everybody sees the new one
 *
 * What is fixed at start (the address, the database, limits of memory) stays
 * as it was: the settings table says which.
 */
#include "server/cli/service_private.h"

#include "db/queue.h"
#include "server/base/log.h"
#include "server/cli/delivery.h"
#include "server/cli/users_job.h"
#include "server/session/warm_up.h"
#include "server/task/queue_table.h"
#include "server/task/task.h"

#include <stdlib.h>

struct reload {
    struct service *service;
    struct config *config;
    struct queue_numbers numbers;
    struct users_job users;
};

static void log_lines(enum log_level level, const struct buffer *messages);
static enum step number_queues(struct task *task);
static enum step store_users(struct task *task);
static enum step put_in_force(struct task *task);
static void tell(const struct reload *self);
static void log_restart(const struct service *service);
static enum step keep_old(struct task *task, const char *reason);
static enum step finish(struct task *task);

void service_reload(struct service *service)
{
    const struct options *options = service->options;
    struct buffer messages = {NULL, 0, 0};
    struct config *config;
    struct reload *self;
    struct task *task;

    if (service->reloading || service->env.stopping) {
        service->reload_again = true;
        return;
    }
    config = config_load(options->config_path, options->overrides,
                         options->override_count, &messages);
    log_lines(config == NULL ? LOG_ERROR : LOG_WARNING, &messages);
    buffer_free(&messages);
    if (config == NULL) {
        log_event(LOG_ERROR, "reload",
                  log_string("result", "the old configuration stays"));
        return;
    }
    service->reloading = true;
    task = task_new(&service->env, sizeof *self);
    self = task->self;
    self->service = service;
    self->config = config;
    task_run(task, number_queues);
}

static void log_lines(enum log_level level, const struct buffer *messages)
{
    struct text rest = buffer_text(messages);

    while (rest.size > 0) {
        size_t size = 0;

        while (size < rest.size && rest.data[size] != '\n')
            size++;
        log_event(level, "configuration",
                  log_text("text", (struct text){rest.data, size}));
        size += size < rest.size;
        rest = (struct text){rest.data + size, rest.size - size};
    }
}

static enum step number_queues(struct task *task)
{
    struct reload *self = task->self;

    self->numbers = queue_table_question(task->arena, self->config);
    return task_await_database(task, &self->numbers.job, &queue_numbers_op,
                               store_users);
}

static enum step store_users(struct task *task)
{
    struct reload *self = task->self;

    if (self->numbers.job.status != DB_OK)
        return keep_old(task, "the database is away");
    self->users.users = self->config->users;
    self->users.count = self->config->user_count;
    return task_await_database(task, &self->users.job, &users_job_op,
                               put_in_force);
}

static enum step put_in_force(struct task *task)
{
    struct reload *self = task->self;
    struct service *service = self->service;

    if (self->users.job.status != DB_OK)
        return keep_old(task, "the users could not be stored");
    queue_table_free(service->env.queues);
    service->env.queues =
        queue_table_new(self->config, self->numbers.ret_numbers);
    service->env.config = self->config;
    if (service->delivery != NULL)
        delivery_reload(service->delivery, service->config);
    if (service->config != service->first_config)
        config_free(service->config);
    service->config = self->config;
    tell(self);
    if (service->env.sessions != NULL)
        warm_up(&service->env);
    log_restart(service);
    return finish(task);
}

/* In the log, if the old level or the new one lets it. */
static void tell(const struct reload *self)
{
    const struct config *config = self->config;

    if (!log_is_on(LOG_INFO))
        log_set_level(config->log_level);
    log_event(LOG_INFO, "reload",
              log_integer("queues", (int64_t)config->queue_count),
              log_integer("users_changed", (int64_t)self->users.changed),
              log_string("result", "ok"));
    log_set_level(config->log_level);
    log_set_format(config->log_format);
}

/* Against what runs since the start, whatever was loaded in between. */
static void log_restart(const struct service *service)
{
    struct buffer names = {NULL, 0, 0};

    config_needs_restart(service->first_config, service->config, &names);
    if (names.size > 0)
        log_event(LOG_WARNING, "reload",
                  log_text("changed", buffer_text(&names)),
                  log_string("then", "restart to apply these"));
    buffer_free(&names);
}

static enum step keep_old(struct task *task, const char *reason)
{
    struct reload *self = task->self;

    config_free(self->config);
    log_event(LOG_ERROR, "reload", log_string("reason", reason),
              log_string("result", "the old configuration stays"));
    return finish(task);
}

static enum step finish(struct task *task)
{
    struct reload *self = task->self;
    struct service *service = self->service;
    enum step step = task_end(task);

    service->reloading = false;
    if (service->reload_again && !service->env.stopping) {
        service->reload_again = false;
        service_reload(service);
    }
    return step;
}
