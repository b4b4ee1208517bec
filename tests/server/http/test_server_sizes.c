/*
 * Requests that are too much: of head, of fields, of body. Each is refused,
 * the client can read the refusal, and memory stays small.
 */
#include "server/http/server.h"

#include "tests/support/bad_requests.h"

#include <unistd.h>

/* `count` times `unit` behind `start`. */
static void expect_long_refusal(int status, const char *start, const char *unit,
                                size_t count)
{
    struct buffer text = {0};

    buffer_append_string(&text, start);
    for (size_t i = 0; i < count; i++)
        buffer_append_string(&text, unit);
    expect_bad(&(struct bad){status, text.data, text.size});
    buffer_free(&text);
}

START_TEST(heads_without_end)
{
    expect_long_refusal(414, "GET /", "a", 20000);
    expect_long_refusal(414, "", "G", 10 * 1024 * 1024);
    expect_long_refusal(431, "GET / HTTP/1.1\r\nA: ", "a", 10 * 1024 * 1024);
    expect_long_refusal(431, "GET / HTTP/1.1\r\n", "A: b\r\n", 1000 * 1000);
}
END_TEST

START_TEST(a_target_of_more_than_8_kib)
{
    struct buffer text = {0};

    buffer_append_string(&text, "GET /");
    for (int i = 0; i < 8192; i++)
        buffer_append_char(&text, 'a');
    buffer_append_string(&text, " HTTP/1.1\r\n" HOST "\r\n");
    expect_bad(&(struct bad){414, text.data, text.size});
    buffer_free(&text);
}
END_TEST

START_TEST(more_than_64_fields)
{
    struct buffer text = {0};

    buffer_append_string(&text, "GET / HTTP/1.1\r\n" HOST);
    for (int i = 0; i < 64; i++)
        buffer_append_string(&text, "A: b\r\n");
    buffer_append_string(&text, "\r\n");
    expect_bad(&(struct bad){431, text.data, text.size});
    buffer_free(&text);
}
END_TEST

START_TEST(a_too_large_body_is_refused_at_once)
{
    static const struct bad bads[] = {
        {413,
         BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 100001\r\n\r\n")},
        {413, BYTES("POST / HTTP/1.1\r\n" HOST
                    "Content-Length: 10000000000\r\n\r\n")},
        {413, BYTES("POST / HTTP/1.1\r\n" HOST
                    "Content-Length: 99999999999999999999999\r\n\r\n")},
        {413, BYTES("POST / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n"
                    "Content-Length: 10000000000\r\n\r\n")},
    };

    EXPECT_BAD(bads);
}
END_TEST

START_TEST(the_sender_of_a_too_large_body_can_read_the_refusal)
{
    expect_long_refusal(
        413, "POST / HTTP/1.1\r\n" HOST "Content-Length: 20000000\r\n\r\n",
        "0123456789", 2 * 1000 * 1000);
    expect_long_refusal(
        413, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n",
        "a\r\n0123456789\r\n", 100 * 1000);
    expect_long_refusal(
        413, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n",
        "\r\n", 1000 * 1000);
    HTTP_CHILD_AWAIT(&child, child.report->connections == 0);
    ck_assert_uint_lt(child.report->most_body_memory, 400 * 1000);
}
END_TEST

START_TEST(a_too_large_body_can_be_sent_to_its_end)
{
    static const char head[] =
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 20000000\r\n\r\n";
    static char piece[1000 * 1000];
    const int client = raw_connect(child.port);

    ck_assert(raw_say(client, head));
    for (int i = 0; i < 20; i++)
        ck_assert(raw_send(client, piece, sizeof piece));
    ck_assert_int_eq(raw_read_all(client, &reply, 5000), RAW_CLOSED);
    ck_assert_int_eq(raw_status(&reply), 413);
    close(client);
}
END_TEST

START_TEST(a_chunk_size_without_end_is_refused)
{
    expect_long_refusal(
        413, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n",
        "0", 5 * 1000 * 1000);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(heads_without_end),
        TELL(a_target_of_more_than_8_kib),
        TELL(more_than_64_fields),
        TELL(a_too_large_body_is_refused_at_once),
        TELL(the_sender_of_a_too_large_body_can_read_the_refusal),
        TELL(a_too_large_body_can_be_sent_to_its_end),
        TELL(a_chunk_size_without_end_is_refused),
    };
    static const struct story story = {
        .name = "server sizes",
        .tests = tests,
        .count = ARRAY_LENGTH(tests),
        .before_each = bad_requests_begin,
        .after_each = bad_requests_end,
    };

    return story_run(&story);
}
