/*
 * The listening socket.
 *
 * TCP_NODELAY is set on it because accepted sockets inherit it. When accept()
 * fails for want of descriptors the socket stays readable, and a loop that
 * just returns would spin: so we shed one waiting connection by means of a
 * spare descriptor and look away for a tenth of a second.
 *
 * While as many are connected as may be, nothing is accepted, but we watch
 * for somebody to wait: only then does a connection have to make room.
 */
#include "server/http/listener.h"

#include "server/base/log.h"
#include "server/base/memory.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BACKLOG = 1024,
    BACKOFF_US = 100 * 1000,
    MOST_ROOM = 32,
    SENT_AHEAD = 256 * 1024 /* bytes; Linux doubles it for its own needs */
};

struct endpoint {
    struct sockaddr_storage address;
    socklen_t size;
};

static bool endpoint_parse(const char *address, uint16_t port,
                           struct endpoint *ret_endpoint);
static int open_socket(const struct endpoint *endpoint);
static uint16_t port_of(int descriptor);
static void shed_one(struct http_listener *listener);
static void on_backoff_over(evutil_socket_t descriptor, short what,
                            void *context);
static void on_waiting(evutil_socket_t descriptor, short what, void *context);
static size_t waiting_count(int descriptor);
static void review(struct http_listener *listener);

bool http_listener_open(struct http_listener *listener, struct event_base *base,
                        struct evhttp *evhttp, const char *address,
                        uint16_t port, http_listener_error *on_error,
                        const char **ret_error)
{
    struct endpoint endpoint;
    int descriptor;

    *listener = (struct http_listener){.evhttp = evhttp, .spare = -1};
    if (!endpoint_parse(address, port, &endpoint)) {
        *ret_error = xasprintf("%s is not a numeric address", address);
        return false;
    }
    descriptor = open_socket(&endpoint);
    if (descriptor >= 0)
        listener->listener = evconnlistener_new(
            base, NULL, listener, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC,
            BACKLOG, descriptor);
    if (listener->listener == NULL) {
        *ret_error = xasprintf("cannot listen on %s port %u: %s", address,
                               (unsigned)port, strerror(errno));
        if (descriptor >= 0)
            close(descriptor);
        return false;
    }
    listener->port = port_of(descriptor);
    listener->bound = evhttp_bind_listener(evhttp, listener->listener);
    listener->backoff = event_new(base, -1, 0, on_backoff_over, listener);
    listener->waiting =
        event_new(base, descriptor, EV_READ | EV_PERSIST, on_waiting, listener);
    if (listener->bound == NULL || listener->backoff == NULL ||
        listener->waiting == NULL)
        fatal("no memory for a listener");
    evconnlistener_set_error_cb(listener->listener, on_error);
    listener->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return true;
}

void http_listener_set_full(struct http_listener *listener, bool full)
{
    if (listener->full == full)
        return;
    listener->full = full;
    listener->in_vain = false;
    review(listener);
}

void http_listener_when_full(struct http_listener *listener,
                             http_listener_make_room *make_room, void *context)
{
    listener->make_room = make_room;
    listener->make_room_context = context;
    review(listener);
}

void http_listener_look_again(struct http_listener *listener)
{
    if (!listener->in_vain)
        return;
    listener->in_vain = false;
    review(listener);
}

void http_listener_back_off(struct http_listener *listener)
{
    static struct log_once once;
    const struct timeval pause = {.tv_usec = BACKOFF_US};

    log_repeated(&once, LOG_WARNING, "cannot accept connections: %s",
                 strerror(errno));
    if (listener->bound == NULL)
        return;
    shed_one(listener);
    event_add(listener->backoff, &pause);
    review(listener);
}

void http_listener_close(struct http_listener *listener)
{
    if (listener->bound == NULL)
        return;
    event_free(listener->waiting); /* before its descriptor is closed */
    evhttp_del_accept_socket(listener->evhttp, listener->bound);
    event_free(listener->backoff);
    if (listener->spare >= 0)
        close(listener->spare);
    *listener = (struct http_listener){.port = listener->port, .spare = -1};
}

static bool endpoint_parse(const char *address, uint16_t port,
                           struct endpoint *ret_endpoint)
{
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    char bare[INET6_ADDRSTRLEN] = "";
    size_t size = strlen(address);

    if (size >= 2 && address[0] == '[' && address[size - 1] == ']') {
        address++;
        size -= 2;
    }
    if (size >= sizeof bare)
        return false;
    memcpy(bare, address, size);
    *ret_endpoint = (struct endpoint){.size = 0};
    if (inet_pton(AF_INET, bare, &four.sin_addr) == 1) {
        four.sin_port = htons(port);
        memcpy(&ret_endpoint->address, &four, sizeof four);
        ret_endpoint->size = sizeof four;
    } else if (inet_pton(AF_INET6, bare, &six.sin6_addr) == 1) {
        six.sin6_port = htons(port);
        memcpy(&ret_endpoint->address, &six, sizeof six);
        ret_endpoint->size = sizeof six;
    }
    return ret_endpoint->size > 0;
}

/*
 * What clients send ahead of us is memory that no limit of ours counts: the
 * system would let it grow to many megabytes for each of them.
 */
static int open_socket(const struct endpoint *endpoint)
{
    const int on = 1;
    const int ahead = SENT_AHEAD;
    const int descriptor =
        socket(endpoint->address.ss_family,
               SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int error;

    if (descriptor < 0)
        return -1;
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &ahead, sizeof ahead);
    if (bind(descriptor, (const struct sockaddr *)&endpoint->address,
             endpoint->size) == 0)
        return descriptor;
    error = errno;
    close(descriptor);
    errno = error;
    return -1;
}

static uint16_t port_of(int descriptor)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    struct sockaddr_in four;
    struct sockaddr_in6 six;

    if (getsockname(descriptor, (struct sockaddr *)&address, &size) != 0)
        return 0;
    memcpy(&four, &address, sizeof four);
    memcpy(&six, &address, sizeof six);
    return ntohs(address.ss_family == AF_INET ? four.sin_port : six.sin6_port);
}

/* Close the oldest waiting connection, so that its client need not wait. */
static void shed_one(struct http_listener *listener)
{
    int descriptor;

    if (listener->spare < 0)
        return;
    close(listener->spare);
    descriptor = accept(evconnlistener_get_fd(listener->listener), NULL, NULL);
    if (descriptor >= 0)
        close(descriptor);
    listener->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void on_backoff_over(evutil_socket_t descriptor, short what,
                            void *context)
{
    (void)descriptor;
    (void)what;
    review(context);
}

static void on_waiting(evutil_socket_t descriptor, short what, void *context)
{
    struct http_listener *listener = context;

    (void)what;
    if (listener->make_room(waiting_count(descriptor),
                            listener->make_room_context) > 0)
        return;
    listener->in_vain = true;
    review(listener);
}

/* At least one, and not so many that the others would notice. */
static size_t waiting_count(int descriptor)
{
    struct tcp_info info = {.tcpi_unacked = 0};
    socklen_t size = sizeof info;

    /* Of a listening socket these are the connections in its queue. */
    if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 ||
        info.tcpi_unacked == 0)
        return 1;
    return info.tcpi_unacked < MOST_ROOM ? info.tcpi_unacked : MOST_ROOM;
}

static void review(struct http_listener *listener)
{
    bool resting;

    if (listener->bound == NULL)
        return;
    resting = event_pending(listener->backoff, EV_TIMEOUT, NULL);
    if (listener->full || resting)
        evconnlistener_disable(listener->listener);
    else
        evconnlistener_enable(listener->listener);
    if (listener->full && !resting && listener->make_room != NULL &&
        !listener->in_vain)
        event_add(listener->waiting, NULL);
    else
        event_del(listener->waiting);
}
