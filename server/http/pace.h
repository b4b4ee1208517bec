/*
 * Does a client take a long reply fast enough? It has to take so many bytes
 * in each window of time, so that a link may be slow but not dead: an average
 * since the beginning would bear a stop of hours after a quick start.
 *
 * Embed it; no memory of its own; pure.
 */
#ifndef XQUEUE_HTTP_PACE_H
#define XQUEUE_HTTP_PACE_H

#include "server/base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

struct pace {
    int64_t since_ms; /* when the present window began */
    uint64_t before;  /* bytes taken before it */
};

struct pace_limits {
    uint64_t min_rate; /* bytes a second */
    int64_t window_ms;
};

/* `taken`: bytes since whenever; they never get fewer. */
void pace_start(struct pace *pace, uint64_t taken, int64_t now_ms);

/*
 * To be asked now and then. `waiting`: some bytes are on their way to the
 * client; when none are, it cannot be blamed. False: it is too slow.
 */
bool pace_holds(struct pace *pace, uint64_t taken, bool waiting,
                const struct pace_limits *limits, int64_t now_ms) MUST_CHECK;

#endif
