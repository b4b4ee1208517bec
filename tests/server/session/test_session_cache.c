/*
 * server/session/session_cache.c
 */
#include "server/session/session_cache.h"
#include "tests/support/story.h"

#include <string.h>

enum { NOW = 1000, EPOCH = 7 };

static const int64_t two_weeks_us = 1209600000000;

static struct session_cache *cache;

static void set_up(void)
{
    cache = session_cache_new();
    session_cache_set_epoch(cache, EPOCH);
}

static void tear_down(void)
{
    session_cache_free(cache);
}

static const unsigned char *id(uint32_t number)
{
    static unsigned char digest[SHA256_SIZE];

    memcpy(digest, &number, sizeof number);
    return digest;
}

static void put(uint32_t number, int64_t remaining_us, int64_t epoch)
{
    const struct cached_session session = {
        .user_id = number,
        .username = text_of("lms"),
    };

    session_cache_put(cache, id(number), &session, remaining_us, epoch, NOW);
}

static int64_t find(uint32_t number, int64_t now_ms)
{
    const struct cached_session *session =
        session_cache_find(cache, id(number), now_ms);

    return session == NULL ? 0 : session->user_id;
}

START_TEST(a_session_is_found_with_its_user)
{
    const struct cached_session *session;

    put(1, two_weeks_us, EPOCH);
    session = session_cache_find(cache, id(1), NOW);
    ck_assert_ptr_nonnull(session);
    ck_assert_int_eq(session->user_id, 1);
    ck_assert(text_equal_string(session->username, "lms"));
    ck_assert_int_eq(find(2, NOW), 0);
}
END_TEST

START_TEST(the_name_is_a_copy)
{
    char name[] = "lms";
    const struct cached_session session = {3, text_of(name)};

    session_cache_put(cache, id(3), &session, two_weeks_us, EPOCH, NOW);
    name[0] = 'x';
    ck_assert(text_equal_string(session_cache_find(cache, id(3), NOW)->username,
                                "lms"));
}
END_TEST

START_TEST(putting_again_replaces_and_renews)
{
    const struct cached_session session = {9, text_of("somebody")};

    put(1, two_weeks_us, EPOCH);
    session_cache_put(cache, id(1), &session, two_weeks_us, EPOCH, NOW + 50000);
    ck_assert_int_eq(find(1, NOW + 100000), 9);
}
END_TEST

START_TEST(an_entry_is_trusted_for_a_minute)
{
    put(1, two_weeks_us, EPOCH);
    ck_assert_int_eq(find(1, NOW + 59999), 1);
    ck_assert_int_eq(find(1, NOW + 60000), 0);
}
END_TEST

START_TEST(an_entry_ends_with_its_session)
{
    put(1, 5000000, EPOCH);
    put(2, 0, EPOCH);
    put(3, -1000000, EPOCH);
    ck_assert_int_eq(find(1, NOW + 4999), 1);
    ck_assert_int_eq(find(1, NOW + 5000), 0);
    ck_assert_int_eq(find(2, NOW), 0);
    ck_assert_int_eq(find(3, NOW), 0);
}
END_TEST

START_TEST(a_new_epoch_ends_all_entries)
{
    put(1, two_weeks_us, EPOCH);
    session_cache_set_epoch(cache, EPOCH);
    ck_assert_int_eq(find(1, NOW), 1);
    session_cache_set_epoch(cache, EPOCH + 1);
    ck_assert_int_eq(find(1, NOW), 0);
}
END_TEST

START_TEST(an_epoch_that_comes_back_revives_nothing)
{
    put(1, two_weeks_us, EPOCH);
    session_cache_set_epoch(cache, EPOCH + 1);
    session_cache_set_epoch(cache, EPOCH);
    ck_assert_int_eq(find(1, NOW), 0);
}
END_TEST

START_TEST(what_was_read_under_another_epoch_is_not_kept)
{
    put(1, two_weeks_us, EPOCH - 1);
    put(2, two_weeks_us, EPOCH + 1);
    ck_assert_int_eq(find(1, NOW), 0);
    ck_assert_int_eq(find(2, NOW), 0);
}
END_TEST

START_TEST(nothing_is_kept_before_the_epoch_is_known)
{
    struct session_cache *fresh = session_cache_new();
    const struct cached_session session = {1, text_of("lms")};

    session_cache_put(fresh, id(1), &session, two_weeks_us, 0, NOW);
    ck_assert_ptr_null(session_cache_find(fresh, id(1), NOW));
    session_cache_free(fresh);
}
END_TEST

START_TEST(a_removed_session_is_gone)
{
    put(1, two_weeks_us, EPOCH);
    put(2, two_weeks_us, EPOCH);
    session_cache_remove(cache, id(1));
    ck_assert_int_eq(find(1, NOW), 0);
    ck_assert_int_eq(find(2, NOW), 2);
    session_cache_clear(cache);
    ck_assert_int_eq(find(2, NOW), 0);
}
END_TEST

START_TEST(the_memory_is_bounded)
{
    for (uint32_t i = 1; i <= 65537; i++)
        put(i, two_weeks_us, EPOCH);
    ck_assert_int_eq(find(1, NOW), 0);
    ck_assert_int_eq(find(2, NOW), 2);
    ck_assert_int_eq(find(65537, NOW), 65537);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(a_session_is_found_with_its_user),
        TELL(the_name_is_a_copy),
        TELL(putting_again_replaces_and_renews),
        TELL(an_entry_is_trusted_for_a_minute),
        TELL(an_entry_ends_with_its_session),
        TELL(a_new_epoch_ends_all_entries),
        TELL(an_epoch_that_comes_back_revives_nothing),
        TELL(what_was_read_under_another_epoch_is_not_kept),
        TELL(nothing_is_kept_before_the_epoch_is_known),
        TELL(a_removed_session_is_gone),
        TELL(the_memory_is_bounded),
    };
    static const struct story story = {
        .name = "session cache",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_each = set_up,
        .after_each = tear_down,
    };

    return story_run(&story);
}
