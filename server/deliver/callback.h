/*
 * One callback on its way: POST to the LMS, record what became of it.
 */
#ifndef XQUEUE_DELIVER_CALLBACK_H
#define XQUEUE_DELIVER_CALLBACK_H

#include "db/outbox.h"
#include "server/task/env.h"

struct callback_order {
    const struct outbox_item *item; /* copied */
    const unsigned char *owner;     /* of the claim; OWNER_SIZE bytes */

    /* When all is over. `answered`: the LMS said something, good or bad, soon.
     */
    void (*done)(void *context, bool answered);
    void *context;
};

/* Longer than any delivery, with its record, can take. */
int64_t callback_lease_us(const struct config *config);

/* Deliver, as a task of its own. */
void callback_deliver(struct env *env, const struct callback_order *order);

/* Milliseconds before the attempt after the n-th (1 is the first), +-20 %. */
int64_t callback_backoff_ms(int64_t attempt);

#endif
