/*
 * server/config/yaml_scalar.c, and the tags of yaml_syntax.c
 */
#include "server/config/yaml_tree.h"
#include "tests/support/story.h"

#include <math.h>

static struct arena *arena;
static struct buffer errors;

static const struct yaml_node *parse(const char *source)
{
    return yaml_tree_parse(arena, text_of(source), "f", &errors);
}

static void expect_error(const char *source, const char *error)
{
    ck_assert_ptr_null(parse(source));
    ck_assert_str_eq(errors.data, error);
    buffer_clear(&errors);
}

static void expect_kind(const char *source, enum yaml_kind kind)
{
    const struct yaml_node *node = parse(source);

    ck_assert_msg(node != NULL, "%s", source);
    ck_assert_msg(node->kind == kind, "%s is of kind %d", source, node->kind);
}

static void expect_integer(const char *source, int64_t integer)
{
    expect_kind(source, YAML_INTEGER);
    ck_assert_int_eq(parse(source)->integer, integer);
}

static void expect_number(const char *source, double number)
{
    expect_kind(source, YAML_NUMBER);
    ck_assert_double_eq(parse(source)->number, number);
}

static void expect_boolean(const char *source, bool boolean)
{
    expect_kind(source, YAML_BOOLEAN);
    ck_assert_int_eq(parse(source)->boolean, boolean);
}

START_TEST(truth_has_three_words_in_three_casings)
{
    expect_boolean("yes", true);
    expect_boolean("True", true);
    expect_boolean("ON", true);
    expect_boolean("no", false);
    expect_boolean("FALSE", false);
    expect_boolean("Off", false);
    expect_kind("yEs", YAML_TEXT);
    expect_kind("y", YAML_TEXT);
}
END_TEST

START_TEST(null_has_four_forms)
{
    expect_kind("~", YAML_NULL);
    expect_kind("null", YAML_NULL);
    expect_kind("NULL", YAML_NULL);
    ck_assert_int_eq(yaml_tree_get(parse("a:\n"), "a")->kind, YAML_NULL);
    expect_kind("nULL", YAML_TEXT);
}
END_TEST

START_TEST(whole_numbers_have_bases_gaps_and_sixties)
{
    expect_integer("12", 12);
    expect_integer("-1_000", -1000);
    expect_integer("0777", 511);
    expect_integer("0x1F", 31);
    expect_integer("0b101", 5);
    expect_integer("1:30", 90);
    expect_integer("-9223372036854775807", -INT64_MAX);
}
END_TEST

START_TEST(what_is_nearly_a_whole_number_is_a_text)
{
    expect_kind("08", YAML_TEXT);
    expect_kind("0o17", YAML_TEXT);
    expect_kind("1:60", YAML_TEXT);
    expect_kind("0x", YAML_TEXT);
    expect_kind("12 34", YAML_TEXT);
    expect_kind("_1", YAML_TEXT);
    expect_kind("99999999999999999999", YAML_TEXT);
}
END_TEST

START_TEST(numbers_need_a_point_and_exponents_a_sign)
{
    expect_number("1.5", 1.5);
    expect_number("-1_0.5_0", -10.5);
    expect_number(".5", 0.5);
    expect_number("1.e+3", 1000);
    expect_number("190:20:30.5", 685230.5);
    expect_number("-.inf", -INFINITY);
    expect_kind(".NaN", YAML_NUMBER);
    expect_kind("1e3", YAML_TEXT);
    expect_kind("1.e3", YAML_TEXT);
    expect_kind("-.5", YAML_TEXT);
    expect_kind("+.nan", YAML_TEXT);
}
END_TEST

START_TEST(quotes_and_blocks_make_texts)
{
    expect_kind("'12'", YAML_TEXT);
    expect_kind("\"yes\"", YAML_TEXT);
    expect_kind("|\n  12\n", YAML_TEXT);
    expect_kind("''", YAML_TEXT);
}
END_TEST

START_TEST(standard_tags_rule_over_quotes)
{
    expect_kind("!!str 12", YAML_TEXT);
    expect_integer("!!int '12'", 12);
    expect_number("!!float 3", 3);
    expect_kind("!!null ''", YAML_NULL);
    expect_kind("!!map {}", YAML_MAP);
    expect_error("!!int abc", "f:1:1: a value that is not of its tag\n");
}
END_TEST

static void before(void)
{
    arena = arena_new();
}

static void after(void)
{
    arena_free(arena);
    buffer_free(&errors);
}

int main(void)
{
    static const struct story_test tests[] = {
        TELL(truth_has_three_words_in_three_casings),
        TELL(null_has_four_forms),
        TELL(whole_numbers_have_bases_gaps_and_sixties),
        TELL(what_is_nearly_a_whole_number_is_a_text),
        TELL(numbers_need_a_point_and_exponents_a_sign),
        TELL(quotes_and_blocks_make_texts),
        TELL(standard_tags_rule_over_quotes),
    };
    static const struct story story = {
        .name = "yaml scalar",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_each = before,
        .after_each = after,
    };

    return story_run(&story);
}
