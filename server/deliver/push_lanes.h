/*
 * The queues that are pushed, each with its lane: the state behind pushes.c.
 *
 * A lane whose queue is gone from the configuration, or has no URL there any
 * more, claims nothing; it is forgotten when it is idle.
 */
#ifndef XQUEUE_DELIVER_PUSH_LANES_H
#define XQUEUE_DELIVER_PUSH_LANES_H

#include "server/config/config.h"
#include "server/deliver/lanes.h"
#include "server/deliver/push_line.h"
#include "server/deliver/push_places.h"
#include "server/deliver/pushes.h"

struct push_lane {
    struct lane lane;
    struct push_line line;
    struct places places;
    struct pushes *pushes; /* borrows */
    int64_t queue_id;
    char *name;                          /* owns */
    char *url;                           /* owns; as the last reload left it */
    const struct config_queue *settings; /* in force; NULL: push no more */
};

struct pushes {
    struct env *env;
    struct lanes lanes;
    struct push_lane **items; /* owns, by queue_id */
    size_t count;
    struct loop_timer *timer;
};

/* The lanes as the configuration in force wants them. */
void push_lanes_take_queues(struct pushes *pushes);

/* NULL when it is not there. */
struct push_lane *push_lane_find(const struct pushes *pushes, int64_t queue_id);

struct push_lane *push_lane_of(const struct lane *lane);

/* Those that have no queue any more, and nothing under way. */
void push_lanes_forget_idle(struct pushes *pushes);

/* All of them; when nothing is under way. */
void push_lanes_close(struct pushes *pushes);

#endif
