/*
 * Many files for a local storage at once.
 */
#include "server/storage/files_pool.h"
#include "tests/support/storage_story.h"

#include <stdio.h>
#include <string.h>

/* The MD5 of "header" and "a.py". */
#define KEY_OF_A "eda86304f9af4b12132fc03938e8ac67"

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

static struct storage_upload upload_of(const char *name, const char *content)
{
    return (struct storage_upload){
        .name = text_of(name),
        .content = text_of(content),
    };
}

START_TEST(a_hundred_files_go_together)
{
    static struct storage_upload uploads[100];
    static char names[100][16];
    struct storage_put put = put_of("test-pull", uploads, 100);

    for (size_t i = 0; i < 100; i++) {
        snprintf(names[i], sizeof names[i], "file %zu", i);
        uploads[i] = upload_of(names[i], names[i]);
    }
    do_put(&put);
    ck_assert_int_eq(put.status, STORAGE_OK);
    ck_assert_uint_eq(count_names("test-pull"), 100);
    for (size_t i = 0; i < 100; i++) {
        const struct storage_file file = file_at("test-pull", uploads[i].key);

        ck_assert_str_eq(content_of(&file), names[i]);
    }
}
END_TEST

START_TEST(many_tasks_at_once_do_not_mix)
{
    enum { COUNT = 40, FILES = 5 };
    static struct storage_put puts[COUNT];
    static struct storage_upload uploads[COUNT][FILES];
    static char names[COUNT][FILES][16];

    for (size_t i = 0; i < COUNT; i++) {
        puts[i] = put_of("q", uploads[i], FILES);
        for (size_t j = 0; j < FILES; j++) {
            snprintf(names[i][j], sizeof names[i][j], "%zu %zu", i, j);
            uploads[i][j] = upload_of(names[i][j], names[i][j]);
        }
    }
    do_puts(puts, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        const struct storage_file file = file_at("q", uploads[i][4].key);

        ck_assert_int_eq(puts[i].status, STORAGE_OK);
        ck_assert_str_eq(content_of(&file), names[i][4]);
    }
    ck_assert_uint_eq(count_names("q"), 200);
}
END_TEST

START_TEST(many_tasks_with_one_file_leave_a_file_each)
{
    enum { COUNT = 30 };
    static struct storage_put puts[COUNT];
    static struct storage_upload uploads[COUNT];
    static char contents[COUNT][8];
    size_t first = 0;

    for (size_t i = 0; i < COUNT; i++) {
        snprintf(contents[i], sizeof contents[i], "%zu", i);
        uploads[i] = upload_of("a.py", contents[i]);
        puts[i] = put_of("q", &uploads[i], 1);
    }
    do_puts(puts, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        const struct storage_file file = file_at("q", uploads[i].key);

        ck_assert_int_eq(puts[i].status, STORAGE_OK);
        ck_assert_str_eq(content_of(&file), contents[i]);
        first += strcmp(uploads[i].key, KEY_OF_A) == 0;
    }
    ck_assert_uint_eq(first, 1);
    ck_assert_uint_eq(count_names("q"), COUNT);
}
END_TEST

START_TEST(too_many_at_once_are_refused_and_leave_nothing)
{
    enum { COUNT = 500 };
    static struct storage_put puts[COUNT];
    static struct storage_upload uploads[COUNT];
    static char names[COUNT][16];
    size_t accepted = 0;

    for (size_t i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof names[i], "%zu", i);
        uploads[i] = upload_of(names[i], "1");
        puts[i] = put_of("q", &uploads[i], 1);
    }
    do_puts(puts, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        accepted += puts[i].status == STORAGE_OK;
        if (puts[i].status != STORAGE_OK)
            ck_assert_ptr_nonnull(strstr(puts[i].reason, "too much work"));
    }
    ck_assert_uint_ge(accepted, FILES_POOL_WAITING);
    ck_assert_uint_lt(accepted, COUNT);
    ck_assert_uint_eq(count_names("q"), accepted);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(a_hundred_files_go_together),
        TELL(many_tasks_at_once_do_not_mix),
        TELL(many_tasks_with_one_file_leave_a_file_each),
        TELL(too_many_at_once_are_refused_and_leave_nothing),
    };
    static const struct story story = {
        .name = "local storage, much at once",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_each = storage_story_begin,
        .after_each = storage_story_end,
        .timeout_s = 60,
    };

    return story_run(&story);
}
