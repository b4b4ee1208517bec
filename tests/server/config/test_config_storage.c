/*
 * server/config/files.c and settings_files.c: where uploaded files are kept.
 */
#include "tests/support/config_story.h"
#include "tests/support/story.h"

START_TEST(without_a_word_files_are_kept_in_a_folder)
{
    load(QUEUE);
    ck_assert(!config->stores_in_s3);
    ck_assert_str_eq(config->media_root, "/var/lib/xqueue/media");
    ck_assert_str_eq(config->media_url, "/media/");
    ck_assert(!config->media_unsigned);
    ck_assert_ptr_null(config->public_url);
    ck_assert_ptr_null(config->secret_key);
    ck_assert_int_eq(config->upload_max_files, 100);
    ck_assert_int_eq(config->upload_max_bytes, 83886080);
    ck_assert_int_eq(config->upload_url_expire_s, 31536000);
    ck_assert_ptr_null(config->upload_bucket);
    ck_assert_str_eq(config->upload_path_prefix, "xqueue");
    ck_assert_str_eq(config->aws_s3_addressing_style, "auto");
}
END_TEST

START_TEST(a_path_for_files_gets_its_slashes)
{
    load(QUEUE "MEDIA_URL: media/\n");
    ck_assert_str_eq(config->media_url, "/media/");
    load(QUEUE "MEDIA_URL: /a/b\n");
    ck_assert_str_eq(config->media_url, "/a/b/");
    load(QUEUE "MEDIA_URL: ''\n");
    ck_assert_str_eq(config->media_url, "/media/");
}
END_TEST

START_TEST(an_address_for_files_is_the_public_one)
{
    load(QUEUE "MEDIA_URL: https://h.example:8443/files\n");
    ck_assert_str_eq(config->media_url, "/files/");
    ck_assert_str_eq(config->public_url, "https://h.example:8443");
    load(QUEUE "MEDIA_URL: https://h.example\nPUBLIC_URL: http://p//\n");
    ck_assert_str_eq(config->media_url, "/media/");
    ck_assert_str_eq(config->public_url, "http://p");
}
END_TEST

START_TEST(a_path_that_is_none_is_refused)
{
    expect_refusal(QUEUE "MEDIA_URL: /\n",
                   "f:2:12: MEDIA_URL: expected a path such as /media/, found "
                   "\"/\"\n");
    expect_refusal(QUEUE "MEDIA_URL: /a/../b\nPUBLIC_URL: http://h/?a\n",
                   "f:2:12: MEDIA_URL: expected a path such as /media/, found "
                   "\"/a/../b\"\n"
                   "f:3:13: PUBLIC_URL: expected an http:// or https:// "
                   "address without a query, found \"http://h/?a\"\n");
}
END_TEST

START_TEST(django_names_s3_by_a_class)
{
    static const char *const names[] = {
        "storages.backends.s3boto3.S3Boto3Storage",
        "storages.backends.s3boto.S3BotoStorage",
        "storages.backends.s3.S3Storage",
        "somebody.s3storage",
    };

    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        char source[200];

        snprintf(source, sizeof source,
                 QUEUE "UPLOAD_BUCKET: b\nDEFAULT_FILE_STORAGE: %s\n",
                 names[i]);
        load(source);
        ck_assert_msg(config->stores_in_s3, "%s", names[i]);
    }
}
END_TEST

START_TEST(a_storage_that_we_do_not_have_is_warned_of)
{
    expect_warning(QUEUE "DEFAULT_FILE_STORAGE: swift.storage.SwiftStorage\n",
                   "DEFAULT_FILE_STORAGE: not a storage of this server: files "
                   "are kept in MEDIA_ROOT\n");
    ck_assert(!config->stores_in_s3);
}
END_TEST

START_TEST(s3_without_a_bucket_is_warned_of)
{
    expect_warning(QUEUE
                   "DEFAULT_FILE_STORAGE: storages.backends.s3.S3Storage\n",
                   "UPLOAD_BUCKET: missing: files cannot be stored in S3\n");
}
END_TEST

#define IN_S3                                                                  \
    QUEUE "DEFAULT_FILE_STORAGE: storages.backends.s3.S3Storage\n"             \
          "UPLOAD_BUCKET: b\n"

START_TEST(other_signatures_than_version_4_are_warned_of)
{
    static const char warning[] = "AWS_S3_SIGNATURE_VERSION: only s3v4 is known"
                                  ": links are signed with version 4\n";

    load(IN_S3);
    load(IN_S3 "AWS_S3_SIGNATURE_VERSION: s3v4\n");
    load(IN_S3 "AWS_S3_SIGNATURE_VERSION: null\n");
    load(QUEUE "AWS_S3_SIGNATURE_VERSION: s3\n");
    expect_warning(IN_S3 "AWS_S3_SIGNATURE_VERSION: s3\n", warning);
    expect_warning(IN_S3 "AWS_S3_SIGNATURE_VERSION: s3v2\n", warning);
    expect_warning(QUEUE "STORAGES: {default: {BACKEND: x.S3Storage, OPTIONS: "
                         "{bucket_name: b, signature_version: s3}}}\n",
                   warning);
}
END_TEST

START_TEST(a_prefix_may_be_empty)
{
    load(QUEUE "UPLOAD_PATH_PREFIX: ''\n");
    ck_assert_str_eq(config->upload_path_prefix, "");
}
END_TEST

START_TEST(what_s3_needs_is_read)
{
    load(QUEUE "AWS_ACCESS_KEY_ID: who\nAWS_SECRET_ACCESS_KEY: secret\n"
               "AWS_SESSION_TOKEN: token\n"
               "AWS_S3_ENDPOINT_URL: http://minio:9000/\n"
               "AWS_S3_REGION_NAME: eu-central-1\n"
               "AWS_S3_ADDRESSING_STYLE: PATH\n");
    ck_assert_str_eq(config->aws_access_key_id, "who");
    ck_assert_str_eq(config->aws_secret_access_key, "secret");
    ck_assert_str_eq(config->aws_session_token, "token");
    ck_assert_str_eq(config->aws_s3_endpoint_url, "http://minio:9000");
    ck_assert_str_eq(config->aws_s3_region_name, "eu-central-1");
    ck_assert_str_eq(config->aws_s3_addressing_style, "path");
}
END_TEST

START_TEST(the_storages_of_django_are_read)
{
    load("STORAGES:\n"
         "  staticfiles: {BACKEND: x.y}\n"
         "  default:\n"
         "    BACKEND: storages.backends.s3.S3Storage\n"
         "    OPTIONS: {bucket_name: b, location: here, access_key: who,\n"
         "              secret_key: s, region_name: r,\n"
         "              endpoint_url: 'https://s3.example.org',\n"
         "              querystring_expire: 60}\n"
         "UPLOAD_BUCKET: other\n" QUEUE);
    ck_assert(config->stores_in_s3);
    ck_assert_str_eq(config->upload_bucket, "b");
    ck_assert_str_eq(config->upload_path_prefix, "here");
    ck_assert_str_eq(config->aws_access_key_id, "who");
    ck_assert_str_eq(config->aws_s3_endpoint_url, "https://s3.example.org");
    ck_assert_int_eq(config->upload_url_expire_s, 60);
    load("STORAGES: {default: {OPTIONS: {location: /here}}}\n" QUEUE);
    ck_assert_str_eq(config->media_root, "/here");
    load("STORAGES: null\n" QUEUE);
}
END_TEST

START_TEST(what_is_wrong_in_the_storages_is_told)
{
    expect_refusal(QUEUE "STORAGES: x\n",
                   "f:2:11: STORAGES: expected a map with `default`, found "
                   "\"x\"\n");
    expect_refusal(QUEUE "STORAGES: {default: x}\n",
                   "f:2:21: STORAGES.default: expected a map with `BACKEND`, "
                   "found \"x\"\n");
    expect_warning(QUEUE "STORAGES: {default: {OPTIONS: {acl: x}}}\n",
                   "f:2: STORAGES.default.OPTIONS.acl: not used by this "
                   "server\n");
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(without_a_word_files_are_kept_in_a_folder),
        TELL(a_path_for_files_gets_its_slashes),
        TELL(an_address_for_files_is_the_public_one),
        TELL(a_path_that_is_none_is_refused),
        TELL(django_names_s3_by_a_class),
        TELL(a_storage_that_we_do_not_have_is_warned_of),
        TELL(s3_without_a_bucket_is_warned_of),
        TELL(other_signatures_than_version_4_are_warned_of),
        TELL(a_prefix_may_be_empty),
        TELL(what_s3_needs_is_read),
        TELL(the_storages_of_django_are_read),
        TELL(what_is_wrong_in_the_storages_is_told),
    };
    static const struct story story = {
        .name = "config storage",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_each = config_story_begin,
        .after_each = config_story_end,
    };

    return story_run(&story);
}
