/*
 * server/config/yaml_map.c
 */
#include "server/config/yaml_tree.h"
#include "tests/support/story.h"

#include <string.h>

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

/* "key=value " for each pair, in order. */
static const char *pairs_of(const struct yaml_node *map)
{
    const char *row = "";

    ck_assert_ptr_nonnull(map);
    for (size_t i = 0; i < map->count; i++)
        row = arena_printf(arena, "%s%s=%s ", row, map->pairs[i].key->text.data,
                           map->pairs[i].value->text.data);
    return row;
}

START_TEST(a_merged_map_comes_first_and_gives_way)
{
    const struct yaml_node *root =
        parse("base: &b {x: 1, y: 2}\nown: {z: 3, y: 4, <<: *b}\n");

    ck_assert_str_eq(pairs_of(yaml_tree_get(root, "own")), "x=1 y=4 z=3 ");
}
END_TEST

START_TEST(of_several_merged_maps_the_earlier_wins)
{
    ck_assert_str_eq(
        pairs_of(parse("<<: [{a: 5, b: 2}, {b: 9, c: 4}]\na: 1\n")),
        "b=2 c=4 a=1 ");
}
END_TEST

START_TEST(merged_maps_bring_what_they_merged_themselves)
{
    const struct yaml_node *root =
        parse("a: &a {x: 1}\nb: &b {<<: *a, y: 2}\nc: {<<: *b, z: 3}\n");

    ck_assert_str_eq(pairs_of(yaml_tree_get(root, "c")), "x=1 y=2 z=3 ");
}
END_TEST

START_TEST(a_merge_sign_in_quotes_is_a_key)
{
    ck_assert_str_eq(pairs_of(parse("'<<': 1\n")), "<<=1 ");
}
END_TEST

START_TEST(only_maps_are_merged)
{
    expect_error("a: 1\n<<: 3\n",
                 "f:2:1: << merges only a map or a list of maps\n");
    expect_error("<<: [{a: 1}, 2]\n",
                 "f:1:1: << merges only a map or a list of maps\n");
    expect_error("<<: {a: 1}\n<<: {b: 1}\n",
                 "f:2:1: a second << in one map: expected a list of maps\n");
}
END_TEST

START_TEST(every_key_given_twice_is_told_with_both_lines)
{
    expect_error("a: 1\nb: {c: 1,\n  c: 2}\n'a': 3\n",
                 "f:3:3: c: given twice, first on line 2\n"
                 "f:4:1: a: given twice, first on line 1\n");
}
END_TEST

START_TEST(control_characters_of_a_key_cannot_forge_a_line)
{
    expect_error("\"a\\nb\": 1\n\"a\\nb\": 2\n",
                 "f:2:1: a\\x0ab: given twice, first on line 1\n");
}
END_TEST

START_TEST(many_errors_are_cut)
{
    struct buffer source = {NULL, 0, 0};
    size_t lines = 0;

    for (int i = 0; i < 1000; i++)
        buffer_append_string(&source, "a: 1\n");
    ck_assert_ptr_null(parse(source.data));
    for (size_t i = 0; i < errors.size; i++)
        lines += errors.data[i] == '\n';
    ck_assert_uint_eq(lines, 20);
    ck_assert_ptr_nonnull(strstr(errors.data, "f: more errors follow\n"));
    buffer_free(&source);
}
END_TEST

START_TEST(merges_count_as_values)
{
    struct buffer source = {NULL, 0, 0};

    buffer_append_string(&source, "base: &b {");
    for (int i = 0; i < 1000; i++)
        buffer_printf(&source, "k%d: 1, ", i);
    buffer_append_string(&source, "}\nall:\n");
    for (int i = 0; i < 100; i++)
        buffer_append_string(&source, "- <<: *b\n");
    expect_error(source.data,
                 "f:1:7: too many values, with those merged by <<\n");
    buffer_free(&source);
}
END_TEST

START_TEST(keys_are_scalars)
{
    expect_error("? [a]\n: 1\n", "f:1:3: a list or a map as a key\n");
    expect_error("a: &x [1]\n*x : 1\n", "f:1:4: a list or a map as a key\n");
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
        TELL(a_merged_map_comes_first_and_gives_way),
        TELL(of_several_merged_maps_the_earlier_wins),
        TELL(merged_maps_bring_what_they_merged_themselves),
        TELL(a_merge_sign_in_quotes_is_a_key),
        TELL(only_maps_are_merged),
        TELL(every_key_given_twice_is_told_with_both_lines),
        TELL(control_characters_of_a_key_cannot_forge_a_line),
        TELL(many_errors_are_cut),
        TELL(merges_count_as_values),
        TELL(keys_are_scalars),
    };
    static const struct story story = {
        .name = "yaml map",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_each = before,
        .after_each = after,
    };

    return story_run(&story);
}
