/*
 * A mistake in the configuration stops the start, with its place and what
 * was expected: R39. What each setting takes is in tests/server/config.
 */
#include "tests/support/program.h"
#include "tests/support/service_story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_MS = 60000 };

static char path[64];

static void begin(void)
{
    scratch = arena_new();
    snprintf(path, sizeof path, "/tmp/xqueue-test-config-XXXXXX");
    close(mkstemp(path));
}

static void end(void)
{
    unlink(path);
    arena_free(scratch);
}

/* `xqueue WORD...` with this file and, maybe, a variable. */
static const char *run(const char *yaml, const char *variable,
                       const char *const *words, int exit_code)
{
    FILE *file = fopen(path, "w");
    const char *environment[] = {arena_printf(scratch, "XQUEUE_CFG=%s", path),
                                 variable, NULL};
    struct program *program;
    const char *output;

    fputs(yaml, file);
    fclose(file);
    program = program_start(words, environment);
    ck_assert_int_eq(program_wait_for_exit(program, EXIT_MS), exit_code);
    output = arena_string(scratch, program_output(program, scratch));
    program_free(program);
    return output;
}

static const char *start_with(const char *yaml, const char *variable)
{
    return run(yaml, variable,
               (const char *const[]){BINARY_DIR "/xqueue", "serve", NULL}, 1);
}

static void expect_line(const char *output, const char *line)
{
    const char *whole = arena_printf(scratch, "%s\n", line);

    ck_assert_msg(strstr(output, whole) != NULL, "no %s in:\n%s", line, output);
}

START_TEST(a_wrong_value_is_shown_with_its_place)
{
    const char *output = start_with("XQUEUES:\n"
                                    "  test-pull: null\n"
                                    "\n"
                                    "REQUESTS_TIMEOUT: soon\n",
                                    NULL);

    expect_line(output, "The configuration is wrong:");
    expect_line(output,
                arena_printf(scratch,
                             "%s:4:19: REQUESTS_TIMEOUT: expected a number of"
                             " seconds above 0, at most 600, found \"soon\"",
                             path));
}
END_TEST

START_TEST(all_mistakes_are_shown_at_once)
{
    const char *output = start_with("LISTEN: everywhere\n"
                                    "DB_CONNECTIONS: 0\n"
                                    "XQUEUES: {a: {concurrency: 2}}\n"
                                    "LOCAL_LOGLEVEL: LOUD\n",
                                    NULL);

    ck_assert_ptr_nonnull(strstr(output, ":1:9: LISTEN: expected an address"));
    ck_assert_ptr_nonnull(strstr(output, ":2:17: DB_CONNECTIONS: expected"));
    ck_assert_ptr_nonnull(
        strstr(output, ":3:28: XQUEUES.a.concurrency: only for"));
    ck_assert_ptr_nonnull(strstr(output, ":4:17: LOCAL_LOGLEVEL: expected"));
}
END_TEST

START_TEST(what_is_no_yaml_is_shown_with_its_place)
{
    ck_assert_ptr_nonnull(
        strstr(start_with("XQUEUES: {a: null\nUSERS: {}\n", NULL),
               arena_printf(scratch, "%s:2:", path)));
    ck_assert_ptr_nonnull(strstr(start_with("A:\n\tB: c\n", NULL),
                                 arena_printf(scratch, "%s:2:", path)));
}
END_TEST

START_TEST(a_wrong_variable_is_shown_by_its_name)
{
    ck_assert_ptr_nonnull(
        strstr(start_with("XQUEUES: {}\n", "XQUEUE_DB_PORT=mysql"),
               "environment: XQUEUE_DB_PORT: expected"));
}
END_TEST

START_TEST(a_wrong_option_is_shown_by_its_name)
{
    ck_assert_ptr_nonnull(
        strstr(run("XQUEUES: {}\n", NULL,
                   (const char *const[]){BINARY_DIR "/xqueue", "serve",
                                         "--listen", "nowhere", NULL},
                   1),
               "option: LISTEN: expected an address and a port"));
    ck_assert_ptr_nonnull(
        strstr(run("XQUEUES: {}\n", NULL,
                   (const char *const[]){BINARY_DIR "/xqueue", "runserver",
                                         "127.0.0.1:http", NULL},
                   1),
               "option: LISTEN: expected an address and a port"));
    ck_assert_ptr_nonnull(
        strstr(run("XQUEUES: {}\n", NULL,
                   (const char *const[]){BINARY_DIR "/xqueue", "check", "--set",
                                         "NOTHING=1", NULL},
                   1),
               "option: NOTHING: "));
}
END_TEST

START_TEST(a_file_that_is_not_there_is_named)
{
    ck_assert_ptr_nonnull(strstr(
        run("", NULL,
            (const char *const[]){BINARY_DIR "/xqueue", "serve", "--config",
                                  "/nowhere/xqueue.yml", NULL},
            1),
        "/nowhere/xqueue.yml: cannot be read"));
    ck_assert_ptr_nonnull(
        strstr(run("", NULL,
                   (const char *const[]){BINARY_DIR "/xqueue", "serve",
                                         "--config", "/tmp", NULL},
                   1),
               "/tmp: cannot be read"));
}
END_TEST

/* The files of the Django server hold much that is none of ours. */
START_TEST(an_unknown_key_is_warned_of_once_and_tolerated)
{
    const char *output =
        run("REQUESTS_TIMOUT: 5\n"
            "NEWRELIC_APPNAME: x\n"
            "AWS_ACCESS_KEY_ID: null\n"
            "DEFAULT_FILE_STORAGE: x.y\n",
            NULL,
            (const char *const[]){BINARY_DIR "/xqueue", "settings",
                                  "--effective", NULL},
            0);
    const char *warning = strstr(output, "REQUESTS_TIMOUT");

    ck_assert_msg(warning != NULL, "%s", output);
    ck_assert_ptr_nonnull(strstr(output, arena_printf(scratch, "%s:1:", path)));
    ck_assert_ptr_null(strstr(warning + 1, "REQUESTS_TIMOUT"));
}
END_TEST

START_TEST(a_secret_is_not_shown_with_a_mistake_in_it)
{
    const char *output = start_with("DB_PASSWORD: [Kanarienvogel]\n"
                                    "REQUESTS_BASIC_AUTH: Kanarienvogel\n"
                                    "USERS: {lms: [Kanarienvogel]}\n"
                                    "XQUEUES:\n"
                                    "  a: http://me:Kanarienvogel@host/\n"
                                    "  b:\n"
                                    "    url: http://host/\n"
                                    "    basic_auth: Kanarienvogel\n",
                                    NULL);

    expect_line(output, "The configuration is wrong:");
    ck_assert_msg(strstr(output, "Kanarienvogel") == NULL, "%s", output);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(a_wrong_value_is_shown_with_its_place),
        TELL(all_mistakes_are_shown_at_once),
        TELL(what_is_no_yaml_is_shown_with_its_place),
        TELL(a_wrong_variable_is_shown_by_its_name),
        TELL(a_wrong_option_is_shown_by_its_name),
        TELL(a_file_that_is_not_there_is_named),
        TELL(an_unknown_key_is_warned_of_once_and_tolerated),
        TELL(a_secret_is_not_shown_with_a_mistake_in_it),
    };
    static const struct story story = {
        .name = "configuration errors",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_each = begin,
        .after_each = end,
        .timeout_s = 60,
    };

    return story_run(&story);
}
