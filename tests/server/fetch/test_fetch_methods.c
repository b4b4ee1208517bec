/*
 * server/fetch/fetch.c: other methods than POST, headers of one's own, and a
 * deadline that counts the wait in the queue.
 */
#include "server/fetch/fetch.h"

#include "server/base/clock.h"
#include "tests/support/fetching.h"
#include "tests/support/peer.h"
#include "tests/support/story.h"

static struct fetch fetch_with(const char *method, const char *url,
                               const char *body)
{
    struct fetch fetch = fetching_to(url, body);

    fetch.method = method;
    fetch.content_type = NULL;
    return fetch;
}

static void expect_header(struct peer *peer, const char *name,
                          const char *value)
{
    struct text got = peer_header(peer_request(peer, 0), name);

    ck_assert_msg(text_equal(got, text_of(value)), "%s: %.*s", name,
                  TEXT_ARGUMENTS(got));
}

START_TEST(a_put_sends_its_body)
{
    struct peer *peer = peer_start_one((struct peer_rule){.body = "ok"});
    struct fetch fetch = fetch_with("PUT", peer_url(peer, "/a"), "content");

    fetch.content_type = "application/octet-stream";
    fetching_run(&fetch);
    ck_assert_int_eq(fetch.status, FETCH_DONE);
    ck_assert_str_eq(peer_request(peer, 0)->line, "PUT /a HTTP/1.1");
    ck_assert(text_equal_string(peer_request(peer, 0)->body, "content"));
    expect_header(peer, "Content-Length", "7");
    expect_header(peer, "Content-Type", "application/octet-stream");
    expect_header(peer, "Expect", NULL);
    fetching_release(&fetch);
    peer_stop(peer);
}
END_TEST

START_TEST(a_put_of_nothing_says_so)
{
    struct peer *peer = peer_start_one((struct peer_rule){.status = 200});
    struct fetch fetch = fetch_with("PUT", peer_url(peer, "/a"), "");

    fetching_run(&fetch);
    ck_assert_int_eq(fetch.http_status, 200);
    expect_header(peer, "Content-Length", "0");
    expect_header(peer, "Content-Type", NULL);
    fetching_release(&fetch);
    peer_stop(peer);
}
END_TEST

START_TEST(a_large_put_arrives_whole)
{
    struct peer *peer = peer_start_one((struct peer_rule){.status = 200});
    struct fetch fetch = fetch_with("PUT", peer_url(peer, "/a"), "");
    struct buffer body = {NULL, 0, 0};

    for (int i = 0; i < 200000; i++)
        buffer_append_string(&body, "0123456789");
    fetch.body = buffer_text(&body);
    fetching_run(&fetch);
    ck_assert_int_eq(fetch.http_status, 200);
    ck_assert_uint_eq(peer_request(peer, 0)->body.size, 2000000);
    ck_assert(text_equal(peer_request(peer, 0)->body, fetch.body));
    buffer_free(&body);
    fetching_release(&fetch);
    peer_stop(peer);
}
END_TEST

START_TEST(get_and_delete_send_no_body)
{
    static const char *const methods[] = {"GET", "DELETE"};

    for (size_t i = 0; i < ARRAY_LENGTH(methods); i++) {
        struct peer *peer = peer_start_one((struct peer_rule){.body = "ok"});
        struct fetch fetch = fetch_with(methods[i], peer_url(peer, "/a"), NULL);

        fetching_run(&fetch);
        ck_assert_str_eq(fetch.reply.data, "ok");
        ck_assert(
            text_starts_with(text_of(peer_request(peer, 0)->line), methods[i]));
        ck_assert_uint_eq(peer_request(peer, 0)->body.size, 0);
        expect_header(peer, "Content-Length", NULL);
        expect_header(peer, "Content-Type", NULL);
        fetching_release(&fetch);
        peer_stop(peer);
    }
}
END_TEST

START_TEST(a_head_waits_for_no_body)
{
    struct peer *peer = peer_start_one((struct peer_rule){
        .raw = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"});
    struct fetch fetch = fetch_with("HEAD", peer_url(peer, "/a"), NULL);

    fetching_run(&fetch);
    ck_assert_int_eq(fetch.status, FETCH_DONE);
    ck_assert_int_eq(fetch.http_status, 200);
    ck_assert_uint_eq(fetch.reply.size, 0);
    ck_assert_str_eq(peer_request(peer, 0)->line, "HEAD /a HTTP/1.1");
    fetching_release(&fetch);
    peer_stop(peer);
}
END_TEST

START_TEST(headers_of_ones_own_go_along)
{
    static const char *const headers[] = {"x-one: 1", "Authorization: a b=c",
                                          NULL};
    struct peer *peer = peer_start_one((struct peer_rule){.status = 200});
    struct fetch fetch = fetch_with("GET", peer_url(peer, "/a"), NULL);

    fetch.headers = headers;
    fetching_run(&fetch);
    expect_header(peer, "x-one", "1");
    expect_header(peer, "Authorization", "a b=c");
    fetching_release(&fetch);
    peer_stop(peer);
}
END_TEST

START_TEST(a_header_with_a_line_break_is_refused)
{
    static const char *const headers[] = {"x-one: 1\r\nx-two: 2", NULL};
    struct peer *peer = peer_start_one((struct peer_rule){.status = 200});
    struct fetch fetch = fetch_with("GET", peer_url(peer, "/a"), NULL);

    fetch.headers = headers;
    fetching_run(&fetch);
    ck_assert_int_eq(fetch.status, FETCH_REFUSED_URL);
    ck_assert_uint_eq(peer_request_count(peer), 0);
    fetching_release(&fetch);
    peer_stop(peer);
}
END_TEST

START_TEST(redirects_of_these_are_not_followed)
{
    const struct peer_rule rules[] = {
        {.path = "/a", .status = 307, .headers = "Location: /b\r\n"},
        {.path = "/b", .status = 200},
    };
    struct peer *peer = peer_start(rules, ARRAY_LENGTH(rules));
    struct fetch fetch = fetch_with("GET", peer_url(peer, "/a"), NULL);

    fetch.follow_redirects = true;
    fetching_run(&fetch);
    ck_assert_int_eq(fetch.http_status, 307);
    ck_assert_uint_eq(peer_request_count(peer), 1);
    fetching_release(&fetch);
    peer_stop(peer);
}
END_TEST

START_TEST(the_path_stays_as_it_is)
{
    struct peer *peer = peer_start_one((struct peer_rule){.status = 200});
    struct fetch fetch = fetch_with("GET", peer_url(peer, "/a/../b//%2F"), "");

    fetching_run(&fetch);
    ck_assert_str_eq(peer_request(peer, 0)->line, "GET /a/../b//%2F HTTP/1.1");
    fetching_release(&fetch);
    peer_stop(peer);
}
END_TEST

START_TEST(a_deadline_ends_a_fetch)
{
    struct peer *peer =
        peer_start_one((struct peer_rule){.manner = PEER_STALL});
    struct fetch fetch = fetch_with("GET", peer_url(peer, "/a"), NULL);

    fetch.deadline_ms = clock_monotonic_ms() + 300;
    fetching_run(&fetch);
    ck_assert_int_eq(fetch.status, FETCH_BROKEN);
    ck_assert_int_ge(fetch.duration_ms, 250);
    ck_assert_int_lt(fetch.duration_ms, 3000);
    fetching_release(&fetch);
    peer_stop(peer);
}
END_TEST

START_TEST(who_waits_past_the_deadline_is_not_sent)
{
    struct peer *peer =
        peer_start_one((struct peer_rule){.manner = PEER_STALL});
    struct fetcher_settings settings = fetching_settings();
    struct fetch first = fetch_with("GET", peer_url(peer, "/a"), NULL);
    struct fetch second = fetch_with("GET", peer_url(peer, "/b"), NULL);

    settings.max_connections = 1;
    fetching_start(&settings);
    first.deadline_ms = clock_monotonic_ms() + 300;
    second.deadline_ms = first.deadline_ms;
    fetcher_start(fetching_fetcher(), &first);
    fetcher_start(fetching_fetcher(), &second);
    fetching_wait(2);
    ck_assert_int_eq(first.status, FETCH_BROKEN);
    ck_assert_int_eq(second.status, FETCH_UNSENT);
    ck_assert_uint_eq(peer_request_count(peer), 1);
    fetching_release(&first);
    fetching_release(&second);
    peer_stop(peer);
}
END_TEST

START_TEST(only_who_may_ask_the_machine_comes_to_its_address)
{
    struct fetch fetch = fetch_with("GET", "http://0.0.0.0:1/", NULL);

    fetch.connect_timeout_ms = 1000;
    fetching_run(&fetch);
    ck_assert_int_eq(fetch.status, FETCH_REFUSED_HOST);
    fetching_release(&fetch);

    fetch.policy.may_ask_metadata = true;
    fetching_run(&fetch);
    ck_assert_int_eq(fetch.status, FETCH_UNSENT);
    fetching_release(&fetch);
}
END_TEST

FETCHING_STORY("fetch, methods", TELL(a_put_sends_its_body),
               TELL(a_put_of_nothing_says_so), TELL(a_large_put_arrives_whole),
               TELL(get_and_delete_send_no_body),
               TELL(a_head_waits_for_no_body),
               TELL(headers_of_ones_own_go_along),
               TELL(a_header_with_a_line_break_is_refused),
               TELL(redirects_of_these_are_not_followed),
               TELL(the_path_stays_as_it_is), TELL(a_deadline_ends_a_fetch),
               TELL(who_waits_past_the_deadline_is_not_sent),
               TELL(only_who_may_ask_the_machine_comes_to_its_address))
