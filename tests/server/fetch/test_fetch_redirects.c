/*
 * server/fetch/fetch.c: redirects are followed as python-requests does.
 */
#include "server/fetch/fetch.h"

#include "server/base/memory.h"
#include "tests/support/fetching.h"
#include "tests/support/peer.h"
#include "tests/support/story.h"

#include <stdlib.h>

START_TEST(a_redirect_is_an_answer_unless_we_are_to_follow)
{
    struct peer *peer = peer_start_one(
        (struct peer_rule){.status = 302, .headers = "Location: /b\r\n"});
    struct fetch fetch = fetching_to(peer_url(peer, "/a"), "x");

    fetching_run(&fetch);
    ck_assert_int_eq(fetch.status, FETCH_DONE);
    ck_assert_int_eq(fetch.http_status, 302);
    ck_assert_uint_eq(peer_request_count(peer), 1);
    fetching_release(&fetch);
    peer_stop(peer);
}
END_TEST

START_TEST(after_301_302_and_303_a_post_becomes_a_get_without_body)
{
    static const int statuses[] = {301, 302, 303};

    for (size_t i = 0; i < ARRAY_LENGTH(statuses); i++) {
        struct peer_rule rules[] = {{.path = "/a",
                                     .status = statuses[i],
                                     .headers = "Location: b?c=d\r\n",
                                     .body = "moved"},
                                    {.status = 404, .body = "here"}};
        struct peer *peer = peer_start(rules, ARRAY_LENGTH(rules));
        struct fetch fetch = fetching_to(peer_url(peer, "/a"), "x=1");
        const struct peer_request *second;

        fetch.follow_redirects = true;
        fetching_run(&fetch);
        second = peer_request(peer, 1);
        ck_assert_int_eq(fetch.http_status, 404);
        ck_assert(text_equal_string(buffer_text(&fetch.reply), "here"));
        ck_assert_str_eq(second->line, "GET /b?c=d HTTP/1.1");
        ck_assert(text_is_absent(peer_header(second, "Content-Length")));
        ck_assert(text_is_absent(peer_header(second, "Content-Type")));
        ck_assert_uint_eq(second->body.size, 0);
        fetching_release(&fetch);
        peer_stop(peer);
    }
}
END_TEST

START_TEST(after_307_and_308_the_post_is_repeated_as_it_was)
{
    static const int statuses[] = {307, 308};

    for (size_t i = 0; i < ARRAY_LENGTH(statuses); i++) {
        struct peer_rule rules[] = {{.path = "/a",
                                     .status = statuses[i],
                                     .headers = "Location: /b\r\n"},
                                    {.body = "here"}};
        struct peer *peer = peer_start(rules, ARRAY_LENGTH(rules));
        struct fetch fetch = fetching_to(peer_url(peer, "/a"), "x=1");
        const struct peer_request *second;

        fetch.follow_redirects = true;
        fetching_run(&fetch);
        second = peer_request(peer, 1);
        ck_assert_int_eq(fetch.http_status, 200);
        ck_assert_str_eq(second->line, "POST /b HTTP/1.1");
        ck_assert(text_equal_string(second->body, "x=1"));
        ck_assert(text_equal_string(peer_header(second, "Content-Type"),
                                    "application/x-www-form-urlencoded"));
        fetching_release(&fetch);
        peer_stop(peer);
    }
}
END_TEST

START_TEST(the_password_stays_with_the_host_that_it_is_for)
{
    struct peer *other = peer_start_one((struct peer_rule){.body = "there"});
    char *headers =
        xasprintf("Location: %s\r\n", peer_url(other, "/elsewhere"));
    struct peer_rule rules[] = {
        {.path = "/a", .status = 302, .headers = "Location: /b\r\n"},
        {.status = 302, .headers = headers}};
    struct peer *peer = peer_start(rules, ARRAY_LENGTH(rules));
    struct fetch fetch = fetching_to(peer_url(peer, "/a"), "x");

    fetch.follow_redirects = true;
    fetch.username = "user";
    fetch.password = "secret";
    fetching_run(&fetch);
    ck_assert(text_equal_string(buffer_text(&fetch.reply), "there"));
    ck_assert(
        text_equal_string(peer_header(peer_request(peer, 1), "Authorization"),
                          "Basic dXNlcjpzZWNyZXQ="));
    ck_assert(
        text_is_absent(peer_header(peer_request(other, 0), "Authorization")));
    free(headers);
    fetching_release(&fetch);
    peer_stop(peer);
    peer_stop(other);
}
END_TEST

START_TEST(the_thirty_first_redirect_is_not_followed)
{
    struct peer *peer = peer_start_one(
        (struct peer_rule){.status = 302, .headers = "Location: /a\r\n"});
    struct fetch fetch = fetching_to(peer_url(peer, "/a"), "x");

    fetch.follow_redirects = true;
    fetching_run(&fetch);
    ck_assert_int_eq(fetch.status, FETCH_DONE);
    ck_assert_int_eq(fetch.http_status, 302);
    ck_assert_uint_eq(peer_request_count(peer), 31);
    ck_assert_str_eq(fetch.reason, "HTTP 302, too many redirects");
    fetching_release(&fetch);
    peer_stop(peer);
}
END_TEST

START_TEST(a_redirect_without_a_location_is_an_answer)
{
    struct peer *peer = peer_start_one((struct peer_rule){.status = 302});
    struct fetch fetch = fetching_to(peer_url(peer, "/a"), "x");

    fetch.follow_redirects = true;
    fetching_run(&fetch);
    ck_assert_int_eq(fetch.status, FETCH_DONE);
    ck_assert_int_eq(fetch.http_status, 302);
    fetching_release(&fetch);
    peer_stop(peer);
}
END_TEST

FETCHING_STORY("fetch redirects",
               TELL(a_redirect_is_an_answer_unless_we_are_to_follow),
               TELL(after_301_302_and_303_a_post_becomes_a_get_without_body),
               TELL(after_307_and_308_the_post_is_repeated_as_it_was),
               TELL(the_password_stays_with_the_host_that_it_is_for),
               TELL(the_thirty_first_redirect_is_not_followed),
               TELL(a_redirect_without_a_location_is_an_answer))
