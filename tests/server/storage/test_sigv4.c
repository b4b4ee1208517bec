/*
 * server/storage/sigv4.c
 *
 * The first five are the worked examples of Amazon's documentation of S3; the
 * other signatures are botocore's for the same requests.
 */
#include "server/storage/sigv4.h"
#include "tests/support/story.h"

#include <string.h>

#define NOBODY                                                                 \
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define PAIR(name, value)                                                      \
    {                                                                          \
        {name, sizeof(name) - 1},                                              \
        {                                                                      \
            value, sizeof(value) - 1                                           \
        }                                                                      \
    }
#define QUERY(...)                                                             \
    .query = (const struct sigv4_pair[]){__VA_ARGS__},                         \
    .query_count = ARRAY_LENGTH(((const struct sigv4_pair[]){__VA_ARGS__}))
#define HEADERS(...)                                                           \
    .headers = (const struct sigv4_pair[]){__VA_ARGS__},                       \
    .header_count = ARRAY_LENGTH(((const struct sigv4_pair[]){__VA_ARGS__}))
#define TEXT(string)                                                           \
    {                                                                          \
        string, sizeof(string) - 1                                             \
    }

enum { MAY_2013 = 1369353600, NOVEMBER_2026 = 1795430196 };

static const struct sigv4_credentials example = {
    .access_key = "AKIAIOSFODNN7EXAMPLE",
    .secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    .region = "us-east-1",
    .service = "s3",
};

static const struct sigv4_credentials in_ireland = {
    .access_key = "AKIAIOSFODNN7EXAMPLE",
    .secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    .region = "eu-west-1",
    .service = "s3",
};

static const struct sigv4_credentials of_a_role = {
    .access_key = "AKIAIOSFODNN7EXAMPLE",
    .secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    .session_token = "tok/en+=1",
    .region = "eu-west-1",
    .service = "s3",
};

/* Every byte that a URL treats in a way of its own, and what is not ASCII. */
#define ODD_PATH                                                               \
    "/bucket/a b+c&d=e?f#g%41~(h)!'*:@$,;/\xc3\xa4\xe6\x97\xa5\xe6\x9c\xac"    \
    "//../x.-_"
#define ODD_PATH_ENCODED                                                       \
    "/bucket/a%20b%2Bc%26d%3De%3Ff%23g%2541~%28h%29%21%27%2A%3A%40%24%2C%3B/"  \
    "%C3%A4%E6%97%A5%E6%9C%AC//../x.-_"

static struct arena *arena;

static void before_each(void);
static void after_each(void);
static struct sigv4_signed sign(const struct sigv4_credentials *credentials,
                                struct sigv4_request request,
                                const char *content_sha256);
static const char *presign(const struct sigv4_credentials *credentials,
                           struct sigv4_request request, int64_t lifetime_s);

START_TEST(example_get_object_with_a_range)
{
    struct sigv4_signed got = sign(
        &example,
        (struct sigv4_request){.method = "GET",
                               .host = TEXT("examplebucket.s3.amazonaws.com"),
                               .path = TEXT("/test.txt"),
                               HEADERS(PAIR("Range", "bytes=0-9")),
                               .time_s = MAY_2013},
        NOBODY);

    ck_assert_str_eq(got.date, "20130524T000000Z");
    ck_assert_str_eq(got.content_sha256, NOBODY);
    ck_assert_ptr_null(got.security_token);
    ck_assert_str_eq(got.target, "/test.txt");
    ck_assert_str_eq(
        got.authorization,
        "AWS4-HMAC-SHA256 "
        "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
        "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
        "Signature="
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}
END_TEST

START_TEST(example_put_object)
{
    struct sigv4_signed got = sign(
        &example,
        (struct sigv4_request){
            .method = "PUT",
            .host = TEXT("examplebucket.s3.amazonaws.com"),
            .path = TEXT("/test$file.text"),
            HEADERS(PAIR("Date", "Fri, 24 May 2013 00:00:00 GMT"),
                    PAIR("x-amz-storage-class", "REDUCED_REDUNDANCY")),
            .time_s = MAY_2013},
        "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072");

    ck_assert_str_eq(got.target, "/test%24file.text");
    ck_assert_str_eq(
        got.authorization,
        "AWS4-HMAC-SHA256 "
        "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
        "SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;"
        "x-amz-storage-class, "
        "Signature="
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}
END_TEST

START_TEST(example_get_the_lifecycle_of_a_bucket)
{
    struct sigv4_signed got = sign(
        &example,
        (struct sigv4_request){.method = "GET",
                               .host = TEXT("examplebucket.s3.amazonaws.com"),
                               .path = TEXT("/"),
                               QUERY(PAIR("lifecycle", "")),
                               .time_s = MAY_2013},
        NOBODY);

    ck_assert_str_eq(got.target, "/?lifecycle=");
    ck_assert_ptr_nonnull(strstr(
        got.authorization,
        "SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature="
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"));
}
END_TEST

START_TEST(example_list_objects)
{
    struct sigv4_signed got =
        sign(&example,
             (struct sigv4_request){
                 .method = "GET",
                 .host = TEXT("examplebucket.s3.amazonaws.com"),
                 .path = TEXT("/"),
                 QUERY(PAIR("prefix", "J"), PAIR("max-keys", "2")),
                 .time_s = MAY_2013},
             NOBODY);

    ck_assert_str_eq(got.target, "/?max-keys=2&prefix=J");
    ck_assert_ptr_nonnull(strstr(
        got.authorization,
        "Signature="
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"));
}
END_TEST

START_TEST(example_presigned_get)
{
    ck_assert_str_eq(
        presign(&example,
                (struct sigv4_request){
                    .method = "GET",
                    .host = TEXT("examplebucket.s3.amazonaws.com"),
                    .path = TEXT("/test.txt"),
                    .time_s = MAY_2013},
                86400),
        "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
        "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2F"
        "aws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400"
        "&X-Amz-SignedHeaders=host&X-Amz-Signature="
        "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}
END_TEST

START_TEST(any_key_is_encoded_once_and_not_tidied_up)
{
    struct sigv4_signed got =
        sign(&in_ireland,
             (struct sigv4_request){.method = "GET",
                                    .host = TEXT("127.0.0.1:9000"),
                                    .path = TEXT(ODD_PATH),
                                    .time_s = NOVEMBER_2026},
             NOBODY);

    ck_assert_str_eq(got.target, ODD_PATH_ENCODED);
    ck_assert_ptr_nonnull(strstr(
        got.authorization,
        "Signature="
        "d1a0798002208893e048c754c923d94111167ef15245697484a5a66760a0f6fc"));
}
END_TEST

START_TEST(any_key_can_be_presigned)
{
    ck_assert_str_eq(
        presign(&in_ireland,
                (struct sigv4_request){.method = "GET",
                                       .host = TEXT("127.0.0.1:9000"),
                                       .path = TEXT(ODD_PATH),
                                       .time_s = NOVEMBER_2026},
                3600),
        ODD_PATH_ENCODED
        "?X-Amz-Algorithm=AWS4-HMAC-SHA256"
        "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20261123%2Feu-west-1%2Fs3%2F"
        "aws4_request&X-Amz-Date=20261123T103636Z&X-Amz-Expires=3600"
        "&X-Amz-SignedHeaders=host&X-Amz-Signature="
        "b1d68d43c57ccf47a1413d916c74b2065e3299d2135b60994c5c22d8d685195b");
}
END_TEST

START_TEST(a_nul_in_a_key_is_a_byte_like_any_other)
{
    struct sigv4_signed got =
        sign(&in_ireland,
             (struct sigv4_request){.method = "GET",
                                    .host = TEXT("127.0.0.1:9000"),
                                    .path = TEXT("/a\0b"),
                                    .time_s = NOVEMBER_2026},
             NOBODY);

    ck_assert_str_eq(got.target, "/a%00b");
}
END_TEST

START_TEST(a_session_token_is_signed_and_so_are_more_headers)
{
    struct sigv4_signed got = sign(
        &of_a_role,
        (struct sigv4_request){
            .method = "PUT",
            .host = TEXT("bucket.s3.eu-west-1.amazonaws.com"),
            .path = TEXT("/queue/0123"),
            HEADERS(PAIR("X-Amz-Meta-Name", "  a   b  c "),
                    PAIR("Content-Type", "application/octet-stream")),
            .time_s = NOVEMBER_2026},
        "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");

    ck_assert_str_eq(got.security_token, "tok/en+=1");
    ck_assert_ptr_nonnull(strstr(
        got.authorization,
        "SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;"
        "x-amz-meta-name;x-amz-security-token, Signature="
        "183f9f3bfa94db5c37ff334b0f984a7d336d4198d98f9b29cae603927fc4ab45"));
}
END_TEST

START_TEST(a_session_token_is_part_of_a_link)
{
    ck_assert_str_eq(
        presign(&of_a_role,
                (struct sigv4_request){
                    .method = "GET",
                    .host = TEXT("bucket.s3.eu-west-1.amazonaws.com"),
                    .path = TEXT("/queue/0123"),
                    .time_s = NOVEMBER_2026},
                604800),
        "/queue/0123?X-Amz-Algorithm=AWS4-HMAC-SHA256"
        "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20261123%2Feu-west-1%2Fs3%2F"
        "aws4_request&X-Amz-Date=20261123T103636Z&X-Amz-Expires=604800"
        "&X-Amz-Security-Token=tok%2Fen%2B%3D1"
        "&X-Amz-SignedHeaders=host&X-Amz-Signature="
        "b3653d8eb82e01f0121e2a3c4139d9b1d41af73a8c708a748af8a042624dcdfa");
}
END_TEST

START_TEST(parameters_are_ordered_by_encoded_name_and_then_value)
{
    struct sigv4_signed got =
        sign(&in_ireland,
             (struct sigv4_request){
                 .method = "GET",
                 .host = TEXT("minio:9000"),
                 .path = TEXT("/bucket"),
                 QUERY(PAIR("prefix", "a b/\xc3\xbc"), PAIR("list-type", "2"),
                       PAIR("a", "2"), PAIR("a", "10"), PAIR("a-b", "x"),
                       PAIR("A", "z"), PAIR("continuation-token", "1=/+")),
                 .time_s = NOVEMBER_2026},
             NOBODY);

    ck_assert_str_eq(got.target,
                     "/bucket?A=z&a=10&a=2&a-b=x&continuation-token=1%3D%2F%2B"
                     "&list-type=2&prefix=a%20b%2F%C3%BC");
    ck_assert_ptr_nonnull(strstr(
        got.authorization,
        "Signature="
        "9fbd914197ae6e5de0a6bce6790d74969552a8e06d0baef9215fa379b670e966"));
}
END_TEST

START_TEST(a_link_may_have_parameters_of_its_own)
{
    ck_assert_str_eq(
        presign(&in_ireland,
                (struct sigv4_request){
                    .method = "GET",
                    .host = TEXT("s3.example.org"),
                    .path = TEXT("/bucket/queue/0123"),
                    QUERY(PAIR("response-content-disposition",
                               "attachment; filename=\"a b.txt\"")),
                    .time_s = NOVEMBER_2026},
                60),
        "/bucket/queue/0123?X-Amz-Algorithm=AWS4-HMAC-SHA256"
        "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20261123%2Feu-west-1%2Fs3%2F"
        "aws4_request&X-Amz-Date=20261123T103636Z&X-Amz-Expires=60"
        "&X-Amz-SignedHeaders=host"
        "&response-content-disposition=attachment%3B%20filename%3D%22a%20b.txt"
        "%22&X-Amz-Signature="
        "594e91da67b98aa4b7c5b3b283af48c55b0acb46de1ba60a520f8a88e9017f0d");
}
END_TEST

START_TEST(a_link_lives_for_a_week_at_most_and_a_second_at_least)
{
    const struct sigv4_request request = {.method = "GET",
                                          .host = TEXT("s3.example.org"),
                                          .path = TEXT("/bucket/key"),
                                          .time_s = NOVEMBER_2026};

    ck_assert_ptr_nonnull(strstr(presign(&in_ireland, request, 604801),
                                 "&X-Amz-Expires=604800&"));
    ck_assert_ptr_nonnull(strstr(presign(&in_ireland, request, INT64_MAX),
                                 "&X-Amz-Expires=604800&"));
    ck_assert_ptr_nonnull(
        strstr(presign(&in_ireland, request, 0), "&X-Amz-Expires=1&"));
    ck_assert_ptr_nonnull(
        strstr(presign(&in_ireland, request, INT64_MIN), "&X-Amz-Expires=1&"));
}
END_TEST

START_TEST(what_was_given_is_not_changed)
{
    const struct sigv4_pair query[] = {PAIR("b", "1"), PAIR("a", "2")};
    const struct sigv4_pair headers[] = {PAIR("Range", " x "), PAIR("A", "y")};

    (void)sign(&in_ireland,
               (struct sigv4_request){.method = "GET",
                                      .host = TEXT("s3.example.org"),
                                      .path = TEXT("/"),
                                      .query = query,
                                      .query_count = 2,
                                      .headers = headers,
                                      .header_count = 2,
                                      .time_s = NOVEMBER_2026},
               SIGV4_UNSIGNED_PAYLOAD);
    ck_assert_str_eq(query[0].name.data, "b");
    ck_assert_str_eq(headers[0].name.data, "Range");
    ck_assert_str_eq(headers[0].value.data, " x ");
}
END_TEST

static void before_each(void)
{
    arena = arena_new();
}

static void after_each(void)
{
    arena_free(arena);
}

static struct sigv4_signed sign(const struct sigv4_credentials *credentials,
                                struct sigv4_request request,
                                const char *content_sha256)
{
    struct sigv4_signed got;

    sigv4_sign(credentials, &request, content_sha256, arena, &got);
    return got;
}

static const char *presign(const struct sigv4_credentials *credentials,
                           struct sigv4_request request, int64_t lifetime_s)
{
    return sigv4_presign(credentials, &request, lifetime_s, arena);
}

int main(void)
{
    static const struct story_test tests[] = {
        TELL(example_get_object_with_a_range),
        TELL(example_put_object),
        TELL(example_get_the_lifecycle_of_a_bucket),
        TELL(example_list_objects),
        TELL(example_presigned_get),
        TELL(any_key_is_encoded_once_and_not_tidied_up),
        TELL(any_key_can_be_presigned),
        TELL(a_nul_in_a_key_is_a_byte_like_any_other),
        TELL(a_session_token_is_signed_and_so_are_more_headers),
        TELL(a_session_token_is_part_of_a_link),
        TELL(parameters_are_ordered_by_encoded_name_and_then_value),
        TELL(a_link_may_have_parameters_of_its_own),
        TELL(a_link_lives_for_a_week_at_most_and_a_second_at_least),
        TELL(what_was_given_is_not_changed),
    };
    static const struct story story = {
        .name = "sigv4",
        .tests = tests,
        .count = ARRAY_LENGTH(tests),
        .before_each = before_each,
        .after_each = after_each,
    };

    return story_run(&story);
}
