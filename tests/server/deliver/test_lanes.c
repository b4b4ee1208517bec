/*
 * server/deliver/lanes.c, on a real loop; the test is the database and the
 * peers.
 */
#include "server/deliver/lanes.h"

#include "server/base/clock.h"
#include "server/base/compiler.h"
#include "server/task/loop.h"
#include "tests/support/story.h"

#include <event2/event.h>

enum { AT_ONCE = 8, DEADLINE_S = 20 };

/* A lane and its part of the database. */
struct line {
    struct lane lane;
    size_t limit;
    size_t ahead;
    size_t waiting;   /* in the database */
    size_t claims;    /* that have begun */
    size_t room;      /* of the newest claim */
    bool answers_now; /* a claim ends before it has begun */
};

static struct loop *loop;
static struct lanes lanes;
static struct line a;
static struct line b;
static struct line c;

static struct line *line_of(struct lane *lane)
{
    return CONTAINER_OF(lane, struct line, lane);
}

/* The claim under way ends with what there is. */
static size_t answer(struct line *line)
{
    size_t count = line->waiting < line->room ? line->waiting : line->room;

    line->waiting -= count;
    lane_claimed(&line->lane, count, count == line->room);
    return count;
}

static void begin_claim(struct lane *lane, size_t room)
{
    struct line *line = line_of(lane);

    ck_assert_uint_gt(room, 0);
    line->claims++;
    line->room = room;
    if (line->answers_now)
        answer(line);
}

static size_t limit(const struct lane *lane)
{
    return CONTAINER_OF(lane, const struct line, lane)->limit;
}

static size_t ahead(const struct lane *lane)
{
    return CONTAINER_OF(lane, const struct line, lane)->ahead;
}

static void begin(void)
{
    static const struct lane_ops ops = {
        .claim = begin_claim,
        .limit = limit,
        .ahead = ahead,
        .name = "tests",
    };

    loop = loop_new();
    lanes_init(&lanes, loop, AT_ONCE, &ops);
    a.limit = b.limit = c.limit = 3;
    lane_open(&lanes, &a.lane, "a", false);
    lane_open(&lanes, &b.lane, "b", false);
    lane_open(&lanes, &c.lane, "c", false);
}

static void end(void)
{
    lane_close(&a.lane);
    lane_close(&b.lane);
    lane_close(&c.lane);
    loop_free(loop);
}

static void too_late(void *context)
{
    (void)context;
    ck_abort_msg("nothing happens");
}

/* Run the loop until so many claims of the line have begun; how long it took.
 */
static int64_t wait_for_claims(const struct line *line, size_t count)
{
    struct loop_timer *deadline = loop_timer_new(loop, too_late, NULL);
    int64_t before_ms = clock_monotonic_ms();

    loop_timer_set(deadline, DEADLINE_S * 1000);
    while (line->claims < count)
        event_base_loop(loop_base(loop), EVLOOP_ONCE);
    loop_timer_free(deadline);
    ck_assert_uint_eq(line->claims, count);
    return clock_monotonic_ms() - before_ms;
}

static void finish(struct line *line, size_t count)
{
    for (size_t i = 0; i < count; i++)
        lane_done(&line->lane);
}

/* What is under way and claimed, of all. */
static void expect_busy(size_t in_flight, size_t claiming)
{
    ck_assert_uint_eq(lanes.in_flight, in_flight);
    ck_assert_uint_eq(lanes.claiming, claiming);
}

START_TEST(a_nudge_claims_as_much_as_the_limit_allows)
{
    lane_nudge(&a.lane);
    ck_assert_uint_eq(a.claims, 1);
    ck_assert_uint_eq(a.room, 3);
    expect_busy(0, 3);
}
END_TEST

START_TEST(there_is_one_claim_at_a_time)
{
    lane_nudge(&a.lane);
    lane_nudge(&a.lane);
    ck_assert_uint_eq(a.claims, 1);
    answer(&a);
    ck_assert_uint_eq(a.claims, 2);
    answer(&a);
    ck_assert_uint_eq(a.claims, 2);
}
END_TEST

START_TEST(an_empty_claim_is_the_last)
{
    lane_nudge(&a.lane);
    answer(&a);
    ck_assert_uint_eq(a.claims, 1);
    expect_busy(0, 0);
    ck_assert(lane_is_idle(&a.lane));
}
END_TEST

START_TEST(a_full_claim_is_followed_by_another_when_there_is_room)
{
    a.waiting = 4;
    lane_nudge(&a.lane);
    ck_assert_uint_eq(answer(&a), 3);
    ck_assert_uint_eq(a.claims, 1);
    finish(&a, 3);
    wait_for_claims(&a, 2);
    ck_assert_uint_eq(answer(&a), 1);
    finish(&a, 1);
    ck_assert_uint_eq(a.claims, 2);
    ck_assert(lane_is_idle(&a.lane));
}
END_TEST

/* The claim under way ends: what there is has all places, ours or others'. */
static void answer_with_all_places(struct line *line, size_t count)
{
    lane_claimed_all_places(&line->lane, count);
}

START_TEST(while_others_have_the_places_each_end_makes_a_claim)
{
    lane_nudge(&a.lane);
    answer_with_all_places(&a, 2);
    ck_assert_uint_eq(a.claims, 1);
    lane_succeeded(&a.lane);
    ck_assert_uint_eq(a.claims, 1);
    finish(&a, 1);
    ck_assert_uint_eq(a.claims, 2);
    answer_with_all_places(&a, 0);
    ck_assert_uint_eq(a.claims, 2);
    finish(&a, 1);
    ck_assert_uint_eq(a.claims, 3);
    answer_with_all_places(&a, 0);
    ck_assert_uint_eq(a.claims, 3);
    ck_assert(lane_is_idle(&a.lane));
}
END_TEST

START_TEST(a_place_that_was_freed_during_a_claim_makes_another)
{
    lane_nudge(&a.lane);
    answer_with_all_places(&a, 1);
    lane_nudge(&a.lane);
    ck_assert_uint_eq(a.claims, 2);
    finish(&a, 1);
    answer_with_all_places(&a, 0);
    ck_assert_uint_eq(a.claims, 3);
    answer_with_all_places(&a, 0);
    ck_assert_uint_eq(a.claims, 3);
}
END_TEST

START_TEST(those_that_end_together_make_one_claim)
{
    a.limit = 4;
    a.waiting = 100;
    lane_nudge(&a.lane);
    answer(&a);
    finish(&a, 1);
    ck_assert_uint_eq(a.claims, 1);
    finish(&a, 1);
    wait_for_claims(&a, 2);
    ck_assert_uint_eq(a.room, 2);
    expect_busy(2, 2);
}
END_TEST

START_TEST(nobody_gets_more_than_half)
{
    a.limit = 100;
    a.waiting = 100;
    lane_nudge(&a.lane);
    ck_assert_uint_eq(a.room, AT_ONCE / 2);
}
END_TEST

START_TEST(all_together_get_no_more_than_there_is)
{
    a.waiting = b.waiting = c.waiting = 100;
    lane_nudge(&a.lane);
    lane_nudge(&b.lane);
    lane_nudge(&c.lane);
    ck_assert_uint_eq(a.room, 3);
    ck_assert_uint_eq(b.room, 3);
    ck_assert_uint_eq(c.room, 2);
    expect_busy(0, AT_ONCE);
    answer(&a);
    answer(&b);
    answer(&c);
    expect_busy(AT_ONCE, 0);
}
END_TEST

START_TEST(who_found_no_room_comes_before_who_had_some)
{
    a.limit = b.limit = 4;
    a.waiting = b.waiting = c.waiting = 100;
    lane_nudge(&a.lane);
    lane_nudge(&b.lane);
    answer(&a);
    answer(&b);
    lane_nudge(&c.lane);
    ck_assert_uint_eq(c.claims, 0);
    finish(&a, 1);
    ck_assert_uint_eq(c.claims, 1);
    ck_assert_uint_eq(c.room, 1);
    ck_assert_uint_eq(a.claims, 1);
}
END_TEST

START_TEST(what_a_claim_does_not_use_others_may)
{
    a.limit = b.limit = 4;
    c.waiting = 1;
    lane_nudge(&a.lane);
    lane_nudge(&b.lane);
    lane_nudge(&c.lane);
    ck_assert_uint_eq(c.claims, 0);
    answer(&a);
    ck_assert_uint_eq(c.claims, 1);
    ck_assert_uint_eq(c.room, 3);
}
END_TEST

START_TEST(a_claim_may_end_before_it_has_begun)
{
    a.answers_now = true;
    a.waiting = 5;
    lane_nudge(&a.lane);
    ck_assert_uint_eq(a.claims, 1);
    expect_busy(3, 0);
    finish(&a, 2);
    wait_for_claims(&a, 2);
    expect_busy(3, 0);
}
END_TEST

START_TEST(a_careful_lane_claims_one_until_an_answer_is_heard)
{
    lane_close(&a.lane);
    lane_open(&lanes, &a.lane, "a", true);
    a.waiting = 100;
    lane_nudge(&a.lane);
    ck_assert_uint_eq(a.room, 1);
    answer(&a);
    ck_assert_uint_eq(a.claims, 1);
    lane_succeeded(&a.lane);
    wait_for_claims(&a, 2);
    ck_assert_uint_eq(a.room, 2);
}
END_TEST

START_TEST(a_sick_lane_is_careful)
{
    a.waiting = 100;
    lane_nudge(&a.lane);
    answer(&a);
    lane_failed(&a.lane, 0);
    finish(&a, 1);
    finish(&a, 1);
    ck_assert_uint_eq(a.claims, 1);
    finish(&a, 1);
    ck_assert_uint_eq(a.claims, 2);
    ck_assert_uint_eq(a.room, 1);
}
END_TEST

/* What it asks for is a second, our own first time would be five. */
START_TEST(nothing_is_claimed_while_it_is_open_and_one_when_it_no_longer_is)
{
    int64_t took_ms;

    a.waiting = 100;
    lane_nudge(&a.lane);
    answer(&a);
    lane_failed(&a.lane, 1);
    finish(&a, 3);
    lane_nudge(&a.lane);
    lane_nudge_later(&a.lane, 20);
    ck_assert_uint_eq(a.claims, 1);
    ck_assert(!lane_is_idle(&a.lane));
    took_ms = wait_for_claims(&a, 2);
    ck_assert_int_ge(took_ms, 990);
    ck_assert_int_lt(took_ms, 4000);
    ck_assert_uint_eq(a.room, 1);
    answer(&a);
    lane_succeeded(&a.lane);
    wait_for_claims(&a, 3);
    ck_assert_uint_eq(a.room, 2);
}
END_TEST

START_TEST(five_failures_running_open_it)
{
    a.answers_now = true;
    a.waiting = 100;
    a.limit = 1;
    lane_nudge(&a.lane);
    for (int i = 0; i < 5; i++) {
        lane_failed(&a.lane, 0);
        finish(&a, 1);
    }
    ck_assert_uint_eq(a.claims, 5);
    expect_busy(0, 0);
    ck_assert_int_ge(wait_for_claims(&a, 6), 3900);
}
END_TEST

START_TEST(one_that_is_open_takes_no_room)
{
    a.limit = b.limit = 4;
    a.waiting = b.waiting = c.waiting = 100;
    lane_nudge(&a.lane);
    lane_nudge(&b.lane);
    answer(&a);
    answer(&b);
    lane_nudge(&c.lane);
    lane_failed(&a.lane, 100);
    finish(&a, 4);
    ck_assert_uint_eq(a.claims, 1);
    ck_assert_uint_eq(c.claims, 1);
    answer(&c);
    wait_for_claims(&c, 2);
    ck_assert_uint_eq(c.room, 2);
}
END_TEST

START_TEST(of_two_times_to_come_the_sooner_counts)
{
    int64_t took_ms;

    lane_nudge_later(&a.lane, 10000);
    lane_nudge_later(&a.lane, 50);
    lane_nudge_later(&a.lane, 15000);
    ck_assert_uint_eq(a.claims, 0);
    took_ms = wait_for_claims(&a, 1);
    ck_assert_int_ge(took_ms, 45);
    ck_assert_int_lt(took_ms, 9000);
}
END_TEST

START_TEST(a_time_that_has_come_is_now)
{
    lane_nudge_later(&a.lane, 0);
    ck_assert_uint_eq(a.claims, 1);
}
END_TEST

START_TEST(with_a_limit_of_zero_nothing_is_claimed_sick_or_not)
{
    a.limit = 0;
    lane_nudge(&a.lane);
    lane_failed(&a.lane, 0);
    lane_nudge(&a.lane);
    ck_assert_uint_eq(a.claims, 0);
    ck_assert(lane_is_idle(&a.lane));
}
END_TEST

START_TEST(once_stopped_nothing_is_claimed_and_the_rest_may_end)
{
    a.waiting = 100;
    lane_nudge(&a.lane);
    answer(&a);
    lane_nudge(&b.lane);
    lane_nudge_later(&c.lane, 1);
    lanes_stop(&lanes);
    answer(&b);
    finish(&a, 3);
    lane_nudge(&c.lane);
    lane_nudge_later(&c.lane, 1);
    expect_busy(0, 0);
    ck_assert_int_eq(event_base_loop(loop_base(loop), EVLOOP_NONBLOCK), 1);
    ck_assert_uint_eq(a.claims, 1);
    ck_assert_uint_eq(c.claims, 0);
}
END_TEST

START_TEST(some_are_claimed_ahead_of_a_peer_that_is_well)
{
    a.limit = 2;
    a.ahead = 1;
    lane_nudge(&a.lane);
    ck_assert_uint_eq(a.room, 3);
    ck_assert_uint_eq(lane_width(&a.lane), 2);
}
END_TEST

START_TEST(what_is_claimed_ahead_takes_no_place_from_others)
{
    a.limit = b.limit = c.limit = 2;
    a.ahead = b.ahead = c.ahead = 5;
    a.waiting = b.waiting = c.waiting = 100;
    lane_nudge(&a.lane);
    answer(&a);
    lane_nudge(&b.lane);
    answer(&b);
    expect_busy(6, 0); /* two of a wait, none of b */
    lane_nudge(&c.lane);
    ck_assert_uint_eq(c.claims, 1);
    ck_assert_uint_eq(c.room, 2);
}
END_TEST

START_TEST(none_are_claimed_ahead_of_a_peer_that_may_not_be)
{
    a.limit = 2;
    a.ahead = 1;
    lane_failed(&a.lane, 0);
    lane_nudge(&a.lane);
    ck_assert_uint_eq(a.room, 1);
    ck_assert_uint_eq(lane_width(&a.lane), 1);
    lane_failed(&a.lane, 100);
    ck_assert_uint_eq(lane_width(&a.lane), 0);
}
END_TEST

START_TEST(a_claim_is_expected_while_there_may_be_more)
{
    a.waiting = 4;
    ck_assert(!lane_expects_claim(&a.lane));
    lane_nudge(&a.lane);
    answer(&a);
    ck_assert(lane_expects_claim(&a.lane));
    lane_failed(&a.lane, 100);
    ck_assert(!lane_expects_claim(&a.lane));
    lane_succeeded(&a.lane);
    ck_assert(lane_expects_claim(&a.lane));
    lanes_stop(&lanes);
    ck_assert(!lane_expects_claim(&a.lane));
}
END_TEST

START_TEST(a_long_name_is_cut)
{
    lane_set_name(&a.lane,
                  text_of("http://a-host-with-a-name-of-more-than-sixty-three-"
                          "characters.example.org:8000"));
    ck_assert_str_eq(a.lane.name,
                     "http://a-host-with-a-name-of-more-than-sixty-three-"
                     "characters.e");
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(a_nudge_claims_as_much_as_the_limit_allows),
        TELL(there_is_one_claim_at_a_time),
        TELL(an_empty_claim_is_the_last),
        TELL(a_full_claim_is_followed_by_another_when_there_is_room),
        TELL(while_others_have_the_places_each_end_makes_a_claim),
        TELL(a_place_that_was_freed_during_a_claim_makes_another),
        TELL(those_that_end_together_make_one_claim),
        TELL(nobody_gets_more_than_half),
        TELL(all_together_get_no_more_than_there_is),
        TELL(who_found_no_room_comes_before_who_had_some),
        TELL(what_a_claim_does_not_use_others_may),
        TELL(a_claim_may_end_before_it_has_begun),
        TELL(a_careful_lane_claims_one_until_an_answer_is_heard),
        TELL(a_sick_lane_is_careful),
        TELL(nothing_is_claimed_while_it_is_open_and_one_when_it_no_longer_is),
        TELL(five_failures_running_open_it),
        TELL(one_that_is_open_takes_no_room),
        TELL(of_two_times_to_come_the_sooner_counts),
        TELL(a_time_that_has_come_is_now),
        TELL(with_a_limit_of_zero_nothing_is_claimed_sick_or_not),
        TELL(once_stopped_nothing_is_claimed_and_the_rest_may_end),
        TELL(some_are_claimed_ahead_of_a_peer_that_is_well),
        TELL(what_is_claimed_ahead_takes_no_place_from_others),
        TELL(none_are_claimed_ahead_of_a_peer_that_may_not_be),
        TELL(a_claim_is_expected_while_there_may_be_more),
        TELL(a_long_name_is_cut),
    };
    static const struct story story = {
        .name = "lanes",
        .tests = tests,
        .count = ARRAY_LENGTH(tests),
        .before_each = begin,
        .after_each = end,
    };

    return story_run(&story);
}
