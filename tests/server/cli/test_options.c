#include "server/cli/options.h"

#include "server/cli/command.h"
#include "tests/support/story.h"

#include <stdio.h>
#include <stdlib.h>

static const struct option_spec specs[] = {
    {"force", 'f', NULL, "by force"},
    {"chunk_size", 0, "N", "so many"},
    {"plan", 0, NULL, NULL},
    {NULL, 0, NULL, NULL},
};

static const struct command command = {
    .name = "some",
    .arguments = "[--force]",
    .summary = "Does something.",
    .options = specs,
    .most_words = 9,
};

static struct options options;
static char bytes[40][64];
static char *words[41];

/* Parse "some" and these words. */
#define PARSE(...)                                                             \
    parse(&command, (const char *const[]){"some", __VA_ARGS__, NULL})

static enum options_status parse(const struct command *of,
                                 const char *const *list)
{
    int count = 0;

    for (; list[count] != NULL; count++)
        snprintf(words[count] = bytes[count], sizeof bytes[0], "%s",
                 list[count]);
    words[count] = NULL;
    return options_parse(of, count, words, &options);
}

START_TEST(what_is_not_given_has_no_value)
{
    const char *const none[] = {"some", NULL};

    ck_assert_int_eq(parse(&command, none), OPTIONS_OK);
    ck_assert_ptr_null(options_get(&options, "force"));
    ck_assert_ptr_null(options_get(&options, "chunk_size"));
    ck_assert_uint_eq(options.word_count, 0);
    ck_assert_uint_eq(options.override_count, 0);
}
END_TEST

START_TEST(flags_and_values_are_kept)
{
    ck_assert_int_eq(PARSE("--force", "--chunk_size", "5"), OPTIONS_OK);
    ck_assert_str_eq(options_get(&options, "force"), "");
    ck_assert_str_eq(options_get(&options, "chunk_size"), "5");
    ck_assert_int_eq(PARSE("-f", "--chunk_size=-7"), OPTIONS_OK);
    ck_assert_str_eq(options_get(&options, "force"), "");
    ck_assert_str_eq(options_get(&options, "chunk_size"), "-7");
}
END_TEST

START_TEST(words_may_stand_anywhere)
{
    ck_assert_int_eq(PARSE("one", "--force", "two", "--", "--three"),
                     OPTIONS_OK);
    ck_assert_uint_eq(options.word_count, 3);
    ck_assert_str_eq(options.words[0], "one");
    ck_assert_str_eq(options.words[1], "two");
    ck_assert_str_eq(options.words[2], "--three");
}
END_TEST

START_TEST(the_words_of_manage_py_are_ignored)
{
    ck_assert_int_eq(PARSE("--settings=xqueue.production", "--pythonpath", "/x",
                           "-v", "3", "-v0", "--verbosity", "2", "--traceback",
                           "--no-color", "--force-color", "--skip-checks",
                           "--plan", "word"),
                     OPTIONS_OK);
    ck_assert_uint_eq(options.word_count, 1);
    ck_assert_str_eq(options.words[0], "word");
    ck_assert_ptr_null(options_get(&options, "force"));
}
END_TEST

START_TEST(settings_are_given_over_the_file)
{
    ck_assert_int_eq(PARSE("--set", "LISTEN=[::1]:80", "--set=DB_PASSWORD=a=b",
                           "--set", "DB_NAME=", "--config", "/x.yml"),
                     OPTIONS_OK);
    ck_assert_uint_eq(options.override_count, 3);
    ck_assert_str_eq(options.overrides[0].name, "LISTEN");
    ck_assert_str_eq(options.overrides[0].value, "[::1]:80");
    ck_assert_str_eq(options.overrides[1].name, "DB_PASSWORD");
    ck_assert_str_eq(options.overrides[1].value, "a=b");
    ck_assert_str_eq(options.overrides[2].value, "");
    ck_assert_str_eq(options.config_path, "/x.yml");
}
END_TEST

START_TEST(the_file_is_named_by_the_environment)
{
    setenv("XQUEUE_CFG", "/edx/etc/xqueue.yml", 1);
    ck_assert_int_eq(PARSE("word"), OPTIONS_OK);
    ck_assert_str_eq(options.config_path, "/edx/etc/xqueue.yml");
    setenv("XQUEUE_CFG", "", 1);
    ck_assert_int_eq(PARSE("word"), OPTIONS_OK);
    ck_assert_ptr_null(options.config_path);
}
END_TEST

START_TEST(help_is_help_wherever_it_stands)
{
    ck_assert_int_eq(PARSE("--help"), OPTIONS_HELP);
    ck_assert_int_eq(PARSE("-h"), OPTIONS_HELP);
    ck_assert_int_eq(PARSE("word", "--force", "--help"), OPTIONS_HELP);
}
END_TEST

START_TEST(what_is_not_understood_is_wrong)
{
    ck_assert_int_eq(PARSE("--nothing"), OPTIONS_WRONG);
    ck_assert_int_eq(PARSE("-x"), OPTIONS_WRONG);
    ck_assert_int_eq(PARSE("--chunk_size"), OPTIONS_WRONG);
    ck_assert_int_eq(PARSE("--force=yes"), OPTIONS_WRONG);
    ck_assert_int_eq(PARSE("--set", "LISTEN"), OPTIONS_WRONG);
    ck_assert_int_eq(PARSE("--set", "=x"), OPTIONS_WRONG);
}
END_TEST

START_TEST(too_many_settings_are_wrong)
{
    const char *list[2 + OVERRIDES_MAX + 1] = {"some"};

    for (size_t i = 1; i <= OVERRIDES_MAX + 1; i++)
        list[i] = "--set=DB_NAME=x";
    ck_assert_int_eq(parse(&command, list), OPTIONS_WRONG);
}
END_TEST

START_TEST(a_command_may_have_no_options)
{
    static const struct command plain = {.name = "plain"};
    const char *const list[] = {"plain", "--set", "DB_NAME=x", NULL};

    ck_assert_int_eq(parse(&plain, list), OPTIONS_OK);
    ck_assert_uint_eq(options.override_count, 1);
}
END_TEST

START_TEST(a_number_has_a_least_value)
{
    int64_t number = 3;

    ck_assert_int_eq(PARSE("--chunk_size", "12"), OPTIONS_OK);
    ck_assert(options_get_number(&options, "chunk_size", 1, 5, &number));
    ck_assert_int_eq(number, 12);
    ck_assert(!options_get_number(&options, "chunk_size", 13, 5, &number));
    ck_assert_int_eq(PARSE("--chunk_size", "1x"), OPTIONS_OK);
    ck_assert(!options_get_number(&options, "chunk_size", 1, 5, &number));
    ck_assert_int_eq(number, 12);
    ck_assert_int_eq(PARSE("word"), OPTIONS_OK);
    ck_assert(options_get_number(&options, "chunk_size", 1, 5, &number));
    ck_assert_int_eq(number, 5);
}
END_TEST

STORY("options", TELL(what_is_not_given_has_no_value),
      TELL(flags_and_values_are_kept), TELL(words_may_stand_anywhere),
      TELL(the_words_of_manage_py_are_ignored),
      TELL(settings_are_given_over_the_file),
      TELL(the_file_is_named_by_the_environment),
      TELL(help_is_help_wherever_it_stands),
      TELL(what_is_not_understood_is_wrong), TELL(too_many_settings_are_wrong),
      TELL(a_command_may_have_no_options), TELL(a_number_has_a_least_value))
