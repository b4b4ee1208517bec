/*
 * tests/support/history.h finds what is wrong: what the other programs here
 * rely on. Nothing is served; each history is written down.
 */
#include "tests/support/history.h"
#include "tests/support/story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 4 };

static struct history *history;
static struct graded graded[MOST];
static size_t graded_count;
static struct received received[MOST];
static size_t received_count;
static struct buffer texts[4 * MOST];
static size_t text_count;

static void begin(void)
{
    history = history_new_pushed("q");
}

static void end(void)
{
    history_free(history);
    for (size_t i = 0; i < text_count; i++)
        buffer_free(&texts[i]);
}

/* Acknowledged at 100. */
static void submitted(int64_t number)
{
    history_add(history, &(struct event){.kind = EVENT_SUBMIT,
                                         .outcome = OUTCOME_OK,
                                         .number = number,
                                         .begin_us = 50,
                                         .end_us = 100});
}

static void pushed(int64_t number, int64_t time, int64_t at_us)
{
    graded[graded_count] = (struct graded){.number = (int64_t)graded_count + 1,
                                           .at_us = at_us,
                                           .submission = number,
                                           .time = time};
    graded_count++;
}

/* The grade of the `time`-th push. */
static void told(int64_t number, int64_t time, int64_t at_us)
{
    struct buffer *path = &texts[text_count++];
    struct buffer *header = &texts[text_count++];
    struct buffer *grade = &texts[text_count++];

    buffer_printf(path, "/%lld", (long long)number);
    history_write_header(history, header, "http://lms", number);
    grader_write_grade(grade, number, time);
    received[received_count] =
        (struct received){.number = (int64_t)received_count + 1,
                          .at_us = at_us,
                          .twins = 1,
                          .path = buffer_text(path),
                          .header = buffer_text(header),
                          .body = buffer_text(grade)};
    received_count++;
}

/* `words` NULL: nothing is wrong. */
static void expect_verdict(const char *words)
{
    struct history_counts counts;
    char *problems = history_check(
        history,
        &(struct history_facts){.origin = "http://lms",
                                .received = {received, received_count},
                                .graded = {graded, graded_count},
                                .pushes_at_once = 1,
                                .deliveries_at_once = 1,
                                .has_faults = true},
        &counts);

    if (words == NULL)
        ck_assert_msg(problems == NULL, "%s", problems);
    else
        ck_assert_msg(problems != NULL && strstr(problems, words) != NULL,
                      "not '%s' but: %s", words, problems);
    free(problems);
}

START_TEST(one_that_was_pushed_and_told_once_is_right)
{
    submitted(0);
    pushed(0, 1, 200);
    told(0, 1, 300);
    expect_verdict(NULL);
}
END_TEST

START_TEST(one_that_never_came_to_the_grader_is_lost)
{
    submitted(0);
    expect_verdict("an acknowledged submission is lost");
}
END_TEST

START_TEST(one_that_never_came_to_the_lms_is_lost)
{
    submitted(0);
    pushed(0, 1, 200);
    expect_verdict("an acknowledged result is lost");
}
END_TEST

START_TEST(a_second_push_needs_a_kill)
{
    submitted(0);
    pushed(0, 1, 200);
    pushed(0, 2, 250);
    told(0, 2, 300);
    expect_verdict("it was pushed again for no reason");
}
END_TEST

START_TEST(a_kill_explains_a_second_push)
{
    submitted(0);
    pushed(0, 1, 200);
    history_add_kill(history);
    pushed(0, 2, INT64_MAX - 1);
    told(0, 2, INT64_MAX);
    expect_verdict(NULL);
}
END_TEST

START_TEST(a_kill_explains_no_more_than_was_under_way)
{
    submitted(0);
    submitted(1);
    pushed(0, 1, 200);
    pushed(1, 1, 201);
    history_add_kill(history);
    pushed(0, 2, INT64_MAX - 2);
    pushed(1, 2, INT64_MAX - 1);
    told(0, 2, INT64_MAX);
    told(1, 2, INT64_MAX);
    expect_verdict("more was pushed again than kills explain");
}
END_TEST

START_TEST(nothing_is_pushed_after_its_result)
{
    submitted(0);
    pushed(0, 1, 200);
    told(0, 1, 300);
    pushed(0, 2, 400);
    expect_verdict("it was pushed after its result");
}
END_TEST

START_TEST(the_lms_gets_what_the_grader_said)
{
    submitted(0);
    pushed(0, 1, 200);
    told(0, 2, 300);
    expect_verdict("the LMS got a result that nobody put");
}
END_TEST

START_TEST(two_tellings_are_the_same)
{
    submitted(0);
    pushed(0, 1, 200);
    history_add_kill(history);
    pushed(0, 2, 250);
    told(0, 1, 300);
    told(0, 2, 301);
    expect_verdict("the LMS got two results");
}
END_TEST

START_TEST(what_nobody_submitted_must_not_come)
{
    submitted(0);
    pushed(0, 1, 200);
    pushed(7, 1, 201);
    told(0, 1, 300);
    expect_verdict("the grader got what nobody submitted");
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(one_that_was_pushed_and_told_once_is_right),
        TELL(one_that_never_came_to_the_grader_is_lost),
        TELL(one_that_never_came_to_the_lms_is_lost),
        TELL(a_second_push_needs_a_kill),
        TELL(a_kill_explains_a_second_push),
        TELL(a_kill_explains_no_more_than_was_under_way),
        TELL(nothing_is_pushed_after_its_result),
        TELL(the_lms_gets_what_the_grader_said),
        TELL(two_tellings_are_the_same),
        TELL(what_nobody_submitted_must_not_come),
    };
    static const struct story story = {
        .name = "checker",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_each = begin,
        .after_each = end,
    };

    return story_run(&story);
}
