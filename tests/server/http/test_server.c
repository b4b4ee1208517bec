/*
 * The server in ordinary use: requests, replies, keep-alive, order.
 */
#include "server/http/server.h"

#include "server/base/clock.h"
#include "tests/support/http_story.h"

#include <event2/event.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Nothing more comes, but the connection stays. */
static bool is_open(int client)
{
    struct buffer rest = {0};
    const enum raw_end end = raw_read_all(client, &rest, 100);

    buffer_free(&rest);
    return end == RAW_OPEN;
}

START_TEST(a_request_is_answered)
{
    const int client = raw_connect(child.port);

    ck_assert_int_eq(ask(client, "GET /echo?a=b%20c&d HTTP/1.1\r\n"
                                 "Host: x\r\n\r\n"),
                     200);
    ck_assert(has("\r\n\r\nGET /echo ?a=b%20c&d 0 from 127.0.0.1"));
    ck_assert(has("\r\nX-Test: yes\r\n"));
    ck_assert(has("\r\nContent-Type: text/html; charset=utf-8\r\n"));
    ck_assert(has("\r\nX-Content-Type-Options: nosniff\r\n"));
    ck_assert(!has("\r\nConnection:"));
    close(client);
}
END_TEST

static int64_t now_s(void)
{
    return clock_wall_us() / 1000000;
}

/* The date of one more reply, which must be that of now. */
static int64_t date_of_reply(int client)
{
    struct tm parts = {.tm_isdst = 0};
    const int64_t before_s = now_s();
    int64_t date_s;
    const char *date;

    ck_assert_int_eq(ask(client, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n"), 200);
    date = strstr(reply.data, "\r\nDate: ");
    ck_assert_ptr_nonnull(date);
    ck_assert_ptr_nonnull(
        strptime(date, "\r\nDate: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts));
    date_s = timegm(&parts);
    ck_assert_int_ge(date_s, before_s);
    ck_assert_int_le(date_s, now_s());
    return date_s;
}

START_TEST(every_reply_has_the_date_of_now)
{
    const int client = raw_connect(child.port);
    const int64_t first_s = date_of_reply(client);

    while (date_of_reply(client) == first_s)
        continue; /* it is made once a second */
    close(client);
}
END_TEST

START_TEST(a_posted_body_arrives_whole)
{
    const int client = raw_connect(child.port);

    ck_assert_int_eq(ask(client, "POST /body HTTP/1.1\r\nHost: x\r\n"
                                 "Content-Length: 11\r\n\r\nhello world"),
                     200);
    ck_assert(has("\r\n\r\nhello world"));
    close(client);
}
END_TEST

START_TEST(a_chunked_body_arrives_whole)
{
    const int client = raw_connect(child.port);

    ck_assert_int_eq(ask(client, "POST /body HTTP/1.1\r\nHost: x\r\n"
                                 "Transfer-Encoding: chunked\r\n\r\n"
                                 "6\r\nhello \r\n5\r\nworld\r\n0\r\n\r\n"),
                     200);
    ck_assert(has("\r\n\r\nhello world"));
    ck_assert(is_open(client));
    close(client);
}
END_TEST

START_TEST(an_expecting_client_is_told_to_continue)
{
    const int client = raw_connect(child.port);

    ck_assert(raw_say(client, "POST /body HTTP/1.1\r\nHost: x\r\n"
                              "Expect: 100-continue\r\n"
                              "Content-Length: 5\r\n\r\n"));
    ck_assert_int_eq(raw_read_all(client, &reply, 200), RAW_OPEN);
    ck_assert_int_eq(raw_status(&reply), 100);
    ck_assert_int_eq(ask(client, "hello"), 200);
    ck_assert(has("\r\n\r\nhello"));
    close(client);
}
END_TEST

START_TEST(an_expecting_client_on_a_used_connection_too)
{
    const int client = raw_connect(child.port);

    ck_assert_int_eq(ask(client, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n"), 200);
    buffer_clear(&reply);
    ck_assert(raw_say(client, "POST /body HTTP/1.1\r\nHost: x\r\n"
                              "Expect: 100-continue\r\n"
                              "Content-Length: 5\r\n\r\n"));
    ck_assert_int_eq(raw_read_all(client, &reply, 200), RAW_OPEN);
    ck_assert_int_eq(raw_status(&reply), 100);
    ck_assert_int_eq(ask(client, "hello"), 200);
    close(client);
}
END_TEST

START_TEST(a_head_in_single_bytes_is_read)
{
    const int client = raw_connect(child.port);

    ck_assert(raw_say_slowly(
        client, "POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nok",
        1));
    ck_assert(raw_read_reply(client, &reply, 5000));
    ck_assert(has("\r\n\r\nok"));
    close(client);
}
END_TEST

START_TEST(head_tells_the_length_and_sends_no_body)
{
    const int client = raw_connect(child.port);

    ck_assert(raw_say(client, "HEAD /echo HTTP/1.1\r\nHost: x\r\n\r\n"));
    ck_assert_int_eq(raw_read_all(client, &reply, 200), RAW_OPEN);
    ck_assert(has("\r\nContent-Length: 29\r\n"));
    ck_assert_int_eq(memcmp(reply.data + reply.size - 4, "\r\n\r\n", 4), 0);
    close(client);
}
END_TEST

START_TEST(a_connection_serves_many_requests)
{
    const int client = raw_connect(child.port);

    for (int i = 0; i < 50; i++)
        ck_assert_int_eq(ask(client, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n"),
                         200);
    HTTP_CHILD_AWAIT(&child, child.report->connections == 1);
    ck_assert_uint_eq(child.report->most_connections, 1);
    close(client);
}
END_TEST

START_TEST(a_hundred_pipelined_requests_are_answered_in_order)
{
    const int client = raw_connect(child.port);
    struct buffer text = {0};
    struct buffer order = {0};

    for (int i = 0; i < 100; i++) {
        buffer_printf(&text,
                      "POST %s?%d HTTP/1.1\r\nHost: x\r\n"
                      "Content-Length: 4\r\n%s\r\nbody",
                      i % 10 == 5 ? "/late" : "/echo", i,
                      i == 99 ? "Connection: close\r\n" : "");
        buffer_printf(&order, "%d ", i);
    }
    ck_assert(raw_send(client, text.data, text.size));
    ck_assert_int_eq(raw_read_all(client, &reply, 10000), RAW_CLOSED);
    ck_assert_uint_eq(raw_count(&reply, "HTTP/1.1 200 OK"), 100);
    ck_assert_str_eq((const char *)child.report->order, order.data);
    buffer_free(&text);
    buffer_free(&order);
    close(client);
}
END_TEST

START_TEST(http_1_0_gets_a_length_and_a_close)
{
    const int client = raw_connect(child.port);

    ck_assert_int_eq(
        ask(client, "GET /echo HTTP/1.0\r\nConnection: close\r\n\r\n"), 200);
    ck_assert(has("\r\nContent-Length: 28\r\n"));
    ck_assert(has("\r\nConnection: close\r\n"));
    ck_assert(!has("chunked"));
    ck_assert(is_closed(client));
    close(client);
}
END_TEST

START_TEST(http_1_0_closes_by_itself_and_stays_when_asked_to)
{
    const int leaving = raw_connect(child.port);
    const int staying = raw_connect(child.port);

    ck_assert_int_eq(ask(leaving, "GET /echo HTTP/1.0\r\n\r\n"), 200);
    ck_assert(is_closed(leaving));
    ck_assert_int_eq(
        ask(staying, "GET /echo HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"),
        200);
    ck_assert_uint_eq(raw_count(&reply, "Connection: keep-alive"), 1);
    ck_assert(is_open(staying));
    ck_assert_int_eq(
        ask(staying, "GET /close HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"),
        200);
    ck_assert_uint_eq(raw_count(&reply, "Connection: close"), 1);
    ck_assert_uint_eq(raw_count(&reply, "keep-alive"), 0);
    ck_assert(is_closed(staying));
    close(leaving);
    close(staying);
}
END_TEST

START_TEST(close_is_found_in_a_list)
{
    static const char *const lists[] = {"close", "Close", "foo, close",
                                        "close, foo", "keep-alive ,\tCLOSE"};

    for (size_t i = 0; i < ARRAY_LENGTH(lists); i++) {
        const int client = raw_connect(child.port);
        struct buffer text = {0};

        buffer_printf(&text,
                      "GET /echo HTTP/1.1\r\nHost: x\r\n"
                      "Connection: %s\r\n\r\n",
                      lists[i]);
        ck_assert_int_eq(ask(client, text.data), 200);
        ck_assert(has("\r\nConnection: close\r\n"));
        ck_assert(is_closed(client));
        buffer_free(&text);
        close(client);
    }
}
END_TEST

START_TEST(the_handler_can_close)
{
    const int client = raw_connect(child.port);

    ck_assert_int_eq(ask(client, "GET /close HTTP/1.1\r\nHost: x\r\n\r\n"),
                     200);
    ck_assert(has("\r\nConnection: close\r\n"));
    ck_assert(is_closed(client));
    close(client);
}
END_TEST

static void ignore(struct http_request *request, void *context)
{
    (void)request;
    (void)context;
}

START_TEST(a_bad_address_is_told)
{
    struct http_settings settings = http_child_settings();
    struct event_base *base = event_base_new();
    static const char *error; /* reachable for the leak check */

    settings.address = "somewhere";
    ck_assert_ptr_null(
        http_server_start(base, &settings, ignore, NULL, &error));
    ck_assert_str_eq(error, "somewhere is not a numeric address");
    event_base_free(base);
}
END_TEST

START_TEST(a_taken_port_is_told)
{
    struct http_settings settings = http_child_settings();
    struct event_base *base = event_base_new();
    static const char *error; /* reachable for the leak check */

    settings.port = child.port;
    ck_assert_ptr_null(
        http_server_start(base, &settings, ignore, NULL, &error));
    ck_assert_ptr_nonnull(strstr(error, "Address already in use"));
    event_base_free(base);
}
END_TEST

/* A container often has no IPv6: then that has to be told. */
static bool has_ipv6(void)
{
    const struct sockaddr_in6 address = {.sin6_family = AF_INET6,
                                         .sin6_addr = in6addr_loopback};
    const int probe = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool has =
        probe >= 0 && bind(probe, (const void *)&address, sizeof address) == 0;

    if (probe >= 0)
        close(probe);
    return has;
}

START_TEST(ipv6_is_served)
{
    struct http_settings settings = http_child_settings();
    struct event_base *base = event_base_new();
    const char *error = NULL;
    struct http_server *server;

    settings.address = "[::1]";
    server = http_server_start(base, &settings, ignore, NULL, &error);
    if (has_ipv6()) {
        ck_assert_msg(server != NULL, "%s", error);
        ck_assert_uint_ne(http_server_port(server), 0);
        http_server_free(server);
    } else {
        ck_assert_ptr_null(server);
        ck_assert_ptr_nonnull(strstr(error, "cannot listen on [::1] port 0: "));
        free((char *)error);
    }
    event_base_free(base);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(a_request_is_answered),
        TELL(every_reply_has_the_date_of_now),
        TELL(a_posted_body_arrives_whole),
        TELL(a_chunked_body_arrives_whole),
        TELL(an_expecting_client_is_told_to_continue),
        TELL(an_expecting_client_on_a_used_connection_too),
        TELL(a_head_in_single_bytes_is_read),
        TELL(head_tells_the_length_and_sends_no_body),
        TELL(a_connection_serves_many_requests),
        TELL(a_hundred_pipelined_requests_are_answered_in_order),
        TELL(http_1_0_gets_a_length_and_a_close),
        TELL(http_1_0_closes_by_itself_and_stays_when_asked_to),
        TELL(close_is_found_in_a_list),
        TELL(the_handler_can_close),
        TELL(a_bad_address_is_told),
        TELL(a_taken_port_is_told),
        TELL(ipv6_is_served),
    };
    static const struct story story = {
        .name = "server",
        .tests = tests,
        .count = ARRAY_LENGTH(tests),
        .before_each = http_story_begin,
        .after_each = http_story_end,
    };

    return story_run(&story);
}
