/*
 * One callback on its way: POST to the LMS, record what became of it. Loop
 * thread.
 */
#ifndef XQUEUE_DELIVER_CALLBACK_H
#define XQUEUE_DELIVER_CALLBACK_H

#include "db/outbox.h"
#include "server/task/env.h"

struct callback_line;

struct callback_order {
    const struct outbox_item *item; /* copied */
    const unsigned char *owner;     /* copied; of the claim, OWNER_SIZE bytes */
    struct callback_line *line;     /* borrows; its lane hears of it */
};

/* Longer than any delivery can take, with its wait and its record. */
int64_t callback_lease_us(void);

/*
 * Deliver when its turn comes, as a task of its own; in the end lane_done().
 * The lane takes an LMS for sick that gives no answer, or one after 10 s, or
 * 429, 502, 503 or 504.
 */
void callback_deliver(struct env *env, const struct callback_order *order);

#endif
