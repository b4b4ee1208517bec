/*
 * Lines of the log, as they leave.
 */
#include "server/base/log.h"

#include "tests/support/story.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char line[1024];

/* The one line that this writes: what comes after its time. */
static const char *written(enum log_format format, struct log_field field)
{
    int ends[2];
    ssize_t size;
    char *rest;

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    log_set_format(format);
    log_event(LOG_INFO, "event", field);
    size = read(ends[0], line, sizeof line - 1);
    ck_assert_int_gt(size, 0);
    line[size] = '\0';
    rest = strchr(line, 'Z');
    ck_assert_ptr_nonnull(rest);
    return rest + 1;
}

START_TEST(numbers_are_written_in_full)
{
    ck_assert_str_eq(written(LOG_LOGFMT, log_integer("n", 0)),
                     " info event n=0\n");
    ck_assert_str_eq(written(LOG_LOGFMT, log_integer("n", -1)),
                     " info event n=-1\n");
    ck_assert_str_eq(written(LOG_LOGFMT, log_integer("n", INT64_MIN)),
                     " info event n=-9223372036854775808\n");
    ck_assert_str_eq(written(LOG_JSON, log_integer("n", INT64_MAX)),
                     "\", \"level\": \"info\", \"event\": \"event\","
                     " \"n\": 9223372036854775807}\n");
}
END_TEST

START_TEST(texts_are_quoted_where_they_must_be)
{
    ck_assert_str_eq(written(LOG_LOGFMT, log_string("t", "plain")),
                     " info event t=plain\n");
    ck_assert_str_eq(written(LOG_LOGFMT, log_string("t", "a b")),
                     " info event t=\"a b\"\n");
    ck_assert_str_eq(written(LOG_LOGFMT, log_string("t", NULL)),
                     " info event\n");
}
END_TEST

START_TEST(a_line_begins_with_the_time)
{
    int year, month, day, hour, minute, second, milliseconds, end = 0;

    (void)written(LOG_LOGFMT, log_integer("n", 1));
    ck_assert_int_eq(sscanf(line, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ%n", &year,
                            &month, &day, &hour, &minute, &second,
                            &milliseconds, &end),
                     7);
    ck_assert_int_eq(end, 24);
    ck_assert_int_ge(year, 2024);
    ck_assert(month >= 1 && month <= 12 && day >= 1 && day <= 31);
    ck_assert(hour < 24 && minute < 60 && second <= 60);
}
END_TEST

STORY("log", TELL(numbers_are_written_in_full),
      TELL(texts_are_quoted_where_they_must_be),
      TELL(a_line_begins_with_the_time))
