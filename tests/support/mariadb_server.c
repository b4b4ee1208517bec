/*
 * The process behind tests/support/mariadb.h. Its number is in a file of its
 * directory, because a test (a process of its own) may have restarted it. It
 * holds a lock on that file for as long as it lives: two servers in one
 * directory cannot be, and what the file says of one that has died is not
 * believed. The server's own pid file would not do: it is written some time
 * after the server answers, and until then tells of the one before.
 */
#include "tests/support/mariadb_server.h"

#include "server/base/clock.h"
#include "server/base/memory.h"
#include "tests/support/server_words.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START_MS = 30000, END_MS = 30000 };

static void install(const struct mariadb_server *server);
static void install_copy(const struct mariadb_server *server);
static int lock_directory(const struct mariadb_server *server);
static int open_number(const struct mariadb_server *server);
static void become_server(const struct mariadb_server *server);
static pid_t running(const struct mariadb_server *server);
static void show_log(const struct mariadb_server *server);

void mariadb_server_create(struct mariadb_server *server)
{
    const char *parent = getenv("TMPDIR");
    char temporary[SERVER_PATH_SIZE + 8];

    server->owner = getpid();
    snprintf(server->directory, sizeof server->directory,
             "%s/xqueue-test-XXXXXX", parent != NULL ? parent : P_tmpdir);
    if (mkdtemp(server->directory) == NULL)
        fatal("no directory for the test database: %s", strerror(errno));
    snprintf(server->socket, sizeof server->socket, "%s/s", server->directory);
    snprintf(temporary, sizeof temporary, "%s/tmp", server->directory);
    if (mkdir(temporary, 0700) != 0)
        fatal("no directory for temporary files: %s", strerror(errno));
    if (server_words_mysqld() == NULL)
        install(server);
    else
        install_copy(server);
}

void mariadb_server_start(const struct mariadb_server *server)
{
    int64_t deadline_ms = clock_monotonic_ms() + START_MS;
    int number = lock_directory(server);
    pid_t pid = fork();

    if (pid < 0)
        fatal("cannot fork");
    if (pid == 0)
        become_server(server);
    if (ftruncate(number, 0) != 0 || dprintf(number, "%d\n", (int)pid) < 0)
        fatal("the test database's number cannot be written");
    close(number); /* the server has it open, and so locked */
    while (!mariadb_server_answers(server)) {
        if (waitpid(pid, NULL, WNOHANG) == pid ||
            clock_monotonic_ms() > deadline_ms) {
            show_log(server);
            fatal("the test database does not start");
        }
        poll(NULL, 0, 10);
    }
}

bool mariadb_server_answers(const struct mariadb_server *server)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool connected;

    snprintf(address.sun_path, sizeof address.sun_path, "%s", server->socket);
    connected = file >= 0 &&
                connect(file, (struct sockaddr *)&address, sizeof address) == 0;
    if (file >= 0)
        close(file);
    return connected;
}

void mariadb_server_end(const struct mariadb_server *server, int signal)
{
    int64_t deadline_ms = clock_monotonic_ms() + END_MS;
    pid_t pid = running(server);
    char *lock;

    if (pid <= 0)
        return;
    kill(pid, signal);
    while (running(server) > 0) {
        if (clock_monotonic_ms() > deadline_ms)
            fatal("the test database does not end");
        poll(NULL, 0, 5);
    }
    unlink(server->socket);
    /* MySQL takes a process that nobody has waited for yet for a live one. */
    lock = xasprintf("%s.lock", server->socket);
    unlink(lock);
    free(lock);
}

void mariadb_server_thaw(const struct mariadb_server *server)
{
    const pid_t pid = running(server);

    if (pid > 0)
        kill(pid, SIGCONT);
}

void mariadb_server_remove(const struct mariadb_server *server)
{
    /* What ends may still write while its folder goes: rm goes once more. */
    mariadb_server_command(
        (const char *const[]){"sh", "-c",
                              "for i in 1 2 3 4 5; do"
                              " rm -rf \"$0\" 2>/dev/null && exit; sleep 1;"
                              " done; rm -rf \"$0\"",
                              server->directory, NULL},
        NULL);
}

void mariadb_server_command(const char *const *words, const char *input)
{
    int status = -1;
    pid_t pid = fork();

    if (pid < 0)
        fatal("cannot fork");
    if (pid == 0) {
        int in = open(input != NULL ? input : "/dev/null", O_RDONLY);
        int out = open("/dev/null", O_WRONLY);

        if (in < 0 || out < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0)
            _exit(126);
        execvp(words[0], (char *const *)(uintptr_t)words);
        _exit(127);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (status != 0)
        fatal("%s has failed with status %d", words[0], status);
}

static void install(const struct mariadb_server *server)
{
    struct arena *arena = arena_new();

    mariadb_server_command(server_words_install(arena, server), NULL);
    arena_free(arena);
}

/* MySQL needs seconds to make its data: they are made once and copied. */
static void install_copy(const struct mariadb_server *server)
{
    static const char first[] = BINARY_DIR "/mysql-data";
    struct arena *arena = arena_new();
    const char *data = arena_printf(arena, "%s/data", server->directory);

    if (access(first, F_OK) == 0) {
        mariadb_server_command(
            (const char *const[]){"cp", "-r", first, data, NULL}, NULL);
    } else {
        const char *copy = arena_printf(arena, "%s-%d", first, (int)getpid());

        install(server);
        mariadb_server_command(
            (const char *const[]){"cp", "-r", data, copy, NULL}, NULL);
        /* Somebody else may have been faster. */
        if (rename(copy, first) != 0)
            mariadb_server_command(
                (const char *const[]){"rm", "-r", copy, NULL}, NULL);
    }
    arena_free(arena);
}

/* It stays locked until the last process has closed it that inherits it. */
static int lock_directory(const struct mariadb_server *server)
{
    int number = open_number(server);

    if (flock(number, LOCK_EX | LOCK_NB) != 0)
        fatal("a test database still runs in %s", server->directory);
    return number;
}

static int open_number(const struct mariadb_server *server)
{
    char path[SERVER_PATH_SIZE + 8];
    int number;

    snprintf(path, sizeof path, "%s/number", server->directory);
    number = open(path, O_RDWR | O_CREAT, 0600);
    if (number < 0)
        fatal("%s: %s", path, strerror(errno));
    return number;
}

/*
 * In a session of its own, so that the end of a test that restarted it does
 * not take it along; but not longer than the program that made it.
 */
static void become_server(const struct mariadb_server *server)
{
    struct arena *arena = arena_new();
    const char *const *words = server_words_serve(arena, server);
    const char *path = getenv("PATH");
    const char *log = arena_printf(arena, "%s/log", server->directory);
    int file;

    /* Where Debian keeps servers. */
    setenv("PATH",
           arena_printf(arena, "%s:/usr/sbin", path != NULL ? path : ""), 1);
    setsid();
    if (getppid() == server->owner)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    file = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (file < 0 || dup2(file, 1) < 0 || dup2(file, 2) < 0)
        _exit(126);
    execvp(words[0], (char *const *)(uintptr_t)words);
    _exit(127);
}

/*
 * 0 when none is. Of one that was killed some threads may still write when its
 * first one has gone; the lock goes with the last.
 */
static pid_t running(const struct mariadb_server *server)
{
    char text[32] = "";
    int number = open_number(server);
    bool is_free = flock(number, LOCK_EX | LOCK_NB) == 0;
    ssize_t size = is_free ? 0 : read(number, text, sizeof text - 1);

    close(number);
    return size > 0 ? (pid_t)strtol(text, NULL, 10) : 0;
}

static void show_log(const struct mariadb_server *server)
{
    char path[SERVER_PATH_SIZE + 8];
    char line[512];
    FILE *file;

    snprintf(path, sizeof path, "%s/log", server->directory);
    file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        fputs(line, stderr);
    if (file != NULL)
        fclose(file);
}
