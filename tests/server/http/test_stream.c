/*
 * Replies in pieces, as clients see them: what arrives.
 */
#include "server/http/server.h"

#include "tests/support/http_story.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int ask_for(int client, const char *target)
{
    char text[256];

    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", target);
    return ask(client, text);
}

/* The first reply is whole, and its body the stream's bytes. */
static void expect_stream(size_t size)
{
    const char *end = strstr(reply.data, "\r\n\r\n");
    char field[64];
    const char *body;
    size_t right = 0;

    snprintf(field, sizeof field, "\r\nContent-Length: %zu\r\n", size);
    ck_assert(has(field));
    ck_assert(!has("Transfer-Encoding"));
    ck_assert_ptr_nonnull(end);
    body = end + 4;
    ck_assert_uint_eq(reply.size, (size_t)(body - reply.data) + size);
    while (right < size && body[right] == http_stream_byte(right))
        right++;
    ck_assert_uint_eq(right, size);
}

/* The server is as good as new. */
static void expect_all_over(void)
{
    HTTP_CHILD_AWAIT(&child, child.report->in_flight == 0);
    HTTP_CHILD_AWAIT(&child, child.report->connections == 0);
    HTTP_CHILD_AWAIT(&child, child.report->body_memory == 0);
}

START_TEST(every_size_arrives_as_it_was_sent)
{
    static const size_t sizes[] = {
        0, 1, 256 * 1024 - 1, 256 * 1024, 256 * 1024 + 1, 5000000};

    for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
        const int client = raw_connect(child.port);
        char target[64];

        snprintf(target, sizeof target, "/stream?%zu", sizes[i]);
        ck_assert_int_eq(ask_for(client, target), 200);
        expect_stream(sizes[i]);
        close(client);
    }
    ck_assert_uint_eq(child.report->streams.whole, 6);
    expect_all_over();
}
END_TEST

START_TEST(small_pieces_make_the_same_reply)
{
    const int client = raw_connect(child.port);

    ck_assert_int_eq(ask_for(client, "/crumbs?100500"), 200);
    expect_stream(100500);
    close(client);
}
END_TEST

START_TEST(the_connection_goes_on_after_a_stream)
{
    const int client = raw_connect(child.port);

    ck_assert_int_eq(ask_for(client, "/stream?300000"), 200);
    expect_stream(300000);
    ck_assert_int_eq(ask_for(client, "/stream?0"), 200);
    expect_stream(0);
    ck_assert_int_eq(ask_for(client, "/echo"), 200);
    ck_assert(has("GET /echo"));
    ck_assert_int_eq(ask_for(client, "/stream?7"), 200);
    expect_stream(7);
    ck_assert_uint_eq(child.report->connections, 1);
    close(client);
}
END_TEST

START_TEST(a_request_sent_ahead_is_answered_after_the_stream)
{
    const int client = raw_connect(child.port);

    ck_assert(raw_say(client, "GET /stream?600000 HTTP/1.1\r\nHost: x\r\n\r\n"
                              "GET /stream?1000 HTTP/1.1\r\nHost: x\r\n\r\n"
                              "GET /echo HTTP/1.1\r\nHost: x\r\n"
                              "Connection: close\r\n\r\n"));
    ck_assert_int_eq(raw_read_all(client, &reply, 5000), RAW_CLOSED);
    ck_assert_uint_eq(raw_count(&reply, "HTTP/1.1 200 OK\r\n"), 3);
    ck_assert(has("GET /echo"));
    ck_assert_str_eq((const char *)child.report->order, "600000 1000 ");
    ck_assert_uint_eq(child.report->streams.whole, 2);
    close(client);
}
END_TEST

START_TEST(head_gets_the_length_alone)
{
    const int client = raw_connect(child.port);

    ck_assert(raw_say(client, "HEAD /stream?600000 HTTP/1.1\r\nHost: x\r\n\r\n"
                              "HEAD /nothing?70 HTTP/1.1\r\nHost: x\r\n"
                              "Connection: close\r\n\r\n"));
    ck_assert_int_eq(raw_read_all(client, &reply, 5000), RAW_CLOSED);
    ck_assert_uint_eq(raw_count(&reply, "HTTP/1.1 200 OK\r\n"), 2);
    ck_assert(has("\r\nContent-Length: 600000\r\n"));
    ck_assert(has("\r\nContent-Length: 70\r\n"));
    ck_assert_uint_lt(reply.size, 1000);
    ck_assert_uint_eq(child.report->streams.whole, 2);
    close(client);
}
END_TEST

START_TEST(http_1_0_gets_the_same_and_is_closed)
{
    const int client = raw_connect(child.port);

    ck_assert(raw_say(client, "GET /stream?300000 HTTP/1.0\r\n\r\n"));
    ck_assert_int_eq(raw_read_all(client, &reply, 5000), RAW_CLOSED);
    ck_assert_int_eq(raw_status(&reply), 200);
    expect_stream(300000);
    close(client);
}
END_TEST

START_TEST(http_1_0_may_keep_the_connection)
{
    static const char text[] = "GET /stream?300000 HTTP/1.0\r\n"
                               "Connection: keep-alive\r\n\r\n";
    const int client = raw_connect(child.port);

    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(ask(client, text), 200);
        ck_assert(has("\r\nConnection: keep-alive\r\n"));
        expect_stream(300000);
    }
    close(client);
}
END_TEST

START_TEST(a_client_that_wants_to_close_gets_all_and_the_end)
{
    const int client = raw_connect(child.port);

    ck_assert(raw_say(client, "GET /stream?2000000 HTTP/1.1\r\nHost: x\r\n"
                              "Connection: close\r\n\r\n"));
    shutdown(client, SHUT_WR);
    ck_assert_int_eq(raw_read_all(client, &reply, 5000), RAW_CLOSED);
    ck_assert(has("\r\nConnection: close\r\n"));
    expect_stream(2000000);
    close(client);
}
END_TEST

START_TEST(the_end_need_not_wait_for_the_last_piece)
{
    const int client = raw_connect(child.port);

    ck_assert_int_eq(ask_for(client, "/ahead?100000"), 200);
    expect_stream(100000);
    ck_assert_int_eq(ask_for(client, "/ahead?5000000"), 200);
    expect_stream(5000000);
    ck_assert_int_eq(ask_for(client, "/echo"), 200);
    close(client);
}
END_TEST

START_TEST(a_stream_that_ends_early_is_seen_to_be_cut)
{
    static const char *const targets[] = {
        "GET /short?400000 HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /short?8 HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /nothing?400000 HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /short?400000 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        ("GET /short?400000 HTTP/1.1\r\nHost: x\r\n\r\n"
         "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n"),
    };

    for (size_t i = 0; i < ARRAY_LENGTH(targets); i++) {
        const int client = raw_connect(child.port);

        buffer_clear(&reply);
        ck_assert(raw_say(client, targets[i]));
        ck_assert_int_ne(raw_read_all(client, &reply, 5000), RAW_OPEN);
        ck_assert_uint_lt(reply.size, 201000);
        ck_assert(!has("GET /echo"));
        close(client);
    }
    expect_all_over();
    ck_assert_uint_eq(child.report->streams.gone, 0);
}
END_TEST

START_TEST(a_body_that_came_with_the_request_is_given_back_at_the_beginning)
{
    const int client = raw_connect(child.port);
    static char body[300000];

    memset(body, 'x', sizeof body);
    ck_assert(raw_say(client, "POST /pausing?200 HTTP/1.1\r\nHost: x\r\n"
                              "Content-Length: 300000\r\n\r\n"));
    ck_assert(raw_send(client, body, sizeof body));
    HTTP_CHILD_AWAIT(&child, child.report->requests == 1);
    HTTP_CHILD_AWAIT(&child, child.report->body_memory == 0);
    ck_assert_uint_eq(child.report->in_flight, 1);
    ck_assert(raw_read_reply(client, &reply, 5000));
    expect_stream(200);
    close(client);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(every_size_arrives_as_it_was_sent),
        TELL(small_pieces_make_the_same_reply),
        TELL(the_connection_goes_on_after_a_stream),
        TELL(a_request_sent_ahead_is_answered_after_the_stream),
        TELL(head_gets_the_length_alone),
        TELL(http_1_0_gets_the_same_and_is_closed),
        TELL(http_1_0_may_keep_the_connection),
        TELL(a_client_that_wants_to_close_gets_all_and_the_end),
        TELL(the_end_need_not_wait_for_the_last_piece),
        TELL(a_stream_that_ends_early_is_seen_to_be_cut),
        TELL(a_body_that_came_with_the_request_is_given_back_at_the_beginning),
    };
    static const struct story story = {
        .name = "stream",
        .tests = tests,
        .count = ARRAY_LENGTH(tests),
        .before_each = http_story_begin,
        .after_each = http_story_end,
    };

    return story_run(&story);
}
