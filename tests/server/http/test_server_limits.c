/*
 * Deadlines, the limit of connections, and a lack of descriptors. The
 * deadlines here are one second; they are looked at every half.
 */
#include "server/http/server.h"

#include "server/base/clock.h"
#include "tests/support/http_child.h"
#include "tests/support/raw_client.h"
#include "tests/support/story.h"

#include <sys/socket.h>
#include <unistd.h>

enum { LIMIT_MS = 1000, LATEST_MS = 3500 };

static struct http_child child;
static struct buffer reply;

static void start(const struct http_settings *settings)
{
    child = http_child_start(settings, 0);
}

static void stop(void)
{
    http_child_end(&child);
    buffer_free(&reply);
}

/* The server closes, not before the limit and soon after it. */
static void expect_close(int client, int64_t since_ms)
{
    int64_t after_ms;

    ck_assert_int_ne(raw_read_all(client, &reply, LATEST_MS), RAW_OPEN);
    after_ms = clock_monotonic_ms() - since_ms;
    ck_assert_int_ge(after_ms, LIMIT_MS);
    ck_assert_int_lt(after_ms, LATEST_MS);
}

START_TEST(a_slow_head_is_cut)
{
    struct http_settings settings = http_child_settings();
    int64_t before_ms;
    int client;

    settings.head_timeout_s = 1;
    start(&settings);
    client = raw_connect(child.port);
    before_ms = clock_monotonic_ms();
    ck_assert(!raw_say_slowly(client, "GET /echo HTTP/1.1\r\n", 300));
    expect_close(client, before_ms);
    ck_assert_int_eq(raw_status(&reply), 408);
    close(client);
    stop();
}
END_TEST

START_TEST(a_silent_connection_is_closed)
{
    struct http_settings settings = http_child_settings();
    const int64_t before_ms = clock_monotonic_ms();
    int client;

    settings.idle_timeout_s = 1;
    start(&settings);
    client = raw_connect(child.port);
    expect_close(client, before_ms);
    ck_assert_uint_eq(reply.size, 0);
    close(client);
    stop();
}
END_TEST

START_TEST(a_kept_connection_is_closed_when_idle)
{
    struct http_settings settings = http_child_settings();
    int64_t before_ms;
    int client;

    settings.idle_timeout_s = 1;
    start(&settings);
    client = raw_connect(child.port);
    ck_assert(raw_say(client, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n"));
    ck_assert(raw_read_reply(client, &reply, 5000));
    before_ms = clock_monotonic_ms();
    buffer_clear(&reply);
    expect_close(client, before_ms - 100);
    ck_assert_uint_eq(reply.size, 0);
    close(client);
    stop();
}
END_TEST

static const char upload[] = "POST /echo HTTP/1.1\r\nHost: x\r\n"
                             "Content-Length: 12000\r\n\r\n";

START_TEST(a_trickling_body_is_cut)
{
    struct http_settings settings = http_child_settings();
    int64_t before_ms;
    int client;

    settings.body_grace_s = 1;
    start(&settings);
    client = raw_connect(child.port);
    before_ms = clock_monotonic_ms();
    ck_assert(raw_say(client, upload));
    ck_assert(!raw_say_slowly(client, "0123456789012345", 200));
    expect_close(client, before_ms);
    ck_assert_int_eq(raw_status(&reply), 408);
    ck_assert_uint_eq(child.report->requests, 0);
    close(client);
    stop();
}
END_TEST

START_TEST(a_steady_body_may_take_longer_than_the_grace)
{
    struct http_settings settings = http_child_settings();
    char piece[1000] = "";
    int client;

    settings.body_grace_s = 1;
    start(&settings);
    client = raw_connect(child.port);
    ck_assert(raw_say(client, upload));
    for (int i = 0; i < 12; i++) {
        http_child_wait_ms(200);
        ck_assert(raw_send(client, piece, sizeof piece));
    }
    ck_assert(raw_read_reply(client, &reply, 5000));
    ck_assert_int_eq(raw_status(&reply), 200);
    close(client);
    stop();
}
END_TEST

START_TEST(a_whole_request_has_a_deadline_too)
{
    struct http_settings settings = http_child_settings();
    int64_t before_ms;
    int client;

    settings.request_timeout_s = 1;
    start(&settings);
    client = raw_connect(child.port);
    before_ms = clock_monotonic_ms();
    ck_assert(raw_say(client, upload));
    expect_close(client, before_ms);
    ck_assert_int_eq(raw_status(&reply), 408);
    close(client);
    stop();
}
END_TEST

START_TEST(a_request_that_is_handled_too_long_loses_its_client_only)
{
    struct http_settings settings = http_child_settings();
    int64_t before_ms;
    int client;

    settings.request_timeout_s = 1;
    start(&settings);
    client = raw_connect(child.port);
    before_ms = clock_monotonic_ms();
    ck_assert(raw_say(client, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n"));
    expect_close(client, before_ms);
    ck_assert_uint_eq(child.report->in_flight, 1);
    http_child_release(&child);
    HTTP_CHILD_AWAIT(&child, child.report->in_flight == 0);
    HTTP_CHILD_AWAIT(&child, child.report->connections == 0);
    close(client);
    stop();
}
END_TEST

START_TEST(a_client_that_does_not_read_is_cut)
{
    struct http_settings settings = http_child_settings();
    const int small = 4096;
    int client;

    settings.reply_timeout_s = 1;
    start(&settings);
    client = raw_connect(child.port);
    setsockopt(client, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    ck_assert(raw_say(client, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n"));
    HTTP_CHILD_AWAIT(&child, child.report->requests == 1);
    HTTP_CHILD_AWAIT(&child, child.report->connections == 1);
    HTTP_CHILD_AWAIT(&child, child.report->connections == 0);
    close(client);
    stop();
}
END_TEST

START_TEST(a_refused_client_is_not_waited_for_without_end)
{
    struct http_settings settings = http_child_settings();
    int client;

    settings.reply_timeout_s = 1;
    start(&settings);
    client = raw_connect(child.port);
    ck_assert(raw_say(client, "GET / HTTP/9.9\r\n\r\n"));
    ck_assert_int_eq(raw_read_all(client, &reply, 5000), RAW_CLOSED);
    HTTP_CHILD_AWAIT(&child, child.report->most_connections == 1);
    HTTP_CHILD_AWAIT(&child, child.report->connections == 0);
    close(client);
    stop();
}
END_TEST

START_TEST(more_clients_than_connections_wait_for_their_turn)
{
    enum { CLIENTS = 12, LIMIT = 4 };
    struct http_settings settings = http_child_settings();
    int clients[CLIENTS];

    settings.max_connections = LIMIT;
    start(&settings);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = raw_connect(child.port);
        ck_assert(raw_say(clients[i], "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n"));
    }
    for (int i = 0; i < CLIENTS; i++) {
        buffer_clear(&reply);
        ck_assert(raw_read_reply(clients[i], &reply, 5000));
        ck_assert_int_eq(raw_status(&reply), 200);
        close(clients[i]);
    }
    HTTP_CHILD_AWAIT(&child, child.report->connections == 0);
    ck_assert_uint_le(child.report->most_connections, LIMIT);
    stop();
}
END_TEST

START_TEST(connections_leave_descriptors_for_the_rest_of_the_process)
{
    enum { CLIENTS = 60, FILES = 40 };
    const struct http_settings settings = http_child_settings();
    int clients[CLIENTS];

    child = http_child_start(&settings, FILES);
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = raw_connect(child.port);
    HTTP_CHILD_AWAIT(&child, child.report->connections == FILES / 2);
    for (int i = 0; i < CLIENTS; i++)
        close(clients[i]);
    HTTP_CHILD_AWAIT(&child, child.report->connections == 0);
    stop();
}
END_TEST

START_TEST(a_lack_of_descriptors_does_not_spin)
{
    enum { CLIENTS = 30, FILES = 100 };
    const struct http_settings settings = http_child_settings();
    int clients[CLIENTS];
    int later;

    child = http_child_start(&settings, FILES);
    http_child_starve(&child);
    HTTP_CHILD_AWAIT(&child, child.report->starved);
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = raw_connect(child.port);
    ck_assert_int_eq(raw_read_all(clients[0], &reply, 2000), RAW_CLOSED);
    http_child_wait_ms(1000);
    http_child_release(&child);
    later = raw_connect(child.port);
    ck_assert(raw_say(later, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n"));
    ck_assert(raw_read_reply(later, &reply, 5000));
    for (int i = 0; i < CLIENTS; i++)
        close(clients[i]);
    close(later);
    stop();
    ck_assert_int_lt(child.report->cpu_ms, 500);
}
END_TEST

START_TEST(many_short_connections_leave_nothing_behind)
{
    const struct http_settings settings = http_child_settings();

    start(&settings);
    for (int i = 0; i < 2000; i++)
        close(raw_connect(child.port));
    HTTP_CHILD_AWAIT(&child, child.report->connections == 0);
    stop();
}
END_TEST

STORY("server limits", TELL(a_slow_head_is_cut),
      TELL(a_silent_connection_is_closed),
      TELL(a_kept_connection_is_closed_when_idle),
      TELL(a_trickling_body_is_cut),
      TELL(a_steady_body_may_take_longer_than_the_grace),
      TELL(a_whole_request_has_a_deadline_too),
      TELL(a_request_that_is_handled_too_long_loses_its_client_only),
      TELL(a_client_that_does_not_read_is_cut),
      TELL(a_refused_client_is_not_waited_for_without_end),
      TELL(more_clients_than_connections_wait_for_their_turn),
      TELL(connections_leave_descriptors_for_the_rest_of_the_process),
      TELL(a_lack_of_descriptors_does_not_spin),
      TELL(many_short_connections_leave_nothing_behind))
