/*
 * Lanes: the engine behind callbacks and pushes. A lane is the work for one
 * destination: the callbacks to one LMS, or the pushes of one queue. It says
 * when to claim more work from the database, and how much: so that each
 * destination has its own limit, its own circuit breaker, and none can take
 * all there is to itself. Loop thread.
 *
 *   lane_nudge     there may be work
 *   ops->claim     claim so much ...
 *   lane_claimed   ... so much came of it; the owner starts each
 *   lane_succeeded, lane_failed
 *                  what the destination's answer says about its health
 *   lane_done      one of them is over: claim again
 *
 * What is claimed can start at once, or the owner sees to it that it does
 * before its lease runs out: else another process would deliver it too.
 */
#ifndef XQUEUE_DELIVER_LANES_H
#define XQUEUE_DELIVER_LANES_H

#include "server/deliver/breaker.h"

#include "server/base/text.h"

#include <stddef.h>
#include <sys/queue.h>

struct lane;
struct loop;
struct loop_timer;

struct lane_ops {
    /* Begin to claim at most `room`; lane_claimed() ends it, now or later. */
    void (*claim)(struct lane *lane, size_t room);
    /* How many may be under way at most, as things are configured now. */
    size_t (*limit)(const struct lane *lane);
    /*
     * How many more may be claimed, to wait in memory, while the destination
     * is well. NULL: none.
     */
    size_t (*ahead)(const struct lane *lane);
    /* What stands in the log: "callbacks", "pushes". */
    const char *name;
};

TAILQ_HEAD(lane_list, lane);

/* All lanes that share one limit. Embedded in its owner. */
struct lanes {
    const struct lane_ops *ops;
    struct loop *loop;
    size_t at_once; /* of all lanes; half of it at most is one lane's */
    struct lane_list list;
    size_t in_flight;
    size_t claiming;
    bool stopping;
};

/* Embedded in its owner. Only for lanes.c, but for `lanes`. */
struct lane {
    TAILQ_ENTRY(lane) entry;
    struct lanes *lanes; /* borrows */
    struct breaker breaker;
    size_t in_flight;
    size_t claiming;          /* so many, at most, by a claim under way */
    bool more;                /* there may be more than was claimed last */
    bool ended_since;         /* one is over since the last claim began */
    bool gathering;           /* the timer is for a claim of several */
    struct loop_timer *timer; /* or for what is due later, or the breaker */
    int64_t timer_at_ms;      /* when it fires, if it is set */
    char name[64];            /* for the log: an origin, a queue's name */
};

void lanes_init(struct lanes *lanes, struct loop *loop, size_t at_once,
                const struct lane_ops *ops);

/* Claim no more; what is under way goes on. */
void lanes_stop(struct lanes *lanes);

/* A new lane with nothing to do. `careful`: one at a time until it answers. */
void lane_open(struct lanes *lanes, struct lane *lane, const char *name,
               bool careful);

/* When it is known better what it leads to. */
void lane_set_name(struct lane *lane, struct text name);

/* Only when nothing is under way, claims included. */
void lane_close(struct lane *lane);

/* Nothing under way, nothing to come that could be claimed, no timer. */
bool lane_is_idle(const struct lane *lane);

/*
 * Is a claim to be expected soon, since there may be more? Not for sure: other
 * lanes may have all there is.
 */
bool lane_expects_claim(const struct lane *lane);

/*
 * How many may be asked of the destination at the same time, as its breaker
 * stands: ops->limit, one, or none.
 */
size_t lane_width(const struct lane *lane);

/*
 * There may be work now, or in `wait_ms`. Of several calls with a time the
 * soonest counts, and none is kept when a claim begins: the owner looks into
 * the database now and then, and says it again.
 */
void lane_nudge(struct lane *lane);
void lane_nudge_later(struct lane *lane, int64_t wait_ms);

/*
 * The claim has ended with `count` items, which are under way from now on:
 * start them after this call. `more`: there may be others; not after a claim
 * that failed, which would only fail again at once.
 */
void lane_claimed(struct lane *lane, size_t count, bool more);

/*
 * The same, when there are others but somebody else holds what they need:
 * a claim follows as soon as one of those under way is over, or has been
 * since the claim began. Without any, the owner looks now and then.
 */
void lane_claimed_all_places(struct lane *lane, size_t count);

/*
 * The verdict on its health: see breaker_succeeded() and breaker_failed().
 * While its breaker is open nothing is claimed; a claim follows when that
 * time ends. Any number of times, also for one that goes on.
 */
void lane_succeeded(struct lane *lane);
void lane_failed(struct lane *lane, int64_t retry_after_s);

/* One of those under way is over. */
void lane_done(struct lane *lane);

#endif
