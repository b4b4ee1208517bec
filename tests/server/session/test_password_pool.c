/*
 * server/session/password_pool.c
 */
#include "server/session/password_pool.h"

#include "server/base/compiler.h"
#include "server/base/password.h"
#include "tests/support/story.h"

#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

/* "secret" and the salt "salt", one iteration; then a slow one. */
#define SECRET                                                                 \
    "pbkdf2_sha256$1$salt$ON9CizCTCOSMNofn+QvaDpzyU1aMIex1Sg4HarSrZCM="
#define SLOW                                                                   \
    "pbkdf2_sha256$400000$salt$ON9CizCTCOSMNofn+QvaDpzyU1aMIex1Sg4HarSrZCM="

/* "right" and the salt "salt", a million iterations. */
#define RIGHT_SLOW                                                             \
    "pbkdf2_sha256$1000000$salt$yd9qepJeX2la/Gc4Da5fLfA0dwiYf9nR0z9xP67SouU="

static struct password_pool *pool;
static int wake_fd;
static int done_count;

static void wake(void *context)
{
    const uint64_t one = 1;

    ck_assert_int_eq(write(*(int *)context, &one, sizeof one), sizeof one);
}

static void set_up(void)
{
    const struct password_pool_settings settings = {
        .threads = 1,
        .least_iterations = 1,
        .wake = wake,
        .wake_context = &wake_fd,
    };

    wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pool = password_pool_start(&settings);
}

static void tear_down(void)
{
    password_pool_stop(pool);
    close(wake_fd);
}

static void on_done(struct password_check *check)
{
    (void)check;
    done_count++;
}

static bool submit(struct password_check *check, const char *password,
                   const char *stored)
{
    check->done = on_done;
    return password_pool_submit(pool, check, text_of(password),
                                text_of(stored));
}

static void wait_for_done(int count)
{
    while (done_count < count) {
        struct pollfd wanted = {.fd = wake_fd, .events = POLLIN};
        uint64_t wakes;

        ck_assert_int_eq(poll(&wanted, 1, 10000), 1);
        ck_assert_int_eq(read(wake_fd, &wakes, sizeof wakes), sizeof wakes);
        password_pool_collect(pool);
    }
}

START_TEST(a_right_password_matches_and_a_wrong_one_does_not)
{
    struct password_check right;
    struct password_check wrong;
    struct password_check nobody;

    ck_assert(submit(&right, "secret", SECRET));
    ck_assert(submit(&wrong, "Secret", SECRET));
    ck_assert(submit(&nobody, "secret", NULL));
    wait_for_done(3);
    ck_assert(right.matches);
    ck_assert(!wrong.matches);
    ck_assert(!nobody.matches);
    ck_assert(!right.canceled);
}
END_TEST

START_TEST(the_caller_may_forget_its_texts_at_once)
{
    struct password_check check;
    char password[] = "secret";
    char stored[] = SECRET;

    ck_assert(submit(&check, password, stored));
    memset(password, 'x', sizeof password - 1);
    memset(stored, 'x', sizeof stored - 1);
    wait_for_done(1);
    ck_assert(check.matches);
}
END_TEST

START_TEST(an_overlong_password_does_not_match)
{
    static char password[5000];
    struct password_check check;

    memset(password, 'x', sizeof password - 1);
    ck_assert(submit(&check, password, SECRET));
    wait_for_done(1);
    ck_assert(!check.matches);
}
END_TEST

static double cpu_s(void)
{
    struct timespec used;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

START_TEST(equal_checks_that_wait_together_cost_one_hash)
{
    struct password_check checks[31];
    struct password_check busy;
    double start_s = cpu_s();
    double one_s;

    ck_assert(password_verify(text_of("right"), text_of(RIGHT_SLOW), 1));
    one_s = cpu_s() - start_s;
    ck_assert(submit(&busy, "secret", SLOW));
    for (size_t i = 0; i < ARRAY_LENGTH(checks); i++)
        ck_assert(submit(&checks[i], i == 7 ? "secret" : "right", RIGHT_SLOW));
    start_s = cpu_s();
    wait_for_done(32);
    for (size_t i = 0; i < ARRAY_LENGTH(checks); i++)
        ck_assert(checks[i].matches == (i != 7));
    ck_assert_double_lt(cpu_s() - start_s, 10 * one_s);
}
END_TEST

START_TEST(beyond_32_waiting_ones_submit_says_no)
{
    struct password_check checks[40];
    size_t accepted = 0;
    bool was_accepted = true;

    while (accepted < ARRAY_LENGTH(checks) && was_accepted) {
        const char password[] = {(char)('A' + accepted), '\0'};

        was_accepted = submit(&checks[accepted], password, SLOW);
        accepted += was_accepted;
    }
    ck_assert_uint_ge(accepted, 32);
    ck_assert_uint_le(accepted, 34);
    password_pool_stop(pool);
    pool = NULL;
    ck_assert_uint_eq((size_t)done_count, accepted);
    ck_assert(checks[accepted - 1].canceled);
    ck_assert(!checks[accepted - 1].matches);
}
END_TEST

START_TEST(a_finished_check_can_be_used_again)
{
    struct password_check check;

    ck_assert(submit(&check, "wrong", SECRET));
    wait_for_done(1);
    ck_assert(!check.matches);
    ck_assert(submit(&check, "secret", SECRET));
    wait_for_done(2);
    ck_assert(check.matches);
    ck_assert_uint_eq(password_pool_pending(pool), 0);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(a_right_password_matches_and_a_wrong_one_does_not),
        TELL(the_caller_may_forget_its_texts_at_once),
        TELL(an_overlong_password_does_not_match),
        TELL(equal_checks_that_wait_together_cost_one_hash),
        TELL(beyond_32_waiting_ones_submit_says_no),
        TELL(a_finished_check_can_be_used_again),
    };
    static const struct story story = {
        .name = "password pool",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_each = set_up,
        .after_each = tear_down,
    };

    return story_run(&story);
}
