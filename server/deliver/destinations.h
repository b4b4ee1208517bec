/*
 * The hosts that callbacks go to, and how many may be under way to each: the
 * state behind callbacks.c.
 */
#ifndef XQUEUE_DELIVER_DESTINATIONS_H
#define XQUEUE_DELIVER_DESTINATIONS_H

#include "server/deliver/callbacks.h"

#include <sys/queue.h>

struct destination {
    TAILQ_ENTRY(destination) entry;
    struct callbacks *callbacks; /* borrows */
    int64_t number;
    size_t in_flight;
    size_t claiming; /* so many, at most, by a claim under way */
    bool silent;     /* no quick answer yet, or last time: one by one */
    bool more;       /* there may be more than was claimed last */
    bool listed;     /* the last look found something, due or not */
    bool gathering;  /* the timer is for a claim of several */
    struct loop_timer *timer; /* or the next one is due */
};

TAILQ_HEAD(destination_list, destination);

struct callbacks {
    struct env *env;
    struct destination_list destinations;
    struct loop_timer *timer;
    size_t in_flight;
    size_t claiming;
    bool stopping;
};

/* NULL when nothing is known of it. */
struct destination *destination_find(struct callbacks *callbacks,
                                     int64_t number);

/* `drain` is what its timer calls, with the destination. */
struct destination *destination_add(struct callbacks *callbacks, int64_t number,
                                    void (*drain)(void *destination));
void destination_forget(struct destination *destination);

/* All that have nothing under way and nothing to come. */
void destinations_forget_idle(struct callbacks *callbacks);

/* How many more may be under way; no destination has it all to itself. */
size_t destination_room(const struct destination *destination);

bool destinations_are_full(const struct callbacks *callbacks);

#endif
