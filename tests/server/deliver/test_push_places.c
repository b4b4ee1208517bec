/*
 * server/deliver/push_places.c: turns, with tasks that do nothing else.
 */
#include "server/deliver/push_places.h"

#include "server/base/compiler.h"
#include "server/deliver/lanes.h"
#include "server/task/loop.h"
#include "tests/support/story.h"

#include <stdio.h>

enum { COUNT = 4, BYTES = 10, END_MS = 1000, RETRY_AFTER_S = 60 };

struct one {
    struct push_turn turn;
    bool was_called;
};

static struct env env;
static struct arena *arena;
static struct lanes lanes;
static struct lane lane;
static struct places places;
static struct task *tasks[COUNT];
static struct one *ones[COUNT];
static size_t width;
static size_t left;           /* so far */
static int64_t left_until_ms; /* the last ones */

static void no_claim(struct lane *claiming, size_t room)
{
    (void)room;
    lane_claimed(claiming, 0, false);
}

static size_t limit(const struct lane *any)
{
    (void)any;
    return width;
}

static void leave(struct places *any, const struct push_place *list,
                  size_t count, int64_t end_ms)
{
    (void)any;
    (void)list;
    left_until_ms = end_ms;
    left += count;
}

static enum step called(struct task *task)
{
    struct one *one = task->self;

    one->was_called = true;
    return task_wait(task, called);
}

static enum step wait_for_turn(struct task *task)
{
    struct one *one = task->self;

    return push_turn_await(&one->turn, task, called);
}

static enum step end_task(struct task *task)
{
    return task_end(task);
}

static struct push_place place_of(int number)
{
    struct push_place place = {.number = number};

    snprintf(place.key, sizeof place.key, "key %d", number);
    return place;
}

/* A claim brings so many places, and the pushes. */
static void begin(size_t count)
{
    static const struct lane_ops ops = {
        .claim = no_claim,
        .limit = limit,
        .name = "tests",
    };
    size_t listed;
    size_t idle;

    width = 2;
    left = 0;
    arena = arena_new();
    env.loop = loop_new();
    lanes_init(&lanes, env.loop, 8, &ops);
    lane_open(&lanes, &lane, "lane", false);
    places_init(&places, &lane, leave);
    places_claim(&places, arena, &listed, &idle);
    for (int i = 1; i <= (int)count; i++) {
        struct push_place place = place_of(i);

        places_add(&places, &place, END_MS);
    }
    for (size_t i = 0; i < COUNT; i++) {
        tasks[i] = task_new(&env, sizeof(struct one));
        ones[i] = tasks[i]->self;
        ones[i]->turn.places = &places;
        ones[i]->turn.bytes = BYTES;
        ones[i]->turn.lease_end_ms = END_MS;
        task_run(tasks[i], wait_for_turn);
        ck_assert(!ones[i]->was_called);
    }
    places_claimed(&places, 0);
}

static void end(void)
{
    places_recall(&places);
    for (size_t i = 0; i < COUNT; i++) {
        tasks[i]->next = end_task;
        task_resume(tasks[i]);
    }
    places_close(&places);
    lane_close(&lane);
    loop_free(env.loop);
    arena_free(arena);
}

static void expect(size_t number, enum push_turn_state state)
{
    ck_assert_int_eq(ones[number]->turn.state, state);
    ck_assert(ones[number]->was_called == (state != PUSH_TURN_WAITS));
}

START_TEST(a_place_is_handed_on_to_whoever_waits_longest)
{
    begin(1);
    expect(0, PUSH_TURN_HAS_COME);
    expect(1, PUSH_TURN_WAITS);
    ck_assert_uint_eq(places.bytes, 3 * BYTES);
    push_turn_end(&ones[0]->turn);
    ck_assert_int_eq(ones[0]->turn.place.number, 0);
    expect(1, PUSH_TURN_HAS_COME);
    ck_assert_int_eq(ones[1]->turn.place.number, 1);
    expect(2, PUSH_TURN_WAITS);
    ck_assert_uint_eq(left, 0);
    end();
}
END_TEST

START_TEST(the_end_of_the_last_one_leaves_the_place)
{
    begin(2);
    for (size_t i = 0; i < COUNT; i++) {
        expect(i, PUSH_TURN_HAS_COME);
        push_turn_end(&ones[i]->turn);
    }
    ck_assert_int_eq(ones[1]->turn.place.number, 0);
    ck_assert_int_ne(ones[2]->turn.place.number, 0);
    ck_assert_int_ne(ones[3]->turn.place.number, 0);
    ck_assert_uint_eq(places.count, 0);
    ck_assert_uint_eq(left, 0);
    /* Of a second end nothing comes. */
    push_turn_end(&ones[3]->turn);
    ck_assert_int_ne(ones[3]->turn.place.number, 0);
    end();
}
END_TEST

START_TEST(during_a_claim_a_place_stays_for_what_it_brings)
{
    size_t listed;
    size_t idle;

    begin(1);
    for (size_t i = 0; i < COUNT - 1; i++)
        push_turn_end(&ones[i]->turn);
    places_claim(&places, arena, &listed, &idle);
    ck_assert_uint_eq(listed, 1);
    ck_assert_uint_eq(idle, 0);
    push_turn_end(&ones[3]->turn);
    ck_assert_int_eq(ones[3]->turn.place.number, 0);
    ck_assert_uint_eq(places.count, 1);
    places_claim(&places, arena, &listed, &idle);
    ck_assert_uint_eq(idle, 1);
    places_claimed(&places, 0);
    ck_assert_uint_eq(left, 0);
    places_claimed(&places, 0);
    ck_assert_uint_eq(left, 1);
    ck_assert_uint_eq(places.count, 0);
    end();
}
END_TEST

START_TEST(while_a_claim_is_near_a_place_stays_for_a_moment)
{
    begin(1);
    /* There is more, and no room for it just now. */
    lane_claimed(&lane, width, true);
    for (size_t i = 0; i < COUNT; i++)
        push_turn_end(&ones[i]->turn);
    ck_assert_int_eq(ones[3]->turn.place.number, 0);
    ck_assert_uint_eq(places.count, 1);
    ck_assert_uint_eq(left, 0);
    places_look(&places);
    ck_assert_uint_eq(left, 1);
    ck_assert_uint_eq(places.count, 0);
    for (size_t i = 0; i < width; i++)
        lane_done(&lane);
    end();
}
END_TEST

START_TEST(without_any_place_all_go_back)
{
    begin(0);
    for (size_t i = 0; i < COUNT; i++)
        expect(i, PUSH_TURN_GOES_BACK);
    ck_assert_uint_eq(places.bytes, 0);
    end();
}
END_TEST

START_TEST(no_turn_begins_in_a_place_whose_lease_ends_before)
{
    struct push_place place = place_of(1);
    size_t listed;
    size_t idle;

    begin(1);
    ones[1]->turn.lease_end_ms = END_MS + 1;
    places_claim(&places, arena, &listed, &idle);
    push_turn_end(&ones[0]->turn);
    expect(1, PUSH_TURN_WAITS);
    places_keep(&places, &place, END_MS + 1);
    places_claimed(&places, 0);
    expect(1, PUSH_TURN_HAS_COME);
    places_claim(&places, arena, &listed, &idle);
    places_lose(&places, &place);
    push_turn_end(&ones[1]->turn);
    expect(2, PUSH_TURN_WAITS);
    places_claimed(&places, 0);
    expect(2, PUSH_TURN_GOES_BACK);
    expect(3, PUSH_TURN_GOES_BACK);
    end();
}
END_TEST

START_TEST(one_that_was_left_during_a_claim_does_not_come_again)
{
    struct push_place place = place_of(1);
    size_t listed;
    size_t idle;

    begin(1);
    places_claim(&places, arena, &listed, &idle);
    places.surplus = 1;
    push_turn_end(&ones[0]->turn);
    ck_assert_int_eq(ones[0]->turn.place.number, 1);
    places_keep(&places, &place, END_MS);
    places_lose(&places, &place);
    ck_assert_uint_eq(places.count, 0);
    places_claimed(&places, 0);
    expect(1, PUSH_TURN_GOES_BACK);
    end();
}
END_TEST

START_TEST(of_too_many_places_some_are_not_handed_on)
{
    begin(2);
    places.surplus = 1;
    push_turn_end(&ones[0]->turn);
    ck_assert_int_ne(ones[0]->turn.place.number, 0);
    expect(2, PUSH_TURN_WAITS);
    push_turn_end(&ones[1]->turn);
    expect(2, PUSH_TURN_HAS_COME);
    expect(3, PUSH_TURN_WAITS);
    end();
}
END_TEST

START_TEST(a_lower_limit_counts_at_once)
{
    begin(2);
    width = 1;
    push_turn_end(&ones[0]->turn);
    ck_assert_int_ne(ones[0]->turn.place.number, 0);
    expect(2, PUSH_TURN_WAITS);
    push_turn_end(&ones[1]->turn);
    expect(2, PUSH_TURN_HAS_COME);
    end();
}
END_TEST

START_TEST(nobody_waits_for_a_grader_that_is_left_alone)
{
    begin(1);
    lane_failed(&lane, RETRY_AFTER_S);
    places_drain(&places);
    for (size_t i = 1; i < COUNT; i++)
        expect(i, PUSH_TURN_GOES_BACK);
    push_turn_end(&ones[0]->turn);
    ck_assert_int_eq(ones[0]->turn.place.number, 1);
    end();
}
END_TEST

START_TEST(nobody_waits_when_all_stops)
{
    begin(1);
    lanes_stop(&lanes);
    push_turn_end(&ones[0]->turn);
    expect(1, PUSH_TURN_GOES_BACK);
    ck_assert_int_eq(ones[0]->turn.place.number, 1);
    end();
}
END_TEST

/* Kept for a claim that will not come any more. */
START_TEST(an_idle_place_is_left_when_all_stops)
{
    begin(1);
    lane_claimed(&lane, width, true);
    for (size_t i = 0; i < COUNT; i++)
        push_turn_end(&ones[i]->turn);
    ck_assert_uint_eq(places.count, 1);
    lanes_stop(&lanes);
    places_drain(&places);
    ck_assert_uint_eq(left, 1);
    ck_assert_int_eq(left_until_ms, END_MS);
    for (size_t i = 0; i < width; i++)
        lane_done(&lane);
    end();
}
END_TEST

START_TEST(one_that_has_waited_for_long_goes_back)
{
    begin(1);
    ones[1]->turn.began_ms -= 60000;
    places_drain(&places);
    expect(1, PUSH_TURN_GOES_BACK);
    expect(2, PUSH_TURN_WAITS);
    end();
}
END_TEST

/* Until the grader answers again: the next ones would only wait, too. */
START_TEST(when_one_has_waited_for_long_none_is_taken_ahead)
{
    begin(1);
    push_turn_took(&ones[0]->turn, 2);
    ck_assert_uint_eq(places_ahead(&places, 1), 96);
    ones[1]->turn.began_ms -= 60000;
    places_drain(&places);
    ck_assert_uint_eq(places_ahead(&places, 1), 0);
    push_turn_took(&ones[0]->turn, 2);
    ck_assert_uint_eq(places_ahead(&places, 1), 96);
    end();
}
END_TEST

START_TEST(how_many_wait_depends_on_how_long_the_grader_takes)
{
    begin(1);
    ck_assert_uint_eq(places_ahead(&places, 16), 0);
    push_turn_took(&ones[0]->turn, 0);
    ck_assert_uint_eq(places_ahead(&places, 1), 96);
    for (int i = 0; i < 100; i++)
        push_turn_took(&ones[0]->turn, 100);
    ck_assert_uint_eq(places_ahead(&places, 1), 2);
    ck_assert_uint_eq(places_ahead(&places, 16), 32);
    for (int i = 0; i < 100; i++)
        push_turn_took(&ones[0]->turn, 1000);
    ck_assert_uint_eq(places_ahead(&places, 1), 0);
    places.took_us = 0;
    places.bytes = 8 * 1024 * 1024;
    ck_assert_uint_eq(places_ahead(&places, 1), 0);
    end();
}
END_TEST

STORY("push_places", TELL(a_place_is_handed_on_to_whoever_waits_longest),
      TELL(the_end_of_the_last_one_leaves_the_place),
      TELL(during_a_claim_a_place_stays_for_what_it_brings),
      TELL(while_a_claim_is_near_a_place_stays_for_a_moment),
      TELL(without_any_place_all_go_back),
      TELL(no_turn_begins_in_a_place_whose_lease_ends_before),
      TELL(one_that_was_left_during_a_claim_does_not_come_again),
      TELL(of_too_many_places_some_are_not_handed_on),
      TELL(a_lower_limit_counts_at_once),
      TELL(nobody_waits_for_a_grader_that_is_left_alone),
      TELL(nobody_waits_when_all_stops),
      TELL(an_idle_place_is_left_when_all_stops),
      TELL(one_that_has_waited_for_long_goes_back),
      TELL(when_one_has_waited_for_long_none_is_taken_ahead),
      TELL(how_many_wait_depends_on_how_long_the_grader_takes))
