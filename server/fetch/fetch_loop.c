/*
 * curl's multi handle on our event loop.
 *
 * Each descriptor that curl names has a watch: an event, removed the moment
 * curl says so, because the number may be in use again right after. Curl's own
 * descriptors (resolver pipes, wake-ups) come the same way and are treated
 * alike.
 */
#include "server/fetch/fetch_loop.h"

#include "server/base/log.h"
#include "server/base/memory.h"

#include <curl/curl.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/queue.h>

struct watch {
    LIST_ENTRY(watch) link;
    struct fetch_loop *loop;
    struct event *event; /* owns */
    const void *easy;    /* to compare, never to follow: may be gone */
};

struct fetch_loop {
    struct event_base *base; /* borrows */
    struct fetch_loop_owner owner;
    CURLM *multi;        /* owns */
    struct event *timer; /* owns */
    LIST_HEAD(, watch) watches;
};

static void must(CURLMcode code);
static int on_watch_wanted(CURL *easy, curl_socket_t socket, int what,
                           void *context, void *socket_context);
static void watch_socket(struct fetch_loop *loop, struct watch *watch,
                         curl_socket_t socket, int what, const void *easy);
static void forget_watch(struct watch *watch);
static int on_timer_wanted(CURLM *multi, long timeout_ms, void *context);
static void on_socket(evutil_socket_t socket, short what, void *context);
static void on_timer(evutil_socket_t socket, short what, void *context);
static void act(struct fetch_loop *loop, curl_socket_t socket, int what);

struct fetch_loop *fetch_loop_new(struct event_base *base, size_t max_idle,
                                  struct fetch_loop_owner owner)
{
    struct fetch_loop *loop = xcalloc(1, sizeof *loop);

    loop->base = base;
    loop->owner = owner;
    LIST_INIT(&loop->watches);
    loop->multi = curl_multi_init();
    loop->timer = event_new(base, -1, 0, on_timer, loop);
    if (loop->multi == NULL || loop->timer == NULL)
        fatal("fetch: cannot make the transfer loop");
    must(curl_multi_setopt(loop->multi, CURLMOPT_SOCKETFUNCTION,
                           on_watch_wanted));
    must(curl_multi_setopt(loop->multi, CURLMOPT_SOCKETDATA, loop));
    must(curl_multi_setopt(loop->multi, CURLMOPT_TIMERFUNCTION,
                           on_timer_wanted));
    must(curl_multi_setopt(loop->multi, CURLMOPT_TIMERDATA, loop));
    must(curl_multi_setopt(loop->multi, CURLMOPT_MAXCONNECTS, (long)max_idle));
    must(curl_multi_setopt(loop->multi, CURLMOPT_PIPELINING,
                           (long)CURLPIPE_NOTHING));
    return loop;
}

void fetch_loop_add(struct fetch_loop *loop, void *easy)
{
    must(curl_multi_add_handle(loop->multi, easy));
}

void fetch_loop_remove(struct fetch_loop *loop, void *easy)
{
    must(curl_multi_remove_handle(loop->multi, easy));
}

void fetch_loop_free(struct fetch_loop *loop)
{
    if (loop == NULL)
        return;
    /* May still call us back, so everything else goes afterwards. */
    curl_multi_cleanup(loop->multi);
    while (!LIST_EMPTY(&loop->watches))
        forget_watch(LIST_FIRST(&loop->watches));
    event_free(loop->timer);
    free(loop);
}

static void must(CURLMcode code)
{
    if (code != CURLM_OK)
        fatal("curl: %s", curl_multi_strerror(code));
}

static int on_watch_wanted(CURL *easy, curl_socket_t socket, int what,
                           void *context, void *socket_context)
{
    struct fetch_loop *loop = context;
    struct watch *watch = socket_context;

    if (what != CURL_POLL_REMOVE)
        watch_socket(loop, watch, socket, what, easy);
    else if (watch != NULL)
        forget_watch(watch);
    return 0;
}

static void watch_socket(struct fetch_loop *loop, struct watch *watch,
                         curl_socket_t socket, int what, const void *easy)
{
    short wanted = EV_PERSIST;

    if (watch == NULL) {
        watch = xcalloc(1, sizeof *watch);
        watch->loop = loop;
        LIST_INSERT_HEAD(&loop->watches, watch, link);
        /* The one function that curl offers for use in here. */
        must(curl_multi_assign(loop->multi, socket, watch));
    } else {
        event_free(watch->event);
    }
    if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
        wanted |= EV_READ;
    if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
        wanted |= EV_WRITE;
    watch->easy = easy;
    watch->event = event_new(loop->base, socket, wanted, on_socket, watch);
    if (watch->event == NULL || event_add(watch->event, NULL) != 0)
        fatal("fetch: cannot watch a socket");
}

static void forget_watch(struct watch *watch)
{
    LIST_REMOVE(watch, link);
    event_free(watch->event);
    free(watch);
}

/* Must not fail: a failure would end every transfer there is. */
static int on_timer_wanted(CURLM *multi, long timeout_ms, void *context)
{
    struct fetch_loop *loop = context;
    struct timeval timeout = {
        .tv_sec = timeout_ms / 1000,
        .tv_usec = timeout_ms % 1000 * 1000,
    };

    (void)multi;
    if (timeout_ms < 0)
        event_del(loop->timer);
    else
        event_add(loop->timer, &timeout);
    return 0;
}

static void on_socket(evutil_socket_t socket, short what, void *context)
{
    struct watch *watch = context;
    struct fetch_loop *loop = watch->loop;
    int action = 0;

    if ((what & EV_READ) != 0)
        action |= CURL_CSELECT_IN;
    if ((what & EV_WRITE) != 0)
        action |= CURL_CSELECT_OUT;
    loop->owner.moved(loop->owner.context, watch->easy);
    act(loop, socket, action); /* `watch` may be gone after this */
}

static void on_timer(evutil_socket_t socket, short what, void *context)
{
    (void)socket;
    (void)what;
    act(context, CURL_SOCKET_TIMEOUT, 0);
}

static void act(struct fetch_loop *loop, curl_socket_t socket, int what)
{
    static struct log_once once;
    CURLMcode code;
    int running;
    int left;
    CURLMsg *message;

    code = curl_multi_socket_action(loop->multi, socket, what, &running);
    if (code != CURLM_OK)
        log_repeated(&once, LOG_ERROR, "curl: %s", curl_multi_strerror(code));
    message = curl_multi_info_read(loop->multi, &left);
    while (message != NULL) {
        if (message->msg == CURLMSG_DONE)
            loop->owner.ended(loop->owner.context, message->easy_handle,
                              (int)message->data.result);
        message = curl_multi_info_read(loop->multi, &left);
    }
}
