/*
 * Outgoing HTTP: who waits, who is under way, who is done.
 *
 * A fetch moves from `waiting` (in order of arrival) to `active` (at most
 * max_connections) to `finished`, and leaves that in a deferred event, which
 * calls `done`. Redirects are followed here, one hop after the other, so that
 * each is held to the policy before anything is connected. Curl's handles are
 * kept for the next fetch: to make one costs as much as to fill it.
 */
#include "server/fetch/fetch.h"

#include "server/base/clock.h"
#include "server/base/memory.h"
#include "server/fetch/address.h"
#include "server/fetch/fetch_loop.h"
#include "server/fetch/fetch_transfer.h"

#include <curl/curl.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { DEFAULT_MAX_CONNECTIONS = 256, MOST_SPARES = 32 };

struct fetcher {
    struct event_base *base;          /* borrows */
    struct fetcher_settings settings; /* owns what it points to */
    struct fetch_loop *loop;          /* owns */
    struct event *deferred;           /* owns; active while there is work */
    struct fetch_transfers waiting;
    struct fetch_transfers active;
    struct fetch_transfers finished;
    size_t active_count;
    size_t count; /* of all three */
    bool is_stopping;
    CURL *spares[MOST_SPARES]; /* owns; reset */
    size_t spare_count;
};

static void clear_outcome(struct fetch *fetch);
static void start_waiting(struct fetcher *fetcher);
static void begin(struct fetcher *fetcher, struct fetch_transfer *transfer);
static CURL *take_handle(struct fetcher *fetcher);
static void keep_handle(struct fetcher *fetcher,
                        struct fetch_transfer *transfer);
static bool headers_are_plain(const struct fetch *fetch);
static void begin_hop(struct fetcher *fetcher, struct fetch_transfer *transfer);
static void on_ended(void *context, void *easy, int result);
static void on_moved(void *context, const void *easy);
static void on_silence(struct fetch_transfer *transfer);
static struct fetch_transfer *find_active(struct fetcher *fetcher,
                                          const void *easy);
static void leave_loop(struct fetch_transfer *transfer);
static void end_hop(struct fetch_transfer *transfer, int result);
static void follow(struct fetch_transfer *transfer, const char *location);
static void refuse(struct fetch_transfer *transfer, enum fetch_status status,
                   const char *reason);
static void finish(struct fetch_transfer *transfer, enum fetch_status status);
static void on_deferred(evutil_socket_t socket, short what, void *context);
static void report_finished(struct fetcher *fetcher);
static void cancel_all(struct fetcher *fetcher);

void fetch_library_start(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        fatal("curl does not start");
    /* A peer that hangs up is an error code, not a signal. */
    signal(SIGPIPE, SIG_IGN);
}

void fetch_library_stop(void)
{
    curl_global_cleanup();
}

const char *fetch_status_name(enum fetch_status status)
{
    switch (status) {
    case FETCH_DONE:
        return "done";
    case FETCH_UNSENT:
        return "unsent";
    case FETCH_BROKEN:
        return "broken";
    case FETCH_REFUSED_URL:
        return "refused-url";
    case FETCH_REFUSED_HOST:
        return "refused-host";
    case FETCH_CANCELED:
        return "canceled";
    }
    fatal("fetch: impossible status %d", (int)status);
}

struct fetcher *fetcher_new(struct event_base *base,
                            const struct fetcher_settings *settings)
{
    struct fetcher *fetcher = xcalloc(1, sizeof *fetcher);
    struct fetch_loop_owner owner = {
        .context = fetcher,
        .ended = on_ended,
        .moved = on_moved,
    };

    fetcher->base = base;
    fetcher->settings = *settings;
    fetcher->settings.user_agent = xstrdup(settings->user_agent);
    if (settings->max_connections == 0)
        fetcher->settings.max_connections = DEFAULT_MAX_CONNECTIONS;
    TAILQ_INIT(&fetcher->waiting);
    TAILQ_INIT(&fetcher->active);
    TAILQ_INIT(&fetcher->finished);
    fetcher->loop =
        fetch_loop_new(base, fetcher->settings.max_connections, owner);
    fetcher->deferred = event_new(base, -1, 0, on_deferred, fetcher);
    if (fetcher->deferred == NULL)
        fatal("fetch: cannot make an event");
    return fetcher;
}

void fetcher_start(struct fetcher *fetcher, struct fetch *fetch)
{
    struct fetch_transfer *transfer = fetch_transfer_new(fetcher, fetch);

    clear_outcome(fetch);
    fetch->transfer = transfer;
    fetcher->count++;
    TAILQ_INSERT_TAIL(&fetcher->waiting, transfer, link);
    if (fetcher->is_stopping)
        refuse(transfer, FETCH_CANCELED, "canceled");
    else
        start_waiting(fetcher);
}

size_t fetcher_in_flight(const struct fetcher *fetcher)
{
    return fetcher->count;
}

void fetcher_free(struct fetcher *fetcher)
{
    if (fetcher == NULL)
        return;
    fetcher->is_stopping = true;
    cancel_all(fetcher);
    report_finished(fetcher);
    while (fetcher->spare_count > 0)
        curl_easy_cleanup(fetcher->spares[--fetcher->spare_count]);
    fetch_loop_free(fetcher->loop);
    event_free(fetcher->deferred);
    free((char *)fetcher->settings.user_agent);
    free(fetcher);
}

static void clear_outcome(struct fetch *fetch)
{
    fetch->status = FETCH_CANCELED;
    fetch->http_status = 0;
    fetch->reply = (struct buffer){NULL, 0, 0};
    fetch->reply_was_cut = false;
    fetch->reply_type = NULL;
    fetch->retry_after_s = 0;
    fetch->duration_ms = 0;
    fetch->reason[0] = '\0';
}

static void start_waiting(struct fetcher *fetcher)
{
    while (fetcher->active_count < fetcher->settings.max_connections &&
           !TAILQ_EMPTY(&fetcher->waiting))
        begin(fetcher, TAILQ_FIRST(&fetcher->waiting));
}

static void begin(struct fetcher *fetcher, struct fetch_transfer *transfer)
{
    const struct fetch *fetch = transfer->fetch;

    if (fetch->deadline_ms != 0 && fetch->deadline_ms <= clock_monotonic_ms()) {
        refuse(transfer, FETCH_UNSENT, "its turn came too late");
        return;
    }
    if (!headers_are_plain(fetch)) {
        refuse(transfer, FETCH_REFUSED_URL, "a header is not plain");
        return;
    }
    if (!fetch_url_parse(fetch->url, &transfer->url)) {
        refuse(transfer, FETCH_REFUSED_URL, "not a plain http or https URL");
        return;
    }
    TAILQ_REMOVE(&fetcher->waiting, transfer, link);
    TAILQ_INSERT_TAIL(&fetcher->active, transfer, link);
    fetcher->active_count++;
    transfer->easy = take_handle(fetcher);
    fetch_transfer_begin(transfer, fetcher->base, on_silence);
    begin_hop(fetcher, transfer);
}

static CURL *take_handle(struct fetcher *fetcher)
{
    CURL *easy = fetcher->spare_count > 0
                     ? fetcher->spares[--fetcher->spare_count]
                     : curl_easy_init();

    if (easy == NULL)
        fatal("fetch: cannot make a handle");
    return easy;
}

/* Nothing of this fetch stays in it. */
static void keep_handle(struct fetcher *fetcher,
                        struct fetch_transfer *transfer)
{
    if (fetcher->spare_count == MOST_SPARES)
        return;
    curl_easy_reset(transfer->easy);
    fetcher->spares[fetcher->spare_count++] = transfer->easy;
    transfer->easy = NULL;
}

/* A line break in one would make two. */
static bool headers_are_plain(const struct fetch *fetch)
{
    const char *const *line = fetch->headers;

    for (; line != NULL && *line != NULL; line++) {
        for (const char *c = *line; *c != '\0'; c++) {
            if ((unsigned char)*c < 0x20 || *c == 0x7f)
                return false;
        }
    }
    return true;
}

static void begin_hop(struct fetcher *fetcher, struct fetch_transfer *transfer)
{
    const struct fetch_policy *policy = &transfer->fetch->policy;

    if (!host_is_allowed(text_of(transfer->url.host), policy->allowed_hosts,
                         policy->allowed_host_count)) {
        refuse(transfer, FETCH_REFUSED_HOST, "the host is not allowed");
        return;
    }
    fetch_transfer_prepare(transfer, fetcher->settings.user_agent);
    fetch_loop_add(fetcher->loop, transfer->easy);
}

static void on_ended(void *context, void *easy, int result)
{
    struct fetch_transfer *transfer = find_active(context, easy);

    if (transfer == NULL)
        fatal("fetch: curl ended a transfer that is not ours");
    leave_loop(transfer);
    end_hop(transfer, result);
}

static void on_moved(void *context, const void *easy)
{
    struct fetch_transfer *transfer = find_active(context, easy);

    if (transfer != NULL)
        fetch_transfer_moved(transfer);
}

static void on_silence(struct fetch_transfer *transfer)
{
    leave_loop(transfer);
    finish(transfer, fetch_transfer_judge(transfer, CURLE_OPERATION_TIMEDOUT));
}

/* The handle may be curl's own, or gone: it is compared and not looked into. */
static struct fetch_transfer *find_active(struct fetcher *fetcher,
                                          const void *easy)
{
    struct fetch_transfer *transfer;

    TAILQ_FOREACH(transfer, &fetcher->active, link)
    {
        if (transfer->easy == easy)
            return transfer;
    }
    return NULL;
}

static void leave_loop(struct fetch_transfer *transfer)
{
    fetch_loop_remove(transfer->fetcher->loop, transfer->easy);
    fetch_transfer_rest(transfer);
}

static void end_hop(struct fetch_transfer *transfer, int result)
{
    const char *location = NULL;

    if (result == (int)CURLE_OK)
        location = fetch_transfer_redirect(transfer);
    if (location != NULL)
        follow(transfer, location);
    else
        finish(transfer, fetch_transfer_judge(transfer, result));
}

static void follow(struct fetch_transfer *transfer, const char *location)
{
    struct fetch_url url;

    if (!fetch_url_join(&transfer->url, location, &url)) {
        refuse(transfer, FETCH_REFUSED_URL, "redirect to no plain http URL");
        return;
    }
    fetch_transfer_follow(transfer, url);
    begin_hop(transfer->fetcher, transfer);
}

static void refuse(struct fetch_transfer *transfer, enum fetch_status status,
                   const char *reason)
{
    struct fetch *fetch = transfer->fetch;

    snprintf(fetch->reason, sizeof fetch->reason, "%s", reason);
    finish(transfer, status);
}

static void finish(struct fetch_transfer *transfer, enum fetch_status status)
{
    struct fetcher *fetcher = transfer->fetcher;
    struct fetch *fetch = transfer->fetch;

    fetch->status = status;
    if (transfer->is_active) {
        TAILQ_REMOVE(&fetcher->active, transfer, link);
        fetcher->active_count--;
        fetch->duration_ms = clock_monotonic_ms() - transfer->started_ms;
        fetch_transfer_record(transfer);
        keep_handle(fetcher, transfer);
        fetch_transfer_close(transfer);
    } else {
        TAILQ_REMOVE(&fetcher->waiting, transfer, link);
    }
    TAILQ_INSERT_TAIL(&fetcher->finished, transfer, link);
    event_active(fetcher->deferred, EV_TIMEOUT, 0);
}

static void on_deferred(evutil_socket_t socket, short what, void *context)
{
    struct fetcher *fetcher = context;

    (void)socket;
    (void)what;
    start_waiting(fetcher);
    report_finished(fetcher);
}

static void report_finished(struct fetcher *fetcher)
{
    while (!TAILQ_EMPTY(&fetcher->finished)) {
        struct fetch_transfer *transfer = TAILQ_FIRST(&fetcher->finished);
        struct fetch *fetch = transfer->fetch;

        TAILQ_REMOVE(&fetcher->finished, transfer, link);
        fetcher->count--;
        fetch_transfer_free(transfer);
        fetch->transfer = NULL;
        fetch->done(fetch); /* `fetch` may be gone after this */
    }
}

static void cancel_all(struct fetcher *fetcher)
{
    while (!TAILQ_EMPTY(&fetcher->active)) {
        struct fetch_transfer *transfer = TAILQ_FIRST(&fetcher->active);

        leave_loop(transfer);
        refuse(transfer, FETCH_CANCELED, "canceled");
    }
    while (!TAILQ_EMPTY(&fetcher->waiting))
        refuse(TAILQ_FIRST(&fetcher->waiting), FETCH_CANCELED, "canceled");
}
