/*
 * One push on its way: POST to the grader, record what became of it. Loop
 * thread.
 */
#ifndef XQUEUE_DELIVER_PUSH_H
#define XQUEUE_DELIVER_PUSH_H

#include "db/push.h"
#include "server/base/buffer.h"
#include "server/config/config.h"
#include "server/task/env.h"

struct places;
struct push_line;

struct push_order {
    const struct push_item *item; /* what is needed of it is copied */
    struct buffer *request;       /* its JSON; taken */
    bool is_broken;               /* it cannot be sent, nor ever will be */
    int64_t queue_id;
    const char *queue_name;              /* copied */
    const struct config_queue *settings; /* copied; NULL: give it back */
    int64_t lease_end_ms;                /* monotonic */
    struct places *places;               /* borrows; their lane hears of it */
    struct push_line *line;              /* likewise */
};

/*
 * Deliver, as a task of its own, once there is a place: the caller calls
 * places_claimed() for all of a claim. In the end lane_done(). Each try tells
 * the lane about the grader's health: sick is one that gives no answer, or 429,
 * 502, 503 or 504.
 */
void push_deliver(struct env *env, const struct push_order *order);

#endif
