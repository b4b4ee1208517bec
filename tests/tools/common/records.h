/*
 * What came to a pretended peer: the last few requests, as JSON lines, and
 * the page that shows them. Loop thread.
 *
 *     GET /received            those it remembers, oldest first
 *     GET /received?from=N     those of them whose number is at least N
 *     GET /received?count=N&wait_ms=M
 *                              the same, once N have come since the start, or
 *                              M milliseconds have passed
 */
#ifndef XQUEUE_TESTS_TOOLS_RECORDS_H
#define XQUEUE_TESTS_TOOLS_RECORDS_H

#include "server/base/buffer.h"
#include "tests/tools/common/host.h"

struct records;

/* Remembers the last `keep`. */
struct records *records_new(struct host *host, size_t keep);
void records_free(struct records *records);

/*
 * A new line, with "number" (from 1) and "at_us" (clock_monotonic_us()). Add
 * members to it, each with a comma before it, and end it.
 */
struct buffer *records_begin(struct records *records);
void records_add_text(struct buffer *line, const char *name, struct text value);
void records_end(struct buffer *line);

/* Answer those who wait for as many as there are now. */
void records_wake(struct records *records);

/* Answer a request for that page; another one gets a 404. */
void records_tell(struct records *records, struct evhttp_request *request);

#endif
