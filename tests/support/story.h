/*
 * The frame of a test program: a table of tests, each in a process of its
 * own (Check's fork mode), and a closing line with their count.
 *
 *     STORY("forms",
 *           TELL(a_plus_is_a_space),
 *           TELL(the_last_of_two_fields_wins))
 */
#ifndef XQUEUE_TESTS_SUPPORT_STORY_H
#define XQUEUE_TESTS_SUPPORT_STORY_H

#include <check.h>
#include <stddef.h>

struct story_test {
    const TTest **test;
};

struct story {
    const char *name;
    const struct story_test *tests;
    size_t count;
    void (*before_all)(void); /* once, in the parent process; may be NULL */
    void (*after_all)(void);
    void (*before_each)(void); /* in the test's process; may be NULL */
    void (*after_each)(void);
    double timeout_s; /* of one test; 0 means 30 */
};

/* Runs everything; the exit status of main(). */
int story_run(const struct story *story);

#define TELL(name)                                                             \
    {                                                                          \
        &name                                                                  \
    }

/* The whole program, when nothing needs to be set up. */
#define STORY(story_name, ...)                                                 \
    int main(void)                                                             \
    {                                                                          \
        static const struct story_test tests[] = {__VA_ARGS__};                \
        static const struct story story = {                                    \
            .name = (story_name),                                              \
            .tests = tests,                                                    \
            .count = sizeof tests / sizeof tests[0],                           \
        };                                                                     \
        return story_run(&story);                                              \
    }

#endif
