/*
 * server/storage/local*.c on a folder that works.
 */
#include "server/storage/local.h"

#include "server/base/clock.h"
#include "tests/support/storage_story.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The MD5 of "header" and "a.py"; and a key of nothing. */
#define KEY_OF_A "eda86304f9af4b12132fc03938e8ac67"
#define SOME_KEY "00000000000000000000000000000001"

enum { MEGABYTE = 1024 * 1024 };

static char *big_content(size_t size)
{
    char *content = malloc(size + 1);

    ck_assert_ptr_nonnull(content);
    for (size_t i = 0; i < size; i++)
        content[i] = (char)(i * 7 + i / 1000);
    content[size] = '\0';
    return content;
}

static struct storage_file file_at(const char *queue, const char *key)
{
    struct storage_file file = {.queue_name = text_of(queue)};

    snprintf(file.key, sizeof file.key, "%s", key);
    return file;
}

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

START_TEST(what_was_put_can_be_got)
{
    struct storage_file file;

    ck_assert_int_eq(put_one("test-pull", "a.py", text_of("print(1)\n"), &file),
                     STORAGE_OK);
    ck_assert_str_eq(file.key, KEY_OF_A);
    ck_assert_str_eq(content_of(&file), "print(1)\n");
    ck_assert(is_there("test-pull/" KEY_OF_A));
    ck_assert_uint_eq(count_names("test-pull"), 1);
}
END_TEST

START_TEST(nobody_else_may_read_what_was_put)
{
    struct storage_file file;
    struct stat facts;

    umask(0);
    ck_assert_int_eq(put_one("test-pull", "a.py", text_of("1"), &file),
                     STORAGE_OK);
    ck_assert_int_eq(stat(below_root("test-pull"), &facts), 0);
    ck_assert_int_eq(facts.st_mode & 07777, 0700);
    ck_assert_int_eq(stat(below_root("test-pull/" KEY_OF_A), &facts), 0);
    ck_assert_int_eq(facts.st_mode & 07777, 0600);
}
END_TEST

START_TEST(an_empty_file_is_a_file)
{
    struct storage_file file;

    ck_assert_int_eq(put_one("test-pull", "a.py", text_of(""), &file),
                     STORAGE_OK);
    ck_assert_str_eq(content_of(&file), "");
}
END_TEST

START_TEST(a_hundred_files_go_together)
{
    static struct storage_upload uploads[100];
    static char names[100][16];
    struct storage_put put = {
        .queue_name = text_of("test-pull"),
        .header = text_of("header"),
        .uploads = uploads,
        .count = 100,
    };

    for (size_t i = 0; i < 100; i++) {
        snprintf(names[i], sizeof names[i], "file %zu", i);
        uploads[i].name = text_of(names[i]);
        uploads[i].content = text_of(names[i]);
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

START_TEST(a_file_of_20_megabytes_comes_back_in_pieces)
{
    const size_t size = 20 * MEGABYTE + 1;
    char *content = big_content(size);
    char *back = malloc(size);
    struct storage_open open = {.reader = NULL};
    size_t got = 0;

    ck_assert_int_eq(
        put_one("test-pull", "a.py", (struct text){content, size}, &open.file),
        STORAGE_OK);
    free(content); /* is gone after the put */
    content = big_content(size);
    do_open(&open);
    ck_assert_int_eq(open.status, STORAGE_OK);
    ck_assert_int_eq(open.file.size, 20971521);
    ck_assert_int_gt(open.file.modified_us, clock_wall_us() - 60000000);
    while (got < size) {
        struct storage_read read = {
            .reader = open.reader,
            .offset = (int64_t)got,
            .buffer = back + got,
            .size = STORAGE_PIECE_BYTES < size - got ? STORAGE_PIECE_BYTES
                                                     : size - got,
        };

        do_read(&read);
        ck_assert_int_eq(read.status, STORAGE_OK);
        ck_assert_uint_eq(read.got, read.size);
        got += read.got;
    }
    ck_assert_mem_eq(content, back, size);
    storage_close(open.reader);
    free(content);
    free(back);
}
END_TEST

START_TEST(reading_beyond_the_end_gives_less)
{
    char bytes[16] = "";
    struct storage_open open = {.reader = NULL};
    struct storage_read read = {.offset = 3, .buffer = bytes, .size = 10};

    ck_assert_int_eq(put_one("q", "a.py", text_of("abcdef"), &open.file),
                     STORAGE_OK);
    do_open(&open);
    read.reader = open.reader;
    do_read(&read);
    ck_assert_int_eq(read.status, STORAGE_OK);
    ck_assert_uint_eq(read.got, 3);
    ck_assert_str_eq(bytes, "def");
    read.offset = 1000;
    do_read(&read);
    ck_assert_int_eq(read.status, STORAGE_OK);
    ck_assert_uint_eq(read.got, 0);
    storage_close(open.reader);
}
END_TEST

START_TEST(an_open_file_can_be_read_though_it_was_deleted)
{
    char bytes[16] = "";
    struct storage_open open = {.reader = NULL};
    struct storage_delete job = {.files = &open.file, .count = 1};
    struct storage_read read = {.buffer = bytes, .size = 10};

    ck_assert_int_eq(put_one("q", "a.py", text_of("abcdef"), &open.file),
                     STORAGE_OK);
    do_open(&open);
    do_delete(&job);
    ck_assert_uint_eq(job.deleted, 1);
    read.reader = open.reader;
    do_read(&read);
    ck_assert_str_eq(bytes, "abcdef");
    storage_close(open.reader);
}
END_TEST

START_TEST(what_is_not_there_is_not_found)
{
    struct storage_file file;
    struct storage_open open = {.file = file_at("q", SOME_KEY)};
    struct storage_get get = {.file = file_at("nobody", SOME_KEY)};

    ck_assert_int_eq(put_one("q", "a.py", text_of("1"), &file), STORAGE_OK);
    do_open(&open);
    ck_assert_int_eq(open.status, STORAGE_NOT_FOUND);
    ck_assert_ptr_null(open.reader);
    do_get(&get);
    ck_assert_int_eq(get.status, STORAGE_NOT_FOUND);
    ck_assert(text_is_absent(get.content));
}
END_TEST

START_TEST(what_is_no_key_is_not_found)
{
    struct storage_get get = {.file = file_at("q", "../secret"),
                              .max_bytes = 100};
    struct storage_delete job = {.files = &get.file, .count = 1};

    mkdir(below_root("q"), 0700);
    make_file("secret", "1");
    do_get(&get);
    ck_assert_int_eq(get.status, STORAGE_NOT_FOUND);
    do_delete(&job);
    ck_assert_int_eq(job.status, STORAGE_OK);
    ck_assert(is_there("secret"));
}
END_TEST

START_TEST(a_file_that_is_too_large_to_get_is_not_got)
{
    struct storage_get get = {.max_bytes = 5};

    ck_assert_int_eq(put_one("q", "a.py", text_of("123456"), &get.file),
                     STORAGE_OK);
    do_get(&get);
    ck_assert_int_eq(get.status, STORAGE_UNAVAILABLE);
    ck_assert_str_eq(get.reason, "the file has more than 5 bytes");
    get.max_bytes = 6;
    do_get(&get);
    ck_assert_int_eq(get.status, STORAGE_OK);
}
END_TEST

START_TEST(files_of_the_django_server_are_found)
{
    const struct storage_file file = file_at("my-course.v1", SOME_KEY);

    mkdir(below_root("my-course.v1"), 0755);
    make_file("my-course.v1/" SOME_KEY, "old");
    ck_assert_str_eq(content_of(&file), "old");
}
END_TEST

/* Each has what he has put, and takes back no more than that. */
START_TEST(putting_the_same_again_makes_another_file)
{
    struct storage_file first;
    struct storage_file second;
    struct storage_delete job = {.files = &second, .count = 1};

    ck_assert_int_eq(put_one("q", "a.py", text_of("first"), &first),
                     STORAGE_OK);
    ck_assert_str_eq(first.key, KEY_OF_A);
    ck_assert_int_eq(put_one("q", "a.py", text_of("second"), &second),
                     STORAGE_OK);
    ck_assert_str_ne(second.key, KEY_OF_A);
    ck_assert_str_eq(content_of(&first), "first");
    ck_assert_str_eq(content_of(&second), "second");
    ck_assert_uint_eq(count_names("q"), 2);
    do_delete(&job);
    ck_assert_str_eq(content_of(&first), "first");
    ck_assert_uint_eq(count_names("q"), 1);
}
END_TEST

START_TEST(a_repeated_put_leaves_the_first_keys_alone)
{
    struct storage_upload upload = {text_of("a.py"), text_of("1"), ""};
    struct storage_put put = {
        .queue_name = text_of("q"),
        .header = text_of("header"),
        .uploads = &upload,
        .count = 1,
        .is_repeated = true,
    };
    struct storage_file file = {.queue_name = text_of("q")};

    do_put(&put);
    ck_assert_int_eq(put.status, STORAGE_OK);
    ck_assert(!is_there("q/" KEY_OF_A));
    memcpy(file.key, upload.key, sizeof file.key);
    ck_assert_str_eq(content_of(&file), "1");
}
END_TEST

START_TEST(a_put_of_nothing_makes_nothing)
{
    struct storage_put put = {.queue_name = text_of("q")};

    do_put(&put);
    ck_assert_int_eq(put.status, STORAGE_OK);
    ck_assert_uint_eq(count_names(""), 0);
}
END_TEST

START_TEST(a_queue_of_any_name_keeps_its_files)
{
    static const char *const queues[] = {"..", ".", "a/b", "a b", "", "%41"};
    struct storage_file file;

    for (size_t i = 0; i < sizeof queues / sizeof queues[0]; i++) {
        ck_assert_int_eq(put_one(queues[i], "a.py", text_of(queues[i]), &file),
                         STORAGE_OK);
        ck_assert_str_eq(content_of(&file), queues[i]);
    }
    ck_assert_uint_eq(count_names(""), 6);
    ck_assert(is_there("a%2Fb/" KEY_OF_A));
}
END_TEST

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

START_TEST(many_tasks_at_once_do_not_mix)
{
    enum { COUNT = 40, FILES = 5 };
    static struct storage_put puts[COUNT];
    static struct storage_upload uploads[COUNT][FILES];
    static char names[COUNT][FILES][16];

    for (size_t i = 0; i < COUNT; i++) {
        puts[i].queue_name = text_of("q");
        puts[i].header = text_of("header");
        puts[i].uploads = uploads[i];
        puts[i].count = FILES;
        for (size_t j = 0; j < FILES; j++) {
            snprintf(names[i][j], sizeof names[i][j], "%zu %zu", i, j);
            uploads[i][j].name = text_of(names[i][j]);
            uploads[i][j].content = text_of(names[i][j]);
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
        uploads[i].name = text_of("a.py");
        uploads[i].content = text_of(contents[i]);
        puts[i] = (struct storage_put){.queue_name = text_of("q"),
                                       .header = text_of("header"),
                                       .uploads = &uploads[i],
                                       .count = 1};
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
        uploads[i].name = text_of(names[i]);
        uploads[i].content = text_of("1");
        puts[i] = (struct storage_put){.queue_name = text_of("q"),
                                       .header = text_of("header"),
                                       .uploads = &uploads[i],
                                       .count = 1};
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

START_TEST(the_storage_makes_links_and_knows_them)
{
    struct arena *arena = arena_new();
    const struct text link =
        storage_link(storage, arena, text_of("q"), SOME_KEY, TEXT_ABSENT, 1000);
    const char *query = strchr(link.data, '?') + 1;

    ck_assert(text_starts_with(link, "/media/q/" SOME_KEY "?expires=4600&"));
    ck_assert_int_eq(storage_link_check(storage, text_of("q"),
                                        text_of(SOME_KEY), text_of(query),
                                        1000),
                     STORAGE_LINK_VALID);
    arena_free(arena);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(what_was_put_can_be_got),
        TELL(nobody_else_may_read_what_was_put),
        TELL(an_empty_file_is_a_file),
        TELL(a_hundred_files_go_together),
        TELL(a_file_of_20_megabytes_comes_back_in_pieces),
        TELL(reading_beyond_the_end_gives_less),
        TELL(an_open_file_can_be_read_though_it_was_deleted),
        TELL(what_is_not_there_is_not_found),
        TELL(what_is_no_key_is_not_found),
        TELL(a_file_that_is_too_large_to_get_is_not_got),
        TELL(files_of_the_django_server_are_found),
        TELL(putting_the_same_again_makes_another_file),
        TELL(a_repeated_put_leaves_the_first_keys_alone),
        TELL(a_put_of_nothing_makes_nothing),
        TELL(a_queue_of_any_name_keeps_its_files),
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
        TELL(many_tasks_at_once_do_not_mix),
        TELL(many_tasks_with_one_file_leave_a_file_each),
        TELL(too_many_at_once_are_refused_and_leave_nothing),
        TELL(the_storage_makes_links_and_knows_them),
    };
    static const struct story story = {
        .name = "local storage",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_each = storage_story_begin,
        .after_each = storage_story_end,
        .timeout_s = 60,
    };

    return story_run(&story);
}
