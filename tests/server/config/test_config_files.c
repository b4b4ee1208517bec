/*
 * server/config/config.c with files: tests/fixtures/config/ (R39).
 */
#include "tests/support/config_story.h"
#include "tests/support/story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIXTURES SOURCE_DIR "/tests/fixtures/config/"

/* The messages with the folder taken off each line. */
static void expect_messages(const char *expected)
{
    struct buffer bare = {NULL, 0, 0};
    const char *rest = messages.data == NULL ? "" : messages.data;

    while (*rest != '\0') {
        size_t line = strcspn(rest, "\n") + 1;
        size_t folder = strlen(FIXTURES);

        if (strncmp(rest, FIXTURES, folder) != 0)
            folder = 0;
        buffer_append(&bare, rest + folder, line - folder);
        rest += line;
    }
    ck_assert_str_eq(bare.data, expected);
    buffer_free(&bare);
}

static void expect_bad(const char *name, const char *expected)
{
    load_fixture(name);
    ck_assert_ptr_null(config);
    expect_messages(expected);
}

START_TEST(the_file_of_devstack_loads)
{
    load_fixture("devstack.yml");
    ck_assert_ptr_nonnull(config);
    ck_assert_str_eq(config->database.host, "edx.devstack.mysql80");
    ck_assert_int_eq(config->database.port, 3306);
    ck_assert_str_eq(config->database.name, "xqueue");
    ck_assert_str_eq(config->database.user, "xqueue001");
    ck_assert_str_eq(config->database.password, "password");
    ck_assert_int_eq(config->database.tls, CONFIG_TLS_OFF);
    ck_assert_double_eq(config->consumer_delay_s, 10);
    ck_assert_double_eq(config->processing_delay_min, 1);
    ck_assert_int_eq(config->log_level, LOG_INFO);
    ck_assert_str_eq(config->basic_auth_user, "edx");
    ck_assert_str_eq(config->basic_auth_password, "edx");
    ck_assert(!config->session_cookie_secure);
    ck_assert_uint_eq(config->user_count, 1);
    ck_assert_str_eq(config->users[0].name, "lms");
    ck_assert_str_eq(config->users[0].password, "password");
    ck_assert_uint_eq(config->queue_count, 5);
    ck_assert_str_eq(config->queues[0].name, "certificates");
    ck_assert_str_eq(config->queues[1].name, "edX-Open_DemoX");
    ck_assert_str_eq(config->queues[1].grader_url, "http://localhost:18050");
    ck_assert_str_eq(config->queues[4].name, "test-pull");
    ck_assert_ptr_null(config->queues[4].grader_url);
    expect_messages("devstack.yml:3: CSRF_COOKIE_SECURE: not used by this "
                    "server\n"
                    "devstack.yml:16: LOGGING_ENV: not used by this server\n"
                    "devstack.yml:17: LOG_DIR: not used by this server\n"
                    "devstack.yml:18: NEWRELIC_APPNAME: not used by this "
                    "server\n"
                    "devstack.yml:19: NEWRELIC_LICENSE_KEY: not used by this "
                    "server\n"
                    "devstack.yml:25: SYSLOG_SERVER: not used by this "
                    "server\n");
    ck_assert(!config->stores_in_s3);
    ck_assert_str_eq(config->upload_bucket, "sandbox-bucket");
}
END_TEST

START_TEST(the_file_of_the_edx_role_loads)
{
    load_fixture("edx_role.yml");
    ck_assert_ptr_nonnull(config);
    ck_assert_str_eq(config->queues[0].name, "mitx-pull");
    ck_assert_str_eq(config->queues[1].grader_url,
                     "https://grader.example.org/run?kind=python");
    ck_assert_ptr_null(config->basic_auth_user);
    ck_assert_int_eq(config->log_level, LOG_WARNING);
    ck_assert_str_eq(config->users[1].name, "0123");
    ck_assert_str_eq(config->users[1].password, "456");
    ck_assert_int_eq(config->database.port, 3307);
    ck_assert_int_eq(config->database.tls, CONFIG_TLS_VERIFY_CA);
    ck_assert_str_eq(config->database.tls_ca, "/etc/ssl/database.pem");
    ck_assert_str_eq(config->database.tls_cert, "/c.pem");
    ck_assert_str_eq(config->database.tls_key, "/k.pem");
    ck_assert(config->stores_in_s3);
    ck_assert_str_eq(config->upload_bucket, "bucket");
    ck_assert_str_eq(config->upload_path_prefix, "prefix");
    ck_assert_ptr_null(config->aws_access_key_id);
    ck_assert_str_eq(config->aws_secret_access_key, "canary-aws");
    ck_assert_ptr_null(strstr(messages.data, "not known"));
    ck_assert_ptr_null(strstr(messages.data, "canary"));
    ck_assert_ptr_nonnull(
        strstr(messages.data,
               "edx_role.yml:25: SWIFT_KEY: not used by this server\n"));
}
END_TEST

START_TEST(a_file_with_merge_keys_loads)
{
    load_fixture("merge_key.yml");
    ck_assert_ptr_nonnull(config);
    ck_assert_str_eq(config->database.host, "first.example.org");
    ck_assert_int_eq(config->database.port, 3308);
    ck_assert_str_eq(config->database.user, "own");
    ck_assert_str_eq(config->database.password, "secret");
    ck_assert_str_eq(config->users[1].name, "xqwatcher");
    ck_assert_str_eq(config->queues[0].name, "Watcher-MITx-6.0001r");
    expect_messages("merge_key.yml:2: database_login: not known, ignored\n"
                    "merge_key.yml:6: database_place: not known, ignored\n"
                    "merge_key.yml:21: SOME_OPERATORS_KEY: not known, "
                    "ignored\n");
}
END_TEST

START_TEST(a_socket_and_tls_load)
{
    load_fixture("tls_socket.yml");
    ck_assert_ptr_nonnull(config);
    ck_assert_str_eq(config->database.unix_socket, "/run/mysqld/mysqld.sock");
    ck_assert_int_eq(config->database.port, 3306);
    ck_assert_int_eq(config->database.tls, CONFIG_TLS_VERIFY);
    ck_assert_str_eq(config->database.tls_ca, "/ca.pem");
}
END_TEST

START_TEST(a_bomb_of_aliases_is_harmless)
{
    load_fixture("bomb_alias.yml");
    ck_assert_ptr_nonnull(config);
    ck_assert_uint_eq(config->queue_count, 1);
}
END_TEST

START_TEST(bad_files_are_refused_with_the_place)
{
    expect_bad("bomb_merge.yml",
               "bomb_merge.yml:1:7: too many values, with those merged by "
               "<<\n");
    expect_bad("bad_duplicate.yml",
               "bad_duplicate.yml:6:3: lms: given twice, first on line 5\n"
               "bad_duplicate.yml:7:1: LISTEN: given twice, first on line "
               "3\n");
    expect_bad("bad_tab.yml",
               "bad_tab.yml:2:1: not YAML: found character that cannot start "
               "any token while scanning for the next token: a tab, where only "
               "blanks may be\n");
    expect_bad("bad_empty.yml", "bad_empty.yml:1:1: nothing in the file\n");
    expect_bad("bad_comment.yml", "bad_comment.yml:1:1: nothing in the file\n");
    expect_bad("bad_list.yml", "bad_list.yml:1:1: expected `NAME: value`\n");
    expect_bad("bad_deep.yml", "bad_deep.yml:1:41: nested too deeply\n");
    expect_bad("bad_utf8.yml", "bad_utf8.yml:2:4: not UTF-8 text: invalid "
                               "leading UTF-8 octet\n");
    expect_bad("bad_nul.yml", "bad_nul.yml:2:3: a NUL character\n");
    expect_bad("bad_tag.yml", "bad_tag.yml:2:9: a tag that is not known\n");
    expect_bad("bad_second.yml", "bad_second.yml:2:1: a second document: "
                                 "expected only one\n");
    expect_bad("bad_syntax.yml",
               "bad_syntax.yml:4:6: not YAML: did not find expected ',' or ']' "
               "while parsing a flow sequence (what began on line 3)\n");
}
END_TEST

START_TEST(no_secret_is_in_the_errors)
{
    load_fixture("bad_many.yml");
    ck_assert_ptr_null(config);
    ck_assert_ptr_nonnull(strstr(messages.data, "XQUEUES.hidden: "));
    ck_assert_ptr_nonnull(strstr(messages.data, "REQUESTS_BASIC_AUTH: "));
    ck_assert_ptr_nonnull(strstr(messages.data, "DATABASES.default.PASSWORD"));
    ck_assert_ptr_null(strstr(messages.data, "canary"));
}
END_TEST

START_TEST(what_is_no_readable_file_is_refused)
{
    char folder[] = "/tmp/xqueue-config-XXXXXX";
    char pipe[64];

    expect_bad("missing.yml", "missing.yml: cannot be read: No such file or "
                              "directory\n");
    buffer_free(&messages);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    config = config_load(folder, NULL, 0, &messages);
    ck_assert_ptr_null(config);
    ck_assert_ptr_nonnull(
        strstr(messages.data, ": cannot be read: a directory, not a file\n"));
    buffer_free(&messages);
    snprintf(pipe, sizeof pipe, "%s/pipe", folder);
    ck_assert_int_eq(mkfifo(pipe, 0600), 0);
    config = config_load(pipe, NULL, 0, &messages);
    ck_assert_ptr_null(config);
    ck_assert_ptr_nonnull(
        strstr(messages.data, "/pipe: cannot be read: not a regular file\n"));
    unlink(pipe);
    rmdir(folder);
}
END_TEST

/* A new file of a queue and `filler` bytes of comment. */
static void load_scratch(mode_t mode, size_t filler)
{
    char path[] = "/tmp/xqueue-config-XXXXXX";
    FILE *out = fdopen(mkstemp(path), "w");

    fputs(QUEUE "#", out);
    for (size_t i = 0; i < filler; i++)
        fputc('x', out);
    fclose(out);
    chmod(path, mode);
    config_free(config);
    buffer_free(&messages);
    config = config_load(path, NULL, 0, &messages);
    unlink(path);
}

START_TEST(a_file_that_anybody_may_change_is_a_warning)
{
    load_scratch(0600, 0);
    ck_assert_ptr_nonnull(config);
    ck_assert_uint_eq(messages.size, 0);
    load_scratch(0666, 0);
    ck_assert_ptr_nonnull(config);
    ck_assert_ptr_nonnull(
        strstr(messages.data, ": anybody on this machine may change it\n"));
}
END_TEST

START_TEST(a_file_beyond_a_megabyte_is_refused)
{
    load_scratch(0600, 1048576 - strlen(QUEUE "#"));
    ck_assert_ptr_nonnull(config);
    load_scratch(0600, 1048577 - strlen(QUEUE "#"));
    ck_assert_ptr_null(config);
    ck_assert_ptr_nonnull(
        strstr(messages.data, ": cannot be read: larger than allowed\n"));
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(the_file_of_devstack_loads),
        TELL(the_file_of_the_edx_role_loads),
        TELL(a_file_with_merge_keys_loads),
        TELL(a_socket_and_tls_load),
        TELL(a_bomb_of_aliases_is_harmless),
        TELL(bad_files_are_refused_with_the_place),
        TELL(no_secret_is_in_the_errors),
        TELL(what_is_no_readable_file_is_refused),
        TELL(a_file_that_anybody_may_change_is_a_warning),
        TELL(a_file_beyond_a_megabyte_is_refused),
    };
    static const struct story story = {
        .name = "config files",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_each = config_story_begin,
        .after_each = config_story_end,
    };

    return story_run(&story);
}
