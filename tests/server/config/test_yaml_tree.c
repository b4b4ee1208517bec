/*
 * server/config/yaml_tree.c, yaml_syntax.c
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

START_TEST(other_tags_are_refused)
{
    expect_error("a: !!python/name:os.system ''",
                 "f:1:4: a tag that is not known\n");
    expect_error("!mine [1]", "f:1:1: a tag that is not known\n");
    expect_error("!!set {a}", "f:1:1: a tag that is not known\n");
    expect_error("!!binary YQ==", "f:1:1: a tag that is not known\n");
}
END_TEST

START_TEST(places_are_remembered)
{
    const struct yaml_node *root = parse("a: 1\nbc:\n  - x\n  -   y\n");
    const struct yaml_node *list = yaml_tree_get(root, "bc");

    ck_assert_int_eq(list->items[1]->line, 4);
    ck_assert_int_eq(list->items[1]->column, 7);
    ck_assert_int_eq(root->pairs[1].key->line, 2);
    ck_assert_int_eq(root->pairs[1].key->column, 1);
}
END_TEST

START_TEST(aliases_share_one_node)
{
    const struct yaml_node *root = parse("a: &x [1]\nb: *x\n");

    ck_assert_ptr_eq(yaml_tree_get(root, "a"), yaml_tree_get(root, "b"));
}
END_TEST

START_TEST(wrong_aliases_are_refused)
{
    expect_error("a: *x\n", "f:1:4: an alias without an anchor\n");
    expect_error("a: &x [*x]\n", "f:1:8: an alias inside what it stands for\n");
    expect_error("a: &x 1\nb: &x 2\n",
                 "f:2:4: an anchor that is already taken\n");
}
END_TEST

START_TEST(thirty_two_levels_are_enough)
{
    char source[70] = "";

    memset(source, '[', 32);
    memset(source + 32, ']', 32);
    ck_assert_uint_eq(parse(source)->height, 32);
    memset(source, '[', 33);
    memset(source + 33, ']', 33);
    expect_error(source, "f:1:33: nested too deeply\n");
}
END_TEST

START_TEST(aliases_cannot_go_deeper_either)
{
    expect_error("a: &a [[[[[[[[[[[[1]]]]]]]]]]]]\n"
                 "b: &b [[[[[[[[[[*a]]]]]]]]]]\n"
                 "c: [[[[[[[[[*b]]]]]]]]]\n",
                 "f:3:13: nested too deeply\n");
}
END_TEST

START_TEST(a_hundred_thousand_values_are_enough)
{
    struct buffer source = {NULL, 0, 0};

    for (int i = 0; i < YAML_TREE_MAX_NODES; i++)
        buffer_append_string(&source, "- 1\n");
    expect_error(source.data, "f:100000:3: too many values\n");
    buffer_free(&source);
}
END_TEST

START_TEST(too_many_anchors_are_refused)
{
    struct buffer source = {NULL, 0, 0};

    for (int i = 0; i < 257; i++)
        buffer_printf(&source, "- &a%d 1\n", i);
    expect_error(source.data, "f:257:3: too many anchors\n");
    buffer_free(&source);
}
END_TEST

START_TEST(one_byte_over_a_megabyte_is_refused)
{
    struct buffer source = {NULL, 0, 0};

    buffer_append_string(&source, "a: ");
    for (int i = 0; i < YAML_TREE_MAX_BYTES - 3; i++)
        buffer_append_char(&source, 'x');
    ck_assert_ptr_nonnull(parse(source.data));
    buffer_append_char(&source, 'x');
    expect_error(source.data,
                 "f: expected at most 1048576 bytes, found 1048577\n");
    buffer_free(&source);
}
END_TEST

START_TEST(nothing_is_no_document)
{
    expect_error("", "f:1:1: nothing in the file\n");
    expect_error("# words\n", "f:1:1: nothing in the file\n");
}
END_TEST

START_TEST(bytes_beyond_utf8_are_told_by_place)
{
    expect_error("a: 1\nb\xC3\xA9: \xFF\n",
                 "f:2:5: not UTF-8 text: invalid leading UTF-8 octet\n");
    expect_error("\xFE\xFF", "f:1:1: not UTF-8 text: invalid leading UTF-8 "
                             "octet\n");
    expect_error("a: \x01\n",
                 "f:1:4: not UTF-8 text: control characters are not "
                 "allowed\n");
}
END_TEST

START_TEST(a_nul_is_refused_in_every_form)
{
    struct text raw = {"a: b\0c\n", 7};

    expect_error("a: \"b\\0c\"\n", "f:1:4: a NUL character\n");
    ck_assert_ptr_null(yaml_tree_parse(arena, raw, "f", &errors));
    ck_assert_str_eq(errors.data, "f:1:5: not UTF-8 text: control characters "
                                  "are not allowed\n");
}
END_TEST

START_TEST(a_tab_is_named)
{
    expect_error("a:\n\tb: 1\n",
                 "f:2:1: not YAML: found character that cannot start any token "
                 "while scanning for the next token: a tab, where only blanks "
                 "may be\n");
}
END_TEST

START_TEST(broken_syntax_tells_where_it_began)
{
    expect_error("a:\n  b: [1\nc: {}\n",
                 "f:3:2: not YAML: did not find expected ',' or ']' while "
                 "parsing a flow sequence (what began on line 2)\n");
}
END_TEST

START_TEST(a_byte_order_mark_and_dashes_are_fine)
{
    const struct yaml_node *root = parse("\xEF\xBB\xBF---\na: 1\n...\n");

    ck_assert_int_eq(yaml_tree_get(root, "a")->integer, 1);
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
        TELL(other_tags_are_refused),
        TELL(places_are_remembered),
        TELL(aliases_share_one_node),
        TELL(wrong_aliases_are_refused),
        TELL(thirty_two_levels_are_enough),
        TELL(aliases_cannot_go_deeper_either),
        TELL(a_hundred_thousand_values_are_enough),
        TELL(too_many_anchors_are_refused),
        TELL(one_byte_over_a_megabyte_is_refused),
        TELL(nothing_is_no_document),
        TELL(bytes_beyond_utf8_are_told_by_place),
        TELL(a_nul_is_refused_in_every_form),
        TELL(a_tab_is_named),
        TELL(broken_syntax_tells_where_it_began),
        TELL(a_byte_order_mark_and_dashes_are_fine),
    };
    static const struct story story = {
        .name = "yaml tree",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_each = before,
        .after_each = after,
    };

    return story_run(&story);
}
