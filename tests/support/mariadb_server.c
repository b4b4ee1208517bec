/*
 * The process behind tests/support/mariadb.h. Its number is in a file of its
 * directory, because a test (a process of its own) may have restarted it.
 */
#include "tests/support/mariadb_server.h"

#include "server/base/clock.h"
#include "server/base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START_MS = 30000, END_MS = 30000 };

static void become_mariadb(const struct mariadb_server *server);
static pid_t read_pid(const struct mariadb_server *server);
static bool is_alive(pid_t pid);
static void show_log(const struct mariadb_server *server);

void mariadb_server_create(struct mariadb_server *server)
{
    const char *parent = getenv("TMPDIR");
    char data[SERVER_PATH_SIZE + 16];
    char temporary[SERVER_PATH_SIZE + 16];

    server->owner = getpid();
    snprintf(server->directory, sizeof server->directory,
             "%s/xqueue-test-XXXXXX", parent != NULL ? parent : P_tmpdir);
    if (mkdtemp(server->directory) == NULL)
        fatal("no directory for the test database: %s", strerror(errno));
    snprintf(server->socket, sizeof server->socket, "%s/s", server->directory);
    snprintf(data, sizeof data, "--datadir=%s/data", server->directory);
    snprintf(temporary, sizeof temporary, "--tmpdir=%s/tmp", server->directory);
    if (mkdir(strchr(temporary, '/'), 0700) != 0)
        fatal("no directory for temporary files: %s", strerror(errno));
    mariadb_server_command(
        (const char *const[]){
            "mariadb-install-db", "--no-defaults", data, temporary,
            "--auth-root-authentication-method=normal", "--skip-test-db",
            "--skip-name-resolve", "--force",
            geteuid() == 0 ? "--user=root" : "--skip-log-bin", NULL},
        NULL);
}

void mariadb_server_start(const struct mariadb_server *server)
{
    int64_t deadline_ms = clock_monotonic_ms() + START_MS;
    pid_t pid = fork();

    if (pid < 0)
        fatal("cannot fork");
    if (pid == 0)
        become_mariadb(server);
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
    pid_t pid = read_pid(server);

    if (pid <= 0)
        return;
    kill(pid, signal);
    while (is_alive(pid)) {
        if (clock_monotonic_ms() > deadline_ms)
            fatal("the test database does not end");
        poll(NULL, 0, 5);
    }
    unlink(server->socket);
}

void mariadb_server_remove(const struct mariadb_server *server)
{
    mariadb_server_command(
        (const char *const[]){"rm", "-rf", server->directory, NULL}, NULL);
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

/*
 * In a session of its own, so that the end of a test that restarted it does
 * not take it along; but not longer than the program that made it.
 */
static void become_mariadb(const struct mariadb_server *server)
{
    char data[SERVER_PATH_SIZE + 16];
    char temporary[SERVER_PATH_SIZE + 16];
    char socket[SERVER_PATH_SIZE + 16];
    char pid_file[SERVER_PATH_SIZE + 24];
    char log[SERVER_PATH_SIZE + 8];
    int file;
    const char *path = getenv("PATH");
    char *longer = xasprintf("%s:/usr/sbin", path != NULL ? path : "");

    setenv("PATH", longer, 1); /* where Debian keeps servers */
    setsid();
    if (getppid() == server->owner)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    snprintf(data, sizeof data, "--datadir=%s/data", server->directory);
    snprintf(temporary, sizeof temporary, "--tmpdir=%s/tmp", server->directory);
    snprintf(socket, sizeof socket, "--socket=%s", server->socket);
    snprintf(pid_file, sizeof pid_file, "--pid-file=%s/pid", server->directory);
    snprintf(log, sizeof log, "%s/log", server->directory);
    file = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (file < 0 || dup2(file, 1) < 0 || dup2(file, 2) < 0)
        _exit(126);
    /* A server that starts deletes the others' files in a shared folder. */
    execlp("mariadbd", "mariadbd", "--no-defaults", data, temporary, socket,
           pid_file, "--skip-networking", "--skip-name-resolve",
           "--innodb-buffer-pool-size=32M", "--innodb-log-file-size=16M",
           "--character-set-server=utf8mb4", "--max-allowed-packet=16M",
           server->is_durable ? "--innodb-flush-log-at-trx-commit=1"
                              : "--innodb-flush-log-at-trx-commit=0",
           geteuid() == 0 ? "--user=root" : "--skip-log-bin", (char *)NULL);
    _exit(127);
}

static pid_t read_pid(const struct mariadb_server *server)
{
    char path[SERVER_PATH_SIZE + 8];
    char text[32] = "";
    int file;
    ssize_t size;

    snprintf(path, sizeof path, "%s/pid", server->directory);
    file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    size = read(file, text, sizeof text - 1);
    close(file);
    return size > 0 ? (pid_t)strtol(text, NULL, 10) : 0;
}

/* One that has ended stays, as a zombie, until its parent looks. */
static bool is_alive(pid_t pid)
{
    char path[40];
    char text[256] = "";
    const char *name_end;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    file = fopen(path, "re");
    if (file == NULL)
        return false;
    if (fgets(text, sizeof text, file) == NULL)
        text[0] = '\0';
    fclose(file);
    name_end = strrchr(text, ')');
    return name_end != NULL && name_end[1] == ' ' && name_end[2] != 'Z';
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
