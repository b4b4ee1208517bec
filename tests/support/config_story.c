/*
 * Tests of the configuration.
 */
#include "tests/support/config_story.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct config *config;
struct buffer messages;

void load_with(const char *source, const struct config_override *overrides,
               size_t count)
{
    config_free(config);
    buffer_free(&messages);
    config =
        config_load_text(text_of(source), "f", overrides, count, &messages);
}

/* It loads without any message. */
void load(const char *source)
{
    load_with(source, NULL, 0);
    ck_assert_msg(config != NULL, "%s", messages.data);
    ck_assert_str_eq(messages.data == NULL ? "" : messages.data, "");
}

void expect_refusal(const char *source, const char *errors)
{
    load_with(source, NULL, 0);
    ck_assert_ptr_null(config);
    ck_assert_str_eq(messages.data, errors);
}

void expect_warning(const char *source, const char *warnings)
{
    load_with(source, NULL, 0);
    ck_assert_msg(config != NULL, "%s", messages.data);
    ck_assert_str_eq(messages.data, warnings);
}

void load_fixture(const char *name)
{
    char path[300];

    snprintf(path, sizeof path, SOURCE_DIR "/tests/fixtures/config/%s", name);
    config_free(config);
    buffer_free(&messages);
    config = config_load(path, NULL, 0, &messages);
}

/* Whoever runs the tests may have such variables. */
void config_story_begin(void)
{
    static char names[100][100];
    size_t count = 0;

    for (char **entry = environ; *entry != NULL && count < 100; entry++) {
        if (strncmp(*entry, "XQUEUE_", 7) == 0 ||
            strncmp(*entry, "DB_MIGRATION_", 13) == 0)
            snprintf(names[count++], sizeof names[0], "%.*s",
                     (int)strcspn(*entry, "="), *entry);
    }
    while (count > 0)
        unsetenv(names[--count]);
}

void config_story_end(void)
{
    config_free(config);
    buffer_free(&messages);
}
