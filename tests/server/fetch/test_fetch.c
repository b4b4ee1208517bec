/*
 * server/fetch/fetch.c: what goes over the wire and what comes back, with
 * peers that behave.
 */
#include "server/fetch/fetch.h"

#include "server/base/memory.h"
#include "tests/support/fetching.h"
#include "tests/support/peer.h"
#include "tests/support/story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the first request looks like when the port is known. */
static void expect_bytes(struct peer *peer, const char *format)
{
    const struct peer_request *request = peer_request(peer, 0);
    char port[8];
    const char *place = strstr(format, "PORT");
    char *expected;

    snprintf(port, sizeof port, "%u", peer_port(peer));
    expected =
        xasprintf("%.*s%s%s", (int)(place - format), format, port, place + 4);
    ck_assert_str_eq(request->bytes.data, expected);
    free(expected);
}

START_TEST(a_form_post_has_exactly_these_bytes)
{
    struct peer *peer = peer_start_one((struct peer_rule){.body = "ok"});
    struct fetch fetch = fetching_to(peer_url(peer, "/a?b=c"), "x=1&y=%202");

    fetching_run(&fetch);
    ck_assert_int_eq(fetch.status, FETCH_DONE);
    expect_bytes(peer, "POST /a?b=c HTTP/1.1\r\n"
                       "Host: 127.0.0.1:PORT\r\n"
                       "User-Agent: XQueue/1.0\r\n"
                       "Accept: */*\r\n"
                       "Content-Type: application/x-www-form-urlencoded\r\n"
                       "Content-Length: 10\r\n"
                       "\r\n"
                       "x=1&y=%202");
    fetching_release(&fetch);
    peer_stop(peer);
}
END_TEST

START_TEST(without_a_content_type_none_is_sent)
{
    struct peer *peer = peer_start_one((struct peer_rule){.body = "ok"});
    struct fetch fetch = fetching_to(peer_url(peer, "/"), "{}");

    fetch.content_type = NULL;
    fetching_run(&fetch);
    expect_bytes(peer, "POST / HTTP/1.1\r\n"
                       "Host: 127.0.0.1:PORT\r\n"
                       "User-Agent: XQueue/1.0\r\n"
                       "Accept: */*\r\n"
                       "Content-Length: 2\r\n"
                       "\r\n"
                       "{}");
    fetching_release(&fetch);
    peer_stop(peer);
}
END_TEST

START_TEST(an_empty_body_has_length_zero)
{
    struct peer *peer = peer_start_one((struct peer_rule){.body = "ok"});
    struct fetch fetch = fetching_to(peer_url(peer, "/"), NULL);

    fetching_run(&fetch);
    ck_assert_int_eq(fetch.status, FETCH_DONE);
    ck_assert(text_equal_string(
        peer_header(peer_request(peer, 0), "Content-Length"), "0"));
    fetching_release(&fetch);
    peer_stop(peer);
}
END_TEST

START_TEST(a_large_body_goes_out_whole_and_without_expecting_a_100)
{
    enum { SIZE = 3 * 1024 * 1024 };
    struct peer *peer = peer_start_one((struct peer_rule){.body = "ok"});
    struct fetch fetch = fetching_to(peer_url(peer, "/"), NULL);
    const struct peer_request *request;
    char *body = xmalloc(SIZE);

    memset(body, 'b', SIZE);
    body[7] = '\0';
    fetch.body = (struct text){body, SIZE};
    fetching_run(&fetch);
    request = peer_request(peer, 0);
    ck_assert(text_equal(request->body, fetch.body));
    ck_assert(text_is_absent(peer_header(request, "Expect")));
    ck_assert(text_is_absent(peer_header(request, "Transfer-Encoding")));
    ck_assert(
        text_equal_string(peer_header(request, "Content-Length"), "3145728"));
    ck_assert_int_lt(fetch.duration_ms, 900);
    free(body);
    fetching_release(&fetch);
    peer_stop(peer);
}
END_TEST

START_TEST(basic_auth_is_sent_at_once)
{
    struct peer *peer = peer_start_one((struct peer_rule){.body = "ok"});
    struct fetch fetch = fetching_to(peer_url(peer, "/"), "x");

    fetch.username = "anant";
    fetch.password = "agar:wal";
    fetching_run(&fetch);
    ck_assert(
        text_equal_string(peer_header(peer_request(peer, 0), "Authorization"),
                          "Basic YW5hbnQ6YWdhcjp3YWw="));
    fetching_release(&fetch);
    peer_stop(peer);
}
END_TEST

START_TEST(an_auth_challenge_and_cookies_are_ignored)
{
    struct peer *peer = peer_start_one((struct peer_rule){
        .status = 401,
        .headers = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n"
                   "Set-Cookie: a=b\r\n"});
    struct fetch first = fetching_to(peer_url(peer, "/"), "x");
    struct fetch second = fetching_to(peer_url(peer, "/"), "x");

    fetching_run(&first);
    ck_assert_int_eq(first.http_status, 401);
    fetching_run(&second);
    ck_assert_uint_eq(peer_request_count(peer), 2);
    ck_assert(text_is_absent(peer_header(peer_request(peer, 1), "Cookie")));
    ck_assert(
        text_is_absent(peer_header(peer_request(peer, 1), "Authorization")));
    fetching_release(&first);
    fetching_release(&second);
    peer_stop(peer);
}
END_TEST

START_TEST(path_and_query_go_as_they_are)
{
    static const char *const targets[] = {
        "/courses/course-v1:X+Y+Z//xqueue/7/block-v1:X+Y+Z@problem+block@p",
        "/a/./b/../c//d?key=1",
        "/a;b=c,d/%2f%2F%7e%zz?",
        "/?a[]={b}|c^`d\"<e>\\f",
        "/update_certificate?key=abc&&=?/#",
    };
    struct peer *peer = peer_start_one((struct peer_rule){.body = "ok"});

    for (size_t i = 0; i < ARRAY_LENGTH(targets); i++) {
        struct fetch fetch = fetching_to(peer_url(peer, targets[i]), "x");
        char *line = xasprintf("POST %.*s HTTP/1.1",
                               (int)strcspn(targets[i], "#"), targets[i]);

        fetching_run(&fetch);
        ck_assert_str_eq(peer_request(peer, i)->line, line);
        free(line);
        fetching_release(&fetch);
    }
    peer_stop(peer);
}
END_TEST

START_TEST(blanks_control_characters_and_utf8_are_percent_encoded)
{
    struct peer *peer = peer_start_one((struct peer_rule){.body = "ok"});
    struct fetch fetch =
        fetching_to(peer_url(peer, "/a b\xc3\xa9\r\nX: y?q=c d\x7f"), "x");

    fetching_run(&fetch);
    ck_assert_str_eq(peer_request(peer, 0)->line,
                     "POST /a%20b%C3%A9%0D%0AX:%20y?q=c%20d%7F HTTP/1.1");
    fetching_release(&fetch);
    peer_stop(peer);
}
END_TEST

START_TEST(a_url_without_a_path_asks_for_the_root)
{
    struct peer *peer = peer_start_one((struct peer_rule){.body = "ok"});
    struct fetch fetch = fetching_to(peer_url(peer, "?a=b"), "x");

    fetching_run(&fetch);
    ck_assert_str_eq(peer_request(peer, 0)->line, "POST /?a=b HTTP/1.1");
    fetching_release(&fetch);
    peer_stop(peer);
}
END_TEST

START_TEST(proxies_of_the_environment_play_no_part)
{
    struct peer *peer = peer_start_one((struct peer_rule){.body = "ok"});
    struct peer *proxy = peer_start_one((struct peer_rule){.body = "proxied"});
    struct fetch fetch = fetching_to(peer_url(peer, "/"), "x");

    setenv("http_proxy", peer_url(proxy, "/"), 1);
    setenv("all_proxy", peer_url(proxy, "/"), 1);
    fetching_run(&fetch);
    ck_assert(text_equal_string(buffer_text(&fetch.reply), "ok"));
    ck_assert_uint_eq(peer_connection_count(proxy), 0);
    fetching_release(&fetch);
    peer_stop(proxy);
    peer_stop(peer);
}
END_TEST

START_TEST(any_status_is_an_answer)
{
    static const int statuses[] = {200, 201, 204, 206, 304, 404, 500, 503};

    for (size_t i = 0; i < ARRAY_LENGTH(statuses); i++) {
        struct peer *peer =
            peer_start_one((struct peer_rule){.status = statuses[i]});
        struct fetch fetch = fetching_to(peer_url(peer, "/"), "x");

        fetching_run(&fetch);
        ck_assert_int_eq(fetch.status, FETCH_DONE);
        ck_assert_int_eq(fetch.http_status, statuses[i]);
        fetching_release(&fetch);
        peer_stop(peer);
    }
}
END_TEST

START_TEST(body_type_and_retry_after_are_reported)
{
    struct peer *peer = peer_start_one(
        (struct peer_rule){.status = 503,
                           .headers = "Content-Type: text/plain; x=y\r\n"
                                      "Retry-After: 120\r\n",
                           .body = "later"});
    struct fetch fetch = fetching_to(peer_url(peer, "/"), "x");

    fetching_run(&fetch);
    ck_assert(text_equal_string(buffer_text(&fetch.reply), "later"));
    ck_assert_str_eq(fetch.reply_type, "text/plain; x=y");
    ck_assert_int_eq(fetch.retry_after_s, 120);
    ck_assert_str_eq(fetch.reason, "HTTP 503");
    fetching_release(&fetch);
    peer_stop(peer);
}
END_TEST

START_TEST(nonsense_in_retry_after_counts_as_none_and_years_as_a_day)
{
    struct peer_rule rules[] = {
        {.times = 1, .status = 503, .headers = "Retry-After: soon\r\n"},
        {.times = 1, .status = 503, .headers = "Retry-After: -5\r\n"},
        {.status = 503, .headers = "Retry-After: 999999999999\r\n"},
    };
    static const long expected[] = {0, 0, 86400};
    struct peer *peer = peer_start(rules, ARRAY_LENGTH(rules));

    for (size_t i = 0; i < 3; i++) {
        struct fetch fetch = fetching_to(peer_url(peer, "/"), "x");

        fetching_run(&fetch);
        ck_assert_int_eq(fetch.retry_after_s, expected[i]);
        fetching_release(&fetch);
    }
    peer_stop(peer);
}
END_TEST

START_TEST(a_reply_that_nobody_keeps_is_dropped)
{
    struct peer *peer = peer_start_one((struct peer_rule){.body = "text"});
    struct fetch fetch = fetching_to(peer_url(peer, "/"), "x");

    fetch.keep_reply = false;
    fetching_run(&fetch);
    ck_assert_int_eq(fetch.http_status, 200);
    ck_assert_uint_eq(fetch.reply.size, 0);
    fetching_release(&fetch);
    peer_stop(peer);
}
END_TEST

START_TEST(chunked_and_http_1_0_replies_are_read)
{
    struct peer_rule rules[] = {
        {.times = 1,
         .raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"},
        {.manner = PEER_CUT,
         .bytes = SIZE_MAX,
         .raw = "HTTP/1.0 200 OK\r\n\r\nold"},
    };
    struct peer *peer = peer_start(rules, ARRAY_LENGTH(rules));
    struct fetch chunked = fetching_to(peer_url(peer, "/"), "x");
    struct fetch old = fetching_to(peer_url(peer, "/"), "x");

    fetching_run(&chunked);
    ck_assert(text_equal_string(buffer_text(&chunked.reply), "abcde"));
    fetching_run(&old);
    ck_assert_int_eq(old.status, FETCH_DONE);
    ck_assert(text_equal_string(buffer_text(&old.reply), "old"));
    fetching_release(&chunked);
    fetching_release(&old);
    peer_stop(peer);
}
END_TEST

START_TEST(a_reply_of_exactly_the_limit_is_whole_and_one_more_is_cut)
{
    struct peer_rule rules[] = {{.times = 1, .body = "12345"},
                                {.body = "123456"}};
    struct peer *peer = peer_start(rules, ARRAY_LENGTH(rules));

    for (size_t i = 0; i < 2; i++) {
        struct fetch fetch = fetching_to(peer_url(peer, "/"), "x");

        fetch.max_reply_bytes = 5;
        fetching_run(&fetch);
        ck_assert_int_eq(fetch.status, FETCH_DONE);
        ck_assert_int_eq(fetch.http_status, 200);
        ck_assert(text_equal_string(buffer_text(&fetch.reply), "12345"));
        ck_assert_str_eq(fetch.reason,
                         i == 0 ? "HTTP 200" : "HTTP 200, reply cut off");
        ck_assert(fetch.reply_was_cut == (i == 1));
        fetching_release(&fetch);
    }
    peer_stop(peer);
}
END_TEST

FETCHING_STORY("fetch", TELL(a_form_post_has_exactly_these_bytes),
               TELL(without_a_content_type_none_is_sent),
               TELL(an_empty_body_has_length_zero),
               TELL(a_large_body_goes_out_whole_and_without_expecting_a_100),
               TELL(basic_auth_is_sent_at_once),
               TELL(an_auth_challenge_and_cookies_are_ignored),
               TELL(path_and_query_go_as_they_are),
               TELL(blanks_control_characters_and_utf8_are_percent_encoded),
               TELL(a_url_without_a_path_asks_for_the_root),
               TELL(proxies_of_the_environment_play_no_part),
               TELL(any_status_is_an_answer),
               TELL(body_type_and_retry_after_are_reported),
               TELL(nonsense_in_retry_after_counts_as_none_and_years_as_a_day),
               TELL(a_reply_that_nobody_keeps_is_dropped),
               TELL(chunked_and_http_1_0_replies_are_read),
               TELL(a_reply_of_exactly_the_limit_is_whole_and_one_more_is_cut))
