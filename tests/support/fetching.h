/*
 * Fetches in a test: an event loop, a fetcher, and waiting with a deadline.
 */
#ifndef XQUEUE_TESTS_SUPPORT_FETCHING_H
#define XQUEUE_TESTS_SUPPORT_FETCHING_H

#include "server/fetch/fetch.h"
#include "tests/support/story.h"

/* What the default fetcher is made of. */
struct fetcher_settings fetching_settings(void);

/* For before_each and after_each. */
void fetching_start_default(void);
void fetching_stop(void);

/* Start anew, with other settings. */
void fetching_start(const struct fetcher_settings *settings);

struct fetcher *fetching_fetcher(void);
struct event_base *fetching_base(void);

/* Whom fetching_to() may talk to from now on; everybody, verified, at first. */
void fetching_set_policy(const struct fetch_policy *policy);

/* A form POST of `body` with generous time-outs; its `done` counts. */
struct fetch fetching_to(const char *url, const char *body);

/* How many have come to their `done`. */
size_t fetching_done_count(void);

/* Run the loop until `count` are done; fails the test after 20 s. */
void fetching_wait(size_t count);

/* Start one and wait for it. */
void fetching_run(struct fetch *fetch);

/* Free what a finished fetch holds. */
void fetching_release(struct fetch *fetch);

/* STORY(), each test with the default fetcher. */
#define FETCHING_STORY(story_name, ...)                                        \
    int main(void)                                                             \
    {                                                                          \
        static const struct story_test tests[] = {__VA_ARGS__};                \
        static const struct story story = {                                    \
            .name = (story_name),                                              \
            .tests = tests,                                                    \
            .count = sizeof tests / sizeof tests[0],                           \
            .before_each = fetching_start_default,                             \
            .after_each = fetching_stop,                                       \
        };                                                                     \
        return story_run(&story);                                              \
    }

#endif
