/*
 * Requests that are not fit to be parsed: each is answered with a refusal,
 * the connection ends, and what comes behind it in the same stream never
 * reaches the handler. Every one carries a second request for /smuggled.
 */
#include "server/http/server.h"

#include "tests/support/bad_requests.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* As long as SMUGGLED. */
#define SMUGGLED_SIZE "35"

START_TEST(bad_request_lines)
{
    static const struct bad bads[] = {
        {400, BYTES("\r\n\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n")},
        {400, BYTES("GET /\r\n" HOST "\r\n")},
        {400, BYTES("GET  / HTTP/1.1\r\n" HOST "\r\n")},
        {400, BYTES("GET\t/ HTTP/1.1\r\n" HOST "\r\n")},
        {400, BYTES("GET /a b HTTP/1.1\r\n" HOST "\r\n")},
        {400, BYTES("GET /\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n")},
        {400, BYTES("GET /a\0b HTTP/1.1\r\n" HOST "\r\n")},
        {400, BYTES("GET /a\x01"
                    "b HTTP/1.1\r\n" HOST "\r\n")},
        {400, BYTES("GET /%00 HTTP/1.1\r\n" HOST "\r\n")},
        {400, BYTES("GET /a#b HTTP/1.1\r\n" HOST "\r\n")},
        {400, BYTES("GET http://x/ HTTP/1.1\r\n" HOST "\r\n")},
        {400, BYTES("OPTIONS * HTTP/1.1\r\n" HOST "\r\n")},
        {400, BYTES("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")},
    };

    EXPECT_BAD(bads);
}
END_TEST

START_TEST(methods_without_a_name)
{
    static const struct bad bads[] = {
        {405, BYTES("BREW / HTTP/1.1\r\n" HOST "\r\n")},
        {405, BYTES("get / HTTP/1.1\r\n" HOST "\r\n")},
    };

    EXPECT_BAD(bads);
    ck_assert_uint_eq(raw_count(&reply, "\r\nAllow: GET, HEAD, POST\r\n"), 1);
}
END_TEST

START_TEST(connect_requests)
{
    static const struct bad bads[] = {
        {405, BYTES("CONNECT x:80 HTTP/1.1\r\n" HOST "\r\n")},
        {405, BYTES("CONNECT / HTTP/1.1\r\n" HOST "\r\n")},
        {400, BYTES("CONNECT @@@ HTTP/1.1\r\n")},
    };

    EXPECT_BAD(bads);
}
END_TEST

START_TEST(other_versions)
{
    static const struct bad bads[] = {
        {505, BYTES("GET / HTTP/1.2\r\n" HOST "\r\n")},
        {505, BYTES("GET / HTTP/0.9\r\n" HOST "\r\n")},
        {400, BYTES("GET / HTTP/2.0\r\n" HOST "\r\n")},
        {400, BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")},
        {400, BYTES("GET / HTTP/-1.5\r\n" HOST "\r\n")},
        {400, BYTES("GET / HTTP/1.10\r\n" HOST "\r\n")},
        {400, BYTES("GET / HTTP/+1.+1\r\n" HOST "\r\n")},
        {400, BYTES("GET / http/1.1\r\n" HOST "\r\n")},
        {400, BYTES("GET / HTTP/1.1x\r\n" HOST "\r\n")},
    };

    EXPECT_BAD(bads);
}
END_TEST

START_TEST(bad_fields)
{
    static const struct bad bads[] = {
        {400, BYTES("GET / HTTP/1.1\r\n" HOST "A : b\r\n\r\n")},
        {400, BYTES("GET / HTTP/1.1\r\n" HOST ": b\r\n\r\n")},
        {400, BYTES("GET / HTTP/1.1\r\n" HOST "A(: b\r\n\r\n")},
        {400, BYTES("GET / HTTP/1.1\r\n" HOST "\xc3\xa4: b\r\n\r\n")},
        {400, BYTES("GET / HTTP/1.1\r\n" HOST "nocolon\r\n\r\n")},
        {400, BYTES("GET / HTTP/1.1\r\n" HOST "A: b\0c\r\n\r\n")},
        {400, BYTES("GET / HTTP/1.1\r\n" HOST "A: b\rc\r\n\r\n")},
        {400, BYTES("GET / HTTP/1.1\r\n" HOST "A: b\r\n c\r\n\r\n")},
        {400, BYTES("GET / HTTP/1.1\r\n A: b\r\n" HOST "\r\n")},
        {400, BYTES("GET / HTTP/1.1\n" HOST "\n")},
        {400, BYTES("GET / HTTP/1.1\r\n" HOST "A: b\n\r\n")},
        {400, BYTES("GET / HTTP/1.1\r\n\r\n")},
        {400, BYTES("GET / HTTP/1.1\r\n" HOST HOST "\r\n")},
        {400, BYTES("GET / HTTP/1.1\r\nHost: a b\r\n\r\n")},
        {400, BYTES("GET / HTTP/1.1\r\nHost:\r\n\r\n")},
        {400, BYTES("POST / HTTP/1.1\r\n" HOST "Content-Type: a/b\r\n"
                    "Content-Type: a/b\r\nContent-Length: 0\r\n\r\n")},
        {400,
         BYTES("GET / HTTP/1.1\r\n" HOST "Cookie: a=b\r\nCookie: a=b\r\n\r\n")},
        {400, BYTES("GET / HTTP/1.1\r\n" HOST
                    "Authorization: a\r\nAuthorization: a\r\n\r\n")},
        {417, BYTES("POST / HTTP/1.1\r\n" HOST
                    "Expect: more\r\nContent-Length: 4\r\n\r\nbody")},
        {415, BYTES("POST / HTTP/1.1\r\n" HOST "Content-Encoding: gzip\r\n"
                    "Content-Length: 4\r\n\r\nbody")},
    };

    EXPECT_BAD(bads);
}
END_TEST

START_TEST(ambiguous_lengths)
{
    static const char *const lengths[] = {
        "+4",  "-1",   "-0", "0x4", "4.0",
        "4 4", "4, 4", "",   "\v4", "00000000000000000004",
    };

    for (size_t i = 0; i < ARRAY_LENGTH(lengths); i++) {
        struct buffer text = {0};

        buffer_printf(&text,
                      "POST / HTTP/1.1\r\n" HOST "Content-Length: %s\r\n\r\n"
                      "body",
                      lengths[i]);
        expect_bad(&(struct bad){400, text.data, text.size});
        buffer_free(&text);
    }
}
END_TEST

START_TEST(ambiguous_framing)
{
    static const struct bad bads[] = {
        {400, BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 6\r\n"
                    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nX")},
        {400, BYTES("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n"
                    "Content-Length: 6\r\n\r\n0\r\n\r\nX")},
        {400, BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 4\r\n"
                    "Content-Length: 4\r\n\r\nbody")},
        {400, BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 4\r\n"
                    "Content-Length: " SMUGGLED_SIZE "\r\n\r\nbody")},
        {400, BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n"
                    "Content-Length: " SMUGGLED_SIZE "\r\n\r\n")},
        {400, BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length : " SMUGGLED_SIZE
                    "\r\n\r\n")},
        {400, BYTES("POST / HTTP/1.1\r\n" HOST
                    "Content-Length:\r\n " SMUGGLED_SIZE "\r\n\r\n")},
        {400,
         BYTES("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\n")},
        {400, BYTES("POST / HTTP/1.1\r\n" HOST
                    "Transfer-Encoding: identity\r\n\r\n")},
        {400, BYTES("POST / HTTP/1.1\r\n" HOST
                    "Transfer-Encoding: xchunked\r\n\r\n")},
        {400, BYTES("POST / HTTP/1.1\r\n" HOST
                    "Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n")},
        {400, BYTES("POST / HTTP/1.1\r\n" HOST
                    "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n")},
        {400, BYTES("POST / HTTP/1.1\r\n" HOST
                    "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n")},
        {400, BYTES("POST / HTTP/1.1\r\n" HOST
                    "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")},
        {400, BYTES("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n"
                    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")},
        {400, BYTES("POST / HTTP/1.1\r\n" HOST
                    "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n")},
        {400, BYTES("POST / HTTP/1.0\r\n" HOST
                    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")},
    };

    EXPECT_BAD(bads);
}
END_TEST

START_TEST(bodies_where_none_belongs)
{
    static const struct bad bads[] = {
        {400, BYTES("HEAD / HTTP/1.1\r\n" HOST "Content-Length: " SMUGGLED_SIZE
                    "\r\n\r\n")},
        {400, BYTES("TRACE / HTTP/1.1\r\n" HOST "Content-Length: " SMUGGLED_SIZE
                    "\r\n\r\n")},
        {400, BYTES("HEAD / HTTP/1.1\r\n" HOST
                    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")},
        {400, BYTES("GET / HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbody")},
        {400, BYTES("GET / HTTP/1.1\r\n" HOST
                    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")},
    };

    EXPECT_BAD(bads);
}
END_TEST

START_TEST(sloppy_chunks)
{
    static const struct {
        int status;
        const char *body;
    } bads[] = {
        {400, "0x4\r\nbody\r\n0\r\n\r\n"},
        {400, "+4\r\nbody\r\n0\r\n\r\n"},
        {400, " 4\r\nbody\r\n0\r\n\r\n"},
        {400, "4 junk\r\nbody\r\n0\r\n\r\n"},
        {400, "4\nbody\r\n0\r\n\r\n"},
        {400, "4\r\nbody0\r\n\r\n"},
        {400, "\r\n\r\n4\r\nbody\r\n0\r\n\r\n"},
        {400, "4\r\nbody\r\n\r\n0\r\n\r\n"},
        {400, "4\r\nbody\r\n-0\r\n\r\n"},
        {400, "4\r\nbody\r\n0\r\nCookie: a=b\r\n\r\n"},
        {413, "4;a=b\r\nbody\r\n0\r\n\r\n"},
        {413, "FFFFFFFFFFFFFFFF\r\nbody\r\n0\r\n\r\n"},
        {413, "fffffff\r\nbody\r\n0\r\n\r\n"},
        {413, "zz\r\nbody\r\n0\r\n\r\n"},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(bads); i++) {
        struct buffer text = {0};

        buffer_printf(&text,
                      "POST / HTTP/1.1\r\n" HOST
                      "Transfer-Encoding: chunked\r\n\r\n%s",
                      bads[i].body);
        expect_bad(&(struct bad){bads[i].status, text.data, text.size});
        buffer_free(&text);
    }
}
END_TEST

START_TEST(a_refused_pipelined_request_ends_the_row)
{
    static const char text[] =
        "GET /echo?1 HTTP/1.1\r\n" HOST "\r\n"
        "GET /echo?2 HTTP/1.1\r\n" HOST "\r\n"
        "GET /echo?3 HTTP/1.1\r\n" HOST "A: b\0c\r\n\r\n" SMUGGLED;

    raw_ask(child.port, text, sizeof text - 1, &reply);
    ck_assert_uint_eq(raw_count(&reply, "HTTP/1.1 200 OK\r\n"), 2);
    ck_assert_uint_eq(raw_count(&reply, "HTTP/1.1 400 Bad Request\r\n"), 1);
    ck_assert_uint_eq(child.report->requests, 2);
}
END_TEST

START_TEST(more_than_the_length_is_the_next_request)
{
    static const char text[] = "POST /echo HTTP/1.1\r\n" HOST
                               "Content-Length: 4\r\n\r\nbodyjunk" SMUGGLED;

    raw_ask(child.port, text, sizeof text - 1, &reply);
    ck_assert_uint_eq(raw_count(&reply, "HTTP/1.1 200 OK\r\n"), 1);
    ck_assert_uint_eq(raw_count(&reply, "HTTP/1.1 405"), 1);
    ck_assert_uint_eq(child.report->requests, 1);
}
END_TEST

START_TEST(harmless_fields_are_ignored)
{
    static const char text[] =
        "GET /echo HTTP/1.1\r\n" HOST "Upgrade: h2c\r\nTE: trailers\r\n"
        "Trailer: a\r\nKeep-Alive: 5\r\nProxy-Connection: keep-alive\r\n"
        "Range: bytes=0-1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

    ck_assert_int_eq(raw_ask(child.port, text, sizeof text - 1, &reply), 200);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(bad_request_lines),
        TELL(methods_without_a_name),
        TELL(connect_requests),
        TELL(other_versions),
        TELL(bad_fields),
        TELL(ambiguous_lengths),
        TELL(ambiguous_framing),
        TELL(bodies_where_none_belongs),
        TELL(sloppy_chunks),
        TELL(a_refused_pipelined_request_ends_the_row),
        TELL(more_than_the_length_is_the_next_request),
        TELL(harmless_fields_are_ignored),
    };
    static const struct story story = {
        .name = "server framing",
        .tests = tests,
        .count = ARRAY_LENGTH(tests),
        .before_each = bad_requests_begin,
        .after_each = bad_requests_end,
    };

    return story_run(&story);
}
