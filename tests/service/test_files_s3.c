/*
 * Submissions with files, kept in S3: R14, R43.
 */
#include "server/base/clock.h"
#include "server/base/json.h"
#include "tests/support/port.h"
#include "tests/support/push_story.h"
#include "tests/support/s3_server.h"
#include "tests/support/upload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Who we are to the server, as a container's agent tells it. */
static const struct peer_rule role_answer = {
    .body = "{\"AccessKeyId\": \"" S3_SERVER_ACCESS_KEY "\","
            " \"SecretAccessKey\": \"" S3_SERVER_SECRET_KEY "\","
            " \"Token\": \"to+ken/==\","
            " \"Expiration\": \"2999-01-01T00:00:00Z\"}",
};

/* Nobody listens there. */
#define NOWHERE "http://127.0.0.1:1"

static void start_all(void)
{
    s3_server_start();
    mariadb_start();
}

static void stop_all(void)
{
    mariadb_stop();
    s3_server_stop();
}

/* Each test has a prefix of its own. */
static void begin_as(const char *endpoint, const char *access_key,
                     const char *secret_key)
{
    char lines[1024];

    snprintf(lines, sizeof lines,
             "DEFAULT_FILE_STORAGE: storages.backends.s3boto3.S3Boto3Storage\n"
             "UPLOAD_BUCKET: " S3_SERVER_BUCKET "\n"
             "UPLOAD_PATH_PREFIX: some/prefix/%d\n"
             "AWS_ACCESS_KEY_ID: '%s'\n"
             "AWS_SECRET_ACCESS_KEY: '%s'\n"
             "AWS_S3_REGION_NAME: " S3_SERVER_REGION "\n"
             "AWS_S3_ENDPOINT_URL: %s\n"
             "UPLOAD_MAX_FILES: 200\n",
             (int)getpid(), access_key, secret_key, endpoint);
    own_service_begin(&(struct service_settings){.more = lines});
}

static void begin(const char *endpoint)
{
    begin_as(endpoint, S3_SERVER_ACCESS_KEY, S3_SERVER_SECRET_KEY);
}

/* Each link leads to the very bytes. */
static void expect_in_s3(struct text files, const struct upload *uploads,
                         size_t count)
{
    const char *url = s3_server_url();
    struct http_client *s3 =
        http_client_new((uint16_t)strtoul(strrchr(url, ':') + 1, NULL, 10));

    for (size_t i = 0; i < count; i++) {
        const char *link = link_of(files, uploads[i].name);
        const struct reply *reply;

        ck_assert_msg(strncmp(link, url, strlen(url)) == 0, "%s", link);
        reply = http_get(s3, link + strlen(url));
        ck_assert_msg(reply->status == 200, "%s: %d", link, reply->status);
        ck_assert(text_equal(reply->body, uploads[i].content));
    }
    http_client_free(s3);
}

START_TEST(a_grader_gets_every_byte)
{
    const struct upload uploads[] = {
        {"main.py", {"print(1)\n", 9}},
        {"two words \xC3\xA9.bin", {"\0\r\n\xFF", 4}},
        {"empty", {"", 0}},
    };

    begin(s3_server_url());
    expect_reply(lms_upload(lms_header("test-pull", NULL), "b", uploads, 3), 0,
                 "\"1\"");
    expect_in_s3(grader_pull("test-pull").files, uploads, 3);
}
END_TEST

START_TEST(two_hundred_files_come_back_whole)
{
    const struct upload *uploads;

    begin(s3_server_url());
    uploads = many_uploads(200);
    expect_reply(lms_upload(lms_header("test-pull", NULL), "b", uploads, 200),
                 0, "\"1\"");
    expect_in_s3(grader_pull("test-pull").files, uploads, 200);
}
END_TEST

/* The files that a grader was pushed, which has had one request. */
static struct text pushed_files(struct peer *grader)
{
    const struct json_value *request;

    ck_assert(peer_wait(grader, 1, 20000));
    ck_assert(
        json_parse_object(scratch, peer_request(grader, 0)->body, &request));
    return json_text(json_get(request, "xqueue_files"));
}

START_TEST(two_hundred_files_are_pushed_whole)
{
    struct peer *grader = peer_start_one((struct peer_rule){.body = "right"});
    const struct upload *uploads;

    begin(s3_server_url());
    uploads = many_uploads(200);
    push_queues("{test-pull: '%s'}", peer_url(grader, "/"));
    expect_reply(lms_upload(lms_header("test-pull", NULL), "b", uploads, 200),
                 0, "\"1\"");
    expect_in_s3(pushed_files(grader), uploads, 200);
    peer_stop(grader);
}
END_TEST

START_TEST(while_s3_is_away_nothing_is_acknowledged)
{
    const struct upload uploads[] = {{"a", {"A", 1}}};
    const struct reply *reply;

    begin(NOWHERE);
    reply = lms_upload(lms_header("test-pull", NULL), "b", uploads, 1);
    ck_assert_int_eq(reply->status, 503);
    expect_field(reply, "Retry-After", "2");
    ck_assert_value("0", "SELECT COUNT(*) FROM queue_submission");
    expect_reply(lms_submit(lms_header("test-pull", NULL), "b"), 0, "\"1\"");
}
END_TEST

/* Nothing can be signed then, and a link that leads nowhere helps nobody. */
START_TEST(while_the_role_gives_no_credentials_submissions_wait)
{
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", NOWHERE "/", 1);
    begin_as(NOWHERE, "", "");
    unsetenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    expect_reply(lms_submit(lms_header("test-pull", NULL), "b"), 0, "\"1\"");
    mariadb_run("UPDATE queue_submission SET s3_keys ="
                " '{\"a\": \"0123456789abcdef0123456789abcdef\"}'");
    expect_reply(get_submission("test-pull"), 1,
                 "\"Error fetching submission for test-pull."
                 " Please try again.\"");
    ck_assert_value("0", "SELECT attempts FROM xqueue_live");
}
END_TEST

/* Nor are they pushed, until there are keys to make links with. */
START_TEST(pushes_wait_for_the_credentials_of_the_role)
{
    const struct upload uploads[] = {{"a", {"A", 1}}};
    const int64_t until_ms = clock_monotonic_ms() + 20000;
    const uint16_t port = port_reserve();
    struct peer *grader = peer_start_one((struct peer_rule){.body = "right"});
    const struct reply *reply;
    struct peer *agent;
    char url[64];

    snprintf(url, sizeof url, "http://127.0.0.1:%u/", (unsigned)port);
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url, 1);
    begin_as(s3_server_url(), "", "");
    unsetenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    expect_reply(lms_submit(lms_header("test-pull", NULL), "b"), 0, "\"1\"");
    mariadb_run("UPDATE queue_submission SET s3_keys ="
                " '{\"a\": \"0123456789abcdef0123456789abcdef\"}'");
    push_queues("{test-pull: '%s'}", peer_url(grader, "/"));
    (void)service_wait_for_log(service,
                               "there are no links to their files now");
    ck_assert_uint_eq(peer_request_count(grader), 0);
    agent = peer_start_at(port, &role_answer, 1);
    /* Whoever stores a file asks for the keys, unless they just failed. */
    do {
        reply = lms_upload(lms_header("test-pull", NULL), "b", uploads, 1);
        ck_assert_int_lt(clock_monotonic_ms(), until_ms);
    } while (reply->status == 503);
    expect_status(reply, 200, NULL);
    ck_assert(text_starts_with(pushed_files(grader), "{\"a\": \"http://"));
    peer_stop(agent);
    peer_stop(grader);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(a_grader_gets_every_byte),
        TELL(two_hundred_files_come_back_whole),
        TELL(two_hundred_files_are_pushed_whole),
        TELL(while_s3_is_away_nothing_is_acknowledged),
        TELL(while_the_role_gives_no_credentials_submissions_wait),
        TELL(pushes_wait_for_the_credentials_of_the_role),
    };
    static const struct story story = {
        .name = "files in S3",
        .tests = tests,
        .count = ARRAY_LENGTH(tests),
        .before_all = start_all,
        .after_all = stop_all,
        .after_each = own_service_end,
        .timeout_s = 120,
    };

    return story_run(&story);
}
