/*
 * server/storage/queue_name.c
 */
#include "server/storage/queue_name.h"

#include "tests/support/story.h"

#include <string.h>

static struct arena *arena;
static char folder[QUEUE_FOLDER_SIZE];

static void begin(void)
{
    arena = arena_new();
}

static void end(void)
{
    arena_free(arena);
}

/* The folder of the queue, which leads back to the queue. */
static const char *folder_of(const char *queue)
{
    struct text back;

    ck_assert_int_eq(queue_folder_of(text_of(queue), folder),
                     QUEUE_FOLDER_NAME);
    ck_assert(queue_of_folder(folder, arena, &back));
    ck_assert(text_equal_string(back, queue));
    return folder;
}

static bool is_a_queues(const char *name)
{
    struct text queue;

    return queue_of_folder(name, arena, &queue);
}

START_TEST(a_plain_name_is_its_own_folder)
{
    ck_assert_str_eq(folder_of("my-course.v1"), "my-course.v1");
    ck_assert_str_eq(folder_of("Test_Queue-9"), "Test_Queue-9");
    ck_assert_str_eq(folder_of("a..b."), "a..b.");
}
END_TEST

START_TEST(so_is_one_in_other_characters)
{
    ck_assert_str_eq(folder_of("Org-Course 1"), "Org-Course 1");
    ck_assert_str_eq(folder_of("\xc3\xbc~\\"), "\xc3\xbc~\\");
}
END_TEST

START_TEST(what_would_lead_elsewhere_is_encoded)
{
    ck_assert_str_eq(folder_of("a b/c"), "a b%2Fc");
    ck_assert_str_eq(folder_of("50%"), "50%25");
    ck_assert_str_eq(folder_of("a\n\x7f"), "a%0A%7F");
}
END_TEST

START_TEST(no_folder_is_hidden_or_another_ones)
{
    ck_assert_str_eq(folder_of("."), "%2E");
    ck_assert_str_eq(folder_of(".."), "%2E.");
    ck_assert_str_eq(folder_of(".hidden"), "%2Ehidden");
}
END_TEST

START_TEST(a_nul_is_a_byte_like_others)
{
    queue_folder_of((struct text){"a\0b", 3}, folder);
    ck_assert_str_eq(folder, "a%00b");
}
END_TEST

START_TEST(a_name_that_gets_too_long_becomes_a_digest)
{
    char name[513];

    for (size_t i = 0; i < 128; i++)
        memcpy(name + 4 * i, "\xf0\x9f\x98\x80", 4);
    name[512] = '\0';
    ck_assert_int_eq(queue_folder_of(text_of(name), folder),
                     QUEUE_FOLDER_DIGEST);
    ck_assert_str_eq(folder,
                     "%sha256-fe398dab7db39ba250a21ff3e7f8099108b655511e183e3ed"
                     "de4fc55f0975d62");
    ck_assert(!is_a_queues(folder));
}
END_TEST

START_TEST(the_longest_name_that_fits_stays_a_name)
{
    char name[257];

    memset(name, 'x', sizeof name);
    name[255] = '\0';
    ck_assert_uint_eq(strlen(folder_of(name)), 255);
    name[255] = 'x';
    name[256] = '\0';
    ck_assert_int_eq(queue_folder_of(text_of(name), folder),
                     QUEUE_FOLDER_DIGEST);
    name[253] = '/';
    name[254] = '\0';
    ck_assert_int_eq(queue_folder_of(text_of(name), folder),
                     QUEUE_FOLDER_DIGEST);
    name[252] = '/';
    name[253] = '\0';
    ck_assert_uint_eq(strlen(folder_of(name)), 255);
}
END_TEST

START_TEST(a_queue_without_a_name_has_a_folder)
{
    ck_assert_int_eq(queue_folder_of(text_of(""), folder), QUEUE_FOLDER_DIGEST);
    ck_assert_str_eq(folder,
                     "%sha256-e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca"
                     "495991b7852b855");
}
END_TEST

START_TEST(a_folder_that_is_written_in_another_way_is_no_queues)
{
    ck_assert(is_a_queues("a b"));
    ck_assert(!is_a_queues("a%20b"));
    ck_assert(!is_a_queues("a%2"));
    ck_assert(!is_a_queues("a%"));
    ck_assert(!is_a_queues("a%zz"));
    ck_assert(!is_a_queues("a%2fb"));
    ck_assert(!is_a_queues("%61"));
    ck_assert(!is_a_queues(".hidden"));
    ck_assert(!is_a_queues(""));
    ck_assert(!is_a_queues("%sha256-abc"));
}
END_TEST

START_TEST(a_queue_is_one_part_of_a_url)
{
    ck_assert_str_eq(queue_in_url(text_of("my-course.v1~_"), arena).data,
                     "my-course.v1~_");
    ck_assert_str_eq(queue_in_url(text_of("a b/?&#%\xc3\xbc"), arena).data,
                     "a%20b%2F%3F%26%23%25%C3%BC");
    ck_assert_str_eq(queue_in_url(text_of(".."), arena).data, "%2E.");
    ck_assert_uint_eq(queue_in_url(text_of("a b"), arena).size, 5);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(a_plain_name_is_its_own_folder),
        TELL(so_is_one_in_other_characters),
        TELL(what_would_lead_elsewhere_is_encoded),
        TELL(no_folder_is_hidden_or_another_ones),
        TELL(a_nul_is_a_byte_like_others),
        TELL(a_name_that_gets_too_long_becomes_a_digest),
        TELL(the_longest_name_that_fits_stays_a_name),
        TELL(a_queue_without_a_name_has_a_folder),
        TELL(a_folder_that_is_written_in_another_way_is_no_queues),
        TELL(a_queue_is_one_part_of_a_url),
    };
    static const struct story story = {
        .name = "queue names",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_each = begin,
        .after_each = end,
    };

    return story_run(&story);
}
