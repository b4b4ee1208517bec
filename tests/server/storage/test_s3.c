/*
 * server/storage/s3*.c against a real S3 server.
 */
#include "server/base/clock.h"
#include "server/base/memory.h"
#include "server/storage/file_key.h"
#include "tests/support/fetching.h"
#include "tests/support/s3_story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MANY = 200, LARGE = 20 * 1000 * 1000 };

static size_t count_files(void);
static struct storage_put put_of(const char *queue,
                                 struct storage_upload *uploads, size_t count);

static void before_each(void)
{
    s3_story_begin(s3_server_url());
}

START_TEST(what_is_put_can_be_got)
{
    struct storage_upload uploads[] = {
        {.name = text_of("one.txt"), .content = text_of("content one")},
        {.name = text_of("\xc3\xa4 b.zip"), .content = {"\0\r\n\xff", 4}},
        {.name = text_of("empty"), .content = text_of("")},
    };
    struct storage_put put = put_of("queue", uploads, 3);

    do_put(&put);
    ck_assert_msg(put.status == STORAGE_OK, "%s", put.reason);
    for (size_t i = 0; i < 3; i++) {
        struct storage_get get = {.file.queue_name = text_of("queue"),
                                  .max_bytes = 100};

        memcpy(get.file.key, uploads[i].key, sizeof get.file.key);
        do_get(&get);
        ck_assert_msg(get.status == STORAGE_OK, "%s", get.reason);
        ck_assert(text_equal(get.content, uploads[i].content));
    }
}
END_TEST

START_TEST(what_is_put_again_is_another_file)
{
    struct storage_file first;
    struct storage_file second;

    ck_assert_int_eq(put_one("queue", "a", text_of("old"), &first), STORAGE_OK);
    ck_assert_int_eq(put_one("queue", "a", text_of("new"), &second),
                     STORAGE_OK);
    ck_assert_str_eq(content_of(&first), "old");
    ck_assert_str_eq(content_of(&second), "new");
}
END_TEST

START_TEST(nothing_may_be_put)
{
    struct storage_put put = put_of("queue", NULL, 0);

    do_put(&put);
    ck_assert_int_eq(put.status, STORAGE_OK);
}
END_TEST

START_TEST(queues_may_have_odd_names)
{
    static const char *const names[] = {
        "a b+c&d=e?f#g%41~(h)!'*:@$,;",
        "\xc3\xa4 \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x98\x80",
        "[x]{y}|\"<z>\\^`",
        "..",
        "%2F",
    };
    struct storage_list list = {.marker = NULL};

    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        struct storage_file file;

        ck_assert_int_eq(put_one(names[i], "a", text_of(names[i]), &file),
                         STORAGE_OK);
        ck_assert_str_eq(content_of(&file), names[i]);
    }
    do_list(&list);
    ck_assert_msg(list.status == STORAGE_OK, "%s", list.reason);
    ck_assert_uint_eq(list.count, ARRAY_LENGTH(names));
    for (size_t i = 0; i < list.count; i++) {
        const char *content = content_of(&list.files[i]);

        ck_assert_ptr_nonnull(content);
        ck_assert(text_equal_string(list.files[i].queue_name, content));
    }
}
END_TEST

START_TEST(many_files_go_together)
{
    struct storage_upload *uploads = xcalloc(MANY, sizeof *uploads);
    struct storage_file *files = xcalloc(MANY, sizeof *files);
    struct storage_delete job = {.files = files, .count = MANY};
    struct storage_put put;
    char names[MANY][8];

    for (size_t i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "%zu", i);
        uploads[i].name = text_of(names[i]);
        uploads[i].content = text_of(names[i]);
    }
    put = put_of("queue", uploads, MANY);
    do_put(&put);
    ck_assert_msg(put.status == STORAGE_OK, "%s", put.reason);
    ck_assert_uint_eq(count_files(), MANY);
    for (size_t i = 0; i < MANY; i++) {
        files[i].queue_name = text_of("queue");
        memcpy(files[i].key, uploads[i].key, sizeof files[i].key);
    }
    ck_assert_str_eq(content_of(&files[199]), "199");
    do_delete(&job);
    ck_assert_msg(job.status == STORAGE_OK, "%s", job.reason);
    ck_assert_uint_eq(job.deleted, MANY);
    ck_assert_uint_eq(count_files(), 0);
    free(uploads);
    free(files);
}
END_TEST

START_TEST(a_large_file_is_whole)
{
    char *bytes = xmalloc(LARGE);
    struct storage_file file;
    struct storage_get get = {.max_bytes = LARGE};

    for (size_t i = 0; i < LARGE; i++)
        bytes[i] = (char)(i * 7 + i / 1000);
    ck_assert_int_eq(
        put_one("queue", "large", (struct text){bytes, LARGE}, &file),
        STORAGE_OK);
    get.file = file;
    do_get(&get);
    ck_assert_msg(get.status == STORAGE_OK, "%s", get.reason);
    ck_assert(text_equal(get.content, (struct text){bytes, LARGE}));
    free(bytes);
}
END_TEST

START_TEST(what_is_larger_than_wanted_is_not_got)
{
    struct storage_file file;
    struct storage_get get = {.max_bytes = 6};

    ck_assert_int_eq(put_one("queue", "a", text_of("content"), &file),
                     STORAGE_OK);
    get.file = file;
    do_get(&get);
    ck_assert_int_eq(get.status, STORAGE_UNAVAILABLE);
    ck_assert_str_eq(get.reason, "the file has more than 6 bytes");
    ck_assert(text_is_absent(get.content));
}
END_TEST

START_TEST(what_is_not_there_is_not_found)
{
    struct storage_get get = {
        .file = {.queue_name = text_of("queue"),
                 .key = "0123456789abcdef0123456789abcdef"},
        .max_bytes = 100,
    };

    do_get(&get);
    ck_assert_int_eq(get.status, STORAGE_NOT_FOUND);
}
END_TEST

START_TEST(what_is_deleted_is_gone_and_may_be_gone_before)
{
    struct storage_file files[2] = {[1] = {.queue_name = text_of("queue"),
                                           .key = "0123456789abcdef"
                                                  "0123456789abcdef"}};
    struct storage_delete job = {.files = files, .count = 2};

    ck_assert_int_eq(put_one("queue", "a", text_of("1"), &files[0]),
                     STORAGE_OK);
    do_delete(&job);
    ck_assert_msg(job.status == STORAGE_OK, "%s", job.reason);
    ck_assert_ptr_null(content_of(&files[0]));
}
END_TEST

START_TEST(a_list_tells_size_and_age)
{
    const int64_t before_us = clock_wall_us();
    struct storage_file file;
    struct storage_list list = {.marker = NULL};

    ck_assert_int_eq(put_one("queue", "a", text_of("12345"), &file),
                     STORAGE_OK);
    do_list(&list);
    ck_assert_msg(list.status == STORAGE_OK, "%s", list.reason);
    ck_assert_uint_eq(list.count, 1);
    ck_assert(!list.more);
    ck_assert_ptr_null(list.marker);
    ck_assert(text_equal_string(list.files[0].queue_name, "queue"));
    ck_assert_str_eq(list.files[0].key, file.key);
    ck_assert_int_eq(list.files[0].size, 5);
    ck_assert_int_ge(list.files[0].modified_us, before_us - 2000000);
    ck_assert_int_le(list.files[0].modified_us, clock_wall_us() + 2000000);
}
END_TEST

START_TEST(a_link_gives_the_file)
{
    struct storage_file file;
    struct arena *arena = arena_new();
    struct text link;
    struct fetch fetch;

    ck_assert_int_eq(put_one("my queue", "a", text_of("content"), &file),
                     STORAGE_OK);
    link = storage_link(storage, arena, file.queue_name, file.key,
                        text_of("http://xqueue"), clock_wall_us() / 1000000);
    ck_assert(text_starts_with(link, s3_server_url()));
    fetching_start_default();
    fetch = fetching_to(link.data, NULL);
    fetch.method = "GET";
    fetching_run(&fetch);
    ck_assert_int_eq(fetch.http_status, 200);
    ck_assert_str_eq(fetch.reply.data, "content");
    fetching_release(&fetch);
    fetching_stop();
    arena_free(arena);
}
END_TEST

START_TEST(a_link_lives_for_seven_days_at_most)
{
    struct storage_settings settings = s3_story_settings(s3_server_url());
    struct arena *arena = arena_new();
    struct text link;

    settings.link_lifetime_s = 365 * 24 * 3600;
    s3_story_use(&settings);
    link = storage_link(storage, arena, text_of("queue"),
                        "0123456789abcdef0123456789abcdef", TEXT_ABSENT,
                        clock_wall_us() / 1000000);
    ck_assert_ptr_nonnull(strstr(link.data, "X-Amz-Expires=604800"));
    arena_free(arena);
}
END_TEST

START_TEST(there_is_nothing_to_serve)
{
    struct storage_open open = {
        .file = {.queue_name = text_of("queue"),
                 .key = "0123456789abcdef0123456789abcdef"}};

    do_open(&open);
    ck_assert_int_eq(open.status, STORAGE_NOT_FOUND);
    ck_assert_int_eq(storage_link_check(storage, text_of("queue"),
                                        text_of(open.file.key),
                                        text_of("expires=1&signature=2"), 0),
                     STORAGE_LINK_BAD);
}
END_TEST

START_TEST(the_bucket_may_stand_in_the_host)
{
    struct storage_settings settings =
        s3_story_settings(s3_server_url_by_name());
    struct storage_file file;

    settings.addressing = "virtual";
    s3_story_use(&settings);
    ck_assert_int_eq(put_one("queue", "a", text_of("content"), &file),
                     STORAGE_OK);
    ck_assert_str_eq(content_of(&file), "content");
    ck_assert_uint_eq(count_files(), 1);
}
END_TEST

START_TEST(a_wrong_secret_is_told)
{
    struct storage_settings settings = s3_story_settings(s3_server_url());
    struct storage_upload upload = {.name = text_of("a"),
                                    .content = text_of("1")};
    struct storage_put put = put_of("queue", &upload, 1);
    struct storage_list list = {.marker = NULL};

    settings.secret_key = "another";
    s3_story_use(&settings);
    do_put(&put);
    ck_assert_int_eq(put.status, STORAGE_UNAVAILABLE);
    ck_assert_str_eq(put.reason,
                     "S3 answered 403 SignatureDoesNotMatch to a PUT (try 1)");
    do_list(&list);
    ck_assert_int_eq(list.status, STORAGE_UNAVAILABLE);
    ck_assert_str_eq(list.reason,
                     "S3 answered 403 SignatureDoesNotMatch to a GET (try 1)");
}
END_TEST

START_TEST(a_missing_bucket_is_told)
{
    struct storage_settings settings = s3_story_settings(s3_server_url());
    struct storage_upload upload = {.name = text_of("a"),
                                    .content = text_of("1")};
    struct storage_put put = put_of("queue", &upload, 1);
    struct storage_get get = {.file.queue_name = text_of("queue"),
                              .max_bytes = 1};

    settings.bucket = "elsewhere";
    s3_story_use(&settings);
    do_put(&put);
    ck_assert_int_eq(put.status, STORAGE_UNAVAILABLE);
    ck_assert_str_eq(put.reason,
                     "S3 answered 404 NoSuchBucket to a PUT (try 1)");
    memcpy(get.file.key, upload.key, sizeof upload.key);
    do_get(&get);
    ck_assert_int_eq(get.status, STORAGE_UNAVAILABLE);
}
END_TEST

START_TEST(settings_that_cannot_work_are_refused)
{
    struct storage_settings settings = s3_story_settings("ftp://nowhere");

    s3_story_expect_error(&settings,
                          "AWS_S3_ENDPOINT_URL, AWS_S3_REGION_NAME and "
                          "UPLOAD_BUCKET do not make a URL");
    settings = s3_story_settings(s3_server_url());
    settings.addressing = "other";
    s3_story_expect_error(&settings,
                          "AWS_S3_ADDRESSING_STYLE must be \"auto\", "
                          "\"virtual\" or \"path\"");
    settings.addressing = NULL;
    settings.secret_key = NULL;
    s3_story_expect_error(&settings,
                          "AWS_SECRET_ACCESS_KEY is not set in the settings");
    settings.bucket = "";
    s3_story_expect_error(&settings, "UPLOAD_BUCKET is not set");
}
END_TEST

/* All pages. */
static size_t count_files(void)
{
    struct storage_list list = {.marker = NULL};
    size_t count = 0;

    do {
        do_list(&list);
        ck_assert_msg(list.status == STORAGE_OK, "%s", list.reason);
        count += list.count;
    } while (list.more);
    return count;
}

static struct storage_put put_of(const char *queue,
                                 struct storage_upload *uploads, size_t count)
{
    return (struct storage_put){
        .queue_name = text_of(queue),
        .header = text_of("header"),
        .uploads = uploads,
        .count = count,
    };
}

int main(void)
{
    static const struct story_test tests[] = {
        TELL(what_is_put_can_be_got),
        TELL(what_is_put_again_is_another_file),
        TELL(nothing_may_be_put),
        TELL(queues_may_have_odd_names),
        TELL(many_files_go_together),
        TELL(a_large_file_is_whole),
        TELL(what_is_larger_than_wanted_is_not_got),
        TELL(what_is_not_there_is_not_found),
        TELL(what_is_deleted_is_gone_and_may_be_gone_before),
        TELL(a_list_tells_size_and_age),
        TELL(a_link_gives_the_file),
        TELL(a_link_lives_for_seven_days_at_most),
        TELL(there_is_nothing_to_serve),
        TELL(the_bucket_may_stand_in_the_host),
        TELL(a_wrong_secret_is_told),
        TELL(a_missing_bucket_is_told),
        TELL(settings_that_cannot_work_are_refused),
    };
    static const struct story story = {
        .name = "files in S3",
        .tests = tests,
        .count = ARRAY_LENGTH(tests),
        .before_all = s3_server_start,
        .after_all = s3_server_stop,
        .before_each = before_each,
        .after_each = storage_story_end,
    };

    return story_run(&story);
}
