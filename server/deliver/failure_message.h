/*
 * What the LMS is told about a submission that nobody could grade: the only
 * grader's message that this server writes itself.
 */
#ifndef XQUEUE_DELIVER_FAILURE_MESSAGE_H
#define XQUEUE_DELIVER_FAILURE_MESSAGE_H

#include "server/base/text.h"

/* JSON with correct null, score 0 and an alert for the learner. */
struct text failure_message(void);

#endif
