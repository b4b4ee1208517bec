/*
 * The program as an operator types it, and as scripts for the Django server
 * do: R45, R46. What the commands do to a database is in
 * test_commands_database.c.
 */
#include "tests/support/expect.h"
#include "tests/support/mariadb.h"
#include "tests/support/program.h"
#include "tests/support/service.h"
#include "tests/support/service_story.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_MS = 60000 };

static const char *const commands[] = {
    "serve",
    "migrate",
    "update_users",
    "check",
    "health",
    "count_queued_submissions",
    "retire_failed_submissions",
    "retire_old_submissions",
    "delete_old_submissions",
    "files",
    "runserver",
    "run_consumer",
    "settings",
    "version",
};

static void begin(void)
{
    db_library_start();
    scratch = arena_new();
}

static void end(void)
{
    arena_free(scratch);
    db_library_stop();
}

/* `xqueue WORD...` without any configuration. */
#define RUN(...) run((const char *const[]){BINARY_DIR "/xqueue", __VA_ARGS__})

struct outcome {
    int exit_code;
    const char *output;
};

static struct outcome run(const char *const *words)
{
    struct program *program =
        program_start(words, (const char *const[]){"XQUEUE_CFG=", NULL});
    struct outcome outcome;

    outcome.exit_code = program_wait_for_exit(program, EXIT_MS);
    outcome.output = arena_string(scratch, program_output(program, scratch));
    program_free(program);
    return outcome;
}

static void expect_outcome(struct outcome outcome, int exit_code,
                           const char *words)
{
    ck_assert_msg(outcome.exit_code == exit_code, "exit code %d:\n%s",
                  outcome.exit_code, outcome.output);
    ck_assert_msg(strstr(outcome.output, words) != NULL, "no %s in:\n%s", words,
                  outcome.output);
}

START_TEST(the_version_is_printed)
{
    struct outcome outcome = RUN("version", NULL);

    ck_assert_int_eq(outcome.exit_code, 0);
    ck_assert_str_eq(outcome.output, "xqueue " XQUEUE_VERSION "\n");
    expect_outcome(RUN("--version", NULL), 0, "xqueue " XQUEUE_VERSION "\n");
}
END_TEST

START_TEST(help_names_every_command)
{
    const char *const words[] = {"--help", "-h", "help"};

    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        struct outcome outcome = RUN(words[i], NULL);

        expect_outcome(outcome, 0, "Usage: xqueue COMMAND");
        for (size_t k = 0; k < ARRAY_LENGTH(commands); k++)
            expect_outcome(outcome, 0,
                           arena_printf(scratch, "\n  %s ", commands[k]));
    }
}
END_TEST

START_TEST(every_command_has_help)
{
    for (size_t i = 0; i < ARRAY_LENGTH(commands); i++) {
        const char *usage =
            arena_printf(scratch, "Usage: xqueue %s", commands[i]);

        expect_outcome(RUN(commands[i], "--help", NULL), 0, usage);
        expect_outcome(RUN(commands[i], "-h", NULL), 0, usage);
    }
    expect_outcome(RUN("help", "serve", NULL), 0, "--listen ADDR:PORT");
    expect_outcome(RUN("help", "nothing", NULL), 2, "no command \"nothing\"");
}
END_TEST

START_TEST(no_command_is_a_wrong_use)
{
    expect_outcome(RUN(NULL), 2, "Usage: xqueue COMMAND");
    expect_outcome(RUN("nothing", NULL), 2,
                   "xqueue: no command \"nothing\"; see xqueue --help\n");
    expect_outcome(RUN("", NULL), 2, "no command");
}
END_TEST

START_TEST(an_unknown_option_is_a_wrong_use)
{
    for (size_t i = 0; i < ARRAY_LENGTH(commands); i++)
        expect_outcome(
            RUN(commands[i], "--nothing", NULL), 2,
            arena_printf(scratch, "Try: xqueue %s --help\n", commands[i]));
    expect_outcome(RUN("migrate", "-x", NULL), 2, "Try: xqueue migrate");
    expect_outcome(RUN("serve", "--listen", NULL), 2, "Try: xqueue serve");
    expect_outcome(RUN("serve", "--set", "LISTEN", NULL), 2,
                   "expected NAME=VALUE, found \"LISTEN\"");
}
END_TEST

/* 1 for a value, as the Django server does it. */
START_TEST(a_wrong_argument_ends_with_a_reason)
{
    expect_outcome(RUN("serve", "0.0.0.0:1", NULL), 2,
                   "serve takes no argument \"0.0.0.0:1\"");
    expect_outcome(RUN("serve", "--role", "cook", NULL), 2,
                   "expected web, deliver or web,deliver, found \"cook\"");
    expect_outcome(RUN("runserver", "1", "2", NULL), 2,
                   "runserver takes no argument \"2\"");
    expect_outcome(RUN("retire_old_submissions", NULL), 2,
                   "needs the name of one queue");
    expect_outcome(RUN("delete_old_submissions", "--chunk_size", "0", NULL), 1,
                   "--chunk_size: expected a whole number from 1 on, found"
                   " \"0\"");
    expect_outcome(RUN("delete_old_submissions", "--days_old", "-1", NULL), 1,
                   "--days_old: expected a whole number from 0 on");
    expect_outcome(RUN("delete_old_submissions", "--sleep_between", "x", NULL),
                   1, "--sleep_between: expected seconds");
    expect_outcome(RUN("retire_old_submissions", "q", "--retire-before",
                       "yesterday", NULL),
                   1, "found \"yesterday\"");
}
END_TEST

START_TEST(an_argument_too_many_is_a_wrong_use)
{
    const char *const none[] = {"update_users",
                                "check",
                                "health",
                                "count_queued_submissions",
                                "delete_old_submissions",
                                "files",
                                "run_consumer",
                                "migrate",
                                "settings",
                                "version"};

    for (size_t i = 0; i < ARRAY_LENGTH(none); i++)
        expect_outcome(
            RUN(none[i], "surplus", NULL), 2,
            arena_printf(scratch, "%s takes no argument \"surplus\"", none[i]));
}
END_TEST

START_TEST(without_a_database_a_command_fails_in_words)
{
    expect_outcome(RUN("migrate", "--set", "DB_SOCKET=/nowhere/s", NULL), 1,
                   "connecting to the database failed");
    expect_outcome(RUN("check", "--set", "DB_SOCKET=/nowhere/s", NULL), 1,
                   "connecting to the database failed");
}
END_TEST

START_TEST(settings_are_listed)
{
    expect_outcome(RUN("settings", NULL), 0, "SUBMISSION_PROCESSING_DELAY");
    expect_outcome(RUN("settings", "--markdown", NULL), 0, "| `LISTEN` |");
}
END_TEST

START_TEST(settings_as_they_stand_tell_no_secret)
{
    struct service *unused = service_new(&(struct service_settings){
        .users = "{lms: the-secret-of-lms}",
        .more = "REQUESTS_BASIC_AUTH: [edx, the-secret-of-edx]"});
    struct text output;

    ck_assert_int_eq(
        service_command(unused, &output, "settings", "--effective", NULL), 0);
    ck_assert_ptr_nonnull(strstr(arena_string(scratch, output), "127.0.0.1:"));
    ck_assert_ptr_null(strstr(arena_string(scratch, output), "the-secret"));
    service_stop(unused);
}
END_TEST

/* A server that was started with these words, and answers at that port. */
static struct program *start_server(struct service *configured,
                                    const char *const *words,
                                    struct http_client **ret_client)
{
    const char *const environment[] = {
        arena_printf(scratch, "XQUEUE_CFG=%s", service_config(configured)),
        NULL};
    struct program *program = program_start(words, environment);
    size_t position = 0;
    struct text line = program_wait_for_line(
        program, scratch, "listening address=", &position, EXIT_MS);
    const char *port = strstr(arena_string(scratch, line), " port=");

    *ret_client = http_client_new((uint16_t)strtoul(port + 6, NULL, 10));
    return program;
}

static void expect_server(const char *const *words, const char *address)
{
    struct service *configured = service_new(&(struct service_settings){0});
    struct http_client *caller;
    struct program *program = start_server(configured, words, &caller);

    expect_reply(http_get(caller, "/xqueue/status/"), 0, "\"OK\"");
    ck_assert_ptr_nonnull(strstr(
        arena_string(scratch, program_output(program, scratch)), address));
    http_client_free(caller);
    program_signal(program, SIGTERM);
    ck_assert_int_eq(program_wait_for_exit(program, EXIT_MS), 0);
    program_free(program);
    service_stop(configured);
}

START_TEST(runserver_serves_where_it_is_told_to)
{
    expect_server((const char *const[]){BINARY_DIR "/xqueue", "runserver",
                                        "0.0.0.0:0", "--noreload", NULL},
                  "address=0.0.0.0 ");
}
END_TEST

START_TEST(runserver_takes_a_port_alone_as_django_does)
{
    expect_server(
        (const char *const[]){BINARY_DIR "/xqueue", "runserver", "0", NULL},
        "address=127.0.0.1 ");
}
END_TEST

START_TEST(runserver_takes_all_that_manage_py_takes)
{
    expect_server((const char *const[]){BINARY_DIR "/xqueue", "runserver",
                                        "--settings=xqueue.production",
                                        "--pythonpath", "/edx/app", "-v", "3",
                                        "--verbosity=2", "--traceback",
                                        "--no-color", "--skip-checks",
                                        "--nothreading", "0.0.0.0:0", NULL},
                  "address=0.0.0.0 ");
}
END_TEST

START_TEST(serve_listens_where_an_option_says)
{
    expect_server((const char *const[]){BINARY_DIR "/xqueue", "serve",
                                        "--listen", "0.0.0.0:0", NULL},
                  "address=0.0.0.0 ");
    expect_server((const char *const[]){BINARY_DIR "/xqueue", "serve", "--set",
                                        "LISTEN=0.0.0.0:0", "--role", "web",
                                        NULL},
                  "address=0.0.0.0 ");
}
END_TEST

START_TEST(run_consumer_delivers_and_does_not_listen)
{
    struct service *configured = service_new(&(struct service_settings){0});
    const char *const environment[] = {
        arena_printf(scratch, "XQUEUE_CFG=%s", service_config(configured)),
        NULL};
    struct program *program = program_start(
        (const char *const[]){BINARY_DIR "/xqueue", "run_consumer", NULL},
        environment);
    size_t position = 0;

    (void)program_wait_for_line(program, scratch, "info delivering ", &position,
                                EXIT_MS);
    program_signal(program, SIGINT);
    ck_assert_int_eq(program_wait_for_exit(program, EXIT_MS), 0);
    ck_assert_ptr_null(strstr(
        arena_string(scratch, program_output(program, scratch)), "listening"));
    program_free(program);
    service_stop(configured);
}
END_TEST

START_TEST(an_address_in_use_ends_the_start_with_a_reason)
{
    struct service *running = service_new(&(struct service_settings){0});
    struct text output;

    service_serve(running);
    ck_assert_int_eq(service_command(running, &output, "serve", "--listen",
                                     arena_printf(scratch, "127.0.0.1:%u",
                                                  service_port(running)),
                                     NULL),
                     1);
    ck_assert_msg(strstr(arena_string(scratch, output), "in use") != NULL,
                  "%.*s", TEXT_ARGUMENTS(output));
    service_stop(running);
}
END_TEST

START_TEST(an_empty_database_ends_the_start_with_the_remedy)
{
    struct service *empty = service_new(
        &(struct service_settings){.database = mariadb_empty_database()});
    struct text output;

    ck_assert_int_eq(service_command(empty, &output, "serve", NULL), 1);
    ck_assert_msg(strstr(arena_string(scratch, output), "xqueue migrate") !=
                      NULL,
                  "%.*s", TEXT_ARGUMENTS(output));
    service_stop(empty);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(the_version_is_printed),
        TELL(help_names_every_command),
        TELL(every_command_has_help),
        TELL(no_command_is_a_wrong_use),
        TELL(an_unknown_option_is_a_wrong_use),
        TELL(a_wrong_argument_ends_with_a_reason),
        TELL(an_argument_too_many_is_a_wrong_use),
        TELL(without_a_database_a_command_fails_in_words),
        TELL(settings_are_listed),
        TELL(settings_as_they_stand_tell_no_secret),
        TELL(runserver_serves_where_it_is_told_to),
        TELL(runserver_takes_a_port_alone_as_django_does),
        TELL(runserver_takes_all_that_manage_py_takes),
        TELL(serve_listens_where_an_option_says),
        TELL(run_consumer_delivers_and_does_not_listen),
        TELL(an_address_in_use_ends_the_start_with_a_reason),
        TELL(an_empty_database_ends_the_start_with_the_remedy),
    };
    static const struct story story = {
        .name = "commands",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_all = mariadb_start,
        .after_all = mariadb_stop,
        .before_each = begin,
        .after_each = end,
        .timeout_s = 120,
    };

    return story_run(&story);
}
