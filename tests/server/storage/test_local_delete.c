/*
 * Deleting files of a local storage, and listing them.
 */
#include "server/storage/local.h"

#include "server/base/clock.h"
#include "tests/support/storage_story.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOME_KEY "00000000000000000000000000000001"

/* All files there are, as "queue/key ..." pages; how many. */
static size_t list_all(struct storage_file *files, size_t room, size_t *pages)
{
    struct storage_list list = {.marker = NULL};
    size_t count = 0;

    *pages = 0;
    do {
        do_list(&list);
        ck_assert_int_eq(list.status, STORAGE_OK);
        ck_assert_uint_le(count + list.count, room);
        memcpy(files + count, list.files, list.count * sizeof files[0]);
        count += list.count;
        ++*pages;
        ck_assert(list.more == (list.marker != NULL));
    } while (list.more);
    return count;
}

START_TEST(deleting_counts_what_was_there)
{
    struct storage_file files[4];
    struct storage_delete job = {.files = files, .count = 4};

    put_one("q", "a.py", text_of("1"), &files[0]);
    put_one("r", "a.py", text_of("1"), &files[1]);
    files[2] = file_at("q", SOME_KEY);
    files[3] = file_at("nobody", SOME_KEY);
    do_delete(&job);
    ck_assert_int_eq(job.status, STORAGE_OK);
    ck_assert_uint_eq(job.deleted, 2);
    ck_assert_uint_eq(count_names("q"), 0);
    ck_assert_uint_eq(count_names("r"), 0);
}
END_TEST

START_TEST(deleting_nothing_is_done_at_once)
{
    struct storage_delete job = {.count = 0};

    do_delete(&job);
    ck_assert_int_eq(job.status, STORAGE_OK);
    ck_assert_uint_eq(job.deleted, 0);
}
END_TEST

START_TEST(thousands_of_files_are_deleted)
{
    enum { COUNT = 2300 };
    static struct storage_file files[COUNT];
    struct storage_delete job = {.files = files, .count = COUNT};
    char path[64];

    mkdir(below_root("q"), 0700);
    mkdir(below_root("r"), 0700);
    for (size_t i = 0; i < COUNT; i++) {
        files[i].queue_name = text_of(i % 2 == 0 ? "q" : "r");
        snprintf(files[i].key, sizeof files[i].key, "%032zx", i);
        snprintf(path, sizeof path, "%s/%032zx", i % 2 == 0 ? "q" : "r", i);
        make_file(path, "");
    }
    make_file("q/"
              "ffffffffffffffffffffffffffffffff",
              "stays");
    do_delete(&job);
    ck_assert_int_eq(job.status, STORAGE_OK);
    ck_assert_uint_eq(job.deleted, 2300);
    ck_assert_uint_eq(count_names("q"), 1);
    ck_assert_uint_eq(count_names("r"), 0);
}
END_TEST

START_TEST(what_cannot_be_deleted_is_passed_over)
{
    struct storage_file files[3];
    struct storage_delete job = {.files = files, .count = 3};

    put_one("q", "a.py", text_of("1"), &files[0]);
    files[1] = file_at("q", SOME_KEY);
    mkdir(below_root("q/" SOME_KEY), 0700);
    put_one("q", "b.py", text_of("1"), &files[2]);
    do_delete(&job);
    ck_assert_int_eq(job.status, STORAGE_UNAVAILABLE);
    ck_assert_str_eq(job.reason, "deleting a file: Is a directory");
    ck_assert_uint_eq(job.deleted, 2);
}
END_TEST

START_TEST(only_files_with_keys_in_folders_of_queues_are_listed)
{
    struct storage_file files[10];
    size_t pages;

    mkdir(below_root("q"), 0700);
    mkdir(below_root("a%20b"), 0700);
    mkdir(below_root("q/00000000000000000000000000000002"), 0700);
    make_file("q/" SOME_KEY, "12345");
    make_file("q/notes.txt", "");
    make_file("a%20b/" SOME_KEY, "");
    make_file(SOME_KEY, "");
    ck_assert_int_eq(symlink("q", below_root("link")), 0);
    ck_assert_int_eq(
        symlink(SOME_KEY, below_root("q/00000000000000000000000000000003")), 0);
    ck_assert_uint_eq(list_all(files, 10, &pages), 1);
    ck_assert(text_equal_string(files[0].queue_name, "q"));
    ck_assert_str_eq(files[0].key, SOME_KEY);
    ck_assert_int_eq(files[0].size, 5);
    ck_assert_int_gt(files[0].modified_us, clock_wall_us() - 60000000);
}
END_TEST

START_TEST(an_empty_storage_lists_nothing)
{
    struct storage_file files[1];
    size_t pages;

    ck_assert_uint_eq(list_all(files, 1, &pages), 0);
    ck_assert_uint_eq(pages, 1);
}
END_TEST

START_TEST(a_queue_that_its_folder_does_not_tell_is_listed)
{
    char name[401];
    struct storage_file files[2];
    struct storage_file put;
    size_t pages;

    memset(name, '/', sizeof name);
    name[400] = '\0';
    ck_assert_int_eq(put_one(name, "a.py", text_of("1"), &put), STORAGE_OK);
    ck_assert_uint_eq(list_all(files, 2, &pages), 1);
    ck_assert(text_equal_string(files[0].queue_name, name));
    ck_assert_str_eq(content_of(&files[0]), "1");
}
END_TEST

START_TEST(a_long_list_comes_in_pages_each_file_once)
{
    enum { COUNT = 2 * LOCAL_PAGE + 500 };
    static struct storage_file files[COUNT];
    char path[64];
    size_t pages;

    mkdir(below_root("a"), 0700);
    mkdir(below_root("b"), 0700);
    for (size_t i = 0; i < COUNT; i++) {
        /* In no order. */
        snprintf(path, sizeof path, "%s/%032zx", i < 600 ? "a" : "b",
                 i * 7919 % COUNT);
        make_file(path, "");
    }
    ck_assert_uint_eq(list_all(files, COUNT, &pages), COUNT);
    ck_assert_uint_eq(pages, 3);
    ck_assert(text_equal_string(files[599].queue_name, "a"));
    for (size_t i = 601; i < COUNT; i++)
        ck_assert_int_lt(strcmp(files[i - 1].key, files[i].key), 0);
}
END_TEST

START_TEST(deleting_between_pages_loses_nothing)
{
    enum { COUNT = LOCAL_PAGE + 100 };
    struct storage_list list = {.marker = NULL};
    struct storage_delete job;
    char path[64];
    size_t total = 0;

    mkdir(below_root("q"), 0700);
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(path, sizeof path, "q/%032zx", i);
        make_file(path, "");
    }
    do {
        do_list(&list);
        ck_assert_int_eq(list.status, STORAGE_OK);
        job = (struct storage_delete){.files = list.files, .count = list.count};
        do_delete(&job);
        total += job.deleted;
    } while (list.more);
    ck_assert_uint_eq(total, COUNT);
    ck_assert_uint_eq(count_names("q"), 0);
}
END_TEST

START_TEST(listing_removes_what_was_left_over_an_hour_ago)
{
    struct storage_file files[2];
    char path[64];
    size_t pages;

    mkdir(below_root("q"), 0700);
    make_file("q/.part-0065000000-0123456789abcdef", "old");
    make_file(".part-0065000000-0123456789abcdef", "old");
    make_file("q/.part-0065000000-0123456789abcdeX", "not ours");
    snprintf(path, sizeof path, "q/.part-%010llx-0123456789abcdef",
             (unsigned long long)clock_wall_us() / 1000000 - 3000);
    make_file(path, "new");
    ck_assert_uint_eq(list_all(files, 2, &pages), 0);
    ck_assert_uint_eq(count_names("q"), 2);
    ck_assert_uint_eq(count_names(""), 1);
    ck_assert(is_there(path));
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(deleting_counts_what_was_there),
        TELL(deleting_nothing_is_done_at_once),
        TELL(thousands_of_files_are_deleted),
        TELL(what_cannot_be_deleted_is_passed_over),
        TELL(only_files_with_keys_in_folders_of_queues_are_listed),
        TELL(an_empty_storage_lists_nothing),
        TELL(a_queue_that_its_folder_does_not_tell_is_listed),
        TELL(a_long_list_comes_in_pages_each_file_once),
        TELL(deleting_between_pages_loses_nothing),
        TELL(listing_removes_what_was_left_over_an_hour_ago),
    };
    static const struct story story = {
        .name = "local storage, deleting and listing",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_each = storage_story_begin,
        .after_each = storage_story_end,
        .timeout_s = 60,
    };

    return story_run(&story);
}
