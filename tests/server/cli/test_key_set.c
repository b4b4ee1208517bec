/*
 * server/cli/key_set.c
 */
#include "server/cli/key_set.h"

#include "tests/support/story.h"

#include <stdio.h>

static struct storage_file file_of(const char *queue, unsigned number)
{
    struct storage_file file = {.queue_name = text_of(queue)};

    snprintf(file.key, sizeof file.key, "%032x", number);
    return file;
}

START_TEST(an_empty_set_has_nothing)
{
    struct key_set set = {NULL, 0, 0};
    const struct storage_file file = file_of("queue", 1);

    key_set_seal(&set);
    ck_assert(!key_set_has(&set, &file));
    key_set_free(&set);
}
END_TEST

START_TEST(what_was_added_is_there_and_nothing_else)
{
    struct key_set set = {NULL, 0, 0};

    for (unsigned i = 0; i < 5000; i++) {
        const struct storage_file file = file_of("queue", 2 * i);

        key_set_add(&set, &file);
        if (i % 7 == 0)
            key_set_add(&set, &file);
    }
    key_set_seal(&set);
    for (unsigned i = 0; i < 10000; i++) {
        const struct storage_file file = file_of("queue", i);
        const struct storage_file other = file_of("other", i);

        ck_assert(key_set_has(&set, &file) == (i % 2 == 0));
        ck_assert(!key_set_has(&set, &other));
    }
    key_set_free(&set);
}
END_TEST

STORY("a set of keys", TELL(an_empty_set_has_nothing),
      TELL(what_was_added_is_there_and_nothing_else))
