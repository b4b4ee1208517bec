/*
 * The frame of a test program.
 */
#include "tests/support/story.h"

#include <stdio.h>
#include <stdlib.h>

int story_run(const struct story *story)
{
    Suite *suite = suite_create(story->name);
    TCase *cases = tcase_create(story->name);
    SRunner *runner;
    int failed;

    tcase_set_timeout(cases, story->timeout_s > 0 ? story->timeout_s : 30);
    /* Where it may use assertions; afterwards nothing may. */
    tcase_add_unchecked_fixture(cases, story->before_all, NULL);
    tcase_add_checked_fixture(cases, story->before_each, story->after_each);
    for (size_t i = 0; i < story->count; i++)
        tcase_add_test(cases, *story->tests[i].test);
    suite_add_tcase(suite, cases);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    if (story->after_all != NULL)
        story->after_all();
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
