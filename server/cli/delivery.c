/*
 * The delivering part of the service: one fetcher, and who sends through it.
 */
#include "server/cli/delivery.h"

#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/deliver/callbacks.h"
#include "server/fetch/fetch.h"
#include "server/deliver/pushes.h"
#include "server/task/loop.h"

#include <stdlib.h>

struct delivery {
    struct env *env;
};

static struct fetcher *new_fetcher(const struct env *env);
static int64_t count_push_queues(const struct config *config);
static void warn(const struct config *config);
static bool is_same(const struct config *left, const struct config *right);

struct delivery *delivery_start(struct env *env)
{
    struct delivery *delivery = xcalloc(1, sizeof *delivery);

    delivery->env = env;
    warn(env->config);
    env->fetcher = new_fetcher(env);
    env->callbacks = callbacks_start(env);
    env->pushes = pushes_start(env);
    log_event(LOG_INFO, "delivering",
              log_integer("per_host", env->config->callback_concurrency),
              log_integer("push_queues", count_push_queues(env->config)));
    return delivery;
}

void delivery_reload(struct delivery *delivery, const struct config *old)
{
    struct env *env = delivery->env;

    if (!is_same(env->config, old))
        warn(env->config);
    pushes_reload(env->pushes);
}

void delivery_cut_off(struct delivery *delivery)
{
    struct fetcher *fetcher = delivery->env->fetcher;

    delivery->env->fetcher = NULL;
    fetcher_free(fetcher);
}

void delivery_free(struct delivery *delivery)
{
    if (delivery == NULL)
        return;
    delivery_cut_off(delivery);
    callbacks_free(delivery->env->callbacks);
    pushes_free(delivery->env->pushes);
    free(delivery);
}

static struct fetcher *new_fetcher(const struct env *env)
{
    /* As many as there can be: what is claimed starts at once. */
    const struct fetcher_settings settings = {
        .max_connections = CALLBACKS_AT_ONCE + PUSHES_AT_ONCE,
        .user_agent = "XQueue/" XQUEUE_VERSION,
    };

    return fetcher_new(loop_base(env->loop), &settings);
}

static int64_t count_push_queues(const struct config *config)
{
    int64_t count = 0;

    for (size_t i = 0; i < config->queue_count; i++)
        count += config->queues[i].grader_url != NULL;
    return count;
}

static void warn(const struct config *config)
{
    if (config->callback_allowed_hosts.count == 0)
        log_event(LOG_WARNING, "start",
                  log_string("text", "callbacks may go to any host: see"
                                     " CALLBACK_ALLOWED_HOSTS"));
    if (!config->verify_tls)
        log_event(LOG_WARNING, "start",
                  log_string("text", "certificates are not verified: see"
                                     " VERIFY_TLS"));
}

/* A file of certificates is read anew only under a new name. */
static bool is_same(const struct config *left, const struct config *right)
{
    return left->verify_tls == right->verify_tls &&
           config_texts_equal(left->tls_ca_file, right->tls_ca_file) &&
           config_lists_equal(&left->callback_allowed_hosts,
                              &right->callback_allowed_hosts);
}
