/*
 * server/storage/s3_address.c
 */
#include "server/storage/s3_address.h"
#include "tests/support/story.h"

#include <string.h>

static struct arena *arena;

static void before_each(void);
static void after_each(void);
static void expect(struct s3_bucket bucket, const char *key, const char *origin,
                   const char *path);
static void expect_refusal(const char *endpoint, const char *bucket);

START_TEST(amazons_own_servers_have_the_bucket_in_the_host)
{
    expect((struct s3_bucket){.region = "eu-west-1", .name = "uploads"}, "q/1",
           "https://uploads.s3.eu-west-1.amazonaws.com", "/q/1");
    expect((struct s3_bucket){.region = "cn-north-1", .name = "uploads"}, "q/1",
           "https://uploads.s3.cn-north-1.amazonaws.com.cn", "/q/1");
}
END_TEST

START_TEST(another_server_has_the_bucket_in_the_path)
{
    expect(
        (struct s3_bucket){.endpoint = "http://minio:9000", .name = "uploads"},
        "q/1", "http://minio:9000", "/uploads/q/1");
}
END_TEST

START_TEST(the_style_can_be_said)
{
    expect((struct s3_bucket){.endpoint = "https://s3.example.org",
                              .name = "uploads",
                              .addressing = S3_ADDRESSING_VIRTUAL},
           "q/1", "https://uploads.s3.example.org", "/q/1");
    expect((struct s3_bucket){.region = "eu-west-1",
                              .name = "uploads",
                              .addressing = S3_ADDRESSING_PATH},
           "q/1", "https://s3.eu-west-1.amazonaws.com", "/uploads/q/1");
}
END_TEST

START_TEST(a_bucket_that_makes_no_good_host_stays_in_the_path)
{
    static const char *const names[] = {"up.loads", "Uploads", "up_loads",
                                        "up",       "-up",     "up-"};

    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        expect((struct s3_bucket){.endpoint = "https://s3.example.org",
                                  .name = names[i],
                                  .addressing = S3_ADDRESSING_VIRTUAL},
               "k", "https://s3.example.org",
               arena_printf(arena, "/%s/k", names[i]));
}
END_TEST

START_TEST(an_address_cannot_have_the_bucket_before_it)
{
    expect((struct s3_bucket){.endpoint = "http://127.0.0.1:9000",
                              .name = "uploads",
                              .addressing = S3_ADDRESSING_VIRTUAL},
           "k", "http://127.0.0.1:9000", "/uploads/k");
    expect((struct s3_bucket){.endpoint = "http://[::1]:9000",
                              .name = "uploads",
                              .addressing = S3_ADDRESSING_VIRTUAL},
           "k", "http://[::1]:9000", "/uploads/k");
}
END_TEST

START_TEST(the_ports_of_the_schemes_are_left_out_and_no_others)
{
    expect((struct s3_bucket){.endpoint = "https://s3.example.org:443",
                              .name = "uploads"},
           "k", "https://s3.example.org", "/uploads/k");
    expect((struct s3_bucket){.endpoint = "http://s3.example.org:80/",
                              .name = "uploads"},
           "k", "http://s3.example.org", "/uploads/k");
    expect((struct s3_bucket){.endpoint = "http://s3.example.org:443",
                              .name = "uploads"},
           "k", "http://s3.example.org:443", "/uploads/k");
}
END_TEST

START_TEST(an_endpoint_may_have_a_path_and_capital_letters)
{
    expect((struct s3_bucket){.endpoint = "HTTPS://S3.Example.org/Base/",
                              .name = "uploads"},
           "k", "https://s3.example.org", "/Base/uploads/k");
    expect((struct s3_bucket){.endpoint = "https://s3.example.org/base",
                              .name = "uploads",
                              .addressing = S3_ADDRESSING_VIRTUAL},
           "k", "https://uploads.s3.example.org", "/base/k");
}
END_TEST

START_TEST(a_prefix_stands_before_each_key_with_one_slash_between)
{
    static const char *const prefixes[] = {"a/b", "/a/b", "a/b/", "//a/b//"};

    for (size_t i = 0; i < ARRAY_LENGTH(prefixes); i++)
        expect((struct s3_bucket){.endpoint = "http://minio:9000",
                                  .name = "uploads",
                                  .prefix = prefixes[i]},
               "q/1", "http://minio:9000", "/uploads/a/b/q/1");
    expect((struct s3_bucket){.endpoint = "http://minio:9000",
                              .name = "uploads",
                              .prefix = "/"},
           "q/1", "http://minio:9000", "/uploads/q/1");
}
END_TEST

START_TEST(an_empty_key_names_what_all_keys_begin_with)
{
    const struct s3_bucket with = {.prefix = "/a/b"};
    const struct s3_bucket without = {.prefix = NULL};

    ck_assert_str_eq(s3_object_name(&with, text_of(""), arena).data, "a/b/");
    ck_assert_str_eq(s3_object_name(&without, text_of(""), arena).data, "");
}
END_TEST

START_TEST(the_bucket_itself_has_an_address)
{
    expect((struct s3_bucket){.endpoint = "http://minio:9000",
                              .name = "uploads",
                              .prefix = "a"},
           NULL, "http://minio:9000", "/uploads");
    expect((struct s3_bucket){.region = "eu-west-1", .name = "uploads"}, NULL,
           "https://uploads.s3.eu-west-1.amazonaws.com", "/");
}
END_TEST

START_TEST(a_key_is_not_encoded_yet)
{
    expect(
        (struct s3_bucket){.endpoint = "http://minio:9000", .name = "uploads"},
        "\xc3\xa4 %41?#", "http://minio:9000", "/uploads/\xc3\xa4 %41?#");
}
END_TEST

START_TEST(an_endpoint_that_is_none_is_refused)
{
    static const char *const endpoints[] = {
        "",
        "s3.example.org",
        "ftp://s3.example.org",
        "http://",
        "http://:9000",
        "http://host:",
        "http://host:123456",
        "http://host:9a",
        "http://::1",
        "http://[]",
        "http://[::1]x",
        "http://user@host",
        "http://user:word@host",
        "http://ho st",
        "http://h\xc3\xb6st",
        "http://ho%73t",
        "http://host?x",
        "http://host#x",
        "http://host/a b",
        "http://host/%61",
    };

    for (size_t i = 0; i < ARRAY_LENGTH(endpoints); i++)
        expect_refusal(endpoints[i], "uploads");
}
END_TEST

START_TEST(a_bucket_that_is_none_is_refused)
{
    expect_refusal("http://minio:9000", "");
    expect_refusal("http://minio:9000", "up/loads");
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

static void expect(struct s3_bucket bucket, const char *key, const char *origin,
                   const char *path)
{
    struct s3_address address;

    ck_assert(s3_address_of(&bucket, text_of(key), arena, &address));
    ck_assert_str_eq(address.origin.data, origin);
    ck_assert_str_eq(address.path.data, path);
    ck_assert_str_eq(address.host.data, strstr(origin, "//") + 2);
}

static void expect_refusal(const char *endpoint, const char *name)
{
    const struct s3_bucket bucket = {.endpoint = endpoint, .name = name};
    struct s3_address address = {.host = text_of("untouched")};

    ck_assert_msg(!s3_address_of(&bucket, text_of("k"), arena, &address),
                  "\"%s\" was taken", endpoint);
    ck_assert_str_eq(address.host.data, "untouched");
}

int main(void)
{
    static const struct story_test tests[] = {
        TELL(amazons_own_servers_have_the_bucket_in_the_host),
        TELL(another_server_has_the_bucket_in_the_path),
        TELL(the_style_can_be_said),
        TELL(a_bucket_that_makes_no_good_host_stays_in_the_path),
        TELL(an_address_cannot_have_the_bucket_before_it),
        TELL(the_ports_of_the_schemes_are_left_out_and_no_others),
        TELL(an_endpoint_may_have_a_path_and_capital_letters),
        TELL(a_prefix_stands_before_each_key_with_one_slash_between),
        TELL(an_empty_key_names_what_all_keys_begin_with),
        TELL(the_bucket_itself_has_an_address),
        TELL(a_key_is_not_encoded_yet),
        TELL(an_endpoint_that_is_none_is_refused),
        TELL(a_bucket_that_is_none_is_refused),
    };
    static const struct story story = {
        .name = "s3 address",
        .tests = tests,
        .count = ARRAY_LENGTH(tests),
        .before_each = before_each,
        .after_each = after_each,
    };

    return story_run(&story);
}
