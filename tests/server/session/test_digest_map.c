/*
 * server/session/digest_map.c
 */
#include "server/session/digest_map.h"
#include "tests/support/story.h"

struct value {
    int number;
};

static int released;

static void release_value(void *value)
{
    released += ((struct value *)value)->number;
}

/* Keys 0 and 256, 1 and 257 and so on share their first byte. */
static const unsigned char *key(unsigned number)
{
    static unsigned char digest[SHA256_SIZE];

    digest[0] = (unsigned char)number;
    digest[31] = (unsigned char)(number >> 8);
    return digest;
}

static struct digest_map *map_of(size_t capacity)
{
    return digest_map_new(capacity, sizeof(struct value), release_value);
}

static void put(struct digest_map *map, unsigned number)
{
    ((struct value *)digest_map_put(map, key(number)))->number = (int)number;
}

static int find(struct digest_map *map, unsigned number)
{
    const struct value *value = digest_map_find(map, key(number));

    return value == NULL ? -1 : value->number;
}

START_TEST(what_was_put_is_found)
{
    struct digest_map *map = map_of(4);

    put(map, 1);
    put(map, 257);
    ck_assert_int_eq(find(map, 1), 1);
    ck_assert_int_eq(find(map, 257), 257);
    ck_assert_int_eq(find(map, 2), -1);
    ck_assert_uint_eq(digest_map_count(map), 2);
    digest_map_free(map);
}
END_TEST

START_TEST(a_new_value_is_clear_even_in_a_used_place)
{
    struct digest_map *map = map_of(1);
    const struct value *value;

    put(map, 7);
    value = digest_map_put(map, key(8));
    ck_assert_int_eq(value->number, 0);
    digest_map_free(map);
}
END_TEST

START_TEST(putting_twice_gives_the_same_value)
{
    struct digest_map *map = map_of(4);

    put(map, 5);
    ck_assert_int_eq(((struct value *)digest_map_put(map, key(5)))->number, 5);
    ck_assert_uint_eq(digest_map_count(map), 1);
    digest_map_free(map);
}
END_TEST

START_TEST(when_full_the_longest_unused_goes)
{
    struct digest_map *map = map_of(3);

    put(map, 1);
    put(map, 2);
    put(map, 3);
    ck_assert_int_eq(find(map, 1), 1);
    put(map, 4);
    ck_assert_int_eq(released, 2);
    ck_assert_int_eq(find(map, 1), 1);
    ck_assert_int_eq(find(map, 2), -1);
    ck_assert_int_eq(find(map, 3), 3);
    ck_assert_int_eq(find(map, 4), 4);
    ck_assert_uint_eq(digest_map_count(map), 3);
    digest_map_free(map);
}
END_TEST

START_TEST(a_removed_value_is_released_and_its_place_used_again)
{
    struct digest_map *map = map_of(2);

    put(map, 1);
    put(map, 2);
    digest_map_remove(map, key(1));
    digest_map_remove(map, key(9));
    ck_assert_int_eq(released, 1);
    put(map, 3);
    ck_assert_int_eq(find(map, 2), 2);
    ck_assert_int_eq(find(map, 3), 3);
    digest_map_free(map);
}
END_TEST

START_TEST(clearing_and_freeing_release_everything)
{
    struct digest_map *map = map_of(600);

    for (unsigned i = 1; i <= 600; i++)
        put(map, i);
    digest_map_clear(map);
    ck_assert_int_eq(released, 180300);
    ck_assert_uint_eq(digest_map_count(map), 0);
    put(map, 5);
    digest_map_free(map);
    ck_assert_int_eq(released, 180305);
}
END_TEST

STORY("digest map", TELL(what_was_put_is_found),
      TELL(a_new_value_is_clear_even_in_a_used_place),
      TELL(putting_twice_gives_the_same_value),
      TELL(when_full_the_longest_unused_goes),
      TELL(a_removed_value_is_released_and_its_place_used_again),
      TELL(clearing_and_freeing_release_everything))
