/*
 * A pretended peer of tests/tools/ as a process of its own, asked over HTTP
 * what came to it. It answers in JSON lines, and holds the answer until
 * enough has come, so that nobody polls. One thread.
 *
 * What is behind sink.h and grader.h.
 */
#ifndef XQUEUE_TESTS_SUPPORT_PRETENDED_H
#define XQUEUE_TESTS_SUPPORT_PRETENDED_H

#include "server/base/arena.h"
#include "server/base/json.h"

struct pretended;

struct json_lines {
    const struct json_value **objects;
    size_t count;
};

/* tests/tools/`name`, on `ports` free ports; remembers the last `keep`. */
struct pretended *pretended_start(const char *name, size_t keep, size_t ports);

/* The same on the ports it had. It has forgotten. */
void pretended_restart(struct pretended *peer);

/* Hang up on everybody; pretended_restart() may follow. */
void pretended_kill(struct pretended *peer);

/* Stop and free it. NULL is legal. */
void pretended_stop(struct pretended *peer);

/* Lives as long as the peer; for what was asked. */
struct arena *pretended_arena(struct pretended *peer);

uint16_t pretended_port(const struct pretended *peer, size_t place);

/* "http://127.0.0.1:PORT" and the path; lives as long as the peer. */
const char *pretended_url(struct pretended *peer, size_t place,
                          const char *path);

/* GET `path`; lives as long as the peer. */
struct json_lines pretended_ask(struct pretended *peer, const char *path,
                                int timeout_ms);

/*
 * GET /received?from=N, once `count` have come since the start; the test
 * fails when they do not come in time.
 */
struct json_lines pretended_wait(struct pretended *peer, int64_t from,
                                 int64_t count, int timeout_ms);

/* A member; absent when there is none or no string. */
struct text member_text(const struct json_value *object, const char *name);

/* The test fails when there is none. */
int64_t member_integer(const struct json_value *object, const char *name);

#endif
