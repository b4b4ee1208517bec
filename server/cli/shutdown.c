/*
 * Stopping: accept no more, claim no more, let what is in hand end. After
 * STOP_TIMEOUT transfers are cut off (callbacks stay in the outbox, pushes go
 * back to their queues), and soon after that the process ends whatever is
 * left: the database has it all. By default that is within the ten seconds
 * that Docker gives before it kills.
 */
#include "server/cli/service_private.h"

#include "server/api/housekeeping.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/cli/delivery.h"
#include "server/config/config.h"
#include "server/deliver/callbacks.h"
#include "server/deliver/pushes.h"
#include "server/http/server.h"
#include "server/task/loop.h"

#include <unistd.h>

enum { CUT_OFF_MS = 2000, LOOK_MS = 20 };

static void look(void *context);
static bool is_done(const struct service *service);
static bool has_clients(const struct service *service);

void service_shut_down(struct service *service)
{
    if (service->env.stopping) {
        log_event(LOG_WARNING, "stop", log_string("how", "at once"));
        _exit(0);
    }
    service->env.stopping = true;
    log_event(LOG_INFO, "stop",
              log_integer("tasks", (int64_t)service->env.tasks));
    if (service->http != NULL)
        http_server_stop_accepting(service->http);
    if (service->env.callbacks != NULL)
        callbacks_stop(service->env.callbacks);
    if (service->env.pushes != NULL)
        pushes_stop(service->env.pushes);
    housekeeping_stop(service->housekeeping);
    service->stop_deadline_ms =
        clock_monotonic_ms() +
        (int64_t)(service->config->stop_timeout_s * 1000);
    service->stop_timer = loop_timer_new(service->env.loop, look, service);
    loop_timer_set(service->stop_timer, 0);
}

static void look(void *context)
{
    struct service *service = context;
    int64_t now_ms = clock_monotonic_ms();
    bool is_late = now_ms >= service->stop_deadline_ms;

    if (is_done(service) && (is_late || !has_clients(service))) {
        loop_stop(service->env.loop);
        return;
    }
    if (is_late) {
        if (service->env.fetcher == NULL) {
            log_event(LOG_WARNING, "stop",
                      log_integer("unfinished", (int64_t)service->env.tasks));
            _exit(0);
        }
        delivery_cut_off(service->delivery);
        service->stop_deadline_ms = now_ms + CUT_OFF_MS;
    }
    loop_timer_set(service->stop_timer, LOOK_MS);
}

static bool is_done(const struct service *service)
{
    return service->env.tasks == 0 &&
           (service->http == NULL || http_server_in_flight(service->http) == 0);
}

/* Idle ones are closed at once; these still read a reply, or send. */
static bool has_clients(const struct service *service)
{
    return service->http != NULL && http_server_connections(service->http) > 0;
}
