/*
 * server/deliver/callback_line.c: turns, with tasks that do nothing else.
 */
#include "server/deliver/callback_line.h"

#include "server/base/compiler.h"
#include "server/deliver/lanes.h"
#include "server/task/loop.h"
#include "tests/support/story.h"

enum { COUNT = 4, LIMIT = 2, BYTES = 10 };

struct one {
    struct callback_turn turn;
    bool was_called;
};

static struct env env;
static struct lanes lanes;
static struct lane lane;
static struct callback_line line;
static struct task *tasks[COUNT];
static struct one *ones[COUNT];

static void no_claim(struct lane *claiming, size_t room)
{
    (void)room;
    lane_claimed(claiming, 0, false);
}

static size_t limit(const struct lane *any)
{
    (void)any;
    return LIMIT;
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

    return callback_turn_await(&one->turn, task, called);
}

static enum step end_task(struct task *task)
{
    return task_end(task);
}

static void begin(void)
{
    static const struct lane_ops ops = {
        .claim = no_claim,
        .limit = limit,
        .name = "tests",
    };

    env.loop = loop_new();
    lanes_init(&lanes, env.loop, 8, &ops);
    lane_open(&lanes, &lane, "lane", false);
    callback_line_init(&line, &lane);
    for (size_t i = 0; i < COUNT; i++) {
        tasks[i] = task_new(&env, sizeof(struct one));
        ones[i] = tasks[i]->self;
        ones[i]->turn.line = &line;
        ones[i]->turn.bytes = BYTES;
        task_run(tasks[i], wait_for_turn);
    }
}

static void end(void)
{
    callback_line_recall(&line);
    for (size_t i = 0; i < COUNT; i++) {
        tasks[i]->next = end_task;
        task_resume(tasks[i]);
    }
    lane_close(&lane);
    loop_free(env.loop);
}

static void expect(size_t number, enum callback_turn_state state)
{
    ck_assert_int_eq(ones[number]->turn.state, state);
    ck_assert_int_eq(ones[number]->was_called, state != CALLBACK_TURN_WAITS);
}

START_TEST(so_many_as_the_limit_allows_have_their_turn)
{
    expect(0, CALLBACK_TURN_HAS_COME);
    expect(1, CALLBACK_TURN_HAS_COME);
    expect(2, CALLBACK_TURN_WAITS);
    expect(3, CALLBACK_TURN_WAITS);
    ck_assert_uint_eq(line.posting, LIMIT);
    ck_assert_uint_eq(line.bytes, 2 * BYTES);
}
END_TEST

START_TEST(who_came_first_follows_one_that_has_ended)
{
    callback_turn_end(&ones[1]->turn);
    expect(2, CALLBACK_TURN_HAS_COME);
    expect(3, CALLBACK_TURN_WAITS);
    ck_assert_uint_eq(line.posting, LIMIT);
    ck_assert_uint_eq(line.bytes, BYTES);
}
END_TEST

START_TEST(behind_a_failure_they_go_one_by_one)
{
    lane_failed(&lane, 0);
    callback_turn_end(&ones[0]->turn);
    expect(2, CALLBACK_TURN_WAITS);
    callback_turn_end(&ones[1]->turn);
    expect(2, CALLBACK_TURN_HAS_COME);
    expect(3, CALLBACK_TURN_WAITS);
}
END_TEST

START_TEST(when_the_breaker_opens_all_that_wait_go_back)
{
    lane_failed(&lane, 100);
    callback_turn_end(&ones[0]->turn);
    expect(1, CALLBACK_TURN_HAS_COME);
    expect(2, CALLBACK_TURN_GOES_BACK);
    expect(3, CALLBACK_TURN_GOES_BACK);
    ck_assert_uint_eq(line.posting, 1);
    ck_assert_uint_eq(line.bytes, 0);
}
END_TEST

START_TEST(who_has_waited_too_long_goes_back)
{
    ones[2]->turn.began_ms -= CALLBACK_LINE_MS + 1;
    callback_turn_end(&ones[0]->turn);
    expect(2, CALLBACK_TURN_GOES_BACK);
    expect(3, CALLBACK_TURN_HAS_COME);
}
END_TEST

START_TEST(those_that_are_recalled_go_back_and_the_others_go_on)
{
    callback_line_recall(&line);
    expect(1, CALLBACK_TURN_HAS_COME);
    expect(2, CALLBACK_TURN_GOES_BACK);
    expect(3, CALLBACK_TURN_GOES_BACK);
    callback_turn_end(&ones[0]->turn);
    ck_assert_uint_eq(line.posting, 1);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(so_many_as_the_limit_allows_have_their_turn),
        TELL(who_came_first_follows_one_that_has_ended),
        TELL(behind_a_failure_they_go_one_by_one),
        TELL(when_the_breaker_opens_all_that_wait_go_back),
        TELL(who_has_waited_too_long_goes_back),
        TELL(those_that_are_recalled_go_back_and_the_others_go_on),
    };
    static const struct story story = {
        .name = "callback_line",
        .tests = tests,
        .count = ARRAY_LENGTH(tests),
        .before_each = begin,
        .after_each = end,
    };

    return story_run(&story);
}
