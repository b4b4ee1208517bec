/*
 * The output goes to a file that has no name any more; inotify tells when it
 * has grown and a pidfd when the child has ended, so that nothing polls.
 */
#include "tests/support/program.h"

#include "server/base/clock.h"
#include "server/base/memory.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct program {
    pid_t pid;
    int output;    /* the file, for reading */
    int growth;    /* inotify */
    int life;      /* pidfd; readable when the child has ended */
    bool is_ended; /* and waited for */
    int exit_code;
    char *name;
};

static void open_output(struct program *program, int *ret_write);
static void become(const char *const *words, const char *const *environment,
                   int output, pid_t parent) NORETURN;
static bool wait_for_change(struct program *program, int64_t deadline_ms);
static bool find_line(struct text output, const char *words, size_t *position,
                      struct text *ret_line);
static void note_exit(struct program *program);
static void give_up(struct program *program, const char *what) NORETURN;

struct program *program_start(const char *const *words,
                              const char *const *environment)
{
    struct program *program = xcalloc(1, sizeof *program);
    pid_t parent = getpid();
    int output;

    program->name = xstrdup(words[0]);
    open_output(program, &output);
    program->pid = fork();
    if (program->pid == -1)
        fatal("fork: %s", strerror(errno));
    if (program->pid == 0)
        become(words, environment, output, parent);
    close(output);
    program->life = (int)syscall(SYS_pidfd_open, program->pid, 0);
    if (program->life == -1)
        fatal("pidfd_open: %s", strerror(errno));
    return program;
}

void program_free(struct program *program)
{
    if (program == NULL)
        return;
    if (program_is_running(program)) {
        program_signal(program, SIGKILL);
        (void)waitpid(program->pid, NULL, 0);
    }
    close(program->output);
    close(program->growth);
    close(program->life);
    free(program->name);
    free(program);
}

pid_t program_pid(const struct program *program)
{
    return program->pid;
}

bool program_is_running(struct program *program)
{
    struct pollfd poll_for = {.fd = program->life, .events = POLLIN};

    if (!program->is_ended && poll(&poll_for, 1, 0) == 1)
        note_exit(program);
    return !program->is_ended;
}

void program_signal(struct program *program, int signal_number)
{
    if (program_is_running(program))
        kill(program->pid, signal_number);
}

struct text program_wait_for_line(struct program *program, struct arena *arena,
                                  const char *words, size_t *position,
                                  int timeout_ms)
{
    int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;
    struct text line;
    bool is_last_look;

    do {
        struct arena *scratch = arena_new();
        bool is_found;

        is_last_look = !program_is_running(program);
        is_found =
            find_line(program_output(program, scratch), words, position, &line);
        if (is_found)
            line = arena_copy(arena, line);
        arena_free(scratch);
        if (is_found)
            return line;
    } while (!is_last_look && wait_for_change(program, deadline_ms));
    give_up(program, words);
}

int program_wait_for_exit(struct program *program, int timeout_ms)
{
    struct pollfd poll_for = {.fd = program->life, .events = POLLIN};
    int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;

    while (program_is_running(program)) {
        int64_t left_ms = deadline_ms - clock_monotonic_ms();

        if (left_ms <= 0)
            give_up(program, "its end");
        (void)poll(&poll_for, 1, (int)left_ms);
    }
    return program->exit_code;
}

struct text program_output(struct program *program, struct arena *arena)
{
    struct stat file;
    size_t size;
    char *data;
    ssize_t got;

    if (fstat(program->output, &file) != 0)
        fatal("fstat: %s", strerror(errno));
    size = (size_t)file.st_size;
    data = arena_alloc(arena, size + 1);
    got = pread(program->output, data, size, 0);
    if (got < 0)
        fatal("pread: %s", strerror(errno));
    data[got] = '\0';
    return (struct text){data, (size_t)got};
}

static void open_output(struct program *program, int *ret_write)
{
    char path[] = "/tmp/xqueue-test-output-XXXXXX";

    program->output = mkostemp(path, O_CLOEXEC);
    *ret_write = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    program->growth = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (program->output == -1 || *ret_write == -1 || program->growth == -1 ||
        inotify_add_watch(program->growth, path, IN_MODIFY) == -1)
        fatal("%s: %s", path, strerror(errno));
    unlink(path);
}

static void become(const char *const *words, const char *const *environment,
                   int output, pid_t parent)
{
    int nothing = open("/dev/null", O_RDONLY);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    dup2(nothing, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    for (; environment != NULL && *environment != NULL; environment++)
        putenv(xstrdup(*environment));
    execv(words[0], (char *const *)words);
    fprintf(stderr, "%s: %s\n", words[0], strerror(errno));
    _exit(127);
}

/* False when the deadline has passed. */
static bool wait_for_change(struct program *program, int64_t deadline_ms)
{
    struct pollfd poll_for[] = {{.fd = program->growth, .events = POLLIN},
                                {.fd = program->life, .events = POLLIN}};
    int64_t left_ms = deadline_ms - clock_monotonic_ms();
    char events[4096];

    if (left_ms <= 0)
        return false;
    (void)poll(poll_for, 2, (int)left_ms);
    while (read(program->growth, events, sizeof events) > 0)
        continue;
    return true;
}

static bool find_line(struct text output, const char *words, size_t *position,
                      struct text *ret_line)
{
    size_t start = *position;

    while (start < output.size) {
        const char *from = output.data + start;
        const char *end = memchr(from, '\n', output.size - start);
        size_t length;

        if (end == NULL)
            return false;
        length = (size_t)(end - from);
        start += length + 1;
        if (memmem(from, length, words, strlen(words)) != NULL) {
            *ret_line = (struct text){from, length};
            *position = start;
            return true;
        }
    }
    return false;
}

static void note_exit(struct program *program)
{
    int status;

    if (waitpid(program->pid, &status, 0) != program->pid)
        fatal("waitpid %s: %s", program->name, strerror(errno));
    program->is_ended = true;
    program->exit_code =
        WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void give_up(struct program *program, const char *what)
{
    struct arena *arena = arena_new();
    bool is_running = program_is_running(program);
    struct text output = program_output(program, arena);

    fprintf(stderr, "--- output of %s\n%.*s--- end of output\n", program->name,
            TEXT_ARGUMENTS(output));
    ck_abort_msg("%s %s while we waited for: %s", program->name,
                 is_running ? "was running" : "ended", what);
}
