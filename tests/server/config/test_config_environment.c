/*
 * server/config/environment.c, and options over it
 */
#include "tests/support/config_story.h"
#include "tests/support/story.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

START_TEST(the_environment_overrides_the_file)
{
    setenv("XQUEUE_LISTEN", "0.0.0.0:8040", 1);
    setenv("XQUEUE_DB_HOST", "other", 1);
    setenv("XQUEUE_DB_PORT", "3309", 1);
    setenv("XQUEUE_DB_PASSWORD", "it's", 1);
    setenv("XQUEUE_REQUESTS_BASIC_AUTH", "me:a:b", 1);
    setenv("XQUEUE_CALLBACK_ALLOWED_HOSTS", "a.example.org, b", 1);
    setenv("XQUEUE_VERIFY_TLS", "0", 1);
    setenv("XQUEUE_SESSION_COOKIE_SECURE", "True", 1);
    setenv("XQUEUE_CALLBACK_DELAY", "0.5", 1);
    setenv("XQUEUE_GRADING_TIMEOUT", "010", 1);
    setenv("XQUEUE_SUBMISSION_MAX_BYTES", "1 mb", 1);
    setenv("XQUEUE_LOG_FORMAT", "json", 1);
    load(QUEUE "LISTEN: 127.0.0.1:1\n"
               "DATABASES: {default: {HOST: h, PORT: 1, PASSWORD: p}}\n");
    ck_assert_str_eq(config->listen, "0.0.0.0:8040");
    ck_assert_str_eq(config->database.host, "other");
    ck_assert_int_eq(config->database.port, 3309);
    ck_assert_str_eq(config->database.password, "it's");
    ck_assert_str_eq(config->basic_auth_user, "me");
    ck_assert_str_eq(config->basic_auth_password, "a:b");
    ck_assert_uint_eq(config->callback_allowed_hosts.count, 2);
    ck_assert_str_eq(config->callback_allowed_hosts.items[1], "b");
    ck_assert(!config->verify_tls);
    ck_assert(config->session_cookie_secure);
    ck_assert_double_eq(config->callback_delay_s, 0.5);
    ck_assert_double_eq(config->grading_timeout_s, 10);
    ck_assert_int_eq(config->submission_max_bytes, 1048576);
    ck_assert_int_eq(config->log_format, LOG_JSON);
}
END_TEST

START_TEST(an_empty_variable_is_not_set)
{
    setenv("XQUEUE_LISTEN", "", 1);
    setenv("XQUEUE_DB_PASSWORD_FILE", "", 1);
    load(QUEUE "LISTEN: 127.0.0.1:1\n");
    ck_assert_str_eq(config->listen, "127.0.0.1:1");
}
END_TEST

START_TEST(a_host_from_elsewhere_replaces_a_socket)
{
    setenv("XQUEUE_DB_HOST", "tcp.example.org", 1);
    load(QUEUE "DATABASES: {default: {OPTIONS: {unix_socket: /s}}}\n");
    ck_assert_ptr_null(config->database.unix_socket);
    setenv("XQUEUE_DB_HOST", "/other", 1);
    load(QUEUE "DATABASES: {default: {OPTIONS: {unix_socket: /s}}}\n");
    ck_assert_str_eq(config->database.unix_socket, "/other");
    setenv("XQUEUE_DB_SOCKET", "/third", 1);
    load(QUEUE);
    ck_assert_str_eq(config->database.unix_socket, "/third");
}
END_TEST

START_TEST(errors_of_the_environment_name_the_variable)
{
    setenv("XQUEUE_DB_PORT", "abc", 1);
    setenv("XQUEUE_DB_CONNECTIONS", "65", 1);
    setenv("XQUEUE_REQUESTS_BASIC_AUTH", "canary", 1);
    setenv("XQUEUE_CALLBACK_ALLOWED_HOSTS", "a,,b", 1);
    expect_refusal(
        QUEUE "DB_QUEUE: x\n",
        "f:2:11: DB_QUEUE: expected a whole number from 16 to 65536, found "
        "\"x\"\n"
        "environment: XQUEUE_DB_PORT: expected a whole number from 1 to 65535, "
        "found \"abc\"\n"
        "environment: XQUEUE_REQUESTS_BASIC_AUTH: expected user and password "
        "as user:password, found a text\n"
        "environment: XQUEUE_CALLBACK_ALLOWED_HOSTS: expected a list of texts, "
        "found \"a,,b\"\n"
        "environment: XQUEUE_DB_CONNECTIONS: expected a whole number from 1 to "
        "64, found \"65\"\n");
}
END_TEST

START_TEST(a_secret_can_stand_in_a_file)
{
    char path[] = "/tmp/xqueue-secret-XXXXXX";
    int file = mkstemp(path);

    ck_assert_int_eq(write(file, "two\nlines\r\n", 11), 11);
    close(file);
    setenv("XQUEUE_DB_PASSWORD_FILE", path, 1);
    load(QUEUE);
    ck_assert_str_eq(config->database.password, "two\nlines");
    setenv("XQUEUE_DB_PASSWORD", "x", 1);
    expect_refusal(QUEUE, "environment: XQUEUE_DB_PASSWORD_FILE: given beside "
                          "XQUEUE_DB_PASSWORD\n");
    unlink(path);
}
END_TEST

START_TEST(a_missing_secret_file_is_an_error)
{
    setenv("XQUEUE_DB_PASSWORD_FILE", "/nonexistent/secret", 1);
    expect_refusal(QUEUE, "environment: XQUEUE_DB_PASSWORD_FILE: "
                          "/nonexistent/secret: No such file or directory\n");
}
END_TEST

START_TEST(maps_are_written_as_in_the_file)
{
    setenv("XQUEUE_XQUEUES", "{\"a\": null, \"b\": \"http://b.example.org/\"}",
           1);
    setenv("XQUEUE_USERS", "lms: one\ngrader: two\n", 1);
    setenv("XQUEUE_GRADING_TIMEOUT", "7", 1);
    load("XQUEUES: {file: null}\nUSERS: {file: password}\n");
    ck_assert_uint_eq(config->queue_count, 2);
    ck_assert_str_eq(config->queues[0].name, "a");
    ck_assert_str_eq(config->queues[1].grader_url, "http://b.example.org/");
    ck_assert_double_eq(config->queues[1].timeout_s, 7);
    ck_assert_uint_eq(config->user_count, 2);
    ck_assert_str_eq(config->users[1].name, "grader");
    ck_assert_str_eq(config->users[1].password, "two");
}
END_TEST

START_TEST(a_map_can_stand_in_a_file_of_its_own)
{
    char path[] = "/tmp/xqueue-users-XXXXXX";
    int file = mkstemp(path);

    ck_assert_int_eq(write(file, "lms: password\n", 14), 14);
    close(file);
    setenv("XQUEUE_USERS_FILE", path, 1);
    load(QUEUE);
    unlink(path);
    ck_assert_uint_eq(config->user_count, 1);
    ck_assert_str_eq(config->users[0].password, "password");
}
END_TEST

START_TEST(errors_in_maps_name_the_variable_and_the_line)
{
    setenv("XQUEUE_XQUEUES", "q: null\nr: 7\n", 1);
    setenv("XQUEUE_USERS", "[canary]", 1);
    expect_refusal(
        "XQUEUES: null\n",
        "XQUEUE_USERS:1:1: USERS: expected a map of user names to passwords, "
        "found a list\n"
        "XQUEUE_XQUEUES:2:4: XQUEUES.r: expected null, an address that starts "
        "with http:// or https://, or a map, found 7\n");
    setenv("XQUEUE_XQUEUES", "{q: null", 1);
    unsetenv("XQUEUE_USERS");
    load_with(QUEUE, NULL, 0);
    ck_assert_ptr_null(config);
    ck_assert_ptr_eq(strstr(messages.data, "XQUEUE_XQUEUES:"), messages.data);
}
END_TEST

START_TEST(slips_in_variables_are_told)
{
    setenv("XQUEUE_LISTNE", "canary", 1);
    setenv("XQUEUE_DATABASES", "{default: {}}", 1);
    load_with(QUEUE, NULL, 0);
    ck_assert_ptr_nonnull(strstr(
        messages.data, "environment: XQUEUE_LISTNE: not known, ignored\n"));
    ck_assert_ptr_nonnull(strstr(
        messages.data, "environment: XQUEUE_DATABASES: not known, ignored\n"));
    ck_assert_ptr_null(strstr(messages.data, "canary"));
}
END_TEST

START_TEST(variables_of_kubernetes_mean_nothing)
{
    setenv("XQUEUE_PORT", "tcp://10.0.0.1:8040", 1);
    setenv("XQUEUE_SERVICE_HOST", "10.0.0.1", 1);
    setenv("XQUEUE_PORT_8040_TCP_ADDR", "10.0.0.1", 1);
    setenv("XQUEUE_DB_PORT", "tcp://10.0.0.2:3306", 1);
    setenv("XQUEUE_CFG", "/edx/etc/xqueue.yml", 1);
    load(QUEUE);
    ck_assert_int_eq(config->database.port, 3306);
}
END_TEST

START_TEST(the_variables_of_migrations_count)
{
    setenv("DB_MIGRATION_USER", "migrate", 1);
    setenv("DB_MIGRATION_PASS", "m", 1);
    load(QUEUE "DATABASES: {default: {USER: u, PASSWORD: p}}\n");
    ck_assert_str_eq(config->database.user, "migrate");
    ck_assert_str_eq(config->database.password, "m");
    setenv("XQUEUE_DB_USER", "ours", 1);
    load(QUEUE);
    ck_assert_str_eq(config->database.user, "ours");
}
END_TEST

START_TEST(options_override_the_environment)
{
    static const struct config_override options[] = {
        {"LISTEN", "127.0.0.1:0"},
        {"DB_NAME", "scratch"},
    };

    setenv("XQUEUE_LISTEN", "0.0.0.0:1", 1);
    load_with(QUEUE, options, 2);
    ck_assert_ptr_nonnull(config);
    ck_assert_str_eq(config->listen, "127.0.0.1:0");
    ck_assert_str_eq(config->database.name, "scratch");
}
END_TEST

START_TEST(errors_of_options_name_them)
{
    static const struct config_override options[] = {
        {"LISTEN", "nowhere"},
        {"NOTHING", "1"},
        {"XQUEUES", "q"},
        {"LOG_FORMAT", ""},
    };

    load_with(QUEUE, options, 4);
    ck_assert_ptr_null(config);
    ck_assert_str_eq(
        messages.data,
        "option: LISTEN: expected an address and a port such as "
        "127.0.0.1:18040 or [::1]:18040, found \"nowhere\"\n"
        "option: NOTHING: not a setting that an option can give\n"
        "option: XQUEUES: not a setting that an option can give\n"
        "option: LOG_FORMAT: expected one of logfmt, json, found \"\"\n");
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(the_environment_overrides_the_file),
        TELL(an_empty_variable_is_not_set),
        TELL(a_host_from_elsewhere_replaces_a_socket),
        TELL(errors_of_the_environment_name_the_variable),
        TELL(a_secret_can_stand_in_a_file),
        TELL(a_missing_secret_file_is_an_error),
        TELL(maps_are_written_as_in_the_file),
        TELL(a_map_can_stand_in_a_file_of_its_own),
        TELL(errors_in_maps_name_the_variable_and_the_line),
        TELL(slips_in_variables_are_told),
        TELL(variables_of_kubernetes_mean_nothing),
        TELL(the_variables_of_migrations_count),
        TELL(options_override_the_environment),
        TELL(errors_of_options_name_them),
    };
    static const struct story story = {
        .name = "config environment",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_each = config_story_begin,
        .after_each = config_story_end,
    };

    return story_run(&story);
}
