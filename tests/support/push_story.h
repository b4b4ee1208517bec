/*
 * What tests of pushes say: a grader that submissions are pushed to, the LMS
 * that hears of it, and what stands in the database.
 */
#ifndef XQUEUE_TESTS_SUPPORT_PUSH_STORY_H
#define XQUEUE_TESTS_SUPPORT_PUSH_STORY_H

#include "tests/support/peer.h"
#include "tests/support/service_story.h"
#include "tests/support/sink.h"

/*
 * Give `service` these XQUEUES, "{%s: '%s'}", and have it read them. Its tests
 * share it, and queues of the same name: each takes one of its own.
 */
void push_queues(const char *format, ...) PRINTF_LIKE(1, 2);

/* Submit, as a logged-in LMS that wants to hear at that address. */
void push_submit(const char *queue, const char *callback_url, const char *body);

/*
 * What queue_submission says of the only submission of the queue: "sent 1
 * back 1 failures 0 ack 1 retired 1".
 */
const char *push_fate(const char *queue);

/* That it says so once all is over, and that no push is under way. */
void push_expect_fate(const char *queue, const char *expected);

/* The LMS gets one callback, our failure message, and no other. */
void push_expect_failure(struct sink *lms, const char *queue);

/* The same with this text. */
void push_expect_result(struct sink *lms, const char *queue,
                        const char *result);

#endif
