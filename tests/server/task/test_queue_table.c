#include "server/task/queue_table.h"

#include "tests/support/story.h"

static struct buffer messages;

static struct queue_table *new_table(const char *yaml, const int64_t *numbers)
{
    struct config *config =
        config_load_text(text_of(yaml), "test", NULL, 0, &messages);
    struct queue_table *table;

    ck_assert_msg(config != NULL, "%s", messages.data);
    table = queue_table_new(config, numbers);
    config_free(config);
    buffer_free(&messages);
    return table;
}

static void expect_number(const struct queue_table *table, struct text name,
                          int64_t expected)
{
    int64_t number = -1;

    ck_assert(queue_table_find(table, name, &number));
    ck_assert_int_eq(number, expected);
}

static bool is_there(const struct queue_table *table, struct text name)
{
    int64_t number = -1;
    bool found = queue_table_find(table, name, &number);

    ck_assert(found || number == -1);
    return found;
}

START_TEST(every_queue_has_its_number)
{
    struct queue_table *table =
        new_table("XQUEUES: {zebra: null, ant: null, 'märchen': null, Ant:"
                  " null, an: null, ants: null}",
                  (const int64_t[]){1, 2, 3, 4, 5, 6});

    expect_number(table, text_of("zebra"), 1);
    expect_number(table, text_of("ant"), 2);
    expect_number(table, text_of("märchen"), 3);
    expect_number(table, text_of("Ant"), 4);
    expect_number(table, text_of("an"), 5);
    expect_number(table, text_of("ants"), 6);
    queue_table_free(table);
}
END_TEST

START_TEST(names_must_be_the_same_byte_for_byte)
{
    struct queue_table *table =
        new_table("XQUEUES: {test-pull: null}", (const int64_t[]){7});

    ck_assert(!is_there(table, text_of("")));
    ck_assert(!is_there(table, text_of("Test-Pull")));
    ck_assert(!is_there(table, text_of("test-pul")));
    ck_assert(!is_there(table, text_of("test-pull ")));
    ck_assert(!is_there(table, (struct text){"test-pull\0", 10}));
    ck_assert(!is_there(table, text_of("zzz")));
    expect_number(table, text_of("test-pull"), 7);
    queue_table_free(table);
}
END_TEST

START_TEST(names_are_listed_as_the_configuration_has_them)
{
    struct queue_table *table = new_table(
        "XQUEUES: {b: null, a: null, c: null}", (const int64_t[]){1, 2, 3});

    ck_assert_str_eq(queue_table_names(table), "b, a, c");
    queue_table_free(table);
}
END_TEST

START_TEST(there_may_be_no_queue)
{
    struct queue_table *table = new_table("XQUEUES: {}", NULL);

    ck_assert_str_eq(queue_table_names(table), "");
    ck_assert(!is_there(table, text_of("a")));
    queue_table_free(table);
}
END_TEST

STORY("queue table", TELL(every_queue_has_its_number),
      TELL(names_must_be_the_same_byte_for_byte),
      TELL(names_are_listed_as_the_configuration_has_them),
      TELL(there_may_be_no_queue))
