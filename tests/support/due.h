/*
 * For loads that do not wait for the server: what is sent when it is due.
 */
#ifndef XQUEUE_TESTS_SUPPORT_DUE_H
#define XQUEUE_TESTS_SUPPORT_DUE_H

#include <stdint.h>

/*
 * Blocks the thread until then by clock_monotonic_us(); not at all when that
 * is over.
 */
void wait_until_due(int64_t due_us);

#endif
