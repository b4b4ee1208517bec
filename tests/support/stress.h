/*
 * What tests under stress have in common.
 */
#ifndef XQUEUE_TESTS_SUPPORT_STRESS_H
#define XQUEUE_TESTS_SUPPORT_STRESS_H

#include <stdbool.h>

/* XQUEUE_STRESS=full asks for the large size, which takes its time. */
bool stress_is_full(void);

/* Of history_check(); the test fails with them, unless they are NULL. */
void stress_expect_no_problems(char *problems);

/* A random while, so that kills come at any point of what a server does. */
void stress_wait_up_to(unsigned most_ms);

#endif
