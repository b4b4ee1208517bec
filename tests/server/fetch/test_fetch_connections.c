/*
 * server/fetch/fetch.c: connections that are kept, shared and die, and the
 * end of the fetcher itself.
 */
#include "server/fetch/fetch.h"

#include "server/base/memory.h"
#include "tests/support/fetching.h"
#include "tests/support/peer.h"
#include "tests/support/story.h"

#include <event2/event.h>
#include <stdlib.h>

START_TEST(a_connection_is_used_again)
{
    struct peer *peer = peer_start_one((struct peer_rule){.body = "ok"});

    for (size_t i = 0; i < 5; i++) {
        struct fetch fetch = fetching_to(peer_url(peer, "/"), "x");

        fetching_run(&fetch);
        ck_assert_int_eq(fetch.status, FETCH_DONE);
        fetching_release(&fetch);
    }
    ck_assert_uint_eq(peer_connection_count(peer), 1);
    peer_stop(peer);
}
END_TEST

START_TEST(a_fetch_takes_nothing_of_the_one_before)
{
    static const char *const headers[] = {"X-Mark: first", NULL};
    struct peer *peer = peer_start_one((struct peer_rule){.body = "ok"});
    struct fetch first = fetching_to(peer_url(peer, "/first"), "a body");
    struct fetch second = fetching_to(peer_url(peer, "/second"), "x");
    const struct peer_request *request;

    first.method = "PUT";
    first.headers = headers;
    first.username = "lms";
    first.password = "secret";
    first.fresh_connection = true;
    fetching_run(&first);
    fetching_release(&first);
    second.content_type = NULL;
    fetching_run(&second);
    ck_assert_int_eq(second.status, FETCH_DONE);
    fetching_release(&second);
    request = peer_request(peer, 1);
    ck_assert_str_eq(request->line, "POST /second HTTP/1.1");
    ck_assert(text_equal_string(request->body, "x"));
    ck_assert(text_is_absent(peer_header(request, "Authorization")));
    ck_assert(text_is_absent(peer_header(request, "X-Mark")));
    ck_assert(text_is_absent(peer_header(request, "Content-Type")));
    peer_stop(peer);
}
END_TEST

START_TEST(two_hundred_transfers_share_sixteen_connections)
{
    enum { COUNT = 200 };
    struct peer *peer =
        peer_start_one((struct peer_rule){.body = "ok", .delay_ms = 5});
    const char *url = peer_url(peer, "/");
    struct fetch *fetches = xcalloc(COUNT, sizeof *fetches);

    for (size_t i = 0; i < COUNT; i++) {
        fetches[i] = fetching_to(url, "x");
        fetcher_start(fetching_fetcher(), &fetches[i]);
    }
    ck_assert_uint_eq(fetcher_in_flight(fetching_fetcher()), COUNT);
    fetching_wait(COUNT);
    ck_assert_uint_eq(fetcher_in_flight(fetching_fetcher()), 0);
    for (size_t i = 0; i < COUNT; i++) {
        ck_assert_int_eq(fetches[i].status, FETCH_DONE);
        fetching_release(&fetches[i]);
    }
    ck_assert_uint_eq(peer_request_count(peer), COUNT);
    ck_assert_uint_le(peer_connection_count(peer), 16);
    free(fetches);
    peer_stop(peer);
}
END_TEST

START_TEST(those_who_wait_are_served_in_order)
{
    enum { COUNT = 5 };
    static const char *const bodies[COUNT] = {"0", "1", "2", "3", "4"};
    struct fetcher_settings settings = fetching_settings();
    struct peer *peer = peer_start_one((struct peer_rule){.body = "ok"});
    const char *url = peer_url(peer, "/");
    struct fetch fetches[COUNT];

    settings.max_connections = 1;
    fetching_start(&settings);
    for (size_t i = 0; i < COUNT; i++) {
        fetches[i] = fetching_to(url, bodies[i]);
        fetcher_start(fetching_fetcher(), &fetches[i]);
    }
    fetching_wait(COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        ck_assert(text_equal_string(peer_request(peer, i)->body, bodies[i]));
        fetching_release(&fetches[i]);
    }
    peer_stop(peer);
}
END_TEST

/* A fetch that starts itself again from its `done`, and then frees itself. */
struct repeater {
    struct fetch fetch;
    unsigned rounds_left;
    void (*counted_done)(struct fetch *fetch);
};

static void repeat(struct fetch *fetch)
{
    struct repeater *repeater = CONTAINER_OF(fetch, struct repeater, fetch);
    void (*counted_done)(struct fetch *) = repeater->counted_done;

    fetching_release(fetch);
    if (repeater->rounds_left-- > 0) {
        fetcher_start(fetching_fetcher(), fetch);
        return;
    }
    counted_done(fetch);
    free(repeater);
}

START_TEST(a_fetch_may_be_started_again_or_freed_by_its_done)
{
    struct peer *peer = peer_start_one((struct peer_rule){.body = "ok"});
    struct repeater *repeater = xcalloc(1, sizeof *repeater);

    repeater->fetch = fetching_to(peer_url(peer, "/"), "x");
    repeater->counted_done = repeater->fetch.done;
    repeater->fetch.done = repeat;
    repeater->rounds_left = 3;
    fetcher_start(fetching_fetcher(), &repeater->fetch);
    fetching_wait(1);
    ck_assert_uint_eq(peer_request_count(peer), 4);
    peer_stop(peer);
}
END_TEST

START_TEST(a_connection_closed_while_idle_is_replaced_unnoticed)
{
    struct peer *peer = peer_start_one(
        (struct peer_rule){.manner = PEER_ANSWER_AND_DROP, .body = "ok"});

    for (size_t i = 0; i < 3; i++) {
        struct fetch fetch = fetching_to(peer_url(peer, "/"), "x");

        fetching_run(&fetch);
        ck_assert_int_eq(fetch.status, FETCH_DONE);
        fetching_release(&fetch);
    }
    ck_assert_uint_eq(peer_request_count(peer), 3);
    ck_assert_uint_eq(peer_connection_count(peer), 3);
    peer_stop(peer);
}
END_TEST

/* As when the peer's keep-alive ends just as the next request sets out. */
START_TEST(a_kept_connection_that_dies_before_a_byte_is_tried_once_more)
{
    static const enum peer_manner deaths[] = {PEER_CUT, PEER_RESET};

    for (size_t i = 0; i < ARRAY_LENGTH(deaths); i++) {
        struct peer_rule rules[] = {{.times = 1, .body = "first"},
                                    {.times = 1, .manner = deaths[i]},
                                    {.body = "second"}};
        struct peer *peer = peer_start(rules, ARRAY_LENGTH(rules));
        struct fetch first = fetching_to(peer_url(peer, "/"), "x");
        struct fetch second = fetching_to(peer_url(peer, "/"), "y");

        fetching_run(&first);
        fetching_run(&second);
        ck_assert_int_eq(second.status, FETCH_DONE);
        ck_assert(text_equal_string(buffer_text(&second.reply), "second"));
        ck_assert_uint_eq(peer_connection_count(peer), 2);
        ck_assert_uint_eq(peer_request_count(peer), 3);
        ck_assert_uint_eq(peer_request(peer, 1)->connection, 0);
        ck_assert_uint_eq(peer_request(peer, 2)->connection, 1);
        ck_assert(text_equal_string(peer_request(peer, 2)->body, "y"));
        fetching_release(&first);
        fetching_release(&second);
        peer_stop(peer);
    }
}
END_TEST

/* Three connections are kept, and the peer resets each at its next request. */
START_TEST(but_not_twice)
{
    enum { KEPT = 3 };
    struct peer_rule rules[] = {
        {.times = KEPT, .body = "kept", .delay_ms = 100},
        {.manner = PEER_RESET}};
    struct peer *peer = peer_start(rules, ARRAY_LENGTH(rules));
    const char *url = peer_url(peer, "/");
    struct fetch fetches[KEPT + 1];

    for (size_t i = 0; i < KEPT; i++) {
        fetches[i] = fetching_to(url, "x");
        fetcher_start(fetching_fetcher(), &fetches[i]);
    }
    fetching_wait(KEPT);
    ck_assert_uint_eq(peer_connection_count(peer), KEPT);
    fetches[KEPT] = fetching_to(url, "y");
    fetching_run(&fetches[KEPT]);
    ck_assert_int_eq(fetches[KEPT].status, FETCH_BROKEN);
    ck_assert_str_eq(fetches[KEPT].reason,
                     "kept connections ended before an answer");
    ck_assert_uint_eq(peer_request_count(peer), KEPT + 2);
    ck_assert_uint_eq(peer_connection_count(peer), KEPT);
    for (size_t i = 0; i < KEPT; i++)
        fetching_release(&fetches[i]);
    peer_stop(peer);
}
END_TEST

/* What the peer may have read it never reads again. */
START_TEST(a_fetch_with_a_connection_of_its_own_is_sent_once)
{
    static const enum peer_manner deaths[] = {PEER_CUT, PEER_RESET};

    for (size_t i = 0; i < ARRAY_LENGTH(deaths); i++) {
        struct peer_rule rules[] = {{.times = 1, .body = "first"},
                                    {.manner = deaths[i]}};
        struct peer *peer = peer_start(rules, ARRAY_LENGTH(rules));
        struct fetch first = fetching_to(peer_url(peer, "/"), "x");
        struct fetch second = fetching_to(peer_url(peer, "/"), "y");

        second.fresh_connection = true;
        fetching_run(&first);
        fetching_run(&second);
        ck_assert_int_eq(second.status, FETCH_BROKEN);
        ck_assert_uint_eq(peer_request_count(peer), 2);
        ck_assert_uint_eq(peer_connection_count(peer), 2);
        fetching_release(&first);
        fetching_release(&second);
        peer_stop(peer);
    }
}
END_TEST

START_TEST(a_connection_of_its_own_serves_nobody_after)
{
    struct peer *peer = peer_start_one((struct peer_rule){.body = "ok"});

    for (size_t i = 0; i < 3; i++) {
        struct fetch fetch = fetching_to(peer_url(peer, "/"), "x");

        fetch.fresh_connection = i == 1;
        fetching_run(&fetch);
        ck_assert_int_eq(fetch.status, FETCH_DONE);
        fetching_release(&fetch);
    }
    ck_assert_uint_eq(peer_connection_count(peer), 2);
    ck_assert_uint_eq(peer_request(peer, 0)->connection, 0);
    ck_assert_uint_eq(peer_request(peer, 1)->connection, 1);
    ck_assert_uint_eq(peer_request(peer, 2)->connection, 0);
    ck_assert(text_is_absent(peer_header(peer_request(peer, 1), "Connection")));
    peer_stop(peer);
}
END_TEST

START_TEST(a_peer_that_comes_back_is_reached_again)
{
    struct peer_rule rule = {.body = "ok"};
    struct peer *peer = peer_start_one(rule);
    uint16_t port = peer_port(peer);
    struct fetch fetch = fetching_to(peer_url(peer, "/"), "x");
    char *url = xasprintf("http://127.0.0.1:%u/", port);

    fetching_run(&fetch);
    ck_assert_int_eq(fetch.status, FETCH_DONE);
    fetching_release(&fetch);
    peer_stop(peer);
    fetch = fetching_to(url, "x");
    fetching_run(&fetch);
    ck_assert_int_eq(fetch.status, FETCH_UNSENT);
    peer = peer_start_at(port, &rule, 1);
    fetching_run(&fetch);
    ck_assert_int_eq(fetch.status, FETCH_DONE);
    fetching_release(&fetch);
    free(url);
    peer_stop(peer);
}
END_TEST

START_TEST(freeing_the_fetcher_cancels_all_that_is_under_way_or_waits)
{
    enum { COUNT = 20 };
    struct peer *peer =
        peer_start_one((struct peer_rule){.manner = PEER_STALL});
    const char *url = peer_url(peer, "/");
    struct fetch fetches[COUNT];

    for (size_t i = 0; i < COUNT; i++) {
        fetches[i] = fetching_to(url, "x");
        fetcher_start(fetching_fetcher(), &fetches[i]);
    }
    while (peer_request_count(peer) < 16)
        event_base_loop(fetching_base(), EVLOOP_ONCE);
    fetching_stop();
    ck_assert_uint_eq(fetching_done_count(), COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        ck_assert_int_eq(fetches[i].status, FETCH_CANCELED);
        ck_assert_str_eq(fetches[i].reason, "canceled");
    }
    peer_stop(peer);
}
END_TEST

START_TEST(freeing_the_fetcher_reports_what_was_already_over)
{
    struct fetch fetch = fetching_to("ftp://127.0.0.1/", "x");

    fetcher_start(fetching_fetcher(), &fetch);
    ck_assert_uint_eq(fetching_done_count(), 0);
    fetching_stop();
    ck_assert_uint_eq(fetching_done_count(), 1);
    ck_assert_int_eq(fetch.status, FETCH_REFUSED_URL);
}
END_TEST

START_TEST(freeing_the_fetcher_while_it_connects_is_clean)
{
    struct peer *deaf = peer_start_deaf();
    struct fetch connecting = fetching_to(peer_url(deaf, "/"), "x");

    fetcher_start(fetching_fetcher(), &connecting);
    event_base_loop(fetching_base(), EVLOOP_ONCE);
    fetching_stop();
    ck_assert_uint_eq(fetching_done_count(), 1);
    ck_assert_int_eq(connecting.status, FETCH_CANCELED);
    peer_stop(deaf);
}
END_TEST

/* Two fetches, the first of which starts the second from its `done`. */
struct pair {
    struct fetch first;
    struct fetch second;
};

static void start_second(struct fetch *fetch)
{
    struct pair *pair = CONTAINER_OF(fetch, struct pair, first);

    fetcher_start(fetching_fetcher(), &pair->second);
}

START_TEST(a_fetch_started_while_the_fetcher_ends_is_canceled_as_well)
{
    struct peer *peer =
        peer_start_one((struct peer_rule){.manner = PEER_STALL});
    const char *url = peer_url(peer, "/");
    struct pair pair = {fetching_to(url, "x"), fetching_to(url, "y")};

    pair.first.done = start_second;
    fetcher_start(fetching_fetcher(), &pair.first);
    fetching_stop();
    ck_assert_uint_eq(fetching_done_count(), 1);
    ck_assert_int_eq(pair.second.status, FETCH_CANCELED);
    peer_stop(peer);
}
END_TEST

START_TEST(freeing_no_fetcher_is_legal)
{
    fetcher_free(NULL);
}
END_TEST

FETCHING_STORY(
    "fetch connections", TELL(a_connection_is_used_again),
    TELL(a_fetch_takes_nothing_of_the_one_before),
    TELL(two_hundred_transfers_share_sixteen_connections),
    TELL(those_who_wait_are_served_in_order),
    TELL(a_fetch_may_be_started_again_or_freed_by_its_done),
    TELL(a_connection_closed_while_idle_is_replaced_unnoticed),
    TELL(a_kept_connection_that_dies_before_a_byte_is_tried_once_more),
    TELL(but_not_twice),
    TELL(a_fetch_with_a_connection_of_its_own_is_sent_once),
    TELL(a_connection_of_its_own_serves_nobody_after),
    TELL(a_peer_that_comes_back_is_reached_again),
    TELL(freeing_the_fetcher_cancels_all_that_is_under_way_or_waits),
    TELL(freeing_the_fetcher_reports_what_was_already_over),
    TELL(freeing_the_fetcher_while_it_connects_is_clean),
    TELL(a_fetch_started_while_the_fetcher_ends_is_canceled_as_well),
    TELL(freeing_no_fetcher_is_legal))
