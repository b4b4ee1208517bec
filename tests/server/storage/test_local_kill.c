/*
 * A local storage whose process is killed while it stores files.
 */
#include "server/task/loop.h"
#include "tests/support/storage_story.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KILL_FILES = 20, KILL_SIZE = 100 * 1024 };

/* Puts without end, and tells of each. */
static void put_for_ever(int telling)
{
    static struct storage_upload uploads[KILL_FILES];
    static char names[KILL_FILES][16];
    char *content = content_of_size(KILL_SIZE);
    char header[16];

    storage_story_restart();
    for (size_t i = 0; i < KILL_FILES; i++) {
        snprintf(names[i], sizeof names[i], "%zu", i);
        uploads[i].name = text_of(names[i]);
        uploads[i].content = text_of(content);
    }
    for (unsigned round = 0;; round++) {
        struct storage_put put = {
            .queue_name = text_of("q"),
            .header = text_of(header),
            .uploads = uploads,
            .count = KILL_FILES,
        };

        snprintf(header, sizeof header, "%u", round % 5);
        put.header = text_of(header);
        do_put(&put);
        if (put.status != STORAGE_OK || write(telling, ".", 1) != 1)
            _exit(1);
    }
}

/* Waits for so many puts, and so many milliseconds more. */
static void kill_after(int puts, int ms)
{
    struct pollfd never = {.fd = -1};
    int ends[2];
    char dot;
    int state;
    pid_t child;

    ck_assert_int_eq(pipe(ends), 0);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        close(ends[0]);
        put_for_ever(ends[1]);
    }
    close(ends[1]);
    for (int i = 0; i < puts; i++)
        ck_assert_int_eq(read(ends[0], &dot, 1), 1);
    poll(&never, 1, ms);
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ck_assert_int_eq(waitpid(child, &state, 0), child);
    ck_assert(WIFSIGNALED(state));
    close(ends[0]);
}

/* Those that have their names; each must be whole. */
static size_t count_whole_files(void)
{
    DIR *names = opendir(below_root("q"));
    const struct dirent *entry;
    struct stat facts;
    size_t count = 0;

    while (names != NULL && (entry = readdir(names)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        ck_assert_int_eq(fstatat(dirfd(names), entry->d_name, &facts, 0), 0);
        ck_assert_int_eq(facts.st_size, KILL_SIZE);
        count++;
    }
    if (names != NULL)
        closedir(names);
    return count;
}

START_TEST(a_process_that_is_killed_leaves_only_whole_files)
{
    size_t count = 0;

    storage_story_stop(); /* fork() is for a process with one thread */
    for (int round = 0; round < 12; round++) {
        kill_after(round % 3, 1 + 3 * round);
        count = count_whole_files();
    }
    ck_assert_uint_ge(count, KILL_FILES);
    storage_story_restart();
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(a_process_that_is_killed_leaves_only_whole_files),
    };
    static const struct story story = {
        .name = "local storage, killed",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_each = storage_story_begin,
        .after_each = storage_story_end,
        .timeout_s = 60,
    };

    return story_run(&story);
}
