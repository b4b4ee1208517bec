/*
 * server/storage/local_put.c and local_delete.c: what is durable, and that
 * nothing is left where it could not be made so.
 */
#include "tests/support/storage_story.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The MD5 of "header" and "a.py", and "b.py". */
#define KEY_OF_A "eda86304f9af4b12132fc03938e8ac67"
#define KEY_OF_B "7e545278615fce19e15431cf04b4d260"

enum { LONG_FILE = 1100 * 1024 };

static atomic_int syncs;     /* calls of fsync() */
static atomic_int bad_sync;  /* which of them fails; 0: none */
static atomic_int bad_error; /* and how */

/* The first, third ... one of a folder fails, after a while. */
static atomic_bool are_folders_bad;
static atomic_int folder_syncs;

static bool fails_as_folder(int file)
{
    struct pollfd never = {.fd = -1};
    struct stat facts;

    if (!are_folders_bad || fstat(file, &facts) != 0 || !S_ISDIR(facts.st_mode))
        return false;
    poll(&never, 1, 2);
    return atomic_fetch_add(&folder_syncs, 1) % 2 == 0;
}

/* Stands in front of the library's. */
int fsync(int file)
{
    if (atomic_fetch_add(&syncs, 1) + 1 == bad_sync) {
        errno = bad_error;
        return -1;
    }
    if (fails_as_folder(file)) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fsync, file);
}

static atomic_int bad_range; /* how sync_file_range() fails; 0: not */

/* Stands in front of the library's, too. */
int sync_file_range(int file, off_t offset, off_t size, unsigned flags)
{
    if (bad_range == 0)
        return (int)syscall(SYS_sync_file_range, file, offset, size, flags);
    errno = bad_range;
    return -1;
}

static atomic_int bad_names;       /* so many calls that give a name fail */
static atomic_int bad_names_after; /* so many have not */

static bool fails_to_name(void)
{
    if (bad_names == 0 || atomic_fetch_sub(&bad_names_after, 1) > 0)
        return false;
    atomic_fetch_sub(&bad_names, 1);
    errno = EIO;
    return true;
}

/* These stand in front of the library's, too. */
int linkat(int from_folder, const char *from, int to_folder, const char *to,
           int flags)
{
    if (fails_to_name())
        return -1;
    return (int)syscall(SYS_linkat, from_folder, from, to_folder, to, flags);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    if (fails_to_name())
        return -1;
    return (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, 0);
}

static void fail_sync(int number, int error)
{
    syncs = 0;
    bad_sync = number;
    bad_error = error;
}

START_TEST(every_file_and_the_folder_are_made_durable)
{
    struct storage_put put = put_two("1", "2");

    ck_assert_int_eq(put.status, STORAGE_OK);
    ck_assert_int_ge(syncs, 5); /* also of the start, and of the new folder */
    syncs = 0;
    put = put_two("1", "2");
    ck_assert_int_eq(syncs, 3);
}
END_TEST

START_TEST(an_error_of_fsync_of_a_file_leaves_nothing)
{
    struct storage_put put;

    mkdir(below_root("q"), 0700);
    for (int number = 1; number <= 2; number++) {
        fail_sync(number, EIO);
        put = put_two("1", "2");
        ck_assert_int_eq(put.status, STORAGE_UNAVAILABLE);
        ck_assert_str_eq(put.reason, "fsync of a file: Input/output error");
        ck_assert_int_eq(syncs, number);
        ck_assert_uint_eq(count_names("q"), 0);
    }
}
END_TEST

START_TEST(an_error_of_fsync_of_the_folder_leaves_nothing)
{
    struct storage_put put;

    mkdir(below_root("q"), 0700);
    fail_sync(3, ENOSPC);
    put = put_two("1", "2");
    ck_assert_int_eq(put.status, STORAGE_UNAVAILABLE);
    ck_assert_str_eq(put.reason,
                     "fsync of the queue's folder: No space left on device");
    ck_assert_uint_eq(count_names("q"), 0);
}
END_TEST

START_TEST(an_error_leaves_what_was_there)
{
    const struct storage_file first = file_at("q", KEY_OF_A);
    const struct storage_file second = file_at("q", KEY_OF_B);
    struct storage_put put = put_two("old a", "old b");

    fail_sync(3, EIO);
    put = put_two("new a", "new b");
    ck_assert_int_eq(put.status, STORAGE_UNAVAILABLE);
    ck_assert_str_eq(content_of(&first), "old a");
    ck_assert_str_eq(content_of(&second), "old b");
    ck_assert_uint_eq(count_names("q"), 2);
}
END_TEST

/* Of two at once the first that makes the folder durable fails. */
START_TEST(taking_back_does_not_hit_what_another_one_has_put)
{
    static const char *const contents[] = {"first", "second"};
    struct storage_upload uploads[2];
    struct storage_put puts[2];
    size_t good;

    mkdir(below_root("q"), 0700);
    for (size_t round = 1; round <= 10; round++) {
        struct storage_file file = {.queue_name = text_of("q")};

        for (size_t i = 0; i < 2; i++) {
            uploads[i].name = text_of("a.py");
            uploads[i].content = text_of(contents[i]);
            puts[i] = (struct storage_put){.queue_name = text_of("q"),
                                           .header = text_of("header"),
                                           .uploads = &uploads[i],
                                           .count = 1};
        }
        are_folders_bad = true;
        do_puts(puts, 2);
        are_folders_bad = false;
        ck_assert(puts[0].status != puts[1].status);
        good = puts[0].status == STORAGE_OK ? 0 : 1;
        memcpy(file.key, uploads[good].key, sizeof file.key);
        ck_assert_str_eq(content_of(&file), contents[good]);
        ck_assert_uint_eq(count_names("q"), round);
    }
}
END_TEST

START_TEST(a_name_that_cannot_be_given_takes_the_others_back)
{
    struct storage_put put;

    mkdir(below_root("q"), 0700);
    bad_names = 2; /* neither the key nor another one */
    bad_names_after = 1;
    put = put_two("1", "2");
    ck_assert_int_eq(put.status, STORAGE_UNAVAILABLE);
    ck_assert_str_eq(put.reason, "naming a file: Input/output error");
    ck_assert_uint_eq(count_names("q"), 0);
}
END_TEST

START_TEST(a_disk_without_second_names_gives_keys_of_its_own)
{
    struct storage_file file;

    bad_names = 1;
    ck_assert_int_eq(put_one("q", "a.py", text_of("1"), &file), STORAGE_OK);
    ck_assert_str_ne(file.key, KEY_OF_A);
    ck_assert_str_eq(content_of(&file), "1");
    ck_assert_uint_eq(count_names("q"), 1);
}
END_TEST

START_TEST(a_folder_that_cannot_be_made_durable_is_no_folder_to_use)
{
    struct storage_file file;

    fail_sync(1, EIO);
    ck_assert_int_eq(put_one("q", "a.py", text_of("1"), &file),
                     STORAGE_UNAVAILABLE);
    ck_assert(!is_there("q/" KEY_OF_A));
    /* The next one makes up for it. */
    fail_sync(0, 0);
    ck_assert_int_eq(put_one("q", "a.py", text_of("1"), &file), STORAGE_OK);
}
END_TEST

START_TEST(a_failed_fsync_after_deleting_is_told)
{
    struct storage_file file;
    struct storage_delete job = {.files = &file, .count = 1};

    ck_assert_int_eq(put_one("q", "a.py", text_of("1"), &file), STORAGE_OK);
    fail_sync(1, EIO);
    do_delete(&job);
    ck_assert_int_eq(job.status, STORAGE_UNAVAILABLE);
    ck_assert_uint_eq(job.deleted, 1);
    ck_assert_str_eq(job.reason,
                     "fsync of the queue's folder: Input/output error");
}
END_TEST

START_TEST(an_error_of_the_disk_while_a_long_file_is_written_leaves_nothing)
{
    char *large = content_of_size(LONG_FILE);
    struct storage_put put;

    bad_range = EIO;
    put = put_two("1", large);
    ck_assert_int_eq(put.status, STORAGE_UNAVAILABLE);
    ck_assert_str_eq(put.reason, "writing a file: Input/output error");
    ck_assert_uint_eq(count_names("q"), 0);
    free(large);
}
END_TEST

START_TEST(a_sandbox_may_forbid_to_write_a_part_of_a_file_out)
{
    char *large = content_of_size(LONG_FILE);
    struct storage_file file;

    bad_range = EPERM;
    ck_assert_int_eq(put_one("q", "a.py", text_of(large), &file), STORAGE_OK);
    free(large);
}
END_TEST

START_TEST(deleting_makes_each_folder_durable_once)
{
    struct storage_file files[4];
    struct storage_delete job = {.files = files, .count = 4};

    put_one("q", "a.py", text_of("1"), &files[0]);
    put_one("r", "a.py", text_of("1"), &files[1]);
    put_one("q", "b.py", text_of("1"), &files[2]);
    put_one("r", "b.py", text_of("1"), &files[3]);
    syncs = 0;
    do_delete(&job);
    ck_assert_uint_eq(job.deleted, 4);
    ck_assert_int_eq(syncs, 2);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(every_file_and_the_folder_are_made_durable),
        TELL(an_error_of_fsync_of_a_file_leaves_nothing),
        TELL(an_error_of_fsync_of_the_folder_leaves_nothing),
        TELL(an_error_leaves_what_was_there),
        TELL(taking_back_does_not_hit_what_another_one_has_put),
        TELL(a_name_that_cannot_be_given_takes_the_others_back),
        TELL(a_disk_without_second_names_gives_keys_of_its_own),
        TELL(a_folder_that_cannot_be_made_durable_is_no_folder_to_use),
        TELL(a_failed_fsync_after_deleting_is_told),
        TELL(an_error_of_the_disk_while_a_long_file_is_written_leaves_nothing),
        TELL(a_sandbox_may_forbid_to_write_a_part_of_a_file_out),
        TELL(deleting_makes_each_folder_durable_once),
    };
    static const struct story story = {
        .name = "local storage, durable",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_each = storage_story_begin,
        .after_each = storage_story_end,
        .timeout_s = 60,
    };

    return story_run(&story);
}
