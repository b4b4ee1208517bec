/*
 * Fetches in a test.
 */
#include "tests/support/fetching.h"

#include "tests/support/story.h"

#include <event2/event.h>
#include <stdlib.h>

enum { DEADLINE_S = 20 };

/* One loop per test process. */
static struct {
    struct event_base *base;
    struct fetcher *fetcher;
    struct fetch_policy policy;
    size_t done_count;
} fetching;

static void on_done(struct fetch *fetch);
static void on_deadline(evutil_socket_t socket, short what, void *context);

struct fetcher_settings fetching_settings(void)
{
    return (struct fetcher_settings){
        .max_connections = 16,
        .user_agent = "XQueue/1.0",
    };
}

void fetching_start_default(void)
{
    struct fetcher_settings settings = fetching_settings();

    fetching_start(&settings);
}

void fetching_start(const struct fetcher_settings *settings)
{
    fetching_stop();
    fetch_library_start();
    fetching.base = event_base_new();
    ck_assert_ptr_nonnull(fetching.base);
    fetching.fetcher = fetcher_new(fetching.base, settings);
    fetching.policy = (struct fetch_policy){.verify_tls = true};
    fetching.done_count = 0;
}

void fetching_stop(void)
{
    if (fetching.base == NULL)
        return;
    fetcher_free(fetching.fetcher);
    event_base_free(fetching.base);
    fetch_library_stop();
    fetching.fetcher = NULL;
    fetching.base = NULL;
}

struct fetcher *fetching_fetcher(void)
{
    return fetching.fetcher;
}

struct event_base *fetching_base(void)
{
    return fetching.base;
}

void fetching_set_policy(const struct fetch_policy *policy)
{
    fetching.policy = *policy;
}

struct fetch fetching_to(const char *url, const char *body)
{
    return (struct fetch){
        .url = url,
        .body = text_of(body),
        .content_type = "application/x-www-form-urlencoded",
        .policy = fetching.policy,
        .connect_timeout_ms = 5000,
        .idle_timeout_ms = 5000,
        .total_timeout_ms = 15000,
        .max_reply_bytes = 64 * 1024,
        .keep_reply = true,
        .done = on_done,
    };
}

size_t fetching_done_count(void)
{
    return fetching.done_count;
}

void fetching_wait(size_t count)
{
    struct timeval deadline = {.tv_sec = DEADLINE_S};
    struct event *timer = event_new(fetching.base, -1, 0, on_deadline, NULL);

    event_add(timer, &deadline);
    while (fetching.done_count < count)
        event_base_loop(fetching.base, EVLOOP_ONCE);
    event_free(timer);
}

void fetching_run(struct fetch *fetch)
{
    size_t before = fetching.done_count;

    fetcher_start(fetching.fetcher, fetch);
    ck_assert_uint_eq(fetching.done_count, before);
    fetching_wait(before + 1);
    ck_assert_ptr_null(fetch->transfer);
}

void fetching_release(struct fetch *fetch)
{
    buffer_free(&fetch->reply);
    free(fetch->reply_type);
    fetch->reply_type = NULL;
}

static void on_done(struct fetch *fetch)
{
    (void)fetch;
    fetching.done_count++;
}

static void on_deadline(evutil_socket_t socket, short what, void *context)
{
    (void)socket;
    (void)what;
    (void)context;
    ck_abort_msg("the fetches are not done in time");
}
