/*
 * What the commands do to uploaded files in S3: as with a folder, see
 * test_files_commands.c.
 */
#include "server/base/json.h"
#include "tests/support/raw_client.h"
#include "tests/support/s3_server.h"
#include "tests/support/service_story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OLD_S = 2 * 3600, YOUNG_S = 3000 };

static void start_all(void)
{
    s3_server_start();
    mariadb_start_own();
}

static void stop_all(void)
{
    mariadb_stop();
    s3_server_stop();
}

/* One bucket for all tests: each has a prefix of its own. */
static void begin(void)
{
    char lines[1024];

    snprintf(lines, sizeof lines,
             "DEFAULT_FILE_STORAGE: storages.backends.s3boto3.S3Boto3Storage\n"
             "UPLOAD_BUCKET: " S3_SERVER_BUCKET "\n"
             "UPLOAD_PATH_PREFIX: some/prefix/%d\n"
             "AWS_ACCESS_KEY_ID: '" S3_SERVER_ACCESS_KEY "'\n"
             "AWS_SECRET_ACCESS_KEY: '" S3_SERVER_SECRET_KEY "'\n"
             "AWS_S3_REGION_NAME: " S3_SERVER_REGION "\n"
             "AWS_S3_ENDPOINT_URL: %s\n",
             (int)getpid(), s3_server_url());
    own_service_begin(&(struct service_settings){.more = lines});
}

static void expect_output(int exit_code, const char *words,
                          const char *const *command)
{
    struct text output;
    const int code = service_command(service, &output, command[0], command[1],
                                     command[1] ? command[2] : NULL, NULL);

    ck_assert_msg(code == exit_code, "exit code %d:\n%.*s", code,
                  TEXT_ARGUMENTS(output));
    ck_assert_msg(strstr(arena_string(scratch, output), words) != NULL,
                  "no %s in:\n%.*s", words, TEXT_ARGUMENTS(output));
}

/* At most three words. */
#define EXPECT_OUTPUT(exit_code, words, ...)                                   \
    expect_output((exit_code), (words), (const char *const[4]){__VA_ARGS__})

/* With three files; and the links that a grader gets for them. */
static void submit_three(const char *ret_links[3])
{
    static const char *const names[] = {"a.py", "b.py", "c.py"};
    const struct json_value *files;

    expect_reply(
        http_post_multipart(
            client, "/xqueue/submit/",
            HTTP_FORM({"xqueue_header", lms_header("test-pull", NULL), NULL},
                      {"xqueue_body", "body", NULL},
                      {"a.py", "of a.py", "a.py"}, {"b.py", "of b.py", "b.py"},
                      {"c.py", "of c.py", "c.py"})),
        0, "\"1\"");
    ck_assert(
        json_parse_object(scratch, grader_pull("test-pull").files, &files));
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        ret_links[i] =
            arena_string(scratch, json_text(json_get(files, names[i])));
}

/* 200 or 404, which comes in chunks. */
static int status_of(const char *link)
{
    const char *host = strstr(s3_server_url(), "//") + 2;
    const char *request = arena_printf(scratch,
                                       "GET %s HTTP/1.1\r\nHost: %s\r\n"
                                       "Connection: close\r\n\r\n",
                                       link + strlen(s3_server_url()), host);
    struct buffer reply = {NULL, 0, 0};
    int status;

    ck_assert(strncmp(link, s3_server_url(), strlen(s3_server_url())) == 0);
    status = raw_ask((uint16_t)strtoul(strchr(host, ':') + 1, NULL, 10),
                     request, strlen(request), &reply);
    buffer_free(&reply);
    return status;
}

static void expect_statuses(const char *const *links, int status)
{
    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(status_of(links[i]), status);
}

START_TEST(files_go_with_the_old_submission)
{
    const char *old[3];
    const char *young[3];

    submit_three(old);
    mariadb_run("UPDATE queue_submission SET arrival_time ="
                " NOW(6) - INTERVAL 8 DAY");
    submit_three(young);
    expect_statuses(old, 200);
    EXPECT_OUTPUT(0, "deleted 3 files of theirs\n", "delete_old_submissions");
    expect_statuses(old, 404);
    expect_statuses(young, 200);
    ck_assert_value("1", "SELECT COUNT(*) FROM queue_submission");
}
END_TEST

START_TEST(orphans_are_found_and_deleted_and_nothing_else)
{
    const char *orphans[3];
    const char *others[3];
    const char *young[3];

    submit_three(orphans);
    mariadb_run("DELETE FROM queue_submission");
    submit_three(others);
    EXPECT_OUTPUT(0, "0 files with 0 bytes belong to no submission\n", "files",
                  "--orphans");
    s3_server_make_older(OLD_S);
    submit_three(young);
    mariadb_run("DELETE FROM queue_submission ORDER BY id DESC LIMIT 1");
    s3_server_make_older(YOUNG_S);
    EXPECT_OUTPUT(0, "3 files with 21 bytes belong to no submission\n", "files",
                  "--orphans");
    EXPECT_OUTPUT(0, "3 of them are deleted\n", "files", "--orphans",
                  "--delete");
    expect_statuses(orphans, 404);
    expect_statuses(others, 200);
    expect_statuses(young, 200);
}
END_TEST

START_TEST(check_stores_a_file_and_deletes_it)
{
    mariadb_run("SET GLOBAL innodb_flush_log_at_trx_commit = 1,"
                " max_allowed_packet = 67108864");
    EXPECT_OUTPUT(0, "ok    files\n", "check");
    EXPECT_OUTPUT(1, "WRONG files cannot be stored: ", "check", "--set",
                  "UPLOAD_BUCKET=another");
}
END_TEST

START_TEST(the_server_hands_out_no_files_of_s3)
{
    const char *links[3];
    const char *key;

    submit_three(links);
    expect_statuses(links, 200);
    key = strstr(links[0], "/test-pull/");
    ck_assert_ptr_nonnull(key);
    expect_status(http_get(client, arena_printf(scratch, "/media%s", key)), 404,
                  NULL);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(files_go_with_the_old_submission),
        TELL(orphans_are_found_and_deleted_and_nothing_else),
        TELL(check_stores_a_file_and_deletes_it),
        TELL(the_server_hands_out_no_files_of_s3),
    };
    static const struct story story = {
        .name = "commands for files in S3",
        .tests = tests,
        .count = ARRAY_LENGTH(tests),
        .before_all = start_all,
        .after_all = stop_all,
        .before_each = begin,
        .after_each = own_service_end,
        .timeout_s = 120,
    };

    return story_run(&story);
}
