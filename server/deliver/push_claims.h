/*
 * Claiming submissions to push. Loop thread.
 */
#ifndef XQUEUE_DELIVER_PUSH_CLAIMS_H
#define XQUEUE_DELIVER_PUSH_CLAIMS_H

#include "server/deliver/lanes.h"

/* Of the lane of a struct push_lane; see struct lane_ops. */
void push_claim_begin(struct lane *lane, size_t room);

#endif
