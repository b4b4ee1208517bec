/*
 * server/storage/local*.c on a folder that does not work, or stops to.
 */
#include "server/task/loop.h"
#include "tests/support/storage_story.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The MD5 of "header" and "a.py", and "b.py". */
#define KEY_OF_A "eda86304f9af4b12132fc03938e8ac67"
#define KEY_OF_B "7e545278615fce19e15431cf04b4d260"

enum { KILOBYTE = 1024 };

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

static char *content_of_size(size_t size)
{
    char *content = malloc(size + 1);

    ck_assert_ptr_nonnull(content);
    memset(content, 'x', size);
    content[size] = '\0';
    return content;
}

static struct storage_file file_at(const char *queue, const char *key)
{
    struct storage_file file = {.queue_name = text_of(queue)};

    snprintf(file.key, sizeof file.key, "%s", key);
    return file;
}

/* "a.py" and "b.py" of the queue "q". */
static struct storage_put put_two(const char *first, const char *second)
{
    static struct storage_upload uploads[2];
    struct storage_put put = {
        .queue_name = text_of("q"),
        .header = text_of("header"),
        .uploads = uploads,
        .count = 2,
    };

    uploads[0] = (struct storage_upload){text_of("a.py"), text_of(first), ""};
    uploads[1] = (struct storage_upload){text_of("b.py"), text_of(second), ""};
    do_put(&put);
    return put;
}

static void stop_storage(void)
{
    storage_stop(storage);
    loop_free(storage_env.loop);
}

/*
 * A small disk in the place of MEDIA_ROOT, which nobody but this process
 * sees. False when we may not have one.
 */
static bool mount_small_disk(void)
{
    if (unshare(CLONE_NEWNS) != 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", storage_root, "tmpfs", 0, "size=256k") != 0) {
        fputs("NOT TRIED: no right to mount a small disk here\n", stderr);
        return false;
    }
    stop_storage();
    storage_story_restart();
    return true;
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

static void end(void)
{
    umount2(storage_root, MNT_DETACH); /* if there is one */
    storage_story_end();
}

/* Why a storage does not start there; free it. */
static char *start_error(const struct storage_settings *settings)
{
    char *error = NULL;

    ck_assert_ptr_null(storage_start(&storage_env, settings, &error));
    ck_assert_ptr_nonnull(error);
    return error;
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

START_TEST(an_error_of_the_disk_while_a_long_file_is_written_leaves_nothing)
{
    char *large = content_of_size(1100 * (size_t)KILOBYTE);
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
    char *large = content_of_size(1100 * (size_t)KILOBYTE);
    struct storage_file file;

    bad_range = EPERM;
    ck_assert_int_eq(put_one("q", "a.py", text_of(large), &file), STORAGE_OK);
    free(large);
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

START_TEST(a_full_disk_leaves_nothing)
{
    struct storage_file file;
    struct storage_put put;
    char *large;

    if (!mount_small_disk())
        return;
    large = content_of_size(200 * (size_t)KILOBYTE);
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

START_TEST(a_disk_that_became_read_only_is_told)
{
    struct storage_file file;
    struct storage_delete job = {.files = &file, .count = 1};
    struct storage_put put;

    if (!mount_small_disk())
        return;
    ck_assert_int_eq(put_one("q", "a.py", text_of("1"), &file), STORAGE_OK);
    ck_assert_int_eq(
        mount("none", storage_root, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
    put = put_two("1", "2");
    ck_assert_int_eq(put.status, STORAGE_UNAVAILABLE);
    ck_assert_str_eq(put.reason, "making a file: Read-only file system");
    do_delete(&job);
    ck_assert_int_eq(job.status, STORAGE_UNAVAILABLE);
    ck_assert_str_eq(content_of(&file), "1");
}
END_TEST

START_TEST(a_storage_does_not_start_on_a_read_only_disk)
{
    const struct storage_settings settings = storage_story_settings();
    char *error;

    if (!mount_small_disk())
        return;
    ck_assert_int_eq(
        mount("none", storage_root, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
    error = start_error(&settings);
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
    error = start_error(&settings);
    ck_assert_ptr_nonnull(strstr(error, "none: No such file or directory"));
    free(error);
    make_file("none", "");
    error = start_error(&settings);
    ck_assert_ptr_nonnull(strstr(error, "Not a directory"));
    free(error);
    settings.media_root = NULL;
    error = start_error(&settings);
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
    error = start_error(&settings);
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

enum { KILL_FILES = 20, KILL_SIZE = 100 * KILOBYTE };

/* Puts without end, and tells of each. */
static void put_for_ever(int telling)
{
    static struct storage_upload uploads[KILL_FILES];
    static char names[KILL_FILES][16];
    char *content = content_of_size(KILL_SIZE);
    char header[16];

    storage_story_restart();
    for (size_t i = 0; i < KILL_FILES; i++) {
        snprintf(names[i], sizeof names[i], "%zu", i);
        uploads[i].name = text_of(names[i]);
        uploads[i].content = text_of(content);
    }
    for (unsigned round = 0;; round++) {
        struct storage_put put = {
            .queue_name = text_of("q"),
            .header = text_of(header),
            .uploads = uploads,
            .count = KILL_FILES,
        };

        snprintf(header, sizeof header, "%u", round % 5);
        put.header = text_of(header);
        do_put(&put);
        if (put.status != STORAGE_OK || write(telling, ".", 1) != 1)
            _exit(1);
    }
}

/* Waits for so many puts, and so many milliseconds more. */
static void kill_after(int puts, int ms)
{
    struct pollfd never = {.fd = -1};
    int ends[2];
    char dot;
    int state;
    pid_t child;

    ck_assert_int_eq(pipe(ends), 0);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        close(ends[0]);
        put_for_ever(ends[1]);
    }
    close(ends[1]);
    for (int i = 0; i < puts; i++)
        ck_assert_int_eq(read(ends[0], &dot, 1), 1);
    poll(&never, 1, ms);
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ck_assert_int_eq(waitpid(child, &state, 0), child);
    ck_assert(WIFSIGNALED(state));
    close(ends[0]);
}

/* Those that have their names; each must be whole. */
static size_t count_whole_files(void)
{
    DIR *names = opendir(below_root("q"));
    const struct dirent *entry;
    struct stat facts;
    size_t count = 0;

    while (names != NULL && (entry = readdir(names)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        ck_assert_int_eq(fstatat(dirfd(names), entry->d_name, &facts, 0), 0);
        ck_assert_int_eq(facts.st_size, 102400);
        count++;
    }
    if (names != NULL)
        closedir(names);
    return count;
}

START_TEST(a_process_that_is_killed_leaves_only_whole_files)
{
    size_t count = 0;

    stop_storage(); /* fork() is for a process with one thread */
    for (int round = 0; round < 12; round++) {
        kill_after(round % 3, 1 + 3 * round);
        count = count_whole_files();
    }
    ck_assert_uint_ge(count, KILL_FILES);
    storage_story_restart();
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
        TELL(a_full_disk_leaves_nothing),
        TELL(a_disk_that_became_read_only_is_told),
        TELL(a_storage_does_not_start_on_a_read_only_disk),
        TELL(a_file_that_may_not_get_so_large_leaves_nothing),
        TELL(a_queue_folder_that_is_a_link_is_refused),
        TELL(a_file_that_is_a_link_is_neither_read_nor_written_through),
        TELL(a_file_where_a_queue_belongs_is_told),
        TELL(a_pipe_with_a_key_does_not_stop_anybody),
        TELL(a_root_that_is_gone_is_told_and_comes_back),
        TELL(a_root_that_was_replaced_is_refused),
        TELL(a_storage_does_not_start_without_a_folder),
        TELL(a_storage_does_not_sign_without_a_secret),
        TELL(a_root_may_be_a_link_from_the_start),
        TELL(a_process_that_is_killed_leaves_only_whole_files),
    };
    static const struct story story = {
        .name = "local storage, broken",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_each = storage_story_begin,
        .after_each = end,
        .timeout_s = 60,
    };

    return story_run(&story);
}
