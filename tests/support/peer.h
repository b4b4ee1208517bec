/*
 * A scripted HTTP server in a process of its own: the LMS, the grader, or
 * something worse. It speaks raw TCP on 127.0.0.1, answers as its rules say,
 * and keeps the exact bytes of every request for the test to read.
 *
 *     struct peer_rule rules[] = {
 *         {.times = 2, .status = 500},
 *         {.path = "/slow", .manner = PEER_STALL},
 *         {.body = "ok"},
 *     };
 *     struct peer *peer = peer_start(rules, ARRAY_LENGTH(rules));
 *     ... fetch peer_url(peer, "/a") ...
 *     ck_assert_str_eq(peer_request(peer, 0)->line, "POST /a HTTP/1.1");
 *     peer_stop(peer);
 *
 * Start peers before threads. What fails in here fails the test.
 */
#ifndef XQUEUE_TESTS_SUPPORT_PEER_H
#define XQUEUE_TESTS_SUPPORT_PEER_H

#include "server/base/compiler.h"
#include "server/base/text.h"

#include <stdint.h>

enum peer_manner {
    PEER_ANSWER,           /* and keep the connection, as promised */
    PEER_ANSWER_AND_CLOSE, /* with "Connection: close" */
    PEER_ANSWER_AND_DROP,  /* promise to keep the connection, then close it */
    PEER_STALL,            /* never answer */
    PEER_TRICKLE,          /* a byte of the answer every `pace_ms` */
    PEER_CUT,              /* close after `bytes` of the answer */
    PEER_RESET             /* TCP reset after `bytes` of the answer */
};

/*
 * How to answer. Of the rules that match a request and are not used up, the
 * first one decides; if there is none the answer is 404.
 */
struct peer_rule {
    const char *path; /* start of the request target; NULL: any */
    unsigned times;   /* how often it may be used; 0: for ever */
    enum peer_manner manner;
    int status;          /* 0: 200 */
    const char *headers; /* more of them, each ending in CR LF; may be NULL */
    const char *body;    /* NULL: none, or `filler` */
    size_t filler;       /* a body of so many letters x */
    const char *raw;     /* the whole answer as it is, instead of all that */
    long delay_ms;       /* before the first byte */
    long pace_ms;        /* PEER_TRICKLE; 0: 1000 */
    size_t bytes;        /* PEER_CUT, PEER_RESET */
    bool before_body;    /* act as soon as the request's head is there */
};

/* One request as it came. All of it belongs to the peer. */
struct peer_request {
    unsigned connection; /* 0 for the first connection that was made */
    struct text bytes;   /* head and body; NUL-terminated */
    struct text body;
    const char *line; /* "POST /a HTTP/1.1" */
};

struct peer;

/* Copies nothing: the rules are needed by the peer's process only. */
struct peer *peer_start(const struct peer_rule *rules, size_t count);

/* A peer with one rule for everything. */
struct peer *peer_start_one(struct peer_rule rule);

/* At a given port, for a peer that comes back. */
struct peer *peer_start_at(uint16_t port, const struct peer_rule *rules,
                           size_t count);

/* A port that never completes a connection: its backlog is full. */
struct peer *peer_start_deaf(void);

uint16_t peer_port(const struct peer *peer);

/* "http://127.0.0.1:PORT" and `target`; belongs to the peer. */
const char *peer_url(struct peer *peer, const char *target);

/* Requests and connections so far. */
size_t peer_request_count(struct peer *peer);
size_t peer_connection_count(struct peer *peer);

/* Waits until there are `count` requests; false after `timeout_ms`. */
bool peer_wait(struct peer *peer, size_t count, long timeout_ms) MUST_CHECK;

/* Request number `index`, from 0; waits for it up to 10 s. */
const struct peer_request *peer_request(struct peer *peer, size_t index);

/* The value of a header, without blanks around; absent when it is not there. */
struct text peer_header(const struct peer_request *request, const char *name);

/* Ends the process. What was recorded is gone. NULL is legal. */
void peer_stop(struct peer *peer);

#endif
