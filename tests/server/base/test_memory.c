/*
 * Memory that goes back to the system.
 */
#include "server/base/memory.h"

#include "tests/support/story.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

START_TEST(only_whole_pages_are_discarded)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *block = aligned_alloc(page, 4 * page);

    memset(block, 'x', 4 * page);
    memory_discard(block + 1, 3 * page);
    ck_assert_int_eq(block[0], 'x');
    ck_assert_int_eq(block[page - 1], 'x');
    ck_assert_int_eq(block[page], 0);
    ck_assert_int_eq(block[3 * page - 1], 0);
    ck_assert_int_eq(block[3 * page], 'x');
    ck_assert_int_eq(block[4 * page - 1], 'x');
    free(block);
}
END_TEST

START_TEST(less_than_a_page_stays)
{
    char block[64];

    memset(block, 'x', sizeof block);
    memory_discard(block, sizeof block);
    for (size_t i = 0; i < sizeof block; i++)
        ck_assert_int_eq(block[i], 'x');
}
END_TEST

STORY("memory", TELL(only_whole_pages_are_discarded),
      TELL(less_than_a_page_stays))
