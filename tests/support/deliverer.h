/*
 * A process that delivers and does not listen, beside the `service` of
 * service_story.h and with its configuration. One thread.
 */
#ifndef XQUEUE_TESTS_SUPPORT_DELIVERER_H
#define XQUEUE_TESTS_SUPPORT_DELIVERER_H

struct program;

/* These words, up to a NULL; back when it delivers. */
struct program *deliverer_start(const char *const *words);

/* Has it end in order, and frees it. It must not have listened. */
void deliverer_stop(struct program *deliverer);

#endif
