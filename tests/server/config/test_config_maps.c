/*
 * server/config/queues.c, users.c, databases.c: R39, R44
 */
#include "tests/support/config_story.h"
#include "tests/support/story.h"

#include <stdio.h>
#include <string.h>

START_TEST(queues_keep_the_order_of_the_file)
{
    load("XQUEUES:\n  zebra: null\n  Ape: http://h:1/p\n  6001: ~\n"
         "  ape: HTTPS://h/x@y\n");
    ck_assert_uint_eq(config->queue_count, 4);
    ck_assert_str_eq(config->queues[0].name, "zebra");
    ck_assert_ptr_null(config->queues[0].grader_url);
    ck_assert_str_eq(config->queues[1].name, "Ape");
    ck_assert_str_eq(config->queues[1].grader_url, "http://h:1/p");
    ck_assert_str_eq(config->queues[2].name, "6001");
    ck_assert_str_eq(config->queues[3].grader_url, "HTTPS://h/x@y");
}
END_TEST

START_TEST(queues_are_found_by_their_exact_name)
{
    load("XQUEUES: {One: null, two: null}\n");
    ck_assert_str_eq(config_find_queue(config, text_of("One"))->name, "One");
    ck_assert_ptr_null(config_find_queue(config, text_of("one")));
    ck_assert_ptr_null(config_find_queue(config, text_of("On")));
    ck_assert_ptr_null(config_find_queue(config, TEXT_ABSENT));
}
END_TEST

START_TEST(a_queue_name_has_at_most_128_characters)
{
    char source[400] = "XQUEUES: {'";
    size_t start = strlen(source);

    for (size_t i = 0; i < 128; i++)
        memcpy(source + start + 2 * i, "\xC3\xA9", 2);
    memcpy(source + start + 256, "': null}\n", 10);
    load(source);
    memcpy(source + start + 256, "x': null}\n", 11);
    load_with(source, NULL, 0);
    ck_assert_ptr_null(config);
    ck_assert_ptr_nonnull(strstr(messages.data, "f:1:11: XQUEUES: expected a "
                                                "queue name of 1 to 128 "
                                                "characters, without /"));
}
END_TEST

START_TEST(queues_that_cannot_be_are_refused)
{
    expect_refusal(
        "XQUEUES:\n  '': null\n  a/b: null\n  on: null\n  q: ''\n"
        "  r: ftp://h/\n  s: http://\n  t: 5\n  \"u\\n\": null\n",
        "f:2:3: XQUEUES: expected a queue name of 1 to 128 characters, "
        "without /, found \"\"\n"
        "f:3:3: XQUEUES: expected a queue name of 1 to 128 characters, "
        "without /, found \"a/b\"\n"
        "f:4:3: XQUEUES: expected a queue name of 1 to 128 characters, "
        "without /, found on\n"
        "f:5:6: XQUEUES.q: expected null, an address that starts with "
        "http:// or https://, or a map, found \"\"\n"
        "f:6:6: XQUEUES.r: expected null, an address that starts with "
        "http:// or https://, or a map, found \"ftp://h/\"\n"
        "f:7:6: XQUEUES.s: expected null, an address that starts with "
        "http:// or https://, or a map, found \"http://\"\n"
        "f:8:6: XQUEUES.t: expected null, an address that starts with "
        "http:// or https://, or a map, found 5\n"
        "f:9:3: XQUEUES: expected a queue name of 1 to 128 characters, "
        "without /, found \"u\\x0a\"\n");
    expect_refusal("XQUEUES: [a]\n",
                   "f:1:10: XQUEUES: expected a map of queue names, found a "
                   "list\n");
    expect_refusal("XQUEUES: {a: null, a: null}\n",
                   "f:1:20: a: given twice, first on line 1\n");
}
END_TEST

START_TEST(no_queues_are_a_warning)
{
    expect_warning("LISTEN: 127.0.0.1:1\n", "XQUEUES: no queues\n");
    expect_warning("XQUEUES: {}\n", "XQUEUES: no queues\n");
}
END_TEST

START_TEST(passwords_of_users_are_texts_and_numbers)
{
    load(QUEUE "USERS: {lms: secret, 007: 0123, x: '  '}\n");
    ck_assert_uint_eq(config->user_count, 3);
    ck_assert_str_eq(config->users[0].name, "lms");
    ck_assert_str_eq(config->users[0].password, "secret");
    ck_assert_str_eq(config->users[1].name, "007");
    ck_assert_str_eq(config->users[1].password, "0123");
    ck_assert_str_eq(config->users[2].password, "  ");
}
END_TEST

START_TEST(other_passwords_are_refused)
{
    expect_refusal("USERS:\n  a:\n  b: yes\n  '': x\n  c: ''\n  d: [canary]\n",
                   "f:2:5: USERS.a: expected a password, in quotes, found "
                   "nothing\n"
                   "f:3:6: USERS.b: expected a password, in quotes, found a "
                   "truth value\n"
                   "f:4:3: USERS: expected a user name of 1 to 150 characters, "
                   "found \"\"\n"
                   "f:5:6: USERS.c: expected a password, found \"\"\n"
                   "f:6:6: USERS.d: expected a password, in quotes, found a "
                   "list\n");
}
END_TEST

START_TEST(the_database_is_djangos_block)
{
    load(QUEUE "DATABASES:\n  default:\n"
               "    ENGINE: django.db.backends.mysql\n"
               "    HOST: db\n    PORT: '3307'\n    NAME: n\n    USER: u\n"
               "    PASSWORD: 123\n    CONN_MAX_AGE: 5\n"
               "    OPTIONS: {charset: utf8mb4, unix_socket: /s}\n");
    ck_assert_str_eq(config->database.host, "db");
    ck_assert_int_eq(config->database.port, 3307);
    ck_assert_str_eq(config->database.name, "n");
    ck_assert_str_eq(config->database.user, "u");
    ck_assert_str_eq(config->database.password, "123");
    ck_assert_str_eq(config->database.unix_socket, "/s");
}
END_TEST

START_TEST(empty_database_values_are_defaults)
{
    load(QUEUE "DATABASES: {default: {HOST: '', PORT: '', USER: null}}\n");
    ck_assert_str_eq(config->database.host, "127.0.0.1");
    ck_assert_int_eq(config->database.port, 3306);
    ck_assert_str_eq(config->database.user, "xqueue001");
}
END_TEST

START_TEST(a_host_that_is_a_path_is_a_socket)
{
    load(QUEUE "DATABASES: {default: {HOST: /run/my.sock}}\n");
    ck_assert_str_eq(config->database.unix_socket, "/run/my.sock");
    ck_assert_str_eq(config->database.host, "localhost");
}
END_TEST

static void expect_tls(const char *options, enum config_tls tls)
{
    char source[300];

    snprintf(source, sizeof source,
             QUEUE "DATABASES: {default: {OPTIONS: %s}}\n", options);
    load(source);
    ck_assert_msg(config->database.tls == tls, "%s", options);
}

START_TEST(tls_follows_ssl_and_ssl_mode)
{
    expect_tls("{}", CONFIG_TLS_OFF);
    expect_tls("{ssl: {}}", CONFIG_TLS_REQUIRED);
    expect_tls("{ssl: true}", CONFIG_TLS_REQUIRED);
    expect_tls("{ssl: {ca: /c}}", CONFIG_TLS_VERIFY_CA);
    expect_tls("{ssl_mode: REQUIRED}", CONFIG_TLS_REQUIRED);
    expect_tls("{ssl_mode: DISABLED, ssl: {ca: /c}}", CONFIG_TLS_OFF);
    expect_tls("{ssl_mode: verify_ca}", CONFIG_TLS_VERIFY_CA);
    expect_tls("{ssl_mode: VERIFY_IDENTITY, ssl: {ca: /c}}", CONFIG_TLS_VERIFY);
}
END_TEST

START_TEST(a_wrong_database_block_is_refused)
{
    expect_refusal("DATABASES:\n  default:\n"
                   "    ENGINE: django.db.backends.sqlite3\n"
                   "    PORT: 70000\n"
                   "    PASSWORD: [canary]\n"
                   "    OPTIONS: {ssl_mode: MAYBE, ssl: 5}\n",
                   "f:4:11: DATABASES.default.PORT: expected a whole number "
                   "from 1 to 65535, found 70000\n"
                   "f:5:15: DATABASES.default.PASSWORD: expected a text, found "
                   "a list\n"
                   "f:6:37: DATABASES.default.OPTIONS.ssl: expected a map with "
                   "ca, cert, key, found 5\n"
                   "f:6:25: DATABASES.default.OPTIONS.ssl_mode: expected one "
                   "of DISABLED, REQUIRED, VERIFY_CA, VERIFY_IDENTITY, found "
                   "\"MAYBE\"\n"
                   "f:3:13: DATABASES.default.ENGINE: expected an engine for "
                   "MySQL, found \"django.db.backends.sqlite3\"\n");
    expect_refusal("DATABASES: {}\n",
                   "f:1:12: DATABASES: expected a map with `default`\n");
    expect_refusal("DATABASES: {default: }\n",
                   "f:1:22: DATABASES.default: expected a map, found "
                   "nothing\n");
}
END_TEST

START_TEST(other_keys_of_the_database_are_warnings_too)
{
    expect_warning(QUEUE "DATABASES:\n  replica: {}\n  default:\n    HOTS: x\n"
                         "    OPTIONS:\n      ssl: {capath: /c}\n"
                         "      ssl_mode: PREFERRED\n      compress: 1\n",
                   "f:3: DATABASES.replica: not used by this server\n"
                   "f:7: DATABASES.default.OPTIONS.ssl.capath: not known, "
                   "ignored\n"
                   "f:8: DATABASES.default.OPTIONS.ssl_mode: PREFERRED is not "
                   "used: see REQUIRED\n"
                   "f:9: DATABASES.default.OPTIONS.compress: not known, "
                   "ignored\n"
                   "f:5: DATABASES.default.HOTS: not known, ignored\n");
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(queues_keep_the_order_of_the_file),
        TELL(queues_are_found_by_their_exact_name),
        TELL(a_queue_name_has_at_most_128_characters),
        TELL(queues_that_cannot_be_are_refused),
        TELL(no_queues_are_a_warning),
        TELL(passwords_of_users_are_texts_and_numbers),
        TELL(other_passwords_are_refused),
        TELL(the_database_is_djangos_block),
        TELL(empty_database_values_are_defaults),
        TELL(a_host_that_is_a_path_is_a_socket),
        TELL(tls_follows_ssl_and_ssl_mode),
        TELL(a_wrong_database_block_is_refused),
        TELL(other_keys_of_the_database_are_warnings_too),
    };
    static const struct story story = {
        .name = "config maps",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_each = config_story_begin,
        .after_each = config_story_end,
    };

    return story_run(&story);
}
