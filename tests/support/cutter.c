/*
 * A go-between that cuts connections when a COMMIT passes.
 */
#include "tests/support/cutter.h"

#include "server/base/memory.h"

#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAIRS = 32, CHUNK = 65536 };

struct cutter {
    char path[108];
    pid_t pid;
};

struct pair {
    int client; /* -1: unused, or closed while the server's end is held */
    int server;
    bool is_cut; /* the server's answer will be swallowed */
};

struct relay {
    const char *words;
    const struct db_settings *settings;
    enum cut cut;
    int left; /* cuts */
    int listener;
    struct pair pairs[PAIRS];
};

static void place(struct cutter *cutter, const struct db_settings *settings);
static int listen_at(const char *path);
static int connect_to(const struct db_settings *settings);
static int connect_to_socket(const char *path);
static void relay_run(struct relay *relay);
static void accept_pair(struct relay *relay);
static void from_client(struct relay *relay, struct pair *pair);
static bool holds(const char *data, size_t size, const char *words);
static void cut_pair(struct relay *relay, struct pair *pair, const char *data,
                     size_t size);
static void from_server(struct relay *relay, struct pair *pair);
static bool pass(int to, const char *data, size_t size);
static void close_pair(struct pair *pair);

struct cutter *cutter_start(const struct db_settings *settings, enum cut cut,
                            int times, struct db_settings *ret_settings)
{
    return cutter_start_at("COMMIT", settings, cut, times, ret_settings);
}

struct cutter *cutter_start_at(const char *words,
                               const struct db_settings *settings, enum cut cut,
                               int times, struct db_settings *ret_settings)
{
    struct cutter *cutter = xcalloc(1, sizeof *cutter);
    struct relay relay = {
        .words = words, .settings = settings, .cut = cut, .left = times};

    place(cutter, settings);
    relay.listener = listen_at(cutter->path);
    cutter->pid = fork();
    if (cutter->pid < 0)
        fatal("cannot fork");
    if (cutter->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        relay_run(&relay);
    }
    close(relay.listener);
    *ret_settings = *settings;
    ret_settings->unix_socket = cutter->path;
    return cutter;
}

void cutter_stop(struct cutter *cutter)
{
    kill(cutter->pid, SIGKILL);
    waitpid(cutter->pid, NULL, 0);
    unlink(cutter->path);
    free(cutter);
}

/*
 * Beside the server's socket. A server that is reached by TCP has let this
 * user in before, so that it asks for no password in full, which a client
 * would send otherwise through a socket.
 */
static void place(struct cutter *cutter, const struct db_settings *settings)
{
    const char *beside = settings->unix_socket != NULL ? settings->unix_socket
                                                       : P_tmpdir
                             "/xqueue-test-cutter";

    snprintf(cutter->path, sizeof cutter->path, "%s-%d", beside, (int)getpid());
}

static struct sockaddr_un address_of(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    return address;
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = address_of(path);
    int file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    unlink(path);
    if (file < 0 ||
        bind(file, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(file, 16) != 0)
        fatal("the cutter cannot listen at %s", path);
    return file;
}

static int connect_to(const struct db_settings *settings)
{
    const struct addrinfo wish = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *address;
    char port[16];
    int file;

    if (settings->unix_socket != NULL)
        return connect_to_socket(settings->unix_socket);
    snprintf(port, sizeof port, "%u", settings->port);
    if (getaddrinfo(settings->host, port, &wish, &address) != 0)
        return -1;
    file = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(file, address->ai_addr, address->ai_addrlen) != 0) {
        close(file);
        file = -1;
    }
    freeaddrinfo(address);
    return file;
}

static int connect_to_socket(const char *path)
{
    struct sockaddr_un address = address_of(path);
    int file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (file < 0 ||
        connect(file, (struct sockaddr *)&address, sizeof address) != 0)
        return -1;
    return file;
}

static void relay_run(struct relay *relay)
{
    for (size_t i = 0; i < PAIRS; i++)
        relay->pairs[i] = (struct pair){-1, -1, false};
    for (;;) {
        struct pollfd files[1 + 2 * PAIRS];

        files[0] = (struct pollfd){relay->listener, POLLIN, 0};
        for (size_t i = 0; i < PAIRS; i++) {
            files[1 + 2 * i] =
                (struct pollfd){relay->pairs[i].client, POLLIN, 0};
            files[2 + 2 * i] =
                (struct pollfd){relay->pairs[i].server, POLLIN, 0};
        }
        if (poll(files, ARRAY_LENGTH(files), -1) < 0)
            _exit(1);
        for (size_t i = 0; i < PAIRS; i++) {
            if (files[1 + 2 * i].revents != 0)
                from_client(relay, &relay->pairs[i]);
            if (files[2 + 2 * i].revents != 0)
                from_server(relay, &relay->pairs[i]);
        }
        if (files[0].revents != 0)
            accept_pair(relay);
    }
}

static void accept_pair(struct relay *relay)
{
    int client = accept(relay->listener, NULL, NULL);
    int server = connect_to(relay->settings);

    if (client < 0 || server < 0) {
        close(client);
        close(server);
        return;
    }
    for (size_t i = 0; i < PAIRS; i++) {
        if (relay->pairs[i].client >= 0 || relay->pairs[i].server >= 0)
            continue;
        relay->pairs[i] = (struct pair){client, server, false};
        return;
    }
    _exit(2);
}

static void from_client(struct relay *relay, struct pair *pair)
{
    char data[CHUNK];
    ssize_t size;

    if (pair->client < 0)
        return;
    size = read(pair->client, data, sizeof data);
    if (size <= 0) {
        close_pair(pair);
        return;
    }
    if (relay->left > 0 && holds(data, (size_t)size, relay->words)) {
        relay->left--;
        cut_pair(relay, pair, data, (size_t)size);
        return;
    }
    if (!pass(pair->server, data, (size_t)size))
        close_pair(pair);
}

/* At its end, or as whole words: "READ COMMITTED" is no COMMIT. */
static bool holds(const char *data, size_t size, const char *words)
{
    const char *found = memmem(data, size, words, strlen(words));

    if (found == NULL)
        return false;
    found += strlen(words);
    return found == data + size || *found == ' ';
}

static void cut_pair(struct relay *relay, struct pair *pair, const char *data,
                     size_t size)
{
    switch (relay->cut) {
    case CUT_BEFORE:
        close_pair(pair);
        return;
    case CUT_HOLD:
        close(pair->client);
        pair->client = -1;
        return;
    case CUT_AT_ONCE:
        pass(pair->server, data, size);
        close_pair(pair);
        return;
    case CUT_FOR_EVER:
        close(relay->listener);
        relay->listener = -1;
        pair->is_cut = pass(pair->server, data, size);
        return;
    case CUT_REPLY:
        pair->is_cut = pass(pair->server, data, size);
        return;
    }
}

static void from_server(struct relay *relay, struct pair *pair)
{
    char data[CHUNK];
    ssize_t size;

    (void)relay;
    if (pair->server < 0)
        return;
    size = read(pair->server, data, sizeof data);
    if (size <= 0 || pair->is_cut || pair->client < 0 ||
        !pass(pair->client, data, (size_t)size))
        close_pair(pair);
}

static bool pass(int to, const char *data, size_t size)
{
    size_t done = 0;

    while (done < size) {
        ssize_t sent = send(to, data + done, size - done, MSG_NOSIGNAL);

        if (sent <= 0)
            return false;
        done += (size_t)sent;
    }
    return true;
}

static void close_pair(struct pair *pair)
{
    if (pair->client >= 0)
        close(pair->client);
    if (pair->server >= 0)
        close(pair->server);
    *pair = (struct pair){-1, -1, false};
}
