/*
 * The process behind tests/support/peer.h.
 */
#ifndef XQUEUE_TESTS_SUPPORT_PEER_PROCESS_H
#define XQUEUE_TESTS_SUPPORT_PEER_PROCESS_H

#include "tests/support/peer.h"

/*
 * Written to the record file for every request and, with size 0, for every
 * new connection. The bytes follow. `kind` is written last and makes the
 * record valid.
 */
struct peer_record {
    uint32_t kind;
    uint32_t connection;
    uint64_t size;
};

enum { PEER_RECORD_CONNECTION = 1, PEER_RECORD_REQUEST = 2 };

struct peer_job {
    int listener;
    int record; /* a file */
    int wake;   /* a pipe: one byte for each record */
    const struct peer_rule *rules;
    size_t rule_count;
};

/* Serves until it is killed. */
NORETURN void peer_process_run(const struct peer_job *job);

#endif
