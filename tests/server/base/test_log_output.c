/*
 * When lines leave. Standard error is a pipe here; what came through it is read
 * without waiting.
 */
#include "server/base/log_output.h"

#include "server/base/log.h"
#include "server/base/memory.h"
#include "tests/support/story.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int ends[2];
static char come[4 * PIPE_BUF];

static void take_standard_error(void)
{
    ck_assert_int_eq(pipe2(ends, O_NONBLOCK), 0);
    ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
}

/* The words of all lines since the last time. */
static const char *what_came(void)
{
    ssize_t size = read(ends[0], come, sizeof come - 1);

    come[size < 0 ? 0 : size] = '\0';
    return come;
}

static void say(const char *words)
{
    log_output_line(text_of(words), false);
}

static void *say_elsewhere(void *words)
{
    say(words);
    return NULL;
}

START_TEST(a_line_leaves_at_once)
{
    take_standard_error();
    say("one\n");
    ck_assert_str_eq(what_came(), "one\n");
}
END_TEST

START_TEST(lines_that_are_held_leave_together)
{
    take_standard_error();
    log_output_hold();
    say("one\n");
    say("two\n");
    ck_assert_str_eq(what_came(), "");
    log_output_flush();
    ck_assert_str_eq(what_came(), "one\ntwo\n");
    say("three\n");
    log_output_release();
    say("four\n");
    ck_assert_str_eq(what_came(), "three\nfour\n");
}
END_TEST

START_TEST(a_warning_does_not_wait_and_keeps_its_place)
{
    take_standard_error();
    log_output_hold();
    log_event(LOG_INFO, "first", log_integer("n", 1));
    ck_assert_str_eq(what_came(), "");
    log_event(LOG_WARNING, "second", log_integer("n", 2));
    ck_assert_ptr_nonnull(strstr(what_came(), " second n=2\n"));
    ck_assert(strstr(come, " first n=1\n") < strstr(come, " second "));
    log_output_release();
}
END_TEST

START_TEST(lines_of_other_threads_do_not_wait_and_keep_their_place)
{
    pthread_t other;

    take_standard_error();
    log_output_hold();
    say("ours\n");
    ck_assert_int_eq(pthread_create(&other, NULL, say_elsewhere, "theirs\n"),
                     0);
    pthread_join(other, NULL);
    ck_assert_str_eq(what_came(), "ours\ntheirs\n");
    log_output_release();
}
END_TEST

START_TEST(no_more_is_held_than_one_write_takes)
{
    static char half[PIPE_BUF / 2 + 2];
    static char huge[PIPE_BUF + 2];

    memset(half, 'h', sizeof half - 1);
    memset(huge, 'H', sizeof huge - 1);
    take_standard_error();
    log_output_hold();
    say(half);
    say(half);
    ck_assert_str_eq(what_came(), half);
    say(huge);
    ck_assert_uint_eq(strlen(what_came()), strlen(half) + strlen(huge));
    log_output_release();
    ck_assert_str_eq(what_came(), "");
}
END_TEST

START_TEST(a_process_that_gives_up_loses_no_line)
{
    int status = 0;
    pid_t child;

    take_standard_error();
    child = fork();
    if (child == 0) {
        log_output_hold();
        say("the last line\n");
        fatal("no more");
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    ck_assert_str_eq(what_came(), "the last line\nxqueue: fatal: no more\n");
}
END_TEST

STORY("output of the log", TELL(a_line_leaves_at_once),
      TELL(lines_that_are_held_leave_together),
      TELL(a_warning_does_not_wait_and_keeps_its_place),
      TELL(lines_of_other_threads_do_not_wait_and_keep_their_place),
      TELL(no_more_is_held_than_one_write_takes),
      TELL(a_process_that_gives_up_loses_no_line))
