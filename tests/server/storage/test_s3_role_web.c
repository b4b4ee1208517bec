/*
 * server/storage/s3_role_web.c: credentials for a web identity.
 */
#include "tests/support/peer.h"
#include "tests/support/s3_story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAMESPACE "https://sts.amazonaws.com/doc/2011-06-15/"
#define ANSWER                                                                 \
    "<AssumeRoleWithWebIdentityResponse xmlns=\"" NAMESPACE "\">"              \
    "<AssumeRoleWithWebIdentityResult><Credentials>"                           \
    "<AccessKeyId>WEB</AccessKeyId>"                                           \
    "<SecretAccessKey>secret</SecretAccessKey>"                                \
    "<SessionToken>to+ken/==</SessionToken>"                                   \
    "<Expiration>2999-01-01T00:00:00Z</Expiration>"                            \
    "</Credentials></AssumeRoleWithWebIdentityResult>"                         \
    "</AssumeRoleWithWebIdentityResponse>"

static char token_path[64];

static void write_token(const char *token)
{
    FILE *file = fopen(token_path, "w");

    ck_assert_ptr_nonnull(file);
    fputs(token, file);
    fclose(file);
}

static void begin(void)
{
    snprintf(token_path, sizeof token_path, "/tmp/xqueue-token-XXXXXX");
    close(mkstemp(token_path));
    write_token("of the pod+/=\n");
    unsetenv("AWS_ACCESS_KEY_ID");
    unsetenv("AWS_SECRET_ACCESS_KEY");
    unsetenv("AWS_ROLE_SESSION_NAME");
    setenv("AWS_WEB_IDENTITY_TOKEN_FILE", token_path, 1);
    setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/xqueue", 1);
}

static void end(void)
{
    unlink(token_path);
    storage_story_end();
}

/* A storage in `s3` that has its credentials from `sts`. */
static void use(struct peer *sts, struct peer *s3)
{
    struct storage_settings settings = s3_story_settings(peer_url(s3, ""));

    setenv("AWS_ENDPOINT_URL_STS", peer_url(sts, "/"), 1);
    settings.access_key = NULL;
    settings.secret_key = NULL;
    storage_story_begin();
    s3_story_use(&settings);
}

/* NULL, or why it failed. */
static const char *put_a_file(void)
{
    static struct storage_upload upload;
    static struct storage_put put;

    upload =
        (struct storage_upload){.name = text_of("a"), .content = text_of("1")};
    put = (struct storage_put){.queue_name = text_of("queue"),
                               .header = text_of("header"),
                               .uploads = &upload,
                               .count = 1};
    do_put(&put);
    return put.status == STORAGE_OK ? NULL : put.reason;
}

START_TEST(the_token_of_a_pod_gives_keys)
{
    struct peer *s3 = peer_start_one((struct peer_rule){.status = 200});
    struct peer *sts = peer_start_one((struct peer_rule){.body = ANSWER});
    const struct peer_request *request;

    use(sts, s3);
    ck_assert_ptr_null(put_a_file());
    ck_assert_ptr_nonnull(
        strstr(peer_header(peer_request(s3, 0), "Authorization").data,
               "Credential=WEB/"));
    ck_assert(text_equal_string(
        peer_header(peer_request(s3, 0), "x-amz-security-token"), "to+ken/=="));
    request = peer_request(sts, 0);
    ck_assert_str_eq(request->line, "POST / HTTP/1.1");
    ck_assert(text_equal_string(peer_header(request, "Content-Type"),
                                "application/x-www-form-urlencoded"));
    ck_assert(text_equal_string(
        request->body, "Action=AssumeRoleWithWebIdentity"
                       "&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fxqueue"
                       "&RoleSessionName=xqueue&Version=2011-06-15"
                       "&WebIdentityToken=of%20the%20pod%2B%2F%3D"));
    ck_assert_uint_eq(peer_request_count(sts), 1);
    peer_stop(sts);
    peer_stop(s3);
}
END_TEST

START_TEST(it_comes_before_the_role_of_the_container)
{
    struct peer *s3 = peer_start_one((struct peer_rule){.status = 200});
    struct peer *sts = peer_start_one((struct peer_rule){.body = ANSWER});
    struct peer *agent = peer_start_one((struct peer_rule){.status = 500});

    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", peer_url(agent, "/"), 1);
    use(sts, s3);
    ck_assert_ptr_null(put_a_file());
    ck_assert_uint_eq(peer_request_count(agent), 0);
    peer_stop(agent);
    peer_stop(sts);
    peer_stop(s3);
}
END_TEST

/* The pod's token is made anew now and then. */
START_TEST(the_token_is_read_each_time)
{
    const struct peer_rule s3_rules[] = {
        {.times = 1,
         .status = 400,
         .body = "<Error><Code>ExpiredToken</Code></Error>"},
        {.status = 200},
    };
    struct peer *s3 = peer_start(s3_rules, ARRAY_LENGTH(s3_rules));
    struct peer *sts = peer_start_one((struct peer_rule){.body = ANSWER});

    use(sts, s3);
    write_token("another");
    ck_assert_ptr_null(put_a_file());
    ck_assert_ptr_nonnull(
        strstr(peer_request(sts, 0)->body.data, "WebIdentityToken=of%20the"));
    ck_assert_ptr_nonnull(
        strstr(peer_request(sts, 1)->body.data, "WebIdentityToken=another"));
    peer_stop(sts);
    peer_stop(s3);
}
END_TEST

static void expect_failure(struct peer_rule rule, const char *reason)
{
    struct peer *s3 = peer_start_one((struct peer_rule){.status = 200});
    struct peer *sts = peer_start_one(rule);
    const char *why;

    use(sts, s3);
    why = put_a_file();
    ck_assert_ptr_nonnull(why);
    ck_assert_msg(strstr(why, reason) != NULL, "%s", why);
    ck_assert_uint_eq(peer_request_count(s3), 0);
    peer_stop(sts);
    peer_stop(s3);
}

START_TEST(a_refusal_is_told)
{
    expect_failure(
        (struct peer_rule){.status = 403, .body = "<ErrorResponse/>"},
        "no credentials from the token service: HTTP 403");
}
END_TEST

START_TEST(an_answer_that_is_no_role_is_told)
{
    expect_failure((struct peer_rule){.body = "{}"},
                   "the answer has no credentials");
}
END_TEST

START_TEST(a_token_that_cannot_be_read_is_told)
{
    unlink(token_path);
    expect_failure((struct peer_rule){.body = ANSWER},
                   "no credentials from the token service");
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(the_token_of_a_pod_gives_keys),
        TELL(it_comes_before_the_role_of_the_container),
        TELL(the_token_is_read_each_time),
        TELL(a_refusal_is_told),
        TELL(an_answer_that_is_no_role_is_told),
        TELL(a_token_that_cannot_be_read_is_told),
    };
    static const struct story story = {
        .name = "credentials of a web identity",
        .tests = tests,
        .count = ARRAY_LENGTH(tests),
        .before_each = begin,
        .after_each = end,
    };

    return story_run(&story);
}
