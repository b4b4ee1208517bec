#include "server/task/task.h"

#include "server/base/clock.h"
#include "server/config/config.h"
#include "server/task/database.h"
#include "server/task/loop.h"
#include "tests/support/story.h"

#include <stdio.h>
#include <string.h>

/* A job that no thread ever runs. */
static const struct db_op some_op = {
    .kind = DB_OP_KIND("some", 1, 0),
};

struct notes {
    int count;
    struct db_job job;
};

static struct env env;
static char told[64]; /* by the steps */

static void begin(void)
{
    env.loop = loop_new();
}

static void end(void)
{
    ck_assert_uint_eq(env.tasks, 0);
    loop_free(env.loop);
}

static struct task *new_task(void)
{
    return task_new(&env, sizeof(struct notes));
}

static void tell(const char *words)
{
    size_t size = strlen(told);

    snprintf(told + size, sizeof told - size, "%s", words);
}

static enum step last(struct task *task)
{
    tell("last ");
    return task_end(task);
}

static enum step second(struct task *task)
{
    tell("second ");
    return task_wait(task, last);
}

static enum step first(struct task *task)
{
    tell("first ");
    return task_wait(task, second);
}

START_TEST(a_task_goes_on_when_it_is_resumed)
{
    struct task *task = new_task();

    ck_assert_str_eq(told, "");
    task_run(task, first);
    ck_assert_str_eq(told, "first ");
    task_resume(task);
    ck_assert_str_eq(told, "first second ");
    ck_assert_uint_eq(env.tasks, 1);
    task_resume(task);
    ck_assert_str_eq(told, "first second last ");
}
END_TEST

START_TEST(a_task_may_end_with_its_first_step)
{
    task_run(new_task(), last);
    ck_assert_str_eq(told, "last ");
}
END_TEST

static enum step resumed_at_once(struct task *task)
{
    enum step step = task_wait(task, second);

    tell("[");
    task_resume(task);
    tell("] ");
    return step;
}

START_TEST(a_wait_that_is_over_at_once_does_not_nest_steps)
{
    struct task *task = new_task();

    task_run(task, resumed_at_once);
    ck_assert_str_eq(told, "[] second ");
    task_resume(task);
    ck_assert_str_eq(told, "[] second last ");
}
END_TEST

static enum step count_down(struct task *task)
{
    struct notes *self = task->self;
    enum step step;

    if (self->count++ == 200000)
        return task_end(task);
    step = task_wait(task, count_down);
    task_resume(task);
    return step;
}

START_TEST(very_many_instant_waits_need_no_stack)
{
    task_run(new_task(), count_down);
}
END_TEST

START_TEST(a_task_begins_with_cleared_memory_and_a_number)
{
    struct task *one = task_new(&env, 1000);
    struct task *other = task_new(&env, 1000);
    const char cleared[1000] = {0};

    ck_assert_mem_eq(one->self, cleared, sizeof cleared);
    ck_assert_uint_eq(other->number, one->number + 1);
    ck_assert_uint_eq(env.tasks, 2);
    task_run(one, last);
    task_run(other, last);
}
END_TEST

static void tell_release(void *words)
{
    tell(words);
}

START_TEST(what_a_task_made_goes_with_it)
{
    struct task *task = new_task();
    char words[] = "released ";

    arena_defer(task->arena, tell_release, words);
    task_run(task, first);
    task_resume(task);
    ck_assert_str_eq(told, "first second ");
    task_resume(task);
    ck_assert_str_eq(told, "first second last released ");
}
END_TEST

static enum step stop_the_loop(struct task *task)
{
    loop_stop(task->env->loop);
    return task_end(task);
}

static enum step await_more_time(struct task *task)
{
    tell("waited ");
    return task_await_time(task, 50, stop_the_loop);
}

static enum step await_time(struct task *task)
{
    return task_await_time(task, 50, await_more_time);
}

/* libevent's clock has ticks of up to 10 ms, by which each may be short. */
START_TEST(time_can_be_awaited_again_and_again)
{
    int64_t before_ms = clock_monotonic_ms();

    task_run(new_task(), await_time);
    ck_assert_str_eq(told, "");
    loop_run(env.loop);
    ck_assert_str_eq(told, "waited ");
    ck_assert_int_ge(clock_monotonic_ms() - before_ms, 80);
}
END_TEST

static enum step no_time(struct task *task)
{
    return task_await_time(task, 0, stop_the_loop);
}

START_TEST(no_time_at_all_is_awaited_on_the_loop)
{
    task_run(new_task(), no_time);
    ck_assert_uint_eq(env.tasks, 1);
    loop_run(env.loop);
}
END_TEST

static enum step look_at_job(struct task *task)
{
    const struct notes *self = task->self;

    if (self->job.status == DB_AWAY)
        tell("away ");
    return task_end(task);
}

static enum step ask_database(struct task *task)
{
    struct notes *self = task->self;
    enum step step =
        task_await_database(task, &self->job, &some_op, look_at_job);

    tell("asked ");
    return step;
}

START_TEST(a_database_that_is_away_answers_at_once)
{
    struct buffer messages = {NULL, 0, 0};
    struct config *config = config_load_text(
        text_of("DB_SOCKET: /nowhere/socket\nDB_CONNECTIONS: 1\n"), "test",
        NULL, 0, &messages);

    ck_assert_ptr_nonnull(config);
    env.database = database_start(env.loop, config);
    task_run(new_task(), ask_database);
    ck_assert_str_eq(told, "asked away ");
    database_stop(env.database);
    config_free(config);
    buffer_free(&messages);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(a_task_goes_on_when_it_is_resumed),
        TELL(a_task_may_end_with_its_first_step),
        TELL(a_wait_that_is_over_at_once_does_not_nest_steps),
        TELL(very_many_instant_waits_need_no_stack),
        TELL(a_task_begins_with_cleared_memory_and_a_number),
        TELL(what_a_task_made_goes_with_it),
        TELL(time_can_be_awaited_again_and_again),
        TELL(no_time_at_all_is_awaited_on_the_loop),
        TELL(a_database_that_is_away_answers_at_once),
    };
    static const struct story story = {
        .name = "tasks",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_each = begin,
        .after_each = end,
    };

    return story_run(&story);
}
