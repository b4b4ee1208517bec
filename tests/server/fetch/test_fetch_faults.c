/*
 * server/fetch/fetch.c with peers that are away, slow, broken or hostile.
 */
#include "server/fetch/fetch.h"

#include "server/base/memory.h"
#include "tests/support/fetching.h"
#include "tests/support/peer.h"
#include "tests/support/port.h"
#include "tests/support/story.h"

#include <stdlib.h>

/* One POST to a peer with this one rule, with `wish` put over the defaults. */
static struct fetch fetched(struct peer_rule rule,
                            void (*wish)(struct fetch *fetch))
{
    struct peer *peer = peer_start_one(rule);
    struct fetch fetch = fetching_to(peer_url(peer, "/"), "x=1");

    if (wish != NULL)
        wish(&fetch);
    fetching_run(&fetch);
    peer_stop(peer);
    fetch.url = NULL;
    return fetch;
}

static void drop_reply(struct fetch *fetch)
{
    fetch->keep_reply = false;
}

static void be_impatient(struct fetch *fetch)
{
    fetch->idle_timeout_ms = 300;
}

static void be_impatient_in_all(struct fetch *fetch)
{
    fetch->total_timeout_ms = 600;
}

static void expect_between(int64_t value, int64_t low, int64_t high)
{
    ck_assert_msg(value >= low && value <= high, "%lld is not in %lld..%lld",
                  (long long)value, (long long)low, (long long)high);
}

START_TEST(a_refused_connection_means_unsent)
{
    char *url = xasprintf("http://127.0.0.1:%u/", port_reserve());
    struct fetch fetch = fetching_to(url, "x");

    fetching_run(&fetch);
    ck_assert_int_eq(fetch.status, FETCH_UNSENT);
    ck_assert_int_eq(fetch.http_status, 0);
    ck_assert_str_ne(fetch.reason, "");
    free(url);
}
END_TEST

START_TEST(a_connection_that_does_not_come_about_in_time_means_unsent)
{
    struct peer *peer = peer_start_deaf();
    struct fetch fetch = fetching_to(peer_url(peer, "/"), "x");

    fetch.connect_timeout_ms = 400;
    fetching_run(&fetch);
    ck_assert_int_eq(fetch.status, FETCH_UNSENT);
    expect_between(fetch.duration_ms, 390, 900);
    peer_stop(peer);
}
END_TEST

START_TEST(the_total_time_covers_the_connection_too)
{
    struct peer *peer = peer_start_deaf();
    struct fetch fetch = fetching_to(peer_url(peer, "/"), "x");

    fetch.total_timeout_ms = 300;
    fetching_run(&fetch);
    ck_assert_int_eq(fetch.status, FETCH_UNSENT);
    expect_between(fetch.duration_ms, 290, 800);
    peer_stop(peer);
}
END_TEST

/* After the first hop something was sent, whatever the second one does. */
START_TEST(a_redirect_to_nobody_is_broken_and_not_unsent)
{
    char *headers =
        xasprintf("Location: http://127.0.0.1:%u/\r\n", port_reserve());
    struct peer *peer =
        peer_start_one((struct peer_rule){.status = 307, .headers = headers});
    struct fetch fetch = fetching_to(peer_url(peer, "/"), "x");

    fetch.follow_redirects = true;
    fetching_run(&fetch);
    ck_assert_int_eq(fetch.status, FETCH_BROKEN);
    free(headers);
    peer_stop(peer);
}
END_TEST

START_TEST(a_reset_after_the_request_is_broken)
{
    struct fetch fetch =
        fetched((struct peer_rule){.manner = PEER_RESET}, NULL);

    ck_assert_int_eq(fetch.status, FETCH_BROKEN);
    ck_assert_int_eq(fetch.http_status, 0);
}
END_TEST

START_TEST(a_reset_during_a_large_request_is_broken)
{
    enum { SIZE = 20 * 1024 * 1024 };
    struct peer *peer = peer_start_one(
        (struct peer_rule){.manner = PEER_RESET, .before_body = true});
    struct fetch fetch = fetching_to(peer_url(peer, "/"), NULL);
    char *body = xcalloc(1, SIZE);

    fetch.body = (struct text){body, SIZE};
    fetching_run(&fetch);
    ck_assert_int_eq(fetch.status, FETCH_BROKEN);
    free(body);
    peer_stop(peer);
}
END_TEST

START_TEST(closing_without_an_answer_is_broken)
{
    struct fetch fetch = fetched((struct peer_rule){.manner = PEER_CUT}, NULL);

    ck_assert_int_eq(fetch.status, FETCH_BROKEN);
}
END_TEST

START_TEST(half_a_head_is_broken)
{
    struct fetch fetch =
        fetched((struct peer_rule){.manner = PEER_CUT, .bytes = 30}, NULL);

    ck_assert_int_eq(fetch.status, FETCH_BROKEN);
}
END_TEST

START_TEST(what_does_not_speak_http_is_broken)
{
    static const char *const answers[] = {
        "hello\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n",
        "<html>no status line</html>",
        "HTTP/9.9 200 OK\r\n\r\n",
        "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    };

    for (size_t i = 0; i < ARRAY_LENGTH(answers); i++) {
        struct fetch fetch = fetched((struct peer_rule){.raw = answers[i],
                                                        .manner = PEER_CUT,
                                                        .bytes = SIZE_MAX},
                                     NULL);

        ck_assert_msg(fetch.status == FETCH_BROKEN, "%s: %s %ld", answers[i],
                      fetch_status_name(fetch.status), fetch.http_status);
        fetching_release(&fetch);
    }
}
END_TEST

static const char *const broken_bodies[] = {
    "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
};

START_TEST(a_broken_body_is_broken_for_who_wants_the_body)
{
    for (size_t i = 0; i < ARRAY_LENGTH(broken_bodies); i++) {
        struct fetch fetch = fetched((struct peer_rule){.raw = broken_bodies[i],
                                                        .manner = PEER_CUT,
                                                        .bytes = SIZE_MAX},
                                     NULL);

        ck_assert_msg(fetch.status == FETCH_BROKEN, "%s", broken_bodies[i]);
        fetching_release(&fetch);
    }
}
END_TEST

START_TEST(a_broken_body_is_an_answer_for_who_drops_it)
{
    for (size_t i = 0; i < ARRAY_LENGTH(broken_bodies); i++) {
        struct fetch fetch = fetched((struct peer_rule){.raw = broken_bodies[i],
                                                        .manner = PEER_CUT,
                                                        .bytes = SIZE_MAX},
                                     drop_reply);

        ck_assert_msg(fetch.status == FETCH_DONE, "%s", broken_bodies[i]);
        ck_assert_int_eq(fetch.http_status, 200);
        ck_assert_str_eq(fetch.reason, "HTTP 200, reply incomplete");
    }
}
END_TEST

START_TEST(a_peer_that_never_answers_is_given_up_after_the_idle_time)
{
    struct fetch fetch =
        fetched((struct peer_rule){.manner = PEER_STALL}, be_impatient);

    ck_assert_int_eq(fetch.status, FETCH_BROKEN);
    ck_assert_str_eq(fetch.reason, "the peer fell silent");
    expect_between(fetch.duration_ms, 295, 550);
}
END_TEST

START_TEST(silence_in_the_middle_of_an_answer_counts_from_the_last_byte)
{
    struct peer_rule rule = {.manner = PEER_TRICKLE, .pace_ms = 1000};
    struct fetch fetch = fetched(rule, be_impatient);

    ck_assert_int_eq(fetch.status, FETCH_BROKEN);
    expect_between(fetch.duration_ms, 295, 600);
    fetching_release(&fetch);
}
END_TEST

START_TEST(a_slow_answer_that_keeps_coming_is_waited_for)
{
    struct peer_rule rule = {.manner = PEER_TRICKLE,
                             .pace_ms = 30,
                             .raw = "HTTP/1.0 200 OK\r\n"
                                    "Content-Length: 2\r\n\r\nok"};
    struct fetch fetch = fetched(rule, be_impatient);

    ck_assert_int_eq(fetch.status, FETCH_DONE);
    ck_assert(text_equal_string(buffer_text(&fetch.reply), "ok"));
    expect_between(fetch.duration_ms, 800, 5000);
    fetching_release(&fetch);
}
END_TEST

START_TEST(an_endless_slow_answer_ends_with_the_total_time)
{
    struct peer_rule rule = {
        .manner = PEER_TRICKLE, .pace_ms = 100, .filler = 1000};
    struct fetch fetch = fetched(rule, be_impatient_in_all);

    ck_assert_int_eq(fetch.status, FETCH_BROKEN);
    expect_between(fetch.duration_ms, 590, 1000);
    fetching_release(&fetch);
}
END_TEST

START_TEST(redirects_do_not_add_to_the_total_time)
{
    struct peer *peer = peer_start_one((struct peer_rule){
        .status = 302, .headers = "Location: /\r\n", .delay_ms = 250});
    struct fetch fetch = fetching_to(peer_url(peer, "/"), "x");

    fetch.follow_redirects = true;
    fetch.total_timeout_ms = 600;
    fetching_run(&fetch);
    ck_assert_int_eq(fetch.status, FETCH_BROKEN);
    expect_between(fetch.duration_ms, 590, 1000);
    ck_assert_uint_eq(peer_request_count(peer), 3);
    peer_stop(peer);
}
END_TEST

/* A look-up or an idle spell in one transfer must not hold up the others. */
START_TEST(a_stalled_transfer_holds_up_nobody)
{
    struct peer_rule rules[] = {{.path = "/stall", .manner = PEER_STALL},
                                {.body = "ok"}};
    struct peer *peer = peer_start(rules, ARRAY_LENGTH(rules));
    struct fetch stalled = fetching_to(peer_url(peer, "/stall"), "x");
    struct fetch quick = fetching_to(peer_url(peer, "/"), "x");

    stalled.idle_timeout_ms = 700;
    fetcher_start(fetching_fetcher(), &stalled);
    fetching_run(&quick);
    ck_assert_int_eq(quick.status, FETCH_DONE);
    ck_assert_int_lt(quick.duration_ms, 500);
    ck_assert_uint_eq(fetcher_in_flight(fetching_fetcher()), 1);
    fetching_wait(2);
    ck_assert_int_eq(stalled.status, FETCH_BROKEN);
    fetching_release(&quick);
    peer_stop(peer);
}
END_TEST

START_TEST(a_huge_reply_is_read_no_further_than_the_limit)
{
    struct fetch fetch =
        fetched((struct peer_rule){.filler = 50 * 1024 * 1024}, NULL);

    ck_assert_int_eq(fetch.status, FETCH_DONE);
    ck_assert_int_eq(fetch.http_status, 200);
    ck_assert_uint_eq(fetch.reply.size, 64 * 1024);
    ck_assert_uint_le(fetch.reply.capacity, 256 * 1024);
    fetching_release(&fetch);
}
END_TEST

START_TEST(an_endless_head_is_broken)
{
    struct buffer headers = {NULL, 0, 0};
    struct fetch fetch;

    for (int i = 0; i < 3000; i++)
        buffer_printf(&headers, "X-Header-%d: some more of it\r\n", i);
    fetch = fetched((struct peer_rule){.headers = headers.data}, NULL);
    ck_assert_int_eq(fetch.status, FETCH_BROKEN);
    ck_assert_str_eq(fetch.reason, "the reply's head is too long");
    buffer_free(&headers);
    fetching_release(&fetch);
}
END_TEST

START_TEST(endless_interim_answers_are_broken)
{
    struct buffer raw = {NULL, 0, 0};
    struct fetch fetch;

    for (int i = 0; i < 4000; i++)
        buffer_append_string(&raw, "HTTP/1.1 100 Continue\r\n\r\n");
    buffer_append_string(&raw, "HTTP/1.1 200 OK\r\n\r\n");
    fetch = fetched((struct peer_rule){.raw = raw.data}, NULL);
    ck_assert_int_eq(fetch.status, FETCH_BROKEN);
    buffer_free(&raw);
}
END_TEST

FETCHING_STORY(
    "fetch faults", TELL(a_refused_connection_means_unsent),
    TELL(a_connection_that_does_not_come_about_in_time_means_unsent),
    TELL(the_total_time_covers_the_connection_too),
    TELL(a_redirect_to_nobody_is_broken_and_not_unsent),
    TELL(a_reset_after_the_request_is_broken),
    TELL(a_reset_during_a_large_request_is_broken),
    TELL(closing_without_an_answer_is_broken), TELL(half_a_head_is_broken),
    TELL(what_does_not_speak_http_is_broken),
    TELL(a_broken_body_is_broken_for_who_wants_the_body),
    TELL(a_broken_body_is_an_answer_for_who_drops_it),
    TELL(a_peer_that_never_answers_is_given_up_after_the_idle_time),
    TELL(silence_in_the_middle_of_an_answer_counts_from_the_last_byte),
    TELL(a_slow_answer_that_keeps_coming_is_waited_for),
    TELL(an_endless_slow_answer_ends_with_the_total_time),
    TELL(redirects_do_not_add_to_the_total_time),
    TELL(a_stalled_transfer_holds_up_nobody),
    TELL(a_huge_reply_is_read_no_further_than_the_limit),
    TELL(an_endless_head_is_broken), TELL(endless_interim_answers_are_broken))
