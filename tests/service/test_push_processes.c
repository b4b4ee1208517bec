/*
 * Several processes on one database: who serves, who pushes, and that a queue
 * is pushed by all of them no faster than by one (R34).
 */
#include "tests/support/push_story.h"

#include "server/base/clock.h"
#include "tests/support/deliverer.h"
#include "tests/support/grader.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static const char *const consumer[] = {BINARY_DIR "/xqueue", "run_consumer",
                                       NULL};

static struct sink *lms;
static struct grader *grader;

/* The grader's path, and `more` of the queue's entry. */
static void begin(const char *path, const char *more, const char *role)
{
    char queues[200];

    lms = sink_start(0);
    grader = grader_start(0, 1);
    snprintf(queues, sizeof queues, "{q: {url: '%s'%s}}",
             grader_url(grader, 0, path), more);
    own_service_begin(&(struct service_settings){
        .database = mariadb_database(),
        .queues = queues,
        .options = (const char *const[]){"--role", role, NULL},
    });
}

static void end(void)
{
    own_service_end();
    sink_stop(lms);
    grader_stop(grader);
}

static const char *callback(int number)
{
    return sink_url(lms, arena_printf(scratch, "/%d", number));
}

static bool has_pushed(struct text log)
{
    return strstr(arena_string(scratch, log), "result=graded") != NULL;
}

START_TEST(run_consumer_pushes_what_another_process_was_given)
{
    struct program *process;
    int64_t before_ms;

    begin("/slow/20/a", "", "web");
    process = deliverer_start(consumer);
    for (int i = 1; i <= 3; i++) {
        before_ms = clock_monotonic_ms();
        push_submit("q", callback(i), arena_printf(scratch, "%d", i));
        grader_wait(grader, 1, i, 10000);
        ck_assert_int_lt(clock_monotonic_ms() - before_ms, 2500);
        sink_wait(lms, i, 10000);
    }
    deliverer_stop(process);
    ck_assert(!has_pushed(service_log(service)));
    end();
}
END_TEST

/* What comes to the grader at a time, from a server and two consumers. */
static int64_t most_of_three(const char *more)
{
    struct program *consumers[2];
    int64_t most;

    begin("/slow/20/a", more, "web,deliver");
    for (int i = 0; i < 2; i++)
        consumers[i] = deliverer_start(consumer);
    for (int i = 1; i <= 60; i++)
        push_submit("q", callback(i), arena_printf(scratch, "%d", i));
    sink_wait(lms, 60, 60000);
    most = grader_path(grader, "/slow/20/a").most;
    ck_assert_int_eq(grader_path(grader, "/slow/20/a").came, 60);
    mariadb_wait_for_value("60", "SELECT COUNT(*) FROM queue_submission WHERE"
                                 " retired AND lms_ack AND num_failures = 0");
    ck_assert(has_pushed(service_log(service)));
    for (int i = 0; i < 2; i++)
        deliverer_stop(consumers[i]);
    end();
    return most;
}

START_TEST(a_server_and_two_consumers_push_to_a_queue_one_by_one)
{
    ck_assert_int_eq(most_of_three(""), 1);
}
END_TEST

START_TEST(a_server_and_two_consumers_push_to_a_queue_as_many_as_it_says)
{
    ck_assert_int_le(most_of_three(", concurrency: 4"), 4);
}
END_TEST

/* It begins with fewer files than that takes, as it does on many systems. */
START_TEST(run_consumer_pushes_as_many_at_once_as_the_system_lets_it)
{
    struct rlimit usual;
    struct program *process;

    begin("/slow/2000/a", ", concurrency: 60", "web");
    for (int i = 1; i <= 60; i++)
        push_submit("q", callback(i), arena_printf(scratch, "%d", i));
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &usual), 0);
    ck_assert_int_eq(
        setrlimit(RLIMIT_NOFILE, &(struct rlimit){50, usual.rlim_max}), 0);
    process = deliverer_start(consumer);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &usual), 0);
    grader_wait(grader, 1, 60, 10000);
    ck_assert_int_eq(grader_path(grader, "/slow/2000/a").most, 60);
    sink_wait(lms, 60, 10000);
    deliverer_stop(process);
    end();
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(run_consumer_pushes_what_another_process_was_given),
        TELL(run_consumer_pushes_as_many_at_once_as_the_system_lets_it),
        TELL(a_server_and_two_consumers_push_to_a_queue_one_by_one),
        TELL(a_server_and_two_consumers_push_to_a_queue_as_many_as_it_says),
    };
    static const struct story story = {
        .name = "pushing from several processes",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_all = mariadb_start,
        .after_all = mariadb_stop,
        .timeout_s = 120,
    };

    return story_run(&story);
}
