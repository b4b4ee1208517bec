/*
 * server/storage/file_key.c
 */
#include "server/storage/file_key.h"

#include "tests/support/story.h"

START_TEST(a_key_is_the_md5_of_header_and_name)
{
    char key[FILE_KEY_SIZE + 1];

    file_key(text_of("{\"lms_key\": \"k\"}"), text_of("solution.py"), key);
    ck_assert_str_eq(key, "2e7252c4e805dad4c4e1459f56a27994");
}
END_TEST

START_TEST(a_name_of_any_letters_has_a_key)
{
    char key[FILE_KEY_SIZE + 1];

    file_key(text_of("h\xc3\xa9"), text_of("\xe6\x96\x87.txt"), key);
    ck_assert_str_eq(key, "c7248713238ae8fb7501cde1313c1880");
    file_key(text_of(""), TEXT_ABSENT, key);
    ck_assert_str_eq(key, "d41d8cd98f00b204e9800998ecf8427e");
}
END_TEST

START_TEST(no_two_new_keys_are_the_same)
{
    char first[FILE_KEY_SIZE + 1];
    char second[FILE_KEY_SIZE + 1];

    file_key_new(first);
    file_key_new(second);
    ck_assert(file_key_is_valid(text_of(first)));
    ck_assert(file_key_is_valid(text_of(second)));
    ck_assert_str_ne(first, second);
}
END_TEST

START_TEST(nothing_but_32_small_digits_is_a_key)
{
    static const char *const bad[] = {
        "",
        "..",
        "d41d8cd98f00b204e9800998ecf8427",
        "d41d8cd98f00b204e9800998ecf8427ef",
        "D41D8CD98F00B204E9800998ECF8427E",
        "d41d8cd98f00b204e9800998ecf8427g",
        "../d8cd98f00b204e9800998ecf8427e",
        "d41d8cd98f00b204/9800998ecf8427e",
        "d41d8cd98f00b204e9800998ecf8427\n",
    };

    ck_assert(file_key_is_valid(text_of("d41d8cd98f00b204e9800998ecf8427e")));
    ck_assert(!file_key_is_valid(TEXT_ABSENT));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(!file_key_is_valid(text_of(bad[i])), "%s", bad[i]);
}
END_TEST

STORY("file keys", TELL(a_key_is_the_md5_of_header_and_name),
      TELL(a_name_of_any_letters_has_a_key), TELL(no_two_new_keys_are_the_same),
      TELL(nothing_but_32_small_digits_is_a_key))
