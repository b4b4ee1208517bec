/*
 * server/deliver/fetch.c: whom we trust (R36).
 */
#include "server/deliver/fetch.h"

#include "server/base/memory.h"
#include "tests/support/fetching.h"
#include "tests/support/peer.h"
#include "tests/support/story.h"
#include "tests/support/tls_peer.h"

#include <stdlib.h>

static struct fetch fetched_by_tls(const struct tls_peer *peer)
{
    struct fetch fetch = fetching_to(tls_peer_url(peer), "x");

    fetching_run(&fetch);
    return fetch;
}

static void trust(const char *ca_file, bool verify_tls)
{
    struct fetcher_settings settings = fetching_settings();

    settings.ca_file = ca_file;
    settings.verify_tls = verify_tls;
    fetching_start(&settings);
}

/* A peer whose certificate names `names`, on a loop that trusts as told. */
static struct tls_peer *tls_peer(const char *names, const char *option,
                                 bool trust_it, bool verify_tls)
{
    struct tls_peer *peer = tls_peer_start(names, option);

    trust(trust_it ? tls_peer_certificate(peer) : NULL, verify_tls);
    tls_peer_serve(peer, fetching_base());
    return peer;
}

START_TEST(a_certificate_that_nobody_signed_is_refused)
{
    struct tls_peer *peer = tls_peer("DNS:localhost", NULL, false, true);
    struct fetch fetch = fetched_by_tls(peer);

    ck_assert_int_eq(fetch.status, FETCH_UNSENT);
    ck_assert(!tls_peer_was_asked(peer));
    tls_peer_stop(peer);
}
END_TEST

START_TEST(a_certificate_of_the_ca_file_is_accepted)
{
    struct tls_peer *peer = tls_peer("DNS:localhost", NULL, true, true);
    struct fetch fetch = fetched_by_tls(peer);

    ck_assert_msg(fetch.status == FETCH_DONE, "%s", fetch.reason);
    ck_assert(text_equal_string(buffer_text(&fetch.reply), "ok"));
    fetching_release(&fetch);
    tls_peer_stop(peer);
}
END_TEST

START_TEST(a_certificate_for_another_name_is_refused)
{
    struct tls_peer *peer = tls_peer("DNS:lms.example.org", NULL, true, true);
    struct fetch fetch = fetched_by_tls(peer);

    ck_assert_int_eq(fetch.status, FETCH_UNSENT);
    ck_assert(!tls_peer_was_asked(peer));
    tls_peer_stop(peer);
}
END_TEST

START_TEST(without_verification_any_certificate_is_accepted)
{
    struct tls_peer *peer = tls_peer("DNS:lms.example.org", NULL, false, false);
    struct fetch fetch = fetched_by_tls(peer);

    ck_assert_msg(fetch.status == FETCH_DONE, "%s", fetch.reason);
    fetching_release(&fetch);
    tls_peer_stop(peer);
}
END_TEST

START_TEST(tls_before_1_2_is_refused)
{
    struct tls_peer *peer = tls_peer("DNS:localhost", "-tls1_1", true, true);
    struct fetch fetch = fetched_by_tls(peer);

    ck_assert_int_eq(fetch.status, FETCH_UNSENT);
    tls_peer_stop(peer);
}
END_TEST

START_TEST(a_missing_ca_file_is_an_error_and_not_a_way_in)
{
    struct tls_peer *peer = tls_peer_start("DNS:localhost", NULL);
    struct fetch fetch;

    trust("/nonexistent/ca.pem", true);
    fetch = fetched_by_tls(peer);
    ck_assert_int_eq(fetch.status, FETCH_UNSENT);
    ck_assert(!tls_peer_was_asked(peer));
    tls_peer_stop(peer);
}
END_TEST

START_TEST(plain_http_where_tls_was_expected_is_unsent)
{
    struct peer *peer = peer_start_one((struct peer_rule){.body = "ok"});
    char *url = xasprintf("https://127.0.0.1:%u/", peer_port(peer));
    struct fetch fetch = fetching_to(url, "x");

    fetch.connect_timeout_ms = 500;
    fetching_run(&fetch);
    ck_assert_int_eq(fetch.status, FETCH_UNSENT);
    free(url);
    peer_stop(peer);
}
END_TEST

FETCHING_STORY("fetch TLS", TELL(a_certificate_that_nobody_signed_is_refused),
               TELL(a_certificate_of_the_ca_file_is_accepted),
               TELL(a_certificate_for_another_name_is_refused),
               TELL(without_verification_any_certificate_is_accepted),
               TELL(tls_before_1_2_is_refused),
               TELL(a_missing_ca_file_is_an_error_and_not_a_way_in),
               TELL(plain_http_where_tls_was_expected_is_unsent))
