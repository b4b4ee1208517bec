/*
 * tests/support/mariadb.h: of a private server there is one, or none.
 */
#include "tests/support/mariadb.h"

#include "server/base/compiler.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* It answers before it has written its pid file. */
START_TEST(one_that_has_just_started_can_be_ended)
{
    mariadb_database();
    for (int i = 0; i < 3; i++) {
        mariadb_kill();
        mariadb_restart();
    }
    ck_assert_value("1", "SELECT 1");
}
END_TEST

START_TEST(what_has_ended_can_be_ended_again)
{
    mariadb_database();
    mariadb_kill();
    mariadb_kill();
    mariadb_restart();
    ck_assert_value("1", "SELECT 1");
}
END_TEST

/* It says so and ends. */
static void start_another(void)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    dup2(null, STDERR_FILENO);
    mariadb_restart();
    _exit(0);
}

START_TEST(a_second_one_does_not_start)
{
    int status = 0;
    pid_t pid;

    mariadb_database();
    pid = fork();
    if (pid == 0)
        start_another();
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(!WIFEXITED(status) || WEXITSTATUS(status) != 0);
    ck_assert_value("1", "SELECT 1");
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(one_that_has_just_started_can_be_ended),
        TELL(what_has_ended_can_be_ended_again),
        TELL(a_second_one_does_not_start),
    };
    static const struct story story = {
        .name = "own_server",
        .tests = tests,
        .count = ARRAY_LENGTH(tests),
        .before_all = mariadb_start_own,
        .after_all = mariadb_stop,
        .before_each = db_library_start,
        .after_each = db_library_stop,
        .timeout_s = 60,
    };

    return story_run(&story);
}
