/*
 * server/storage/local*.c on a disk that is full, or read-only.
 *
 * The disk is a pretended one, whose calls stand in front of those of the
 * library: a real one takes the right to mount it, which few have.
 */
#include "tests/support/storage_story.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { KILOBYTE = 1024 };

static atomic_long disk_room = 100 * 1024 * KILOBYTE; /* bytes that are free */
static atomic_bool is_read_only;

/* Takes up to so many bytes; how many there were. */
static size_t take_room(size_t wanted)
{
    long room = disk_room;
    size_t taken;

    do {
        taken = wanted < (size_t)room ? wanted : (size_t)room;
    } while (
        !atomic_compare_exchange_weak(&disk_room, &room, room - (long)taken));
    return taken;
}

static bool is_on_the_disk(int file)
{
    struct stat facts;

    return file > STDERR_FILENO && fstat(file, &facts) == 0 &&
           S_ISREG(facts.st_mode);
}

ssize_t write(int file, const void *bytes, size_t size)
{
    size_t room = size;

    if (size > 0 && is_on_the_disk(file) && (room = take_room(size)) == 0) {
        errno = ENOSPC;
        return -1;
    }
    return syscall(SYS_write, file, bytes, room);
}

int openat(int folder, const char *path, int flags, ...)
{
    unsigned mode = 0;

    if ((flags & O_CREAT) != 0) {
        va_list rest;

        va_start(rest, flags);
        mode = va_arg(rest, unsigned);
        va_end(rest);
    }
    if (is_read_only && (flags & O_ACCMODE) != O_RDONLY) {
        errno = EROFS;
        return -1;
    }
    return (int)syscall(SYS_openat, folder, path, flags, mode);
}

int mkdirat(int folder, const char *path, mode_t mode)
{
    if (is_read_only && faccessat(folder, path, F_OK, 0) != 0) {
        errno = EROFS;
        return -1;
    }
    return (int)syscall(SYS_mkdirat, folder, path, mode);
}

/* The last name gives the room back. */
int unlinkat(int folder, const char *path, int flags)
{
    struct stat facts = {.st_nlink = 0};
    int status;

    if (is_read_only) {
        errno = EROFS;
        return -1;
    }
    fstatat(folder, path, &facts, AT_SYMLINK_NOFOLLOW);
    status = (int)syscall(SYS_unlinkat, folder, path, flags);
    if (status == 0 && facts.st_nlink == 1)
        atomic_fetch_add(&disk_room, facts.st_size);
    return status;
}

static struct rlimit old_limit;

static void limit_file_size(rlim_t bytes)
{
    struct rlimit limit;

    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old_limit), 0);
    limit = (struct rlimit){bytes, old_limit.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void end_limit(void)
{
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old_limit), 0);
}

START_TEST(a_full_disk_leaves_nothing)
{
    struct storage_file file;
    struct storage_put put;
    char *large = content_of_size(200 * (size_t)KILOBYTE);

    disk_room = 256 * KILOBYTE;
    mkdir(below_root("q"), 0700);
    put = put_two(large, large);
    ck_assert_int_eq(put.status, STORAGE_UNAVAILABLE);
    ck_assert_str_eq(put.reason, "writing a file: No space left on device");
    ck_assert_uint_eq(count_names("q"), 0);
    /* What fits is still taken. */
    ck_assert_int_eq(put_one("q", "a.py", text_of(large), &file), STORAGE_OK);
    free(large);
}
END_TEST

START_TEST(what_is_deleted_makes_room_on_a_full_disk)
{
    struct storage_file file;
    struct storage_file other;
    struct storage_delete job = {.files = &file, .count = 1};

    disk_room = 3;
    ck_assert_int_eq(put_one("q", "a.py", text_of("abc"), &file), STORAGE_OK);
    ck_assert_int_eq(put_one("q", "b.py", text_of("1"), &other),
                     STORAGE_UNAVAILABLE);
    do_delete(&job);
    ck_assert_uint_eq(job.deleted, 1);
    ck_assert_int_eq(put_one("q", "b.py", text_of("1"), &other), STORAGE_OK);
    ck_assert_str_eq(content_of(&other), "1");
}
END_TEST

START_TEST(a_storage_does_not_start_on_a_full_disk)
{
    const struct storage_settings settings = storage_story_settings();
    char *error;

    disk_room = 3;
    error = storage_story_error(&settings);
    ck_assert_ptr_nonnull(strstr(error, "No space left on device"));
    ck_assert_ptr_nonnull(strstr(error, storage_root));
    ck_assert_uint_eq(count_names(""), 0);
    free(error);
}
END_TEST

START_TEST(a_disk_that_became_read_only_is_told)
{
    struct storage_file file;
    struct storage_file other;
    struct storage_delete job = {.files = &file, .count = 1};
    struct storage_put put;

    ck_assert_int_eq(put_one("q", "a.py", text_of("1"), &file), STORAGE_OK);
    is_read_only = true;
    put = put_two("1", "2");
    ck_assert_int_eq(put.status, STORAGE_UNAVAILABLE);
    ck_assert_str_eq(put.reason, "making a file: Read-only file system");
    ck_assert_int_eq(put_one("r", "a.py", text_of("1"), &other),
                     STORAGE_UNAVAILABLE);
    do_delete(&job);
    ck_assert_int_eq(job.status, STORAGE_UNAVAILABLE);
    ck_assert_str_eq(job.reason, "deleting a file: Read-only file system");
    ck_assert_str_eq(content_of(&file), "1");
}
END_TEST

START_TEST(a_storage_does_not_start_on_a_read_only_disk)
{
    const struct storage_settings settings = storage_story_settings();
    char *error;

    is_read_only = true;
    error = storage_story_error(&settings);
    ck_assert_ptr_nonnull(strstr(error, "Read-only file system"));
    ck_assert_ptr_nonnull(strstr(error, storage_root));
    free(error);
}
END_TEST

START_TEST(a_file_that_may_not_get_so_large_leaves_nothing)
{
    char *large = content_of_size(100 * (size_t)KILOBYTE);
    struct storage_put put;

    mkdir(below_root("q"), 0700);
    limit_file_size(50 * KILOBYTE);
    put = put_two("1", large);
    end_limit();
    ck_assert_int_eq(put.status, STORAGE_UNAVAILABLE);
    ck_assert_str_eq(put.reason, "writing a file: File too large");
    ck_assert_uint_eq(count_names("q"), 0);
    free(large);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(a_full_disk_leaves_nothing),
        TELL(what_is_deleted_makes_room_on_a_full_disk),
        TELL(a_storage_does_not_start_on_a_full_disk),
        TELL(a_disk_that_became_read_only_is_told),
        TELL(a_storage_does_not_start_on_a_read_only_disk),
        TELL(a_file_that_may_not_get_so_large_leaves_nothing),
    };
    static const struct story story = {
        .name = "local storage, full or read-only",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_each = storage_story_begin,
        .after_each = storage_story_end,
        .timeout_s = 60,
    };

    return story_run(&story);
}
