#include "server/task/queue_table.h"

#include "tests/support/story.h"

static struct config *config;
static struct queue_table *table;

static void begin(const char *yaml, const int64_t *numbers)
{
    struct buffer messages = {NULL, 0, 0};

    config = config_load_text(text_of(yaml), "test", NULL, 0, &messages);
    ck_assert_msg(config != NULL, "%s", messages.data);
    buffer_free(&messages);
    table = queue_table_new(config, numbers);
}

static void end(void)
{
    queue_table_free(table);
    config_free(config);
}

static void expect_number(struct text name, int64_t expected)
{
    const struct queue_entry *entry = queue_table_find(table, name);

    ck_assert_ptr_nonnull(entry);
    ck_assert_int_eq(entry->number, expected);
}

static bool is_there(struct text name)
{
    return queue_table_find(table, name) != NULL;
}

START_TEST(every_queue_has_its_number)
{
    begin("XQUEUES: {zebra: null, ant: null, 'märchen': null, Ant: null,"
          " an: null, ants: null}",
          (const int64_t[]){1, 2, 3, 4, 5, 6});
    expect_number(text_of("zebra"), 1);
    expect_number(text_of("ant"), 2);
    expect_number(text_of("märchen"), 3);
    expect_number(text_of("Ant"), 4);
    expect_number(text_of("an"), 5);
    expect_number(text_of("ants"), 6);
    end();
}
END_TEST

START_TEST(names_must_be_the_same_byte_for_byte)
{
    begin("XQUEUES: {test-pull: null}", (const int64_t[]){7});
    ck_assert(!is_there(text_of("")));
    ck_assert(!is_there(text_of("Test-Pull")));
    ck_assert(!is_there(text_of("test-pul")));
    ck_assert(!is_there(text_of("test-pull ")));
    ck_assert(!is_there((struct text){"test-pull\0", 10}));
    ck_assert(!is_there(text_of("zzz")));
    expect_number(text_of("test-pull"), 7);
    end();
}
END_TEST

START_TEST(names_are_listed_as_the_configuration_has_them)
{
    begin("XQUEUES: {b: null, a: null, c: null}", (const int64_t[]){1, 2, 3});
    ck_assert_str_eq(queue_table_names(table), "b, a, c");
    end();
}
END_TEST

START_TEST(every_entry_has_the_settings_of_its_queue)
{
    const struct queue_entry *entries;
    size_t count;

    begin("XQUEUES: {b: 'http://h/', a: {max_attempts: 9}}",
          (const int64_t[]){5, 6});
    ck_assert_str_eq(
        queue_table_find(table, text_of("b"))->settings->grader_url,
        "http://h/");
    entries = queue_table_entries(table, &count);
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(entries[0].settings->name, "a");
    ck_assert_int_eq(entries[0].number, 6);
    ck_assert_int_eq(entries[0].settings->max_attempts, 9);
    ck_assert_str_eq(entries[1].settings->name, "b");
    ck_assert_int_eq(entries[1].number, 5);
    end();
}
END_TEST

START_TEST(there_may_be_no_queue)
{
    size_t count;

    begin("XQUEUES: {}", NULL);
    ck_assert_str_eq(queue_table_names(table), "");
    ck_assert(!is_there(text_of("a")));
    queue_table_entries(table, &count);
    ck_assert_uint_eq(count, 0);
    end();
}
END_TEST

STORY("queue table", TELL(every_queue_has_its_number),
      TELL(names_must_be_the_same_byte_for_byte),
      TELL(names_are_listed_as_the_configuration_has_them),
      TELL(every_entry_has_the_settings_of_its_queue),
      TELL(there_may_be_no_queue))
