/*
 * server/storage/local*.c where MEDIA_ROOT, or a folder in it, is not what it
 * should be.
 */
#include "tests/support/storage_story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The MD5 of "header" and "a.py". */
#define KEY_OF_A "eda86304f9af4b12132fc03938e8ac67"

START_TEST(a_queue_folder_that_is_a_link_is_refused)
{
    struct storage_file file;
    struct storage_list list = {.marker = NULL};
    struct storage_get get = {.file = file_at("q", KEY_OF_A),
                              .max_bytes = 1000};
    struct storage_delete job = {.files = &get.file, .count = 1};

    mkdir(below_root(".elsewhere"), 0700);
    make_file(".elsewhere/" KEY_OF_A, "secret");
    ck_assert_int_eq(symlink(".elsewhere", below_root("q")), 0);
    ck_assert_int_eq(put_one("q", "b.py", text_of("1"), &file),
                     STORAGE_UNAVAILABLE);
    do_get(&get);
    ck_assert_int_eq(get.status, STORAGE_UNAVAILABLE);
    ck_assert_str_eq(get.reason, "the queue's folder: Not a directory");
    do_delete(&job);
    ck_assert_int_eq(job.status, STORAGE_UNAVAILABLE);
    do_list(&list);
    ck_assert_int_eq(list.status, STORAGE_OK);
    ck_assert_uint_eq(list.count, 0);
    ck_assert_uint_eq(count_names(".elsewhere"), 1);
}
END_TEST

START_TEST(a_file_that_is_a_link_is_neither_read_nor_written_through)
{
    const struct storage_file link = file_at("q", KEY_OF_A);
    struct storage_file file;

    mkdir(below_root("q"), 0700);
    make_file("secret", "secret");
    ck_assert_int_eq(symlink("../secret", below_root("q/" KEY_OF_A)), 0);
    ck_assert_ptr_null(content_of(&link));
    ck_assert_int_eq(put_one("q", "a.py", text_of("mine"), &file), STORAGE_OK);
    ck_assert_str_eq(content_of(&file), "mine");
    ck_assert_ptr_null(content_of(&link));
    ck_assert(is_there("secret"));
    ck_assert_uint_eq(count_names("q"), 2);
}
END_TEST

START_TEST(a_file_where_a_queue_belongs_is_told)
{
    struct storage_file file;
    struct storage_put put;

    make_file("q", "");
    put = put_two("1", "2");
    ck_assert_int_eq(put.status, STORAGE_UNAVAILABLE);
    ck_assert_str_eq(put.reason, "the queue's folder: Not a directory");
    ck_assert_int_eq(put_one("r", "a.py", text_of("1"), &file), STORAGE_OK);
}
END_TEST

START_TEST(a_pipe_with_a_key_does_not_stop_anybody)
{
    const struct storage_file file = file_at("q", KEY_OF_A);
    struct storage_get get = {.file = file, .max_bytes = 1000};

    mkdir(below_root("q"), 0700);
    ck_assert_int_eq(mkfifo(below_root("q/" KEY_OF_A), 0600), 0);
    do_get(&get);
    ck_assert_int_eq(get.status, STORAGE_UNAVAILABLE);
    ck_assert_str_eq(get.reason, "not a regular file");
}
END_TEST

START_TEST(a_root_that_is_gone_is_told_and_comes_back)
{
    char aside[80];
    struct storage_file file;
    struct storage_list list = {.marker = NULL};
    struct storage_put put;

    ck_assert_int_eq(put_one("q", "a.py", text_of("1"), &file), STORAGE_OK);
    snprintf(aside, sizeof aside, "%s-aside", storage_root);
    ck_assert_int_eq(rename(storage_root, aside), 0);
    put = put_two("1", "2");
    do_list(&list);
    ck_assert_int_eq(put.status, STORAGE_UNAVAILABLE);
    ck_assert_str_eq(put.reason, "MEDIA_ROOT: No such file or directory");
    ck_assert_int_eq(list.status, STORAGE_UNAVAILABLE);
    ck_assert_int_eq(rename(aside, storage_root), 0);
    ck_assert_str_eq(content_of(&file), "1");
}
END_TEST

START_TEST(a_root_that_was_replaced_is_refused)
{
    char aside[80];
    struct storage_put put;
    struct storage_put linked;

    snprintf(aside, sizeof aside, "%s-aside", storage_root);
    ck_assert_int_eq(rename(storage_root, aside), 0);
    ck_assert_int_eq(mkdir(storage_root, 0700), 0);
    put = put_two("1", "2");
    ck_assert_int_eq(rmdir(storage_root), 0);
    ck_assert_int_eq(symlink(aside, storage_root), 0);
    linked = put_two("1", "2");
    ck_assert_int_eq(unlink(storage_root), 0);
    ck_assert_int_eq(rename(aside, storage_root), 0);
    ck_assert_int_eq(put.status, STORAGE_UNAVAILABLE);
    ck_assert_str_eq(put.reason,
                     "MEDIA_ROOT is not the folder that it was at the start");
    ck_assert_int_eq(linked.status, STORAGE_UNAVAILABLE);
    ck_assert_str_eq(linked.reason, "MEDIA_ROOT: Not a directory");
    ck_assert_uint_eq(count_names(""), 0);
}
END_TEST

START_TEST(a_storage_does_not_start_without_a_folder)
{
    struct storage_settings settings = storage_story_settings();
    char *error;

    settings.media_root = below_root("none");
    error = storage_story_error(&settings);
    ck_assert_ptr_nonnull(strstr(error, "none: No such file or directory"));
    free(error);
    make_file("none", "");
    error = storage_story_error(&settings);
    ck_assert_ptr_nonnull(strstr(error, "Not a directory"));
    free(error);
    settings.media_root = NULL;
    error = storage_story_error(&settings);
    ck_assert_str_eq(error, "UPLOAD_BUCKET is not set");
    free(error);
}
END_TEST

START_TEST(a_storage_does_not_sign_without_a_secret)
{
    struct storage_settings settings = storage_story_settings();
    char *error;
    struct storage *other;

    settings.secret = TEXT_ABSENT;
    error = storage_story_error(&settings);
    ck_assert_str_eq(error, "there is no secret to sign links with");
    free(error);
    settings.unsigned_links = true;
    other = storage_start(&storage_env, &settings, &error);
    ck_assert_ptr_nonnull(other);
    storage_stop(other);
}
END_TEST

START_TEST(a_root_may_be_a_link_from_the_start)
{
    struct storage_settings settings = storage_story_settings();
    struct storage *usual = storage;
    struct storage_file file;
    char *error;

    mkdir(below_root(".real"), 0700);
    ck_assert_int_eq(symlink(".real", below_root("link")), 0);
    settings.media_root = below_root("link");
    storage = storage_start(&storage_env, &settings, &error);
    ck_assert_int_eq(put_one("q", "a.py", text_of("1"), &file), STORAGE_OK);
    ck_assert(is_there(".real/q/" KEY_OF_A));
    storage_stop(storage);
    storage = usual;
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(a_queue_folder_that_is_a_link_is_refused),
        TELL(a_file_that_is_a_link_is_neither_read_nor_written_through),
        TELL(a_file_where_a_queue_belongs_is_told),
        TELL(a_pipe_with_a_key_does_not_stop_anybody),
        TELL(a_root_that_is_gone_is_told_and_comes_back),
        TELL(a_root_that_was_replaced_is_refused),
        TELL(a_storage_does_not_start_without_a_folder),
        TELL(a_storage_does_not_sign_without_a_secret),
        TELL(a_root_may_be_a_link_from_the_start),
    };
    static const struct story story = {
        .name = "local storage, its folders",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_each = storage_story_begin,
        .after_each = storage_story_end,
        .timeout_s = 60,
    };

    return story_run(&story);
}
