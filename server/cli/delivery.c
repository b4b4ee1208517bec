/*
 * The delivering part of the service.
 *
 * A fetcher's settings are fixed. When a reload changes them a new one takes
 * its place, and the old one stays until its transfers have ended.
 */
#include "server/cli/delivery.h"

#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/deliver/callbacks.h"
#include "server/deliver/fetch.h"
#include "server/task/loop.h"

#include <stdlib.h>
#include <sys/queue.h>

enum { SWEEP_MS = 5000 };

struct old_fetcher {
    SLIST_ENTRY(old_fetcher) entry;
    struct fetcher *fetcher;
};

struct delivery {
    struct env *env;
    SLIST_HEAD(, old_fetcher) old;
    struct loop_timer *sweep;
};

static struct fetcher *new_fetcher(const struct env *env);
static void warn(const struct config *config);
static bool is_same(const struct config *left, const struct config *right);
static void sweep(void *context);
static void free_old(struct delivery *delivery, bool all);

struct delivery *delivery_start(struct env *env)
{
    struct delivery *delivery = xcalloc(1, sizeof *delivery);

    delivery->env = env;
    SLIST_INIT(&delivery->old);
    delivery->sweep = loop_timer_new(env->loop, sweep, delivery);
    warn(env->config);
    env->fetcher = new_fetcher(env);
    env->callbacks = callbacks_start(env);
    log_event(LOG_INFO, "delivering",
              log_integer("per_host", env->config->callback_concurrency));
    return delivery;
}

void delivery_reload(struct delivery *delivery, const struct config *old)
{
    struct env *env = delivery->env;
    struct old_fetcher *item;

    if (is_same(env->config, old))
        return;
    item = xcalloc(1, sizeof *item);
    item->fetcher = env->fetcher;
    SLIST_INSERT_HEAD(&delivery->old, item, entry);
    warn(env->config);
    env->fetcher = new_fetcher(env);
    loop_timer_set(delivery->sweep, SWEEP_MS);
}

void delivery_cut_off(struct delivery *delivery)
{
    struct fetcher *fetcher = delivery->env->fetcher;

    delivery->env->fetcher = NULL;
    fetcher_free(fetcher);
    free_old(delivery, true);
}

void delivery_free(struct delivery *delivery)
{
    if (delivery == NULL)
        return;
    delivery_cut_off(delivery);
    callbacks_free(delivery->env->callbacks);
    loop_timer_free(delivery->sweep);
    free(delivery);
}

static struct fetcher *new_fetcher(const struct env *env)
{
    const struct config *config = env->config;
    const struct fetcher_settings settings = {
        .max_connections = CALLBACKS_AT_ONCE,
        .verify_tls = config->verify_tls,
        .ca_file = config->tls_ca_file,
        .allowed_hosts = config->callback_allowed_hosts.items,
        .allowed_host_count = config->callback_allowed_hosts.count,
        .user_agent = "XQueue/" XQUEUE_VERSION,
    };

    return fetcher_new(loop_base(env->loop), &settings);
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

static void sweep(void *context)
{
    struct delivery *delivery = context;

    free_old(delivery, false);
    if (!SLIST_EMPTY(&delivery->old))
        loop_timer_set(delivery->sweep, SWEEP_MS);
}

/* Those that have nothing under way, or all. */
static void free_old(struct delivery *delivery, bool all)
{
    struct old_fetcher *next;

    for (struct old_fetcher *item = SLIST_FIRST(&delivery->old); item != NULL;
         item = next) {
        next = SLIST_NEXT(item, entry);
        if (!all && fetcher_in_flight(item->fetcher) > 0)
            continue;
        SLIST_REMOVE(&delivery->old, item, old_fetcher, entry);
        fetcher_free(item->fetcher);
        free(item);
    }
}
