/*
 * The load generator against servers that answer well, badly and slowly.
 */
#include "tests/bench/support/http_load.h"

#include "tests/bench/support/http_load_private.h"
#include "tests/bench/support/latencies.h"
#include "tests/bench/support/raw_http.h"
#include "tests/support/peer.h"
#include "tests/support/port.h"
#include "tests/support/story.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MEGABYTE = 1024 * 1024 };

/* What each client does, and what came of it. */
struct plan {
    int64_t requests;
    enum http_load_go go;
    const char *path;
    size_t body_bytes; /* of a request; 0: a GET */
    size_t seen_bytes; /* of the last reply's body */
    bool rests;        /* every second time that it is asked */
    int64_t rested;
    const char *fields; /* of a GET */
};

static enum http_load_go next(struct http_load_client *client,
                              struct buffer *request, void *context)
{
    struct plan *plan = context;

    if (plan->requests > 0 && client->requests == plan->requests)
        return HTTP_LOAD_END;
    if (plan->rests && client->step++ % 2 == 0) {
        plan->rested++;
        return HTTP_LOAD_REST;
    }
    if (plan->body_bytes == 0) {
        buffer_printf(request, "GET %s HTTP/1.1\r\nHost: h\r\n%s\r\n",
                      plan->path, plan->fields != NULL ? plan->fields : "");
        return plan->go;
    }
    buffer_printf(request,
                  "POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n",
                  plan->path, plan->body_bytes);
    buffer_reserve(request, plan->body_bytes);
    memset(request->data + request->size, 'x', plan->body_bytes);
    request->size += plan->body_bytes;
    return plan->go;
}

static bool answered(struct http_load_client *client,
                     const struct http_load_reply *reply, void *context)
{
    struct plan *plan = context;

    (void)client;
    plan->seen_bytes = strlen(reply->body.data);
    return reply->status == 200 && plan->seen_bytes == reply->body.size &&
           reply->latency_us >= 0;
}

static struct http_load_result run(uint16_t port, size_t clients,
                                   struct plan *plan)
{
    return http_load_run(&(struct http_load_settings){
        .port = port,
        .clients = clients,
        .next = next,
        .answered = answered,
        .context = plan,
    });
}

START_TEST(every_request_of_every_client_is_answered)
{
    const struct raw_answer answers[] = {
        {.path = "/a", .status = 200, .body = "hello"}};
    struct raw_http *raw = raw_http_start(answers, 1);
    struct plan plan = {.requests = 20, .path = "/a"};
    struct http_load_result result = run(raw_http_port(raw), 1500, &plan);

    ck_assert_int_eq(result.answered, 30000);
    ck_assert_int_eq(result.failed, 0);
    ck_assert_uint_eq(plan.seen_bytes, 5);
    ck_assert(result.seconds > 0 && result.cpu_seconds > 0);
    ck_assert(result.p50_ms > 0 && result.p99_ms >= result.p50_ms);
    raw_http_stop(raw);
}
END_TEST

START_TEST(a_client_keeps_its_connection)
{
    struct peer *peer = peer_start_one((struct peer_rule){.body = "b"});
    struct plan plan = {.requests = 4, .path = "/"};

    ck_assert_int_eq(run(peer_port(peer), 3, &plan).answered, 12);
    ck_assert_uint_eq(peer_connection_count(peer), 3);
    peer_stop(peer);
}
END_TEST

START_TEST(a_new_connection_for_each_request_when_it_is_asked_for)
{
    struct peer *peer = peer_start_one((struct peer_rule){.body = "b"});
    struct plan plan = {.requests = 4, .path = "/", .go = HTTP_LOAD_GO_FRESH};

    ck_assert_int_eq(run(peer_port(peer), 3, &plan).answered, 12);
    ck_assert_uint_eq(peer_connection_count(peer), 12);
    peer_stop(peer);
}
END_TEST

START_TEST(a_connection_that_the_server_ends_is_made_again)
{
    struct peer *peer = peer_start_one(
        (struct peer_rule){.body = "b", .manner = PEER_ANSWER_AND_CLOSE});
    struct plan plan = {.requests = 4, .path = "/"};
    struct http_load_result result = run(peer_port(peer), 1, &plan);

    ck_assert_int_eq(result.answered, 4);
    ck_assert_int_eq(result.failed, 0);
    ck_assert_uint_eq(peer_connection_count(peer), 4);
    peer_stop(peer);
}
END_TEST

START_TEST(what_is_wrong_or_cut_has_failed_and_the_client_goes_on)
{
    const struct peer_rule rules[] = {
        {.times = 1, .status = 500},
        {.times = 1, .manner = PEER_CUT, .bytes = 20, .body = "b"},
        {.times = 1, .manner = PEER_RESET, .bytes = 20, .body = "b"},
        {.times = 1, .raw = "HTTP/1.1 200 OK\r\n\r\n"},
        {.body = "b"},
    };
    struct peer *peer = peer_start(rules, 5);
    struct plan plan = {.requests = 6, .path = "/"};
    struct http_load_result result = run(peer_port(peer), 1, &plan);

    ck_assert_int_eq(result.failed, 4);
    ck_assert_int_eq(result.answered, 2);
    peer_stop(peer);
}
END_TEST

START_TEST(nobody_there_is_a_failure_too)
{
    struct plan plan = {.requests = 3, .path = "/"};
    struct http_load_result result = run(port_reserve(), 2, &plan);

    ck_assert_int_eq(result.failed, 6);
    ck_assert_int_eq(result.answered, 0);
}
END_TEST

START_TEST(large_requests_and_replies_pass_whole)
{
    struct peer *peer =
        peer_start_one((struct peer_rule){.filler = 3 * MEGABYTE});
    struct plan plan = {.requests = 2, .path = "/", .body_bytes = 5 * MEGABYTE};

    ck_assert_int_eq(run(peer_port(peer), 2, &plan).answered, 4);
    ck_assert_uint_eq(plan.seen_bytes, 3 * MEGABYTE);
    ck_assert_uint_eq(peer_request(peer, 3)->body.size, 5 * MEGABYTE);
    peer_stop(peer);
}
END_TEST

START_TEST(a_reply_may_come_byte_by_byte)
{
    struct peer *peer = peer_start_one((struct peer_rule){
        .manner = PEER_TRICKLE, .pace_ms = 1, .body = "body"});
    struct plan plan = {.requests = 2, .path = "/"};

    ck_assert_int_eq(run(peer_port(peer), 1, &plan).answered, 2);
    ck_assert_uint_eq(plan.seen_bytes, 4);
    peer_stop(peer);
}
END_TEST

START_TEST(a_client_may_rest_and_is_asked_again)
{
    struct peer *peer = peer_start_one((struct peer_rule){.body = "b"});
    struct plan plan = {.requests = 3, .path = "/", .rests = true};

    ck_assert_int_eq(run(peer_port(peer), 1, &plan).answered, 3);
    ck_assert_int_eq(plan.rested, 3);
    peer_stop(peer);
}
END_TEST

START_TEST(time_ends_it_but_what_was_asked_is_waited_for)
{
    struct peer *peer =
        peer_start_one((struct peer_rule){.body = "b", .delay_ms = 150});
    struct plan plan = {.path = "/"};
    struct http_load_result result = http_load_run(&(struct http_load_settings){
        .port = peer_port(peer),
        .clients = 5,
        .seconds = 0.1,
        .next = next,
        .context = &plan,
    });

    ck_assert_int_eq(result.answered, 5);
    ck_assert_int_eq(result.failed, 0);
    ck_assert(result.seconds >= 0.15);
    peer_stop(peer);
}
END_TEST

START_TEST(a_rate_is_kept)
{
    const struct raw_answer answers[] = {{.path = "/", .status = 200}};
    struct raw_http *raw = raw_http_start(answers, 1);
    struct plan plan = {.path = "/"};
    struct http_load_result result = http_load_run(&(struct http_load_settings){
        .port = raw_http_port(raw),
        .clients = 10,
        .seconds = 0.5,
        .rate = 40,
        .next = next,
        .context = &plan,
    });

    ck_assert_int_le(result.answered, 200);
    ck_assert_int_ge(result.answered, 100);
    raw_http_stop(raw);
}
END_TEST

START_TEST(latency_at_a_rate_counts_from_when_a_request_was_due)
{
    struct peer *peer =
        peer_start_one((struct peer_rule){.body = "b", .delay_ms = 40});
    struct plan plan = {.requests = 10, .path = "/"};
    struct http_load_result result = http_load_run(&(struct http_load_settings){
        .port = peer_port(peer),
        .clients = 1,
        .rate = 100,
        .next = next,
        .context = &plan,
    });

    /* The last one is due after 90 ms, and answered after 400. */
    ck_assert(result.p99_ms > 200);
    peer_stop(peer);
}
END_TEST

START_TEST(the_bare_server_tells_those_with_a_cookie_apart)
{
    const struct raw_answer answers[] = {
        {.path = "/a", .status = 200, .body = "known", .with_cookie = true},
        {.path = "/a?", .status = 200, .body = "query"},
        {.path = "/a",
         .status = 200,
         .headers = "X-A: 1\r\nX-B: 2\r\n",
         .body = ""},
    };
    struct raw_http *raw = raw_http_start(answers, 3);
    struct plan plan = {.requests = 1, .path = "/a"};
    uint16_t port = raw_http_port(raw);

    ck_assert_int_eq(run(port, 1, &plan).answered, 1);
    ck_assert_uint_eq(plan.seen_bytes, 0);
    plan.fields = "Cookie: a=b\r\n";
    ck_assert_int_eq(run(port, 1, &plan).answered, 1);
    ck_assert_uint_eq(plan.seen_bytes, strlen("known"));
    plan.path = "/elsewhere";
    ck_assert_int_eq(run(port, 1, &plan).failed, 1);
    raw_http_stop(raw);
}
END_TEST

START_TEST(further_connections_come_from_further_addresses)
{
    struct peer *peer = peer_start_one((struct peer_rule){.body = "b"});
    struct load_network network = {.epoll = epoll_create1(EPOLL_CLOEXEC),
                                   .port = peer_port(peer),
                                   .source = 5};
    struct load_connection connection = {.socket = -1};
    struct sockaddr_in address;
    socklen_t size = sizeof address;

    ck_assert_int_ne(load_connection_send(&connection, &network), LOAD_BROKEN);
    ck_assert_int_eq(
        getsockname(connection.socket, (struct sockaddr *)&address, &size), 0);
    ck_assert_str_eq(inet_ntoa(address.sin_addr), "127.0.0.6");
    load_connection_free(&connection);
    close(network.epoll);
    peer_stop(peer);
}
END_TEST

START_TEST(latencies_are_known_to_two_per_cent)
{
    static struct latencies latencies;

    for (int64_t us = 1; us <= 100000; us++)
        latencies_add(&latencies, us);
    ck_assert_double_eq_tol(latencies_quantile_ms(&latencies, 0.5), 50, 1);
    ck_assert_double_eq_tol(latencies_quantile_ms(&latencies, 0.99), 99, 2);
}
END_TEST

STORY("http_load", TELL(every_request_of_every_client_is_answered),
      TELL(a_client_keeps_its_connection),
      TELL(a_new_connection_for_each_request_when_it_is_asked_for),
      TELL(a_connection_that_the_server_ends_is_made_again),
      TELL(what_is_wrong_or_cut_has_failed_and_the_client_goes_on),
      TELL(nobody_there_is_a_failure_too),
      TELL(large_requests_and_replies_pass_whole),
      TELL(a_reply_may_come_byte_by_byte),
      TELL(a_client_may_rest_and_is_asked_again),
      TELL(time_ends_it_but_what_was_asked_is_waited_for), TELL(a_rate_is_kept),
      TELL(latency_at_a_rate_counts_from_when_a_request_was_due),
      TELL(the_bare_server_tells_those_with_a_cookie_apart),
      TELL(further_connections_come_from_further_addresses),
      TELL(latencies_are_known_to_two_per_cent))
