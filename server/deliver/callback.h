/*
 * One callback on its way: POST to the LMS, record what became of it.
 */
#ifndef XQUEUE_DELIVER_CALLBACK_H
#define XQUEUE_DELIVER_CALLBACK_H

#include "db/outbox.h"
#include "server/task/env.h"

struct lane;

struct callback_order {
    const struct outbox_item *item; /* copied */
    const unsigned char *owner;     /* of the claim; OWNER_SIZE bytes */
    struct lane *lane;              /* borrows; hears what came of it */
};

/* Longer than any delivery, with its record, can take. */
int64_t callback_lease_us(const struct config *config);

/*
 * Deliver, as a task of its own; in the end lane_done(). The lane takes an LMS
 * for sick that gives no answer, or one after 10 s, or 429, 502, 503 or 504.
 */
void callback_deliver(struct env *env, const struct callback_order *order);

/* Milliseconds before the attempt after the n-th (1 is the first), +-20 %. */
int64_t callback_backoff_ms(int64_t attempt);

#endif
