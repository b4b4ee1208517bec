#include "server/task/loop.h"

#include "server/base/compiler.h"
#include "server/base/log_output.h"
#include "tests/support/story.h"

#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct loop *loop;
static struct loop_timer *later;
static int ends[2];
static char come[64];

static void begin(void)
{
    ck_assert_int_eq(pipe2(ends, O_NONBLOCK), 0);
    ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    loop = loop_new();
}

static void end(void)
{
    loop_timer_free(later);
    loop_free(loop);
}

static void read_lines(void)
{
    ssize_t size = read(ends[0], come, sizeof come - 1);

    come[size < 0 ? 0 : size] = '\0';
}

static void speak(void *context)
{
    (void)context;
    log_output_line(text_of("a line\n"), false);
    read_lines();
    ck_assert_str_eq(come, "");
    loop_timer_set(later, 1);
}

static void stop(void *context)
{
    (void)context;
    read_lines();
    log_output_line(text_of("the last\n"), false);
    loop_stop(loop);
}

START_TEST(epoll_hears_of_changes_once_a_turn)
{
    ck_assert_str_eq(event_base_get_method(loop_base(loop)),
                     "epoll (with changelist)");
}
END_TEST

static void note(void *context)
{
    size_t size = strlen(come);

    snprintf(come + size, sizeof come - size, "%s", (const char *)context);
}

static void note_and_set_soon(void *context)
{
    loop_timer_set_soon(later);
    loop_timer_set_soon(later);
    note(context);
}

static void note_and_stop(void *context)
{
    note(context);
    loop_stop(loop);
}

START_TEST(what_is_set_soon_comes_once_and_after_what_is_ready)
{
    struct loop_timer *first =
        loop_timer_new(loop, note_and_set_soon, "first ");
    struct loop_timer *second = loop_timer_new(loop, note, "second ");
    struct loop_timer *third = loop_timer_new(loop, note_and_stop, "third");

    later = loop_timer_new(loop, note, "soon ");
    loop_timer_set(first, 0);
    loop_timer_set(second, 0);
    loop_timer_set(third, 50);
    loop_run(loop);
    ck_assert_str_eq(come, "first second soon third");
    loop_timer_free(first);
    loop_timer_free(second);
    loop_timer_free(third);
}
END_TEST

START_TEST(lines_of_the_log_leave_before_the_loop_sleeps)
{
    struct loop_timer *first = loop_timer_new(loop, speak, NULL);

    later = loop_timer_new(loop, stop, NULL);
    loop_timer_set(first, 0);
    loop_run(loop);
    ck_assert_str_eq(come, "a line\n");
    read_lines();
    ck_assert_str_eq(come, "the last\n");
    loop_timer_free(first);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(epoll_hears_of_changes_once_a_turn),
        TELL(what_is_set_soon_comes_once_and_after_what_is_ready),
        TELL(lines_of_the_log_leave_before_the_loop_sleeps),
    };
    static const struct story story = {
        .name = "loop",
        .tests = tests,
        .count = ARRAY_LENGTH(tests),
        .before_each = begin,
        .after_each = end,
    };

    return story_run(&story);
}
