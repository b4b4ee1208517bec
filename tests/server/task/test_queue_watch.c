/*
 * What is known of empty queues, with a database that answers when the test
 * says so.
 */
#include "server/task/queue_watch.h"

#include "db/queue.h"
#include "server/base/clock.h"
#include "tests/support/story.h"

enum { QUEUE = 7, OTHER_QUEUE = 3, MOST_LOOKS = 8 };

struct notes {
    struct queue_question question;
    bool *ret_told;
    bool *ret_empty;
    bool *ret_failed;
};

/* Of one who asks. */
struct grader {
    struct queue_question *question; /* while the task lives */
    struct task *task;
    bool told;
    bool empty;
    bool failed;
};

static struct env env;
static struct queue_watch *watch;
static struct db_job *looks[MOST_LOOKS];
static size_t look_count; /* begun so far */

static void hold(struct database *database, struct db_job *job)
{
    (void)database;
    ck_assert_uint_lt(look_count, MOST_LOOKS);
    looks[look_count++] = job;
}

static void begin(void)
{
    watch = queue_watch_new(hold, NULL);
}

static void end(void)
{
    queue_watch_free(watch);
}

static enum step stay(struct task *task)
{
    return task_end(task);
}

static enum step answered(struct task *task)
{
    struct notes *notes = task->self;

    *notes->ret_told = true;
    *notes->ret_failed = notes->question.job.status != DB_OK;
    *notes->ret_empty = notes->question.is_empty;
    return task_wait(task, stay);
}

static enum step ask(struct task *task)
{
    struct notes *notes = task->self;

    return queue_watch_ask(watch, task, &notes->question, answered);
}

static void come(struct grader *grader, int64_t queue_id)
{
    struct task *task = task_new(&env, sizeof(struct notes));
    struct notes *notes = task->self;

    *grader = (struct grader){.question = &notes->question, .task = task};
    notes->question.queue_id = queue_id;
    notes->ret_told = &grader->told;
    notes->ret_empty = &grader->empty;
    notes->ret_failed = &grader->failed;
    task_run(task, ask);
}

static void leave(struct grader *grader)
{
    task_resume(grader->task);
}

static void answer(size_t look, enum db_status status, bool waiting)
{
    struct db_job *job = looks[look];
    struct queue_look *op = CONTAINER_OF(job, struct queue_look, job);

    job->status = status;
    op->ret_waiting[0] = waiting;
    job->done(job);
}

#define expect_told(grader, expected)                                          \
    do {                                                                       \
        ck_assert((grader)->told);                                             \
        ck_assert(!(grader)->failed);                                          \
        ck_assert_int_eq((grader)->empty, (expected));                         \
    } while (0)

enum { MAY_WAIT = false, IS_EMPTY = true };

/* One who comes, is told at once, and goes. */
static bool is_known_to_be_empty(void)
{
    struct grader grader;

    come(&grader, QUEUE);
    ck_assert(grader.told);
    leave(&grader);
    return grader.empty;
}

/* To a watch that knows nothing. */
static void find_empty(void)
{
    struct grader grader;
    size_t look = look_count;

    come(&grader, QUEUE);
    ck_assert_uint_eq(look_count, look + 1);
    answer(look, DB_OK, false);
    expect_told(&grader, IS_EMPTY);
    leave(&grader);
}

START_TEST(all_who_ask_at_once_share_a_look)
{
    struct grader graders[5];

    begin();
    for (size_t i = 0; i < 5; i++)
        come(&graders[i], QUEUE);
    ck_assert_uint_eq(look_count, 1);
    ck_assert(!graders[0].told);
    answer(0, DB_OK, false);
    for (size_t i = 0; i < 5; i++) {
        expect_told(&graders[i], IS_EMPTY);
        leave(&graders[i]);
    }
    end();
}
END_TEST

START_TEST(an_empty_queue_is_looked_at_again_after_a_while)
{
    struct grader grader;
    int64_t began_ms = clock_monotonic_ms();

    begin();
    find_empty();
    while (look_count == 1) {
        come(&grader, QUEUE);
        if (look_count == 1)
            leave(&grader);
    }
    ck_assert_int_ge(clock_monotonic_ms() - began_ms, QUEUE_WATCH_MS);
    ck_assert_int_lt(clock_monotonic_ms() - began_ms, 10 * QUEUE_WATCH_MS);
    answer(1, DB_OK, true);
    expect_told(&grader, MAY_WAIT);
    leave(&grader);
    end();
}
END_TEST

START_TEST(what_comes_in_is_known_at_once)
{
    begin();
    find_empty();
    ck_assert(is_known_to_be_empty());
    queue_watch_filled(watch, OTHER_QUEUE);
    ck_assert(is_known_to_be_empty());
    queue_watch_filled(watch, QUEUE);
    ck_assert(!is_known_to_be_empty());
    ck_assert_uint_eq(look_count, 1);
    end();
}
END_TEST

START_TEST(what_comes_into_any_queue_may_have_come_into_this)
{
    begin();
    find_empty();
    queue_watch_filled_any(watch);
    ck_assert(!is_known_to_be_empty());
    end();
}
END_TEST

START_TEST(a_look_that_began_before_is_not_believed)
{
    struct grader before;
    struct grader after;

    begin();
    come(&before, QUEUE);
    queue_watch_filled(watch, QUEUE);
    come(&after, QUEUE);
    expect_told(&after, MAY_WAIT);
    leave(&after);
    answer(0, DB_OK, false);
    expect_told(&before, MAY_WAIT);
    leave(&before);
    ck_assert(!is_known_to_be_empty());
    end();
}
END_TEST

START_TEST(nor_waited_for)
{
    struct grader before;
    struct grader puller;

    begin();
    come(&before, QUEUE);
    queue_watch_filled(watch, QUEUE);
    come(&puller, QUEUE);
    queue_watch_found_nothing(watch, puller.question);
    leave(&puller);
    ck_assert(!is_known_to_be_empty());
    answer(0, DB_OK, false);
    leave(&before);
    find_empty();
    end();
}
END_TEST

START_TEST(who_found_nothing_lets_the_next_look)
{
    struct grader puller;
    struct grader next;

    begin();
    come(&puller, QUEUE);
    answer(0, DB_OK, true);
    expect_told(&puller, MAY_WAIT);
    ck_assert(!is_known_to_be_empty());
    queue_watch_found_nothing(watch, puller.question);
    leave(&puller);
    come(&next, QUEUE);
    ck_assert(!next.told);
    /* It had been locked. */
    answer(1, DB_OK, true);
    expect_told(&next, MAY_WAIT);
    leave(&next);
    end();
}
END_TEST

START_TEST(who_began_before_something_came_in_has_nothing_to_say)
{
    struct grader puller;

    begin();
    come(&puller, QUEUE);
    answer(0, DB_OK, true);
    queue_watch_filled(watch, QUEUE);
    queue_watch_found_nothing(watch, puller.question);
    leave(&puller);
    ck_assert(!is_known_to_be_empty());
    ck_assert_uint_eq(look_count, 1);
    end();
}
END_TEST

START_TEST(when_nobody_knows_all_are_told)
{
    struct grader one;
    struct grader other;

    begin();
    come(&one, QUEUE);
    come(&other, QUEUE);
    answer(0, DB_AWAY, false);
    ck_assert(one.told && one.failed);
    ck_assert(other.told && other.failed);
    leave(&one);
    leave(&other);
    find_empty();
    end();
}
END_TEST

START_TEST(queues_are_apart)
{
    struct grader one;
    struct grader other;

    begin();
    come(&one, QUEUE);
    come(&other, OTHER_QUEUE);
    ck_assert_uint_eq(look_count, 2);
    answer(1, DB_OK, true);
    ck_assert(!one.told);
    expect_told(&other, MAY_WAIT);
    answer(0, DB_OK, false);
    expect_told(&one, IS_EMPTY);
    leave(&one);
    leave(&other);
    ck_assert(is_known_to_be_empty());
    end();
}
END_TEST

STORY("queue watch", TELL(all_who_ask_at_once_share_a_look),
      TELL(an_empty_queue_is_looked_at_again_after_a_while),
      TELL(what_comes_in_is_known_at_once),
      TELL(what_comes_into_any_queue_may_have_come_into_this),
      TELL(a_look_that_began_before_is_not_believed), TELL(nor_waited_for),
      TELL(who_found_nothing_lets_the_next_look),
      TELL(who_began_before_something_came_in_has_nothing_to_say),
      TELL(when_nobody_knows_all_are_told), TELL(queues_are_apart))
