/*
 * The HTTP server: evhttp with a guard beside each of its connections.
 *
 *   listener.c     the listening socket
 *   connection.c   what a connection is doing
 *   intake.c       its bytes as they come
 *   deadlines.c    how long it may take
 *   crowd.c        who has to go when there are too many
 *   body_memory.c  how much all bodies together may hold
 *   admission.c    which requests get to the handler
 *   refusal.c      what the others are told
 *   linger.c       closing so that they can read it
 *   request.c, reply.c, stream.c   the handler's side
 */
#include "server/http/server.h"

#include "server/base/memory.h"
#include "server/base/open_files.h"
#include "server/http/admission.h"
#include "server/http/body_rate.h"
#include "server/http/crowd.h"
#include "server/http/deadlines.h"
#include "server/http/private.h"
#include "server/http/receivers.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <signal.h>
#include <stdlib.h>

enum {
    SWEEP_US = 500 * 1000,
    OTHER_DESCRIPTORS = 1024, /* deliveries, database, log, and a few more */
    HEAD_SLACK = 4096,        /* evhttp is to stumble after our own watch */
};

struct search {
    const struct evconnlistener *listener;
    struct http_server *found;
};

static size_t connection_limit(size_t wanted);
static void set_up_library(void);
static struct evhttp *new_evhttp(struct http_server *server);
static struct bufferevent *on_accept(struct event_base *base, void *context);
static size_t make_room(size_t wanted, void *context);
static void on_request(struct evhttp_request *evhttp, void *context);
static void on_sweep(evutil_socket_t descriptor, short what, void *context);
static void on_accept_error(struct evconnlistener *source, void *context);
static int match_server(const struct event_base *base,
                        const struct event *event, void *context);
static void on_library_log(int severity, const char *message);
NORETURN static void on_library_fatal(int error);

void http_settings_init(struct http_settings *settings)
{
    *settings = (struct http_settings){
        .address = "127.0.0.1",
        .port = 18040,
        .max_head_bytes = 16384,
        .max_fields = 64,
        .max_body_bytes = (size_t)32 * 1024 * 1024,
        .body_memory_bytes = (size_t)256 * 1024 * 1024,
        .body_rate = (size_t)64 * 1024 * 1024,
        .max_connections = 2000,
        .head_timeout_s = 10,
        .body_grace_s = 10,
        .min_body_rate = 1024,
        .request_timeout_s = 120,
        .reply_timeout_s = 30,
        .idle_timeout_s = 90,
        .stream_timeout_s = 3600,
    };
}

struct http_server *http_server_start(struct event_base *base,
                                      const struct http_settings *settings,
                                      http_handler *handler, void *context,
                                      const char **ret_error)
{
    const struct timeval sweep = {.tv_usec = SWEEP_US};
    struct http_server *server = xcalloc(1, sizeof *server);

    set_up_library();
    server->base = base;
    server->settings = *settings;
    server->settings.address = NULL; /* borrowed for this call only */
    server->settings.max_connections =
        connection_limit(settings->max_connections);
    server->handler = handler;
    server->context = context;
    TAILQ_INIT(&server->connections);
    http_body_rate_start(server);
    http_receivers_start(server);
    http_crowd_start(server);
    server->evhttp = new_evhttp(server);
    server->sweep = event_new(base, -1, EV_PERSIST, on_sweep, server);
    if (server->sweep == NULL || event_add(server->sweep, &sweep) != 0)
        fatal("no memory for the HTTP server");
    if (http_listener_open(&server->listener, base, server->evhttp,
                           settings->address, settings->port, on_accept_error,
                           ret_error)) {
        http_listener_when_full(&server->listener, make_room, server);
        return server;
    }
    http_server_free(server);
    return NULL;
}

uint16_t http_server_port(const struct http_server *server)
{
    return server->listener.port;
}

void http_server_stop_accepting(struct http_server *server)
{
    server->stopping = true;
    http_listener_close(&server->listener);
    http_connection_adopt_all(server);
    http_deadlines_check(server); /* closes the idle ones */
}

size_t http_server_in_flight(const struct http_server *server)
{
    return server->in_flight;
}

size_t http_server_connections(const struct http_server *server)
{
    return server->connection_count;
}

void http_server_free(struct http_server *server)
{
    if (server == NULL)
        return;
    if (server->in_flight > 0)
        fatal("the HTTP server ends with %zu requests in flight",
              server->in_flight);
    server->ending = true;
    http_connection_adopt_all(server);
    http_listener_close(&server->listener);
    evhttp_free(server->evhttp);
    http_connection_end_all(server);
    event_free(server->sweep);
    http_body_rate_stop(server);
    free(server->by_descriptor);
    free(server);
}

void http_server_review_listener(struct http_server *server)
{
    http_listener_set_full(&server->listener,
                           server->connection_count >=
                               server->settings.max_connections);
}

/* As many as wanted, while the process keeps descriptors for the rest. */
static size_t connection_limit(size_t wanted)
{
    size_t limit = open_files_raise();
    size_t possible =
        limit > 2 * OTHER_DESCRIPTORS ? limit - OTHER_DESCRIPTORS : limit / 2;

    if (possible >= wanted)
        return wanted;
    log_message(LOG_WARNING,
                "%zu connections at most: the system allows %zu "
                "open files",
                possible, limit);
    return possible;
}

static void set_up_library(void)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};

    event_set_log_callback(on_library_log);
    event_set_fatal_callback(on_library_fatal);
    sigaction(SIGPIPE, &ignore, NULL); /* bufferevents write() to sockets */
}

/*
 * All methods that it can name are allowed, so that the handler can answer
 * 405; an unnamed one must not be, as it would come through as a number.
 */
static struct evhttp *new_evhttp(struct http_server *server)
{
    const struct http_settings *settings = &server->settings;
    struct evhttp *evhttp = evhttp_new(server->base);

    if (evhttp == NULL)
        fatal("no memory for the HTTP server");
    evhttp_set_default_content_type(evhttp, NULL);
    evhttp_set_max_headers_size(
        evhttp, (ev_ssize_t)(settings->max_head_bytes + HEAD_SLACK));
    evhttp_set_max_body_size(evhttp, (ev_ssize_t)settings->max_body_bytes);
    evhttp_set_allowed_methods(
        evhttp, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD |
                    EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS |
                    EVHTTP_REQ_TRACE | EVHTTP_REQ_CONNECT | EVHTTP_REQ_PATCH);
    evhttp_set_bevcb(evhttp, on_accept, server);
    evhttp_set_gencb(evhttp, on_request, server);
    return evhttp;
}

static struct bufferevent *on_accept(struct event_base *base, void *context)
{
    struct http_server *server = context;
    struct bufferevent *bufferevent = http_connection_accept(server);

    (void)base;
    http_server_review_listener(server);
    return bufferevent;
}

static size_t make_room(size_t wanted, void *context)
{
    return http_crowd_make_room(context, wanted);
}

static void on_request(struct evhttp_request *evhttp, void *context)
{
    struct http_server *server = context;
    struct http_connection *connection = http_connection_find(server, evhttp);
    struct http_request *request = http_request_new(server, connection, evhttp);
    const struct gate_verdict verdict = http_admission_judge(request);

    if (verdict.status != 0) {
        http_request_free(request);
        http_connection_refuse(connection, verdict.status, verdict.reason);
        return;
    }
    server->in_flight++;
    http_connection_handling(
        connection, request,
        evbuffer_get_length(evhttp_request_get_input_buffer(evhttp)));
    server->handler(request, server->context);
}

static void on_sweep(evutil_socket_t descriptor, short what, void *context)
{
    struct http_server *server = context;

    (void)descriptor;
    (void)what;
    http_deadlines_check(server);
    http_receivers_look(server);
    http_listener_look_again(&server->listener);
}

/*
 * The library gives us its own argument, evhttp, which leads nowhere. Our
 * timer is always pending: it leads to the server.
 */
static void on_accept_error(struct evconnlistener *source, void *context)
{
    struct search search = {.listener = source};

    (void)context;
    event_base_foreach_event(evconnlistener_get_base(source), match_server,
                             &search);
    if (search.found != NULL)
        http_listener_back_off(&search.found->listener);
}

static int match_server(const struct event_base *base,
                        const struct event *event, void *context)
{
    struct search *search = context;
    struct http_server *server;

    (void)base;
    if (event_get_callback(event) != on_sweep)
        return 0;
    server = event_get_callback_arg(event);
    if (server->listener.listener != search->listener)
        return 0;
    search->found = server;
    return 1;
}

static void on_library_log(int severity, const char *message)
{
    static struct log_once once;

    if (severity >= EVENT_LOG_MSG)
        log_repeated(&once, LOG_WARNING, "libevent: %s", message);
}

static void on_library_fatal(int error)
{
    fatal("libevent gave up with error %d", error);
}
