/*
 * Tests of a storage in S3.
 */
#include "tests/support/s3_story.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void s3_story_begin(const char *endpoint)
{
    const struct storage_settings settings = s3_story_settings(endpoint);

    storage_story_begin();
    s3_story_use(&settings);
}

void s3_story_use(const struct storage_settings *settings)
{
    char *error = NULL;

    storage_stop(storage);
    storage = storage_start(&storage_env, settings, &error);
    ck_assert_msg(storage != NULL, "%s", error);
}

struct storage_settings s3_story_settings(const char *endpoint)
{
    static char prefix[32];

    snprintf(prefix, sizeof prefix, "test %ld", (long)getpid());
    return (struct storage_settings){
        .bucket = S3_SERVER_BUCKET,
        .prefix = prefix,
        .endpoint = endpoint,
        .region = S3_SERVER_REGION,
        .access_key = S3_SERVER_ACCESS_KEY,
        .secret_key = S3_SERVER_SECRET_KEY,
        .verify_tls = true,
        .link_lifetime_s = 3600,
    };
}

void s3_story_expect_error(const struct storage_settings *settings,
                           const char *error)
{
    char *why = NULL;

    ck_assert_ptr_null(storage_start(&storage_env, settings, &why));
    ck_assert_str_eq(why, error);
    free(why);
}
