/*
 * Requests that the HTTP server refuses. Behind each of them in the same
 * stream comes a second request, for /smuggled, which must never reach the
 * handler; at the end of a test, and after every refusal, that is looked at.
 */
#ifndef XQUEUE_TESTS_SUPPORT_BAD_REQUESTS_H
#define XQUEUE_TESTS_SUPPORT_BAD_REQUESTS_H

#include "tests/support/http_story.h"

#define SMUGGLED "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
#define HOST     "Host: x\r\n"

/* Bytes with NULs in them: their size is told by the literal. */
#define BYTES(literal) literal, sizeof(literal) - 1

struct bad {
    int status;
    const char *bytes;
    size_t size;
};

/* For before_each and after_each; bodies of 100000 bytes are allowed. */
void bad_requests_begin(void);
void bad_requests_end(void);

/* One reply, a refusal with that status, and the connection ends. */
void expect_bad(const struct bad *bad);
void expect_bads(const struct bad *bads, size_t count);

/* Of an array. */
#define EXPECT_BAD(bads) expect_bads((bads), ARRAY_LENGTH(bads))

#endif
