/*
 * xqueue health: which server it asks, and what it says.
 */
#include "tests/support/service_story.h"

#include "server/base/clock.h"
#include "tests/support/port.h"
#include "tests/support/program.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { START_MS = 60000 };

static void expect_health(int exit_code, const char *words, const char *process)
{
    struct text output;
    const int found = process == NULL
                          ? service_command(service, &output, "health", NULL)
                          : service_command(service, &output, "health",
                                            "--process", process, NULL);

    ck_assert_msg(found == exit_code &&
                      strstr(arena_string(scratch, output), words) != NULL,
                  "exit code %d: %.*s", found, TEXT_ARGUMENTS(output));
}

static const char *number(int64_t value)
{
    return arena_printf(scratch, "%lld", (long long)value);
}

/* Another server of the same configuration, started with these words. */
static struct program *start_other(const char *const *words)
{
    const char *const environment[] = {
        arena_printf(scratch, "XQUEUE_CFG=%s", service_config(service)), NULL};

    return program_start(words, environment);
}

static void stop_other(struct program *other)
{
    program_signal(other, SIGTERM);
    ck_assert_int_eq(program_wait_for_exit(other, START_MS), 0);
    program_free(other);
}

static void wait_for(struct program *other, const char *words)
{
    size_t position = 0;

    (void)program_wait_for_line(other, scratch, words, &position, START_MS);
}

/* Each is asked at a port that the settings do not name. */
static void expect_other(const char *const *words, uint16_t port)
{
    struct program *other = start_other(words);

    wait_for(other, "listening address=");
    expect_health(0, arena_printf(scratch, ":%u/", (unsigned)port),
                  number(program_pid(other)));
    stop_other(other);
}

START_TEST(a_server_is_well_until_it_is_gone)
{
    expect_health(0, "/xqueue/status/ is well.", NULL);
    service_shut_down(service);
    expect_health(1, "does not answer: ", NULL);
    service_serve(service);
}
END_TEST

START_TEST(a_server_that_hangs_is_not_waited_for)
{
    const int64_t before_ms = clock_monotonic_ms();

    ck_assert_int_eq(kill(service_pid(service), SIGSTOP), 0);
    expect_health(1, "does not answer: ", NULL);
    ck_assert_int_eq(kill(service_pid(service), SIGCONT), 0);
    ck_assert_int_lt(clock_monotonic_ms() - before_ms, 30000);
}
END_TEST

START_TEST(the_options_of_the_process_go_before)
{
    const uint16_t port = port_reserve();
    const char *program = BINARY_DIR "/xqueue";
    const char *everywhere =
        arena_printf(scratch, "0.0.0.0:%u", (unsigned)port);

    expect_other(
        (const char *const[]){program, "serve", "--listen", everywhere, NULL},
        port);
    expect_other(
        (const char *const[]){program, "serve", "--set",
                              arena_printf(scratch, "LISTEN=%s", everywhere),
                              NULL},
        port);
    expect_other((const char *const[]){program, "runserver", everywhere, NULL},
                 port);
    expect_other(
        (const char *const[]){program, "runserver", number(port), NULL}, port);
    /* As behind an init. */
    expect_other((const char *const[]){"/usr/bin/timeout", "100", program,
                                       "serve", "--listen", everywhere, NULL},
                 port);
    /* And below a shell. */
    expect_other(
        (const char *const[]){
            "/bin/sh", "-c",
            arena_printf(scratch,
                         "trap 'kill $!' TERM\n%s serve --listen %s &"
                         " wait $!; wait $!",
                         program, everywhere),
            NULL},
        port);
}
END_TEST

START_TEST(one_that_only_delivers_is_well)
{
    struct program *other = start_other(
        (const char *const[]){BINARY_DIR "/xqueue", "run_consumer", NULL});

    wait_for(other, " delivering ");
    expect_health(0, "only delivers", number(program_pid(other)));
    stop_other(other);
}
END_TEST

START_TEST(of_another_program_the_settings_count)
{
    expect_health(0, " is well.", number(getpid()));
    expect_health(0, " is well.", "999999999"); /* is not there */
    expect_health(1, "expected a whole number", "x");
}
END_TEST

static void begin(void)
{
    own_service_begin(
        &(struct service_settings){.database = mariadb_database()});
    service_shut_down(service);
    service_serve(service); /* its port is in the settings now */
}

int main(void)
{
    static const struct story_test tests[] = {
        TELL(a_server_is_well_until_it_is_gone),
        TELL(a_server_that_hangs_is_not_waited_for),
        TELL(the_options_of_the_process_go_before),
        TELL(one_that_only_delivers_is_well),
        TELL(of_another_program_the_settings_count),
    };
    static const struct story story = {
        .name = "health",
        .tests = tests,
        .count = ARRAY_LENGTH(tests),
        .before_all = mariadb_start,
        .after_all = mariadb_stop,
        .before_each = begin,
        .after_each = own_service_end,
        .timeout_s = 120,
    };

    return story_run(&story);
}
