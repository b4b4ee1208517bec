/*
 * Putting files into a local storage, and getting them, one at a time.
 */
#include "server/base/clock.h"
#include "tests/support/storage_story.h"

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
