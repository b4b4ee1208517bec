/*
 * R4: a bare evhttp in a process of its own that answers fixed bytes and does
 * nothing else: what HTTP alone costs with this library.
 */
#ifndef XQUEUE_BENCH_RAW_HTTP_H
#define XQUEUE_BENCH_RAW_HTTP_H

#include "tests/support/http_client.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct raw_answer {
    const char *path; /* start of the request target */
    int status;
    const char *headers; /* "Name: value\r\n" of each; NULL for none */
    const char *body;    /* NULL for none */
    bool with_cookie;    /* only for requests that bring a cookie */
};

/*
 * The answer that gives what a real server has replied, header fields
 * included; in the arena.
 */
struct raw_answer raw_answer_like(struct arena *arena,
                                  const struct reply *reply, const char *path);

struct raw_http;

/*
 * The first answer that fits; 404 when none does. The answers are copied by
 * the fork. Start it before threads. It ends with its parent at the latest.
 */
struct raw_http *raw_http_start(const struct raw_answer *answers, size_t count);
uint16_t raw_http_port(const struct raw_http *raw);
pid_t raw_http_pid(const struct raw_http *raw);
void raw_http_stop(struct raw_http *raw);

#endif
