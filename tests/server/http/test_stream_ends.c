/*
 * Replies in pieces: clients that are slow or leave, and the server's stop.
 */
#include "server/http/server.h"

#include "server/base/clock.h"
#include "tests/support/http_story.h"

#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    HUGE = 64 * 1000 * 1000, /* no system takes so much for nothing */
    RECEIVE_BUFFER = 32 * 1024,
};

/* A client must take 64 KiB in each second. */
static void begin(void)
{
    struct http_settings settings = http_child_settings();

    settings.reply_timeout_s = 1;
    settings.min_body_rate = 64 * 1024;
    http_story_begin_with(&settings);
}

static int connect_with_small_buffer(void)
{
    const int client = raw_connect(child.port);
    const int size = RECEIVE_BUFFER;

    setsockopt(client, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    return client;
}

static void ask_for(int client, const char *target)
{
    char text[256];

    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", target);
    ck_assert(raw_say(client, text));
    HTTP_CHILD_AWAIT(&child, child.report->requests == 1);
}

/* Up to `size` bytes, waiting for the first of them; 0 at the end. */
static size_t take(int client, size_t size)
{
    static char bytes[1024 * 1024];
    struct pollfd descriptor = {.fd = client, .events = POLLIN};
    ssize_t taken;

    ck_assert_int_eq(poll(&descriptor, 1, 5000), 1);
    taken = recv(client, bytes, size, 0);
    return taken > 0 ? (size_t)taken : 0;
}

static void expect_all_over(unsigned gone)
{
    HTTP_CHILD_AWAIT(&child, child.report->in_flight == 0);
    HTTP_CHILD_AWAIT(&child, child.report->connections == 0);
    HTTP_CHILD_AWAIT(&child, child.report->body_memory == 0);
    ck_assert_uint_eq(child.report->streams.gone, gone);
}

START_TEST(a_slow_client_gets_all_of_it)
{
    const int client = connect_with_small_buffer();
    const int64_t start_ms = clock_monotonic_ms();
    size_t total = 0;

    ask_for(client, "/stream?6000000");
    while (total < 6000000) {
        const size_t size = take(client, 8192);

        ck_assert_uint_gt(size, 0);
        total += size;
        if (total < 1500000)
            http_child_wait_ms(15); /* about 500 KiB a second */
    }
    ck_assert_int_gt(clock_monotonic_ms() - start_ms, 2000);
    HTTP_CHILD_AWAIT(&child, child.report->streams.whole == 1);
    close(client);
    expect_all_over(0);
}
END_TEST

START_TEST(a_client_that_stops_reading_is_cut)
{
    const int client = connect_with_small_buffer();

    ask_for(client, "/stream?64000000");
    expect_all_over(1);
    ck_assert_int_ne(raw_read_all(client, &reply, 5000), RAW_OPEN);
    close(client);
}
END_TEST

START_TEST(a_client_that_reads_too_slowly_is_cut)
{
    const int client = connect_with_small_buffer();
    const int64_t until_ms = clock_monotonic_ms() + 8000;

    ask_for(client, "/stream?64000000");
    while (clock_monotonic_ms() < until_ms && child.report->connections > 0) {
        take(client, 200);
        http_child_wait_ms(20);
    }
    expect_all_over(1);
    close(client);
}
END_TEST

START_TEST(a_client_that_does_not_read_the_end_is_not_waited_for)
{
    const int client = connect_with_small_buffer();

    ck_assert(raw_say(client, "GET /ahead?262144 HTTP/1.1\r\nHost: x\r\n"
                              "Connection: close\r\n\r\n"));
    HTTP_CHILD_AWAIT(&child, child.report->requests == 1);
    expect_all_over(0);
    close(client);
}
END_TEST

START_TEST(a_stream_without_end_is_cut)
{
    struct http_settings settings = http_child_settings();
    int client;

    settings.stream_timeout_s = 1;
    http_child_end(&child);
    http_story_begin_with(&settings);
    client = connect_with_small_buffer();
    ask_for(client, "/stream?64000000");
    for (int i = 0; i < 500 && child.report->connections > 0; i++) {
        take(client, 8192);
        http_child_wait_ms(10);
    }
    expect_all_over(1);
    close(client);
}
END_TEST

START_TEST(a_slow_handler_is_not_held_against_the_client)
{
    const int client = raw_connect(child.port);

    ask_for(client, "/pausing?200000");
    ck_assert(raw_read_reply(client, &reply, 5000));
    ck_assert_uint_gt(reply.size, 200000);
    close(client);
    expect_all_over(0);
}
END_TEST

START_TEST(a_client_may_leave_before_the_beginning)
{
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    const int client = raw_connect(child.port);

    ask_for(client, "/delayed?500000");
    setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(client);
    expect_all_over(1);
}
END_TEST

START_TEST(a_client_may_leave_in_the_middle)
{
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    const int client = connect_with_small_buffer();

    ask_for(client, "/stream?64000000");
    ck_assert_uint_gt(take(client, 1000), 0);
    setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(client);
    expect_all_over(1);
}
END_TEST

START_TEST(a_client_may_leave_between_two_pieces)
{
    const int client = raw_connect(child.port);

    ask_for(client, "/pausing?500000");
    http_child_wait_ms(100);
    close(client);
    HTTP_CHILD_AWAIT(&child, child.report->in_flight == 0);
    HTTP_CHILD_AWAIT(&child, child.report->connections == 0);
}
END_TEST

START_TEST(many_clients_may_leave_at_once)
{
    int clients[32];

    for (size_t i = 0; i < ARRAY_LENGTH(clients); i++) {
        clients[i] = connect_with_small_buffer();
        ck_assert(raw_say(clients[i], "GET /stream?64000000 HTTP/1.1\r\n"
                                      "Host: x\r\n\r\n"));
    }
    HTTP_CHILD_AWAIT(&child, child.report->in_flight == 32);
    for (size_t i = 0; i < ARRAY_LENGTH(clients); i++)
        close(clients[i]);
    expect_all_over(32);
}
END_TEST

START_TEST(a_stop_waits_for_the_stream)
{
    const int client = raw_connect(child.port);

    ask_for(client, "/pausing?200000");
    http_child_stop_accepting(&child);
    ck_assert_uint_eq(child.report->in_flight, 1);
    ck_assert(raw_read_reply(client, &reply, 5000));
    ck_assert_uint_gt(reply.size, 200000);
    ck_assert(is_closed(client));
    close(client);
    expect_all_over(0);
    ck_assert_uint_eq(child.report->streams.whole, 1);
}
END_TEST

START_TEST(a_stream_that_begins_while_stopping_says_that_it_closes)
{
    const int busy = raw_connect(child.port);
    const int client = raw_connect(child.port);

    ck_assert(raw_say(busy, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n"));
    ck_assert(raw_say(client, "GET /stream?200000 HTTP/1.1\r\nHost: x\r\n"));
    HTTP_CHILD_AWAIT(&child, child.report->in_flight == 1);
    http_child_stop_accepting(&child);
    http_child_wait_ms(50);
    ck_assert(raw_say(client, "\r\n"));
    ck_assert_int_eq(raw_read_all(client, &reply, 5000), RAW_CLOSED);
    ck_assert(has("\r\nConnection: close\r\n"));
    ck_assert_uint_gt(reply.size, 200000);
    http_child_release(&child);
    ck_assert(is_closed(busy));
    close(busy);
    close(client);
}
END_TEST

START_TEST(no_more_than_a_piece_and_the_head_is_in_memory)
{
    const int stopped = connect_with_small_buffer();
    const int client = raw_connect(child.port);
    size_t total = 0;

    ask_for(stopped, "/stream?64000000");
    HTTP_CHILD_AWAIT(&child, child.report->most_unwritten > 0);
    ck_assert(raw_say(client, "GET /stream?64000000 HTTP/1.1\r\n"
                              "Host: x\r\n\r\n"));
    while (total < HUGE) {
        const size_t size = take(client, 1024 * 1024);

        ck_assert_uint_gt(size, 0);
        total += size;
    }
    ck_assert_uint_le(child.report->most_unwritten, 2 * (256 * 1024 + 1024));
    close(client);
    close(stopped);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(a_slow_client_gets_all_of_it),
        TELL(a_client_that_stops_reading_is_cut),
        TELL(a_client_that_reads_too_slowly_is_cut),
        TELL(a_client_that_does_not_read_the_end_is_not_waited_for),
        TELL(a_stream_without_end_is_cut),
        TELL(a_slow_handler_is_not_held_against_the_client),
        TELL(a_client_may_leave_before_the_beginning),
        TELL(a_client_may_leave_in_the_middle),
        TELL(a_client_may_leave_between_two_pieces),
        TELL(many_clients_may_leave_at_once),
        TELL(a_stop_waits_for_the_stream),
        TELL(a_stream_that_begins_while_stopping_says_that_it_closes),
        TELL(no_more_than_a_piece_and_the_head_is_in_memory),
    };
    static const struct story story = {
        .name = "stream ends",
        .tests = tests,
        .count = ARRAY_LENGTH(tests),
        .before_each = begin,
        .after_each = http_story_end,
    };

    return story_run(&story);
}
