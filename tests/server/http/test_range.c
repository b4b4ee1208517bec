/*
 * server/http/range.c.
 */
#include "server/http/range.h"

#include "server/base/compiler.h"
#include "tests/support/story.h"

struct example {
    const char *field;
    uint64_t file_size;
    uint64_t first;
    uint64_t size;
};

static enum range_status choose(const char *field, uint64_t size,
                                struct range *ret_range)
{
    return range_choose(text_of(field), TEXT_ABSENT, size, ret_range);
}

START_TEST(a_part_is_chosen)
{
    static const struct example examples[] = {
        {"bytes=0-0", 10, 0, 1},
        {"bytes=0-9", 10, 0, 10},
        {"bytes=3-5", 10, 3, 3},
        {"bytes=9-9", 10, 9, 1},
        {"bytes=3-", 10, 3, 7},
        {"bytes=0-", 1, 0, 1},
        {"bytes=-1", 10, 9, 1},
        {"bytes=-10", 10, 0, 10},
        {"bytes=-11", 10, 0, 10},
        {"bytes=5-10", 10, 5, 5},
        {"bytes=5-99999999999999999999999", 10, 5, 5},
        {"bytes=-99999999999999999999999", 10, 0, 10},
        {"bytes=000-0002", 10, 0, 3},
        {"Bytes=1-2", 10, 1, 2},
        {"bytes= 1-2 ", 10, 1, 2},
        {"bytes=9223372036854775807-9223372036854775808", 18446744073709551615U,
         9223372036854775807U, 2},
        {"bytes=-18446744073709551615", 18446744073709551615U, 0,
         18446744073709551615U},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(examples); i++) {
        const struct example *example = &examples[i];
        struct range range = {0, 0};

        ck_assert_msg(choose(example->field, example->file_size, &range) ==
                          RANGE_PART,
                      "%s", example->field);
        ck_assert_msg(range.first == example->first, "%s", example->field);
        ck_assert_msg(range.size == example->size, "%s", example->field);
    }
}
END_TEST

START_TEST(a_part_beyond_the_end_cannot_be_had)
{
    static const struct example examples[] = {
        {.field = "bytes=10-10", .file_size = 10},
        {.field = "bytes=10-", .file_size = 10},
        {.field = "bytes=11-20", .file_size = 10},
        {.field = "bytes=0-", .file_size = 0},
        {.field = "bytes=0-0", .file_size = 0},
        {.field = "bytes=-0", .file_size = 10},
        {.field = "bytes=-0", .file_size = 0},
        {.field = "bytes=99999999999999999999999-", .file_size = 10},
        {.field = "bytes=99999999999999999999998-99999999999999999999999",
         .file_size = 10},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(examples); i++) {
        struct range range = {7, 7};

        ck_assert_msg(choose(examples[i].field, examples[i].file_size,
                             &range) == RANGE_BEYOND,
                      "%s", examples[i].field);
        ck_assert_uint_eq(range.first, 7);
        ck_assert_uint_eq(range.size, 7);
    }
}
END_TEST

START_TEST(what_is_not_one_range_is_ignored)
{
    static const char *const fields[] = {
        NULL,
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=5",
        "bytes=5-3",
        "bytes=a-b",
        "bytes=1-b",
        "bytes=a-1",
        "bytes=1--2",
        "bytes=--1",
        "bytes=+1-2",
        "bytes=1-+2",
        "bytes=1 -2",
        "bytes=1- 2",
        "bytes=0x1-0x2",
        "bytes=1.0-2",
        "bytes =1-2",
        " bytes=1-2",
        "bytes=0-1,3-4",
        "bytes=0-1,",
        "bytes=,0-1",
        "bytes=0-,-1",
        "bytes:0-1",
        "items=0-1",
        "=0-1",
        "0-1",
        "bytes=0-1;x",
    };

    for (size_t i = 0; i < ARRAY_LENGTH(fields); i++) {
        struct range range;

        ck_assert_msg(choose(fields[i], 10, &range) == RANGE_ALL, "%s",
                      fields[i] == NULL ? "(absent)" : fields[i]);
    }
}
END_TEST

START_TEST(the_end_of_nothing_is_everything)
{
    struct range range;

    ck_assert_int_eq(choose("bytes=-5", 0, &range), RANGE_ALL);
}
END_TEST

START_TEST(a_range_under_a_condition_is_ignored)
{
    struct range range;

    ck_assert_int_eq(
        range_choose(text_of("bytes=0-1"), text_of("\"tag\""), 10, &range),
        RANGE_ALL);
    ck_assert_int_eq(
        range_choose(text_of("bytes=0-1"), text_of(""), 10, &range), RANGE_ALL);
}
END_TEST

START_TEST(the_reply_says_which_part_it_is)
{
    struct arena *arena = arena_new();
    const struct range range = {.first = 3, .size = 4};
    const struct range most = {.first = 0, .size = 18446744073709551615U};

    ck_assert_str_eq(range_format(arena, &range, 10), "bytes 3-6/10");
    ck_assert_str_eq(range_format(arena, &most, 18446744073709551615U),
                     "bytes 0-18446744073709551614/18446744073709551615");
    ck_assert_str_eq(range_format_beyond(arena, 10), "bytes */10");
    ck_assert_str_eq(range_format_beyond(arena, 0), "bytes */0");
    arena_free(arena);
}
END_TEST

STORY("range", TELL(a_part_is_chosen),
      TELL(a_part_beyond_the_end_cannot_be_had),
      TELL(what_is_not_one_range_is_ignored),
      TELL(the_end_of_nothing_is_everything),
      TELL(a_range_under_a_condition_is_ignored),
      TELL(the_reply_says_which_part_it_is))
