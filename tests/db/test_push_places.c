/*
 * Places at a grader: what a claim does with those that the process has.
 */
#include "tests/support/hot_story.h"

#include <string.h>

enum { HELD_MOST = 8 };

/* Those that a process has. */
static struct push_place held[HELD_MOST];
static bool is_kept[HELD_MOST];

static void expect_places(const char *numbers)
{
    ck_assert_value(numbers, "SELECT COALESCE(GROUP_CONCAT(id ORDER BY id), '')"
                             " FROM xqueue_push");
}

static void submit_some(int count)
{
    for (int i = 0; i < count; i++)
        submit(arena_printf(arena, "7:%d", i));
}

/* It has the first `count` of `held`, all with a push. */
static struct push_claim claim_with(size_t concurrency, size_t count)
{
    struct push_claim claim = push_claim_of(concurrency);

    claim.limit = 100;
    claim.held = held;
    claim.held_count = count;
    claim.is_kept = is_kept;
    return claim;
}

static void run(struct push_claim *claim, size_t count)
{
    memset(is_kept, 0, sizeof is_kept);
    ck_assert_int_eq(db_run(db, &claim->job), DB_OK);
    ck_assert_uint_eq(claim->count, count);
}

/* The first `count` of `held`, for as many submissions. */
static void take(size_t count)
{
    struct push_claim claim = push_claim(count, count);

    for (size_t i = 0; i < count; i++)
        held[i] = claim.items[i].place;
}

START_TEST(those_ahead_come_without_a_place)
{
    struct push_claim claim = claim_with(2, 0);

    submit_some(6);
    claim.ahead = 3;
    run(&claim, 5);
    ck_assert_int_eq(claim.items[0].place.number, 1);
    ck_assert_int_eq(claim.items[1].place.number, 2);
    for (size_t i = 2; i < claim.count; i++)
        ck_assert_int_eq(claim.items[i].place.number, 0);
    expect_places("1,2");
}
END_TEST

START_TEST(nothing_is_claimed_ahead_without_a_place)
{
    struct push_claim claim = claim_with(1, 0);

    submit_some(3);
    take(1);
    claim.ahead = 3;
    run(&claim, 0);
    ck_assert(claim.took_all_places);
    claim = claim_with(1, 1);
    claim.ahead = 3;
    run(&claim, 2);
    ck_assert(is_kept[0]);
    expect_places("1");
}
END_TEST

START_TEST(idle_places_are_used_before_new_ones)
{
    struct push_claim claim = claim_with(4, 2);

    submit_some(6);
    take(2);
    claim.idle = 2;
    claim.limit = 3;
    run(&claim, 3);
    ck_assert_int_eq(claim.items[0].place.number, 3);
    ck_assert_int_eq(claim.items[1].place.number, 0);
    expect_places("1,2,3");
}
END_TEST

START_TEST(a_place_gets_the_lowest_number_that_is_free)
{
    struct push_claim claim = claim_with(4, 0);

    submit_some(5);
    take(3);
    ck_assert_int_eq(db_run(db, &(struct push_leave){.job.op = &push_leave_op,
                                                     .queue_id = QUEUE,
                                                     .places = &held[1],
                                                     .count = 1}
                                     .job),
                     DB_OK);
    expect_places("1,3");
    run(&claim, 2);
    ck_assert_int_eq(claim.items[0].place.number, 2);
    ck_assert_int_eq(claim.items[1].place.number, 4);
}
END_TEST

/* An earlier server's rows are numbered by submissions. */
START_TEST(whatever_has_a_row_takes_a_place)
{
    struct push_claim claim = claim_with(3, 0);

    submit_some(3);
    mariadb_run("INSERT INTO xqueue_push VALUES (1, 2, 'theirs', %lld)",
                (long long)INT64_MAX);
    run(&claim, 2);
    expect_places("1,2,3");
}
END_TEST

START_TEST(kept_places_last_as_long_as_what_is_claimed)
{
    struct push_claim claim = claim_with(2, 2);

    submit_some(5);
    take(2);
    claim.ahead = 1;
    claim.lease_us *= 2;
    run(&claim, 1);
    ck_assert_value("2", "SELECT COUNT(*) FROM xqueue_push p JOIN xqueue_live l"
                         " ON l.expires_us = p.expires_us WHERE l.id ="
                         " (SELECT MAX(id) FROM xqueue_live WHERE state = 1)");
    /* And no shorter. */
    claim.lease_us = 1;
    run(&claim, 1);
    ck_assert_value("2", "SELECT COUNT(*) FROM xqueue_push p JOIN xqueue_live l"
                         " ON l.expires_us < p.expires_us WHERE l.id ="
                         " (SELECT MAX(id) FROM xqueue_live WHERE state = 1)");
}
END_TEST

START_TEST(a_place_whose_lease_is_over_is_lost)
{
    struct push_claim claim = claim_with(2, 2);

    submit_some(5);
    take(2);
    mariadb_run("UPDATE xqueue_push SET expires_us = 1 WHERE id = 1");
    claim.ahead = 1;
    run(&claim, 2);
    ck_assert(!is_kept[0] && is_kept[1]);
    ck_assert_int_eq(claim.items[0].place.number, 1);
    ck_assert_str_ne(claim.items[0].place.key, held[0].key);
    /* Whose it was cannot leave it any more. */
    ck_assert_int_eq(db_run(db, &(struct push_leave){.job.op = &push_leave_op,
                                                     .queue_id = QUEUE,
                                                     .places = held,
                                                     .count = 1}
                                     .job),
                     DB_OK);
    expect_places("1,2");
    /* Nor does it have it again when somebody else has the number. */
    run(&claim, 1);
    ck_assert(!is_kept[0] && is_kept[1]);
}
END_TEST

START_TEST(a_claim_tells_of_places_beyond_the_concurrency)
{
    struct push_claim claim = claim_with(1, 3);

    submit_some(5);
    take(3);
    claim.ahead = 1;
    run(&claim, 1);
    ck_assert_uint_eq(claim.surplus, 2);
    claim.concurrency = 3;
    run(&claim, 1);
    ck_assert_uint_eq(claim.surplus, 0);
}
END_TEST

START_TEST(an_end_leaves_no_place_but_the_one_it_is_told)
{
    struct push_claim claim = push_claim_of(2);
    struct push_end end;

    submit_some(2);
    ck_assert_int_eq(db_run(db, &claim.job), DB_OK);
    end = push_end_of(&claim.items[0], PUSH_GRADED, "grade");
    end.place = (struct push_place){.number = 0};
    ck_assert_int_eq(db_run(db, &end.job), DB_OK);
    expect_places("1,2");
    end = push_end_of(&claim.items[1], PUSH_GRADED, "grade");
    end.place = claim.items[0].place;
    ck_assert_int_eq(db_run(db, &end.job), DB_OK);
    expect_places("2");
}
END_TEST

static void submit_long(size_t size)
{
    static int number;
    struct submission_insert self =
        insert_of(arena_printf(arena, "7:long %d", number++));
    char *body = arena_zalloc(arena, size);

    memset(body, 'b', size);
    self.body = (struct text){body, size};
    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
}

START_TEST(no_more_bytes_are_claimed_than_asked_for)
{
    struct push_claim claim = claim_with(10, 0);

    submit_long(400);
    submit_long(600);
    submit_long(2000);
    submit_long(10);
    claim.most_bytes = 1000;
    run(&claim, 2);
    ck_assert(claim.is_cut);
    ck_assert(!claim.took_all_places);
    expect_places("1,2");
    /* One alone may be longer. */
    run(&claim, 1);
    ck_assert(claim.is_cut);
    ck_assert_uint_eq(claim.items[0].body.size, 2000);
    run(&claim, 1);
    ck_assert(!claim.is_cut);
    expect_places("1,2,3,4");
}
END_TEST

HOT_STORY("push_places", TELL(those_ahead_come_without_a_place),
          TELL(nothing_is_claimed_ahead_without_a_place),
          TELL(idle_places_are_used_before_new_ones),
          TELL(a_place_gets_the_lowest_number_that_is_free),
          TELL(whatever_has_a_row_takes_a_place),
          TELL(kept_places_last_as_long_as_what_is_claimed),
          TELL(a_place_whose_lease_is_over_is_lost),
          TELL(a_claim_tells_of_places_beyond_the_concurrency),
          TELL(an_end_leaves_no_place_but_the_one_it_is_told),
          TELL(no_more_bytes_are_claimed_than_asked_for))
