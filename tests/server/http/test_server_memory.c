/*
 * Back-pressure: uploads that do not fit into memory together wait for one
 * another, and all succeed.
 */
#include "server/http/server.h"

#include "server/base/clock.h"
#include "server/base/memory.h"
#include "tests/support/http_child.h"
#include "tests/support/raw_client.h"
#include "tests/support/story.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MIB = 1024 * 1024, BODY = 4 * MIB, MOST = 8 };

struct upload {
    int client;
    struct buffer text;
    size_t sent;
};

static struct http_child child;

/* Connect, with such a body in hand for each; nothing is sent yet. */
static void start(struct upload *uploads, size_t count, const char *path)
{
    for (size_t i = 0; i < count; i++) {
        uploads[i] = (struct upload){.client = raw_connect(child.port)};
        buffer_printf(&uploads[i].text,
                      "POST %s HTTP/1.1\r\nHost: x\r\n"
                      "Content-Length: %d\r\n\r\n",
                      path, BODY);
        buffer_reserve(&uploads[i].text, BODY);
        for (int j = 0; j < BODY / 16; j++)
            buffer_append_string(&uploads[i].text, "0123456789abcdef");
    }
}

/* All at once, a piece of each in turn; true when all have been taken. */
static bool send_all(struct upload *uploads, size_t count, int deadline_ms)
{
    const int64_t until_ms = clock_monotonic_ms() + deadline_ms;
    size_t left = count;

    while (left > 0 && clock_monotonic_ms() < until_ms) {
        struct pollfd descriptors[MOST];

        left = 0;
        for (size_t i = 0; i < count; i++) {
            struct upload *upload = &uploads[i];
            const size_t rest = upload->text.size - upload->sent;
            const ssize_t size =
                send(upload->client, upload->text.data + upload->sent,
                     rest < 65536 ? rest : 65536, MSG_DONTWAIT | MSG_NOSIGNAL);

            ck_assert(size >= 0 || errno == EAGAIN);
            if (size > 0)
                upload->sent += (size_t)size;
            if (upload->sent < upload->text.size)
                descriptors[left++] =
                    (struct pollfd){.fd = upload->client, .events = POLLOUT};
        }
        poll(descriptors, left, 50);
    }
    return left == 0;
}

static void expect_replies(struct upload *uploads, size_t count)
{
    struct buffer reply = {0};

    for (size_t i = 0; i < count; i++) {
        buffer_clear(&reply);
        ck_assert(raw_read_reply(uploads[i].client, &reply, 10000));
        ck_assert_int_eq(raw_status(&reply), 200);
        ck_assert_uint_eq(raw_count(&reply, " 4194304 from "), 1);
        close(uploads[i].client);
        buffer_free(&uploads[i].text);
    }
    buffer_free(&reply);
}

static struct http_settings settings_with_budget(size_t budget)
{
    struct http_settings settings = http_child_settings();

    settings.body_memory_bytes = budget;
    return settings;
}

START_TEST(uploads_beyond_the_budget_all_succeed)
{
    const struct http_settings settings = settings_with_budget(6 * MIB);
    struct upload uploads[8];

    child = http_child_start(&settings, 0);
    start(uploads, 8, "/echo");
    ck_assert(send_all(uploads, 8, 20000));
    expect_replies(uploads, 8);
    HTTP_CHILD_AWAIT(&child, child.report->body_memory == 0);
    ck_assert_uint_gt(child.report->most_body_memory, 4 * MIB);
    ck_assert_uint_lt(child.report->most_body_memory, 11 * MIB);
    http_child_end(&child);
}
END_TEST

START_TEST(a_body_larger_than_the_budget_succeeds)
{
    const struct http_settings settings = settings_with_budget(1 * MIB);
    struct upload uploads[2];

    child = http_child_start(&settings, 0);
    start(uploads, 2, "/echo");
    ck_assert(send_all(uploads, 2, 20000));
    expect_replies(uploads, 2);
    http_child_end(&child);
}
END_TEST

START_TEST(uploads_wait_for_those_that_are_handled)
{
    const struct http_settings settings = settings_with_budget(5 * MIB);
    struct upload held[2];
    struct upload waiting[2];

    child = http_child_start(&settings, 0);
    start(held, 2, "/hold");
    ck_assert(send_all(held, 1, 10000));
    HTTP_CHILD_AWAIT(&child, child.report->in_flight == 1);
    ck_assert(send_all(held + 1, 1, 100) ||
              child.report->body_memory <= 6 * MIB);
    start(waiting, 2, "/echo");
    send_all(waiting, 2, 500);
    ck_assert_uint_lt(child.report->body_memory, 6 * MIB);
    ck_assert_uint_eq(child.report->requests, 1);
    http_child_release(&child);
    ck_assert(send_all(held + 1, 1, 10000));
    HTTP_CHILD_AWAIT(&child, child.report->in_flight == 1);
    http_child_release(&child);
    ck_assert(send_all(waiting, 2, 10000));
    expect_replies(held, 2);
    expect_replies(waiting, 2);
    http_child_end(&child);
}
END_TEST

START_TEST(small_requests_pass_while_memory_is_scarce)
{
    const struct http_settings settings = settings_with_budget(1 * MIB);
    struct upload held[1];
    struct buffer reply = {0};
    static const char text[] = "POST /echo HTTP/1.1\r\nHost: x\r\n"
                               "Content-Length: 4\r\nConnection: close\r\n"
                               "\r\nbody";

    child = http_child_start(&settings, 0);
    start(held, 1, "/hold");
    ck_assert(send_all(held, 1, 10000));
    HTTP_CHILD_AWAIT(&child, child.report->in_flight == 1);
    ck_assert_int_eq(raw_ask(child.port, text, sizeof text - 1, &reply), 200);
    http_child_release(&child);
    expect_replies(held, 1);
    buffer_free(&reply);
    http_child_end(&child);
}
END_TEST

START_TEST(the_wait_is_not_held_against_the_client)
{
    struct http_settings settings = settings_with_budget(1 * MIB);
    const int small = 65536; /* else the system would take all at once */
    struct upload held[1];
    struct upload waiting[1];

    settings.body_grace_s = 1;
    settings.min_body_rate = 10 * MIB;
    child = http_child_start(&settings, 0);
    start(held, 1, "/hold");
    ck_assert(send_all(held, 1, 10000));
    HTTP_CHILD_AWAIT(&child, child.report->in_flight == 1);
    start(waiting, 1, "/echo");
    setsockopt(waiting[0].client, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    ck_assert(!send_all(waiting, 1, 2000));
    ck_assert_uint_eq(child.report->requests, 1);
    http_child_release(&child);
    http_child_wait_ms(600); /* the deadlines are looked at */
    ck_assert(send_all(waiting, 1, 10000));
    expect_replies(held, 1);
    expect_replies(waiting, 1);
    http_child_end(&child);
}
END_TEST

START_TEST(a_paused_client_may_leave)
{
    const struct http_settings settings = settings_with_budget(1 * MIB);
    struct upload uploads[4];

    child = http_child_start(&settings, 0);
    start(uploads, 4, "/hold");
    ck_assert(send_all(uploads, 1, 10000));
    HTTP_CHILD_AWAIT(&child, child.report->in_flight == 1);
    send_all(uploads + 1, 3, 300);
    for (int i = 1; i < 4; i++) {
        close(uploads[i].client);
        buffer_free(&uploads[i].text);
    }
    http_child_release(&child);
    expect_replies(uploads, 1);
    HTTP_CHILD_AWAIT(&child, child.report->connections == 0);
    HTTP_CHILD_AWAIT(&child, child.report->body_memory == 0);
    http_child_end(&child);
}
END_TEST

/*
 * The second body is hardly read before the first one has come, and would be
 * cut off long before, if its waits did count.
 */
START_TEST(bodies_beyond_the_rate_are_read_later)
{
    struct http_settings settings = settings_with_budget(16 * MIB);
    struct upload uploads[2];
    static const char text[] = "GET /echo HTTP/1.1\r\nHost: x\r\n"
                               "Connection: close\r\n\r\n";
    struct buffer reply = {0};
    int64_t begin_ms;

    settings.body_rate = 4 * MIB;
    settings.body_grace_s = 0;
    settings.min_body_rate = 1 * MIB;
    child = http_child_start(&settings, 0);
    start(uploads, 2, "/echo");
    begin_ms = clock_monotonic_ms();
    send_all(uploads, 2, 500);
    ck_assert_uint_lt(child.report->body_memory, 5 * MIB);
    ck_assert_int_eq(raw_ask(child.port, text, sizeof text - 1, &reply), 200);
    ck_assert_uint_eq(child.report->requests, 1);
    ck_assert(send_all(uploads, 2, 10000));
    expect_replies(uploads, 2);
    ck_assert_int_ge(clock_monotonic_ms() - begin_ms, 1500);
    buffer_free(&reply);
    http_child_end(&child);
}
END_TEST

/*
 * evhttp reads on by itself after a reply. The first body is so long that the
 * server has much of the second one when it replies.
 */
START_TEST(a_body_behind_another_keeps_to_the_rate)
{
    struct http_settings settings = settings_with_budget(16 * MIB);
    const size_t first = 740 * 1024;
    struct upload upload = {.sent = 0};
    int64_t begin_ms;

    settings.body_rate = 4 * MIB;
    child = http_child_start(&settings, 0);
    upload.client = raw_connect(child.port);
    buffer_printf(&upload.text,
                  "POST /echo HTTP/1.1\r\nHost: x\r\n"
                  "Transfer-Encoding: chunked\r\n\r\n%zx\r\n%0*d\r\n0\r\n\r\n"
                  "POST /echo HTTP/1.1\r\nHost: x\r\n"
                  "Content-Length: %d\r\n\r\n%0*d",
                  first, (int)first, 0, BODY, BODY, 0);
    begin_ms = clock_monotonic_ms();
    ck_assert(send_all(&upload, 1, 10000));
    HTTP_CHILD_AWAIT(&child, child.report->requests == 2);
    ck_assert_int_ge(clock_monotonic_ms() - begin_ms, 1000);
    close(upload.client);
    buffer_free(&upload.text);
    http_child_end(&child);
}
END_TEST

static void send_piece(struct upload *upload, size_t size)
{
    ck_assert(raw_send(upload->client, upload->text.data + upload->sent, size));
    upload->sent += size;
}

START_TEST(a_client_that_stalls_does_not_hold_up_the_others)
{
    const struct http_settings settings = settings_with_budget(1 * MIB);
    struct upload stalled[2];
    struct upload waiting[1];
    struct buffer reply = {0};

    child = http_child_start(&settings, 0);
    start(stalled, 2, "/echo");
    start(waiting, 1, "/echo");
    send_piece(&stalled[0], 900 * 1024);
    send_piece(&stalled[1], 200 * 1024);
    ck_assert(send_all(waiting, 1, 10000));
    expect_replies(waiting, 1);
    ck_assert_int_eq(raw_read_all(stalled[0].client, &reply, 5000), RAW_CLOSED);
    ck_assert_int_eq(raw_status(&reply), 408);
    buffer_free(&reply);
    for (int i = 0; i < 2; i++)
        buffer_free(&stalled[i].text);
    http_child_end(&child);
}
END_TEST

START_TEST(a_client_that_keeps_sending_is_waited_for)
{
    const struct http_settings settings = settings_with_budget(1 * MIB);
    struct upload slow[1];
    struct upload waiting[1];

    child = http_child_start(&settings, 0);
    start(slow, 1, "/echo");
    start(waiting, 1, "/echo");
    send_piece(&slow[0], 1100 * 1024);
    HTTP_CHILD_AWAIT(&child, child.report->body_memory > 1 * MIB);
    for (int i = 0; i < 5; i++) {
        send_piece(&slow[0], 64 * 1024);
        send_all(waiting, 1, 100);
        http_child_wait_ms(600); /* it is looked at */
    }
    ck_assert_uint_eq(child.report->requests, 0);
    ck_assert(send_all(slow, 1, 10000));
    ck_assert(send_all(waiting, 1, 10000));
    expect_replies(slow, 1);
    expect_replies(waiting, 1);
    http_child_end(&child);
}
END_TEST

STORY("server memory", TELL(uploads_beyond_the_budget_all_succeed),
      TELL(a_body_larger_than_the_budget_succeeds),
      TELL(uploads_wait_for_those_that_are_handled),
      TELL(small_requests_pass_while_memory_is_scarce),
      TELL(the_wait_is_not_held_against_the_client),
      TELL(a_paused_client_may_leave),
      TELL(bodies_beyond_the_rate_are_read_later),
      TELL(a_body_behind_another_keeps_to_the_rate),
      TELL(a_client_that_stalls_does_not_hold_up_the_others),
      TELL(a_client_that_keeps_sending_is_waited_for))
