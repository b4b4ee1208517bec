/*
 * server/storage/s3_credentials.c and s3_role.c: whose keys are used, and
 * where those of a role come from.
 */
#include "server/base/clock.h"
#include "server/base/memory.h"
#include "tests/support/peer.h"
#include "tests/support/s3_story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FULL_URI "AWS_CONTAINER_CREDENTIALS_FULL_URI"
#define INSTANCE "AWS_EC2_METADATA_SERVICE_ENDPOINT"

static char answer[512];
static char answer_again[512];
static struct peer *s3;    /* NULL: nobody is there */
static struct peer *giver; /* of a role's keys, or NULL */

static void before_each(void);
static void after_each(void);
static void start_s3(void);
static void start_agent(const char *first, const char *then);
static void start_machine(const struct peer_rule *rules, size_t count);
static void role_answer(char *ret_answer, const char *access_key,
                        int64_t seconds);
static struct storage_settings settings_without_keys(void);
static void begin(void);
static bool has_credential(size_t request, const char *key);
static enum storage_status put_a(char *ret_reason);
static struct text link_to_a(struct arena *arena);

START_TEST(the_settings_come_first)
{
    start_s3();
    setenv("AWS_ACCESS_KEY_ID", "environment", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "1", 1);
    s3_story_begin(peer_url(s3, ""));
    ck_assert_int_eq(put_a(NULL), STORAGE_OK);
    ck_assert(has_credential(0, S3_SERVER_ACCESS_KEY));
}
END_TEST

START_TEST(then_comes_the_environment)
{
    start_s3();
    setenv("AWS_ACCESS_KEY_ID", "environment", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "1", 1);
    setenv("AWS_SESSION_TOKEN", "session", 1);
    setenv(FULL_URI, "http://127.0.0.1:1/", 1);
    begin();
    ck_assert_int_eq(put_a(NULL), STORAGE_OK);
    ck_assert(has_credential(0, "environment"));
    ck_assert(text_equal_string(
        peer_header(peer_request(s3, 0), "x-amz-security-token"), "session"));
}
END_TEST

START_TEST(half_a_pair_is_refused)
{
    struct storage_settings settings = settings_without_keys();

    setenv("AWS_SECRET_ACCESS_KEY", "1", 1);
    s3_story_begin("http://127.0.0.1:1");
    s3_story_expect_error(&settings,
                          "AWS_ACCESS_KEY_ID is not set in the environment");
}
END_TEST

START_TEST(roles_may_be_switched_off)
{
    struct storage_settings settings = settings_without_keys();

    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    s3_story_begin("http://127.0.0.1:1");
    s3_story_expect_error(&settings,
                          "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are "
                          "not set, and roles are not to be asked for");
}
END_TEST

START_TEST(then_comes_the_role_of_the_container)
{
    const struct peer_request *request;

    start_s3();
    role_answer(answer, "CONTAINER", 3600);
    start_agent(answer, NULL);
    setenv(FULL_URI, peer_url(giver, "/v1/credentials"), 1);
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "Bearer abc", 1);
    begin();
    ck_assert_int_eq(put_a(NULL), STORAGE_OK);
    ck_assert(has_credential(0, "CONTAINER"));
    request = peer_request(giver, 0);
    ck_assert_str_eq(request->line, "GET /v1/credentials HTTP/1.1");
    ck_assert(
        text_equal_string(peer_header(request, "Authorization"), "Bearer abc"));
    ck_assert_uint_eq(peer_request_count(giver), 1);
}
END_TEST

START_TEST(the_token_of_the_container_may_be_in_a_file)
{
    char path[] = "/tmp/xqueue-token-XXXXXX";
    const int file = mkstemp(path);

    start_s3();
    ck_assert_int_eq(write(file, "of the file\n", 12), 12);
    close(file);
    role_answer(answer, "CONTAINER", 3600);
    start_agent(answer, NULL);
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", path, 1);
    begin();
    ck_assert_int_eq(put_a(NULL), STORAGE_OK);
    ck_assert(text_equal_string(
        peer_header(peer_request(giver, 0), "Authorization"), "of the file"));
    unlink(path);
}
END_TEST

START_TEST(then_comes_the_role_of_the_machine)
{
    static const char role[] = "/latest/meta-data/iam/security-credentials/";
    const struct peer_rule rules[] = {
        {.path = "/latest/api/token", .body = "the-token=="},
        {.path = "/latest/meta-data/iam/security-credentials/my-role",
         .body = answer},
        {.path = role, .body = "my-role\nother"},
    };

    start_s3();
    role_answer(answer, "MACHINE", 3600);
    start_machine(rules, ARRAY_LENGTH(rules));
    setenv(INSTANCE, peer_url(giver, "/"), 1);
    begin();
    ck_assert_int_eq(put_a(NULL), STORAGE_OK);
    ck_assert(has_credential(0, "MACHINE"));
    ck_assert(text_equal_string(
        peer_header(peer_request(s3, 0), "x-amz-security-token"), "to+ken/=="));
    ck_assert_str_eq(peer_request(giver, 0)->line,
                     "PUT /latest/api/token HTTP/1.1");
    ck_assert(
        text_equal_string(peer_header(peer_request(giver, 0),
                                      "X-aws-ec2-metadata-token-ttl-seconds"),
                          "21600"));
    for (size_t i = 1; i < 3; i++)
        ck_assert(text_equal_string(
            peer_header(peer_request(giver, i), "X-aws-ec2-metadata-token"),
            "the-token=="));
    ck_assert_uint_eq(peer_request_count(giver), 3);
}
END_TEST

START_TEST(a_real_server_takes_the_keys_of_a_role)
{
    struct storage_settings settings;
    char reason[STORAGE_REASON_SIZE];

    snprintf(answer, sizeof answer,
             "{\"AccessKeyId\": \"" S3_SERVER_ACCESS_KEY "\", "
             "\"SecretAccessKey\": \"" S3_SERVER_SECRET_KEY "\", "
             "\"Token\": \"to+ken/==\", "
             "\"Expiration\": \"2999-01-01T00:00:00Z\"}");
    start_agent(answer, NULL);
    s3_story_begin(s3_server_url());
    settings = s3_story_settings(s3_server_url());
    settings.access_key = NULL;
    settings.secret_key = NULL;
    s3_story_use(&settings);
    ck_assert_msg(put_a(reason) == STORAGE_OK, "%s", reason);
}
END_TEST

START_TEST(keys_are_renewed_before_they_expire)
{
    const int64_t started_ms = clock_monotonic_ms();

    s3 = peer_start_one((struct peer_rule){.delay_ms = 50});
    /* Five minutes and two seconds from now. */
    role_answer(answer, "OLD", 302);
    role_answer(answer_again, "NEW", 3600);
    start_agent(answer, answer_again);
    begin();
    ck_assert_int_eq(put_a(NULL), STORAGE_OK);
    ck_assert(has_credential(0, "OLD"));
    do {
        ck_assert_int_eq(put_a(NULL), STORAGE_OK);
        ck_assert_int_lt(clock_monotonic_ms() - started_ms, 10000);
    } while (!has_credential(peer_request_count(s3) - 1, "NEW"));
    ck_assert_uint_eq(peer_request_count(giver), 2);
}
END_TEST

START_TEST(keys_that_s3_calls_expired_are_fetched_anew)
{
    const struct peer_rule s3_rules[] = {
        {.times = 1,
         .status = 400,
         .body = "<Error><Code>ExpiredToken</Code></Error>"},
        {.status = 200},
    };

    s3 = peer_start(s3_rules, ARRAY_LENGTH(s3_rules));
    role_answer(answer, "OLD", 3600);
    role_answer(answer_again, "NEW", 3600);
    start_agent(answer, answer_again);
    begin();
    ck_assert_int_eq(put_a(NULL), STORAGE_OK);
    ck_assert(has_credential(0, "OLD"));
    ck_assert(has_credential(1, "NEW"));
}
END_TEST

START_TEST(without_a_role_files_cannot_be_stored)
{
    const struct peer_rule rules[] = {
        {.path = "/latest/api/token", .body = "token"},
        {.status = 404},
    };
    const int64_t started_ms = clock_monotonic_ms();
    char reason[STORAGE_REASON_SIZE];

    start_machine(rules, ARRAY_LENGTH(rules));
    begin();
    ck_assert_int_eq(put_a(reason), STORAGE_UNAVAILABLE);
    ck_assert_str_eq(
        reason, "S3: no credentials from the instance's metadata: HTTP 404");
    ck_assert_int_eq(put_a(reason), STORAGE_UNAVAILABLE);
    ck_assert_int_lt(clock_monotonic_ms() - started_ms, 8000);
}
END_TEST

START_TEST(a_machine_that_stalls_is_not_waited_for_long)
{
    const struct peer_rule rule = {.manner = PEER_STALL};
    const int64_t started_ms = clock_monotonic_ms();

    start_machine(&rule, 1);
    begin();
    ck_assert_int_eq(put_a(NULL), STORAGE_UNAVAILABLE);
    ck_assert_int_lt(clock_monotonic_ms() - started_ms, 6000);
}
END_TEST

START_TEST(answers_that_are_no_keys_are_refused)
{
    static const char *const answers[] = {
        "",
        "hello",
        "[]",
        "{}",
        "{\"AccessKeyId\": \"a\", \"SecretAccessKey\": \"b\", "
        "\"Expiration\": \"tomorrow\"}",
        "{\"AccessKeyId\": \"a\\r\\nb\", \"SecretAccessKey\": \"b\", "
        "\"Expiration\": \"2999-01-01T00:00:00Z\"}",
        "{\"AccessKeyId\": \"a\", "
        "\"Expiration\": \"2999-01-01T00:00:00Z\"}",
        "{\"AccessKeyId\": \"a\", \"SecretAccessKey\": \"b\", "
        "\"Expiration\": \"1999-01-01T00:00:00Z\"}",
    };

    for (size_t i = 0; i < ARRAY_LENGTH(answers); i++) {
        start_agent(answers[i], NULL);
        begin();
        ck_assert_int_eq(put_a(NULL), STORAGE_UNAVAILABLE);
        storage_story_end();
        peer_stop(giver);
    }
    giver = NULL;
    begin();
}
END_TEST

START_TEST(there_are_no_links_before_there_are_keys)
{
    struct arena *arena = arena_new();

    start_s3();
    role_answer(answer, "CONTAINER", 3600);
    start_agent(answer, NULL);
    begin();
    ck_assert(text_is_absent(link_to_a(arena)));
    ck_assert_int_eq(put_a(NULL), STORAGE_OK);
    ck_assert_ptr_nonnull(strstr(link_to_a(arena).data,
                                 "X-Amz-Security-Token=to%2Bken%2F%3D%3D"));
    arena_free(arena);
}
END_TEST

START_TEST(a_storage_may_stop_while_it_asks)
{
    const struct peer_rule rule = {.manner = PEER_STALL};

    start_machine(&rule, 1);
    begin();
    storage_stop(storage);
    storage = NULL;
}
END_TEST

static void before_each(void)
{
    static const char *const names[] = {
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        FULL_URI,
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "AWS_EC2_METADATA_DISABLED",
        INSTANCE,
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_ROLE_ARN",
    };

    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        unsetenv(names[i]);
}

static void after_each(void)
{
    storage_story_end();
    peer_stop(giver);
    peer_stop(s3);
    giver = NULL;
    s3 = NULL;
}

/* It takes everything. */
static void start_s3(void)
{
    s3 = peer_start_one((struct peer_rule){.status = 200});
}

/* The container's: it answers so, then otherwise unless that is NULL. */
static void start_agent(const char *first, const char *then)
{
    const struct peer_rule rules[] = {
        {.times = then == NULL ? 0 : 1, .body = first},
        {.body = then},
    };

    giver = peer_start(rules, ARRAY_LENGTH(rules));
    setenv(FULL_URI, peer_url(giver, "/"), 1);
}

/* The metadata service of the machine. */
static void start_machine(const struct peer_rule *rules, size_t count)
{
    giver = peer_start(rules, count);
    setenv(INSTANCE, peer_url(giver, ""), 1);
}

/* Good for so many seconds. */
static void role_answer(char *ret_answer, const char *access_key,
                        int64_t seconds)
{
    const time_t end = (time_t)(clock_wall_us() / 1000000 + seconds);
    struct tm moment;
    char words[32];

    gmtime_r(&end, &moment);
    strftime(words, sizeof words, "%Y-%m-%dT%H:%M:%SZ", &moment);
    snprintf(ret_answer, sizeof answer,
             "{\"Code\": \"Success\", \"AccessKeyId\": \"%s\", "
             "\"SecretAccessKey\": \"secret\", \"Token\": \"to+ken/==\", "
             "\"Expiration\": \"%s\"}",
             access_key, words);
}

static struct storage_settings settings_without_keys(void)
{
    static char url[64];
    struct storage_settings settings;

    snprintf(url, sizeof url, "http://127.0.0.1:%u",
             s3 == NULL ? 1 : peer_port(s3));
    settings = s3_story_settings(url);
    settings.access_key = NULL;
    settings.secret_key = NULL;
    return settings;
}

static void begin(void)
{
    const struct storage_settings settings = settings_without_keys();

    storage_story_begin();
    s3_story_use(&settings);
}

static bool has_credential(size_t request, const char *key)
{
    char words[64];

    snprintf(words, sizeof words, "Credential=%s/", key);
    return strstr(peer_header(peer_request(s3, request), "Authorization").data,
                  words) != NULL;
}

static enum storage_status put_a(char *ret_reason)
{
    struct storage_upload upload = {.name = text_of("a"),
                                    .content = text_of("content")};
    struct storage_put put = {
        .queue_name = text_of("queue"),
        .header = text_of("header"),
        .uploads = &upload,
        .count = 1,
    };

    do_put(&put);
    if (ret_reason != NULL)
        snprintf(ret_reason, sizeof put.reason, "%s", put.reason);
    return put.status;
}

static struct text link_to_a(struct arena *arena)
{
    return storage_link(storage, arena, text_of("queue"),
                        "0123456789abcdef0123456789abcdef", TEXT_ABSENT,
                        clock_wall_us() / 1000000);
}

int main(void)
{
    static const struct story_test tests[] = {
        TELL(the_settings_come_first),
        TELL(then_comes_the_environment),
        TELL(half_a_pair_is_refused),
        TELL(roles_may_be_switched_off),
        TELL(then_comes_the_role_of_the_container),
        TELL(the_token_of_the_container_may_be_in_a_file),
        TELL(then_comes_the_role_of_the_machine),
        TELL(a_real_server_takes_the_keys_of_a_role),
        TELL(keys_are_renewed_before_they_expire),
        TELL(keys_that_s3_calls_expired_are_fetched_anew),
        TELL(without_a_role_files_cannot_be_stored),
        TELL(a_machine_that_stalls_is_not_waited_for_long),
        TELL(answers_that_are_no_keys_are_refused),
        TELL(there_are_no_links_before_there_are_keys),
        TELL(a_storage_may_stop_while_it_asks),
    };
    static const struct story story = {
        .name = "who we are to S3",
        .tests = tests,
        .count = ARRAY_LENGTH(tests),
        .before_all = s3_server_start,
        .after_all = s3_server_stop,
        .before_each = before_each,
        .after_each = after_each,
    };

    return story_run(&story);
}
