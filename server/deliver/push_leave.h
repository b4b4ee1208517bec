/*
 * Leaving places at a grader that no push needs. Loop thread.
 */
#ifndef XQUEUE_DELIVER_PUSH_LEAVE_H
#define XQUEUE_DELIVER_PUSH_LEAVE_H

#include "server/deliver/push_places.h"

/* Those of a struct push_lane, as a task of its own. See leave_places. */
void push_leave(struct places *places, const struct push_place *list,
                size_t count, int64_t end_ms);

#endif
