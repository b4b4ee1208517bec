/*
 * server/fetch/fetch.c: whom we trust (R36).
 */
#include "server/fetch/fetch.h"

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
    fetching_set_policy(
        &(struct fetch_policy){.verify_tls = verify_tls, .ca_file = ca_file});
}

/* A peer whose certificate names `names`, called by who trusts as told. */
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

/*
 * The peer answers once and speaks with one caller at a time: who uses the
 * kept connection waits for an answer, who makes a new one for a handshake.
 */
static struct fetch fetched_again(const struct tls_peer *peer)
{
    struct fetch fetch = fetching_to(tls_peer_url(peer), "x");

    fetch.connect_timeout_ms = 300;
    fetch.idle_timeout_ms = 300;
    fetching_run(&fetch);
    fetching_release(&fetch);
    return fetch;
}

START_TEST(a_connection_that_nobody_verified_is_not_used_by_who_verifies)
{
    struct tls_peer *peer = tls_peer("DNS:localhost", NULL, false, false);
    struct fetch first = fetched_by_tls(peer);
    size_t size = tls_peer_received(peer);

    ck_assert_int_eq(first.status, FETCH_DONE);
    fetching_release(&first);
    trust(NULL, true);
    ck_assert_int_eq(fetched_again(peer).status, FETCH_UNSENT);
    trust(tls_peer_certificate(peer), true);
    ck_assert_int_eq(fetched_again(peer).status, FETCH_UNSENT);
    trust(tls_peer_certificate(peer), false);
    ck_assert_int_eq(fetched_again(peer).status, FETCH_UNSENT);
    ck_assert_uint_eq(tls_peer_received(peer), size);
    trust(NULL, false);
    ck_assert_int_eq(fetched_again(peer).status, FETCH_BROKEN);
    ck_assert_uint_gt(tls_peer_received(peer), size);
    tls_peer_stop(peer);
}
END_TEST

FETCHING_STORY(
    "fetch TLS", TELL(a_certificate_that_nobody_signed_is_refused),
    TELL(a_certificate_of_the_ca_file_is_accepted),
    TELL(a_certificate_for_another_name_is_refused),
    TELL(without_verification_any_certificate_is_accepted),
    TELL(tls_before_1_2_is_refused),
    TELL(a_missing_ca_file_is_an_error_and_not_a_way_in),
    TELL(plain_http_where_tls_was_expected_is_unsent),
    TELL(a_connection_that_nobody_verified_is_not_used_by_who_verifies))
