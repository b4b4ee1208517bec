/*
 * server/base/utf8.c
 */
#include "server/base/utf8.h"
#include "tests/support/story.h"

#define TEXT(literal) ((struct text){(literal), sizeof(literal) - 1})

static struct arena *arena;

static void set_up(void)
{
    arena = arena_new();
}

static void tear_down(void)
{
    arena_free(arena);
}

static void expect_repaired(struct text damaged, struct text repaired)
{
    ck_assert(!utf8_is_valid(damaged));
    ck_assert(text_equal(utf8_repair(arena, damaged), repaired));
}

START_TEST(text_of_every_length_of_sequence_is_valid)
{
    ck_assert(utf8_is_valid(TEXT("")));
    ck_assert(utf8_is_valid(TEXT_ABSENT));
    ck_assert(utf8_is_valid(TEXT("a\0b\x7F")));
    ck_assert(utf8_is_valid(TEXT("\xC2\x80\xDF\xBF")));
    ck_assert(utf8_is_valid(TEXT("\xE0\xA0\x80\xEF\xBF\xBF")));
    ck_assert(utf8_is_valid(TEXT("\xF0\x90\x80\x80\xF4\x8F\xBF\xBF")));
    ck_assert(utf8_is_valid(TEXT("\xED\x9F\xBF\xEE\x80\x80")));
}
END_TEST

START_TEST(valid_text_comes_back_itself)
{
    struct text text = TEXT("na\xC3\xAFve");

    ck_assert_ptr_eq(utf8_repair(arena, text).data, text.data);
    ck_assert(text_is_absent(utf8_repair(arena, TEXT_ABSENT)));
}
END_TEST

START_TEST(overlong_forms_are_one_replacement_for_each_byte)
{
    expect_repaired(TEXT("\xC0\x80"), TEXT("\xEF\xBF\xBD\xEF\xBF\xBD"));
    expect_repaired(TEXT("\xE0\x80\x80"),
                    TEXT("\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"));
    expect_repaired(TEXT("\xF0\x80\x80"),
                    TEXT("\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"));
}
END_TEST

START_TEST(surrogates_are_three_replacements)
{
    expect_repaired(TEXT("\xED\xA0\x80"),
                    TEXT("\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"));
}
END_TEST

START_TEST(nothing_goes_beyond_the_last_plane)
{
    expect_repaired(TEXT("\xF4\x90"), TEXT("\xEF\xBF\xBD\xEF\xBF\xBD"));
    expect_repaired(TEXT("\xF5"), TEXT("\xEF\xBF\xBD"));
    expect_repaired(TEXT("\xFF"), TEXT("\xEF\xBF\xBD"));
}
END_TEST

START_TEST(a_cut_sequence_is_one_replacement)
{
    expect_repaired(TEXT("a\xE2\x82"), TEXT("a\xEF\xBF\xBD"));
    expect_repaired(TEXT("\xF0\x9F\x98"), TEXT("\xEF\xBF\xBD"));
    expect_repaired(TEXT("\xE2\x82(\xC3"), TEXT("\xEF\xBF\xBD(\xEF\xBF\xBD"));
}
END_TEST

START_TEST(what_is_good_around_the_damage_stays)
{
    expect_repaired(TEXT("\xC3\xA9 and \x80 and \xC3\xA8"),
                    TEXT("\xC3\xA9 and \xEF\xBF\xBD and \xC3\xA8"));
    expect_repaired(TEXT("0123456789\xBF"
                         "0123456789\xBF"
                         "a\0b"),
                    TEXT("0123456789\xEF\xBF\xBD"
                         "0123456789\xEF\xBF\xBD"
                         "a\0b"));
}
END_TEST

START_TEST(length_counts_characters)
{
    ck_assert_uint_eq(utf8_length(TEXT("")), 0);
    ck_assert_uint_eq(utf8_length(TEXT("a\xC3\xA9\xF0\x9F\x98\x80")), 3);
}
END_TEST

START_TEST(a_prefix_never_cuts_a_character)
{
    struct text text = TEXT("\xC3\xA9\xF0\x9F\x98\x80z");

    ck_assert(text_equal(utf8_prefix(text, 0), TEXT("")));
    ck_assert(text_equal(utf8_prefix(text, 1), TEXT("\xC3\xA9")));
    ck_assert(
        text_equal(utf8_prefix(text, 2), TEXT("\xC3\xA9\xF0\x9F\x98\x80")));
    ck_assert(text_equal(utf8_prefix(text, 3), text));
    ck_assert(text_equal(utf8_prefix(text, 99), text));
}
END_TEST

START_TEST(next_decodes_and_moves_on)
{
    struct text text = TEXT("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
    size_t position = 0;

    ck_assert_uint_eq(utf8_next(text, &position), 'a');
    ck_assert_uint_eq(utf8_next(text, &position), 0xE9);
    ck_assert_uint_eq(utf8_next(text, &position), 0x20AC);
    ck_assert_uint_eq(utf8_next(text, &position), 0x1F600);
    ck_assert_uint_eq(position, text.size);
}
END_TEST

/* Not asserted one by one: Check tells its parent of each, which takes long. */
START_TEST(what_is_encoded_is_decoded_to_itself)
{
    char bytes[UTF8_MAX_SIZE];

    for (uint32_t character = 0; character <= 0x10FFFF; character++) {
        struct text text = {bytes, utf8_encode(character, bytes)};
        bool is_surrogate = character >= 0xD800 && character <= 0xDFFF;
        size_t position = 0;

        if (utf8_next(text, &position) != character || position != text.size ||
            utf8_is_valid(text) == is_surrogate)
            ck_abort_msg("U+%04X", (unsigned)character);
    }
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(text_of_every_length_of_sequence_is_valid),
        TELL(valid_text_comes_back_itself),
        TELL(overlong_forms_are_one_replacement_for_each_byte),
        TELL(surrogates_are_three_replacements),
        TELL(nothing_goes_beyond_the_last_plane),
        TELL(a_cut_sequence_is_one_replacement),
        TELL(what_is_good_around_the_damage_stays),
        TELL(length_counts_characters),
        TELL(a_prefix_never_cuts_a_character),
        TELL(next_decodes_and_moves_on),
        TELL(what_is_encoded_is_decoded_to_itself),
    };
    static const struct story story = {
        .name = "utf8",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_each = set_up,
        .after_each = tear_down,
    };

    return story_run(&story);
}
