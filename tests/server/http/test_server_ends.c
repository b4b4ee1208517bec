/*
 * How connections end: by the client at any moment, and by the server.
 */
#include "server/http/server.h"

#include "tests/support/http_story.h"

#include <sys/socket.h>
#include <unistd.h>

START_TEST(a_half_closed_client_gets_all_of_a_long_reply)
{
    const int client = raw_connect(child.port);

    ck_assert(raw_say(client, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n"));
    shutdown(client, SHUT_WR);
    ck_assert_int_eq(raw_read_all(client, &reply, 10000), RAW_CLOSED);
    ck_assert_uint_gt(reply.size, 8 * 1024 * 1024);
    close(client);
}
END_TEST

START_TEST(a_client_may_leave_before_the_reply)
{
    const int client = raw_connect(child.port);

    ck_assert(raw_say(client, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n"));
    HTTP_CHILD_AWAIT(&child, child.report->in_flight == 1);
    close(client);
    http_child_release(&child);
    HTTP_CHILD_AWAIT(&child, child.report->in_flight == 0);
    HTTP_CHILD_AWAIT(&child, child.report->connections == 0);
}
END_TEST

START_TEST(bytes_sent_while_a_request_is_handled_wait)
{
    const int client = raw_connect(child.port);

    ck_assert(raw_say(client, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n"));
    HTTP_CHILD_AWAIT(&child, child.report->in_flight == 1);
    ck_assert(raw_say(client, "GET /echo?second HTTP/1.1\r\nHost: x\r\n"
                              "Connection: close\r\n\r\n"));
    http_child_release(&child);
    ck_assert_int_eq(raw_read_all(client, &reply, 5000), RAW_CLOSED);
    ck_assert_uint_eq(raw_count(&reply, "HTTP/1.1 200 OK"), 2);
    ck_assert_uint_eq(child.report->requests, 2);
    close(client);
}
END_TEST

static void leave_after(const char *text, bool brutally)
{
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    const int client = raw_connect(child.port);

    ck_assert(raw_say(client, text));
    HTTP_CHILD_AWAIT(&child, child.report->connections == 1);
    if (brutally)
        setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(client);
    HTTP_CHILD_AWAIT(&child, child.report->connections == 0);
}

START_TEST(a_client_may_leave_at_any_moment)
{
    static const char *const texts[] = {
        "",
        "GET /ec",
        "GET /echo HTTP/1.1\r\nHost",
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab",
        ("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
         "5\r\nab"),
        "GET /large HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n",
    };

    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        leave_after(texts[i], false);
        leave_after(texts[i], true);
    }
}
END_TEST

START_TEST(a_short_body_never_reaches_the_handler)
{
    leave_after("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab",
                false);
    ck_assert_uint_eq(child.report->requests, 0);
}
END_TEST

START_TEST(stopping_answers_what_is_in_hand_and_closes_the_rest)
{
    const int idle = raw_connect(child.port);
    const int busy = raw_connect(child.port);

    ck_assert_int_eq(ask(idle, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n"), 200);
    ck_assert(raw_say(busy, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n"));
    HTTP_CHILD_AWAIT(&child, child.report->in_flight == 1);
    http_child_stop_accepting(&child);
    ck_assert(is_closed(idle));
    buffer_clear(&reply);
    http_child_release(&child);
    ck_assert_int_eq(raw_read_all(busy, &reply, 2000), RAW_CLOSED);
    ck_assert_int_eq(raw_status(&reply), 200);
    ck_assert(has("\r\nConnection: close\r\n"));
    HTTP_CHILD_AWAIT(&child, child.report->connections == 0);
    close(idle);
    close(busy);
}
END_TEST

START_TEST(the_end_closes_connections_in_every_state)
{
    const int fresh = raw_connect(child.port);
    const int head = raw_connect(child.port);
    const int body = raw_connect(child.port);
    const int idle = raw_connect(child.port);
    const int refused = raw_connect(child.port);
    const int reading = raw_connect(child.port);

    ck_assert(raw_say(head, "GET /echo"));
    ck_assert(raw_say(body, "POST /echo HTTP/1.1\r\nHost: x\r\n"
                            "Content-Length: 9\r\n\r\nabc"));
    ck_assert(raw_say(refused, "GET nowhere HTTP/1.1\r\nHost: x\r\n\r\n"));
    ck_assert(raw_say(reading, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n"));
    ck_assert_int_eq(ask(idle, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n"), 200);
    HTTP_CHILD_AWAIT(&child, child.report->connections == 6);
    http_child_end(&child);
    http_story_begin();
    close(fresh);
    close(head);
    close(body);
    close(idle);
    close(refused);
    close(reading);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(a_half_closed_client_gets_all_of_a_long_reply),
        TELL(a_client_may_leave_before_the_reply),
        TELL(bytes_sent_while_a_request_is_handled_wait),
        TELL(a_client_may_leave_at_any_moment),
        TELL(a_short_body_never_reaches_the_handler),
        TELL(stopping_answers_what_is_in_hand_and_closes_the_rest),
        TELL(the_end_closes_connections_in_every_state),
    };
    static const struct story story = {
        .name = "server ends",
        .tests = tests,
        .count = ARRAY_LENGTH(tests),
        .before_each = http_story_begin,
        .after_each = http_story_end,
    };

    return story_run(&story);
}
