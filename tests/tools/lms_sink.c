/*
 * A tiny LMS: takes callbacks, prints one line for each and remembers them.
 *
 *     lms_sink ADDRESS PORT [KEEP]
 *
 * With port 0 it takes a free one; its first line is "listening port=N".
 *
 *     POST /anything           200 with an empty body, as the LMS
 *     GET /received            the last KEEP (100) callbacks, as JSON lines
 *     GET /received?count=N&wait_ms=M
 *                              the same, once N have come since the start, or
 *                              M milliseconds have passed
 *
 * The path of a callback may begin with one or more of these, to misbehave:
 *
 *     /status/CODE/...         answer with CODE
 *     /fail/TIMES/CODE/...     answer the first TIMES calls of that path with
 *                              CODE, later ones as usual
 *     /slow/MS/...             answer later
 *     /redirect/CODE/...       send the caller to the rest of the path
 *     /drop/...                close the connection without an answer
 *
 * One thread, one loop.
 */
#include "server/base/arena.h"
#include "server/base/memory.h"
#include "server/http/form.h"
#include "tests/tools/lms_sink/callbacks.h"
#include "tests/tools/lms_sink/manner.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

enum { KEEP_DEFAULT = 100, MAX_BODY_BYTES = 128 * 1024 * 1024 };

/* A request that is answered later: a slow one, or one that waits. */
struct pending {
    TAILQ_ENTRY(pending) entry;
    struct lms *lms;
    struct evhttp_request *request;
    struct event *timer;
    struct manner manner;
    int64_t count; /* GET /received: for so many; 0: a slow callback */
};

struct lms {
    struct event_base *base;
    struct callbacks *callbacks;
    struct manners *manners;
    TAILQ_HEAD(pending_list, pending) pendings;
};

static int serve(struct lms *lms, const char *address, const char *port);
static struct evhttp *listen_on(struct lms *lms, const char *address,
                                const char *port);
static void on_signal(evutil_socket_t number, short what, void *base);
static void on_request(struct evhttp_request *request, void *context);
static void take(struct lms *lms, struct evhttp_request *request, int status);
static int in_hand(const struct lms *lms, const char *uri);
static void answer(struct evhttp_request *request, const struct manner *manner);
static void tell(struct lms *lms, struct evhttp_request *request);
static int64_t query_number(const struct form *query, const char *name);
static void send_received(struct lms *lms, struct evhttp_request *request);
static struct pending *answer_later(struct lms *lms,
                                    struct evhttp_request *request, long ms);
static void on_time(evutil_socket_t none, short what, void *context);
static void wake_waiting(struct lms *lms);
static void finish(struct pending *pending);
static void pending_free(struct pending *pending);

static const struct form_limits limits = {.max_fields = 1000, .max_files = 100};

int main(int count, char **words)
{
    struct lms lms = {0};
    unsigned long keep = KEEP_DEFAULT;
    int status;

    if (count == 4)
        keep = strtoul(words[3], NULL, 10);
    if (count < 3 || count > 4 || keep == 0) {
        fprintf(stderr, "usage: lms_sink ADDRESS PORT [KEEP]\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, 0);
    TAILQ_INIT(&lms.pendings);
    lms.base = event_base_new();
    lms.callbacks = callbacks_new(keep);
    lms.manners = manners_new();
    status = serve(&lms, words[1], words[2]);
    manners_free(lms.manners);
    callbacks_free(lms.callbacks);
    event_base_free(lms.base);
    libevent_global_shutdown();
    return status;
}

static int serve(struct lms *lms, const char *address, const char *port)
{
    struct evhttp *http = listen_on(lms, address, port);
    struct event *terminate;
    struct event *interrupt;

    if (http == NULL) {
        fprintf(stderr, "lms_sink: cannot listen on %s port %s\n", address,
                port);
        return 1;
    }
    terminate = evsignal_new(lms->base, SIGTERM, on_signal, lms->base);
    interrupt = evsignal_new(lms->base, SIGINT, on_signal, lms->base);
    event_add(terminate, NULL);
    event_add(interrupt, NULL);
    event_base_dispatch(lms->base);

    while (!TAILQ_EMPTY(&lms->pendings))
        pending_free(TAILQ_FIRST(&lms->pendings));
    event_free(terminate);
    event_free(interrupt);
    evhttp_free(http);
    return 0;
}

static struct evhttp *listen_on(struct lms *lms, const char *address,
                                const char *port)
{
    struct evhttp *http = evhttp_new(lms->base);
    struct evhttp_bound_socket *listener;
    struct sockaddr_storage bound;
    socklen_t size = sizeof bound;
    char number[NI_MAXSERV] = "";

    evhttp_set_max_body_size(http, MAX_BODY_BYTES);
    evhttp_set_gencb(http, on_request, lms);
    listener = evhttp_bind_socket_with_handle(
        http, address, (unsigned short)strtoul(port, NULL, 10));
    if (listener == NULL) {
        evhttp_free(http);
        return NULL;
    }
    getsockname(evhttp_bound_socket_get_fd(listener), (struct sockaddr *)&bound,
                &size);
    getnameinfo((struct sockaddr *)&bound, size, NULL, 0, number, sizeof number,
                NI_NUMERICSERV);
    printf("listening port=%s\n", number);
    return http;
}

static void on_signal(evutil_socket_t number, short what, void *base)
{
    (void)number;
    (void)what;
    event_base_loopbreak(base);
}

static void on_request(struct evhttp_request *request, void *context)
{
    struct lms *lms = context;
    struct manner manner;

    if (evhttp_request_get_command(request) != EVHTTP_REQ_POST) {
        tell(lms, request);
        return;
    }
    manner = manners_read(lms->manners, evhttp_request_get_uri(request));
    take(lms, request, manner.status);
    if (manner.slow_ms > 0)
        answer_later(lms, request, manner.slow_ms)->manner = manner;
    else
        answer(request, &manner);
    wake_waiting(lms);
}

static void take(struct lms *lms, struct evhttp_request *request, int status)
{
    struct evkeyvalq *fields = evhttp_request_get_input_headers(request);
    struct evbuffer *input = evhttp_request_get_input_buffer(request);
    struct arena *arena = arena_new();
    struct form form = {0};
    struct text body = {.size = evbuffer_get_length(input)};
    struct callback callback = {
        .status = status,
        .in_hand = 1 + in_hand(lms, NULL),
        .twins = 1 + in_hand(lms, evhttp_request_get_uri(request)),
        .path = text_of(evhttp_request_get_uri(request)),
        .content_type = text_of(evhttp_find_header(fields, "Content-Type")),
        .authorization = text_of(evhttp_find_header(fields, "Authorization")),
    };

    body.data = (const char *)evbuffer_pullup(input, -1);
    if (body.data == NULL)
        body = text_of("");
    if (form_parse_body(arena, callback.content_type, body, &limits, &form) !=
        FORM_OK)
        form = (struct form){0};
    callback.header = form_get(&form, "xqueue_header");
    callback.body = form_get(&form, "xqueue_body");
    callbacks_add(lms->callbacks, &callback);
    arena_free(arena);
}

/* Slow callbacks that are not answered yet; with `uri`, those to it. */
static int in_hand(const struct lms *lms, const char *uri)
{
    const struct pending *pending;
    int count = 0;

    TAILQ_FOREACH(pending, &lms->pendings, entry)
    {
        if (pending->count == 0 &&
            (uri == NULL ||
             strcmp(uri, evhttp_request_get_uri(pending->request)) == 0))
            count++;
    }
    return count;
}

static void answer(struct evhttp_request *request, const struct manner *manner)
{
    struct evkeyvalq *fields = evhttp_request_get_output_headers(request);

    if (manner->status == 0) {
        struct evhttp_connection *connection =
            evhttp_request_get_connection(request);

        if (connection != NULL)
            evhttp_connection_free(connection);
        return;
    }
    if (manner->location != NULL)
        evhttp_add_header(fields, "Location", manner->location);
    evhttp_add_header(fields, "Content-Type", "text/html; charset=utf-8");
    evhttp_send_reply(request, manner->status, "As asked", NULL);
}

/* Anything but a POST. */
static void tell(struct lms *lms, struct evhttp_request *request)
{
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
    const char *path = evhttp_uri_get_path(uri);
    struct text source = text_of(evhttp_uri_get_query(uri));
    struct arena *arena = arena_new();
    struct form query = {0};
    int64_t count;
    int64_t wait_ms;

    if (text_is_absent(source) ||
        form_parse_urlencoded(arena, source, &limits, &query) != FORM_OK)
        query = (struct form){0};
    count = query_number(&query, "count");
    wait_ms = query_number(&query, "wait_ms");
    arena_free(arena);

    if (path == NULL || strcmp(path, "/received") != 0)
        evhttp_send_reply(request, HTTP_NOTFOUND, "Not Found", NULL);
    else if (count <= callbacks_count(lms->callbacks) || wait_ms <= 0)
        send_received(lms, request);
    else
        answer_later(lms, request, (long)wait_ms)->count = count;
}

/* 0 when it is not there or no number. */
static int64_t query_number(const struct form *query, const char *name)
{
    int64_t number = 0;

    text_to_integer(form_get(query, name), &number);
    return number;
}

static void send_received(struct lms *lms, struct evhttp_request *request)
{
    callbacks_write(lms->callbacks, evhttp_request_get_output_buffer(request));
    evhttp_add_header(evhttp_request_get_output_headers(request),
                      "Content-Type", "text/plain; charset=utf-8");
    evhttp_send_reply(request, HTTP_OK, "OK", NULL);
}

static struct pending *answer_later(struct lms *lms,
                                    struct evhttp_request *request, long ms)
{
    struct pending *pending = xcalloc(1, sizeof *pending);
    struct timeval after = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

    pending->lms = lms;
    pending->request = request;
    pending->timer = evtimer_new(lms->base, on_time, pending);
    evtimer_add(pending->timer, &after);
    TAILQ_INSERT_TAIL(&lms->pendings, pending, entry);
    return pending;
}

static void on_time(evutil_socket_t none, short what, void *context)
{
    (void)none;
    (void)what;
    finish(context);
}

static void wake_waiting(struct lms *lms)
{
    int64_t count = callbacks_count(lms->callbacks);
    struct pending *pending = TAILQ_FIRST(&lms->pendings);

    while (pending != NULL) {
        struct pending *next = TAILQ_NEXT(pending, entry);

        if (pending->count > 0 && pending->count <= count)
            finish(pending);
        pending = next;
    }
}

static void finish(struct pending *pending)
{
    if (pending->count > 0)
        send_received(pending->lms, pending->request);
    else
        answer(pending->request, &pending->manner);
    pending_free(pending);
}

static void pending_free(struct pending *pending)
{
    TAILQ_REMOVE(&pending->lms->pendings, pending, entry);
    event_free(pending->timer);
    free(pending);
}
