/*
 * evhttp, two signals, and a list of what is still to be answered.
 */
#include "tests/tools/common/host.h"

#include "server/base/memory.h"

#include <event2/event.h>
#include <event2/http.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { MAX_BODY_BYTES = 128 * 1024 * 1024 };

struct host {
    struct event_base *base;
    struct evhttp *http;
    struct later_list laters;
};

static void on_signal(evutil_socket_t number, short what, void *base);
static void on_time(evutil_socket_t none, short what, void *later);
static void later_free(struct later *later);

struct host *host_new(void (*on_request)(struct evhttp_request *request,
                                         void *context),
                      void *context)
{
    struct host *host = xcalloc(1, sizeof *host);

    signal(SIGPIPE, SIG_IGN);
    TAILQ_INIT(&host->laters);
    host->base = event_base_new();
    host->http = evhttp_new(host->base);
    evhttp_set_max_body_size(host->http, MAX_BODY_BYTES);
    evhttp_set_gencb(host->http, on_request, context);
    return host;
}

void host_free(struct host *host)
{
    while (!TAILQ_EMPTY(&host->laters))
        later_free(TAILQ_FIRST(&host->laters));
    evhttp_free(host->http);
    event_base_free(host->base);
    free(host);
    libevent_global_shutdown();
}

bool host_listen(struct host *host, const char *address, uint16_t port,
                 uint16_t *ret_port)
{
    struct evhttp_bound_socket *listener =
        evhttp_bind_socket_with_handle(host->http, address, port);
    struct sockaddr_storage bound = {0};
    socklen_t size = sizeof bound;

    if (listener == NULL)
        return false;
    getsockname(evhttp_bound_socket_get_fd(listener), (struct sockaddr *)&bound,
                &size);
    *ret_port = ntohs(bound.ss_family == AF_INET6
                          ? ((struct sockaddr_in6 *)&bound)->sin6_port
                          : ((struct sockaddr_in *)&bound)->sin_port);
    return true;
}

void host_run(struct host *host)
{
    struct event *terminate =
        evsignal_new(host->base, SIGTERM, on_signal, host->base);
    struct event *interrupt =
        evsignal_new(host->base, SIGINT, on_signal, host->base);

    event_add(terminate, NULL);
    event_add(interrupt, NULL);
    event_base_dispatch(host->base);
    event_free(terminate);
    event_free(interrupt);
}

void *later_new(struct host *host, struct evhttp_request *request, long ms,
                size_t size, void (*finish)(struct later *later))
{
    struct later *later = xcalloc(1, size);
    struct timeval after = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

    later->host = host;
    later->request = request;
    later->finish = finish;
    if (ms >= 0) {
        later->timer = evtimer_new(host->base, on_time, later);
        evtimer_add(later->timer, &after);
    }
    TAILQ_INSERT_TAIL(&host->laters, later, entry);
    return later;
}

void later_finish(struct later *later)
{
    later->finish(later);
    later_free(later);
}

struct later_list *host_laters(struct host *host)
{
    return &host->laters;
}

static void on_signal(evutil_socket_t number, short what, void *base)
{
    (void)number;
    (void)what;
    event_base_loopbreak(base);
}

static void on_time(evutil_socket_t none, short what, void *later)
{
    (void)none;
    (void)what;
    later_finish(later);
}

static void later_free(struct later *later)
{
    TAILQ_REMOVE(&later->host->laters, later, entry);
    if (later->timer != NULL)
        event_free(later->timer);
    free(later);
}
