/*
 * server/fetch/fetch.c: where we go and where we never go.
 */
#include "server/fetch/fetch.h"

#include "server/base/memory.h"
#include "tests/support/fetching.h"
#include "tests/support/peer.h"
#include "tests/support/story.h"

#include <stdlib.h>

static void expect_refusal(const char *url, enum fetch_status status)
{
    struct fetch fetch = fetching_to(url, "x");

    fetch.connect_timeout_ms = 1000;
    fetching_run(&fetch);
    ck_assert_msg(fetch.status == status, "%s: %s (%s)", url,
                  fetch_status_name(fetch.status), fetch.reason);
    fetching_release(&fetch);
}

START_TEST(what_is_not_plain_http_is_refused)
{
    static const char *const urls[] = {
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/_x",
        "javascript:alert(1)",
        "127.0.0.1/",
        "//127.0.0.1/",
        "/a",
        "",
        "http:",
        "http://",
        "http:///a",
        "http:/127.0.0.1/",
        "http://user@127.0.0.1/",
        "http://user:pw@127.0.0.1/",
        "http://@127.0.0.1/",
        "http://127.0.0.1:70000/",
        "http://127.0.0.1:x/",
        "http://a b/",
        "http://127.0.0.1\\@x/",
        "http://\xc3\xa9.example.org/",
        "http://%31%32%37.0.0.1/",
        "http://a\r\nb/",
        "http://[::1/",
        "http://:80/",
    };

    for (size_t i = 0; i < ARRAY_LENGTH(urls); i++)
        expect_refusal(urls[i], FETCH_REFUSED_URL);
}
END_TEST

START_TEST(metadata_addresses_are_refused_however_they_are_spelt)
{
    static const char *const urls[] = {
        "http://169.254.169.254/latest/meta-data/",
        "http://2852039166/",
        "http://0xa9fea9fe/",
        "http://0xa9.0xfe.0xa9.0xfe/",
        "http://0251.0376.0251.0376/",
        "http://169.254.43518/",
        "http://169.16689662/",
        "http://[::ffff:169.254.169.254]/",
        "http://[::ffff:a9fe:a9fe]/",
        "http://[0:0:0:0:0:ffff:a9fe:a9fe]/",
        "http://[::169.254.169.254]/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://[2002:a9fe:a9fe::]/",
        "http://[fe80::1]/",
        "http://[fd00:ec2::254]/",
        "http://0/",
        "http://0.0.0.0/",
        "http://[::]/",
        "http://255.255.255.255/",
        "http://224.0.0.1/",
    };

    for (size_t i = 0; i < ARRAY_LENGTH(urls); i++)
        expect_refusal(urls[i], FETCH_REFUSED_HOST);
}
END_TEST

START_TEST(a_redirect_to_a_metadata_address_is_refused)
{
    struct peer *peer = peer_start_one((struct peer_rule){
        .status = 302,
        .headers = "Location: http://169.254.169.254/latest/\r\n"});
    struct fetch fetch = fetching_to(peer_url(peer, "/"), "x");

    fetch.follow_redirects = true;
    fetching_run(&fetch);
    ck_assert_int_eq(fetch.status, FETCH_REFUSED_HOST);
    fetching_release(&fetch);
    peer_stop(peer);
}
END_TEST

START_TEST(a_redirect_to_another_scheme_is_refused)
{
    static const char *const headers[] = {
        "Location: file:///etc/passwd\r\n", "Location: ftp://127.0.0.1/\r\n",
        "Location: http://user@127.0.0.1/\r\n", "Location: http://[\r\n"};

    for (size_t i = 0; i < ARRAY_LENGTH(headers); i++) {
        struct peer *peer = peer_start_one(
            (struct peer_rule){.status = 302, .headers = headers[i]});
        struct fetch fetch = fetching_to(peer_url(peer, "/"), "x");

        fetch.follow_redirects = true;
        fetching_run(&fetch);
        ck_assert_msg(fetch.status == FETCH_REFUSED_URL, "%s: %s", headers[i],
                      fetch_status_name(fetch.status));
        fetching_release(&fetch);
        peer_stop(peer);
    }
}
END_TEST

static void allow_only_localhost(void)
{
    static const char *const hosts[] = {"localhost"};

    fetching_set_policy(&(struct fetch_policy){
        .verify_tls = true,
        .allowed_hosts = hosts,
        .allowed_host_count = ARRAY_LENGTH(hosts),
    });
}

START_TEST(only_hosts_of_the_list_are_called)
{
    struct peer *peer = peer_start_one((struct peer_rule){.body = "ok"});
    char *url = xasprintf("http://LocalHost:%u/", peer_port(peer));
    struct fetch fetch;

    allow_only_localhost();
    fetch = fetching_to(url, "x");
    expect_refusal(peer_url(peer, "/"), FETCH_REFUSED_HOST);
    ck_assert_uint_eq(peer_connection_count(peer), 0);
    fetching_run(&fetch);
    ck_assert_int_eq(fetch.status, FETCH_DONE);
    free(url);
    fetching_release(&fetch);
    peer_stop(peer);
}
END_TEST

START_TEST(a_redirect_out_of_the_list_is_refused_before_connecting)
{
    struct peer *other = peer_start_one((struct peer_rule){.body = "there"});
    char *headers = xasprintf("Location: %s\r\n", peer_url(other, "/"));
    struct peer *peer =
        peer_start_one((struct peer_rule){.status = 307, .headers = headers});
    char *url = xasprintf("http://localhost:%u/", peer_port(peer));
    struct fetch fetch;

    allow_only_localhost();
    fetch = fetching_to(url, "x");
    fetch.follow_redirects = true;
    fetching_run(&fetch);
    ck_assert_int_eq(fetch.status, FETCH_REFUSED_HOST);
    ck_assert_uint_eq(peer_connection_count(other), 0);
    free(url);
    free(headers);
    fetching_release(&fetch);
    peer_stop(peer);
    peer_stop(other);
}
END_TEST

START_TEST(each_fetch_has_a_policy_of_its_own)
{
    static const char *const hosts[] = {".example.org"};
    struct peer *peer = peer_start_one((struct peer_rule){.body = "ok"});
    struct fetch free_fetch = fetching_to(peer_url(peer, "/"), "x");
    struct fetch bound = fetching_to(peer_url(peer, "/"), "y");

    bound.policy.allowed_hosts = hosts;
    bound.policy.allowed_host_count = ARRAY_LENGTH(hosts);
    fetcher_start(fetching_fetcher(), &free_fetch);
    fetcher_start(fetching_fetcher(), &bound);
    fetching_wait(2);
    ck_assert_int_eq(free_fetch.status, FETCH_DONE);
    ck_assert_int_eq(bound.status, FETCH_REFUSED_HOST);
    fetching_release(&free_fetch);
    peer_stop(peer);
}
END_TEST

FETCHING_STORY("fetch policy", TELL(what_is_not_plain_http_is_refused),
               TELL(metadata_addresses_are_refused_however_they_are_spelt),
               TELL(a_redirect_to_a_metadata_address_is_refused),
               TELL(a_redirect_to_another_scheme_is_refused),
               TELL(only_hosts_of_the_list_are_called),
               TELL(a_redirect_out_of_the_list_is_refused_before_connecting),
               TELL(each_fetch_has_a_policy_of_its_own))
