/*
 * A scripted HTTP server: the test's side of it.
 *
 * The peer's process appends what it receives to a file in memory that both
 * share, and writes a byte into a pipe to say so.
 */
#include "tests/support/peer.h"

#include "server/base/clock.h"
#include "server/base/memory.h"
#include "tests/support/peer_process.h"
#include "tests/support/story.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_URLS = 64, DEAF_CLIENTS = 16, WAIT_MS = 10000 };

struct peer {
    pid_t process; /* 0: none */
    uint16_t port;
    int listener; /* -1: closed on our side */
    int record;
    int wake;
    off_t record_read;
    struct peer_request *requests; /* what was read so far */
    size_t request_count;
    size_t connection_count;
    char *urls[MAX_URLS];
    size_t url_count;
    int clients[DEAF_CLIENTS]; /* that fill the backlog of a deaf peer */
};

static int listen_at(uint16_t port, int backlog, uint16_t *ret_port);
static struct sockaddr_in local_address(uint16_t port);
static struct peer *peer_new(int listener, uint16_t port);
static void run_process(struct peer *peer, const struct peer_rule *rules,
                        size_t count);
static int knock(uint16_t port);
static void read_records(struct peer *peer);
static void add_request(struct peer *peer, const struct peer_record *header);

struct peer *peer_start(const struct peer_rule *rules, size_t count)
{
    return peer_start_at(0, rules, count);
}

struct peer *peer_start_one(struct peer_rule rule)
{
    return peer_start_at(0, &rule, 1);
}

struct peer *peer_start_at(uint16_t port, const struct peer_rule *rules,
                           size_t count)
{
    uint16_t real_port;
    int listener = listen_at(port, 1024, &real_port);
    struct peer *peer = peer_new(listener, real_port);

    run_process(peer, rules, count);
    close(peer->listener);
    peer->listener = -1;
    return peer;
}

struct peer *peer_start_deaf(void)
{
    uint16_t port;
    int listener = listen_at(0, 0, &port);
    struct peer *peer = peer_new(listener, port);

    for (size_t i = 0; i < DEAF_CLIENTS; i++)
        peer->clients[i] = knock(port);
    return peer;
}

uint16_t peer_port(const struct peer *peer)
{
    return peer->port;
}

const char *peer_url(struct peer *peer, const char *target)
{
    char *url = xasprintf("http://127.0.0.1:%u%s", peer->port, target);

    ck_assert_msg(peer->url_count < MAX_URLS, "too many URLs of one peer");
    peer->urls[peer->url_count++] = url;
    return url;
}

size_t peer_request_count(struct peer *peer)
{
    read_records(peer);
    return peer->request_count;
}

size_t peer_connection_count(struct peer *peer)
{
    read_records(peer);
    return peer->connection_count;
}

bool peer_wait(struct peer *peer, size_t count, long timeout_ms)
{
    int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;

    while (peer_request_count(peer) < count) {
        int64_t left_ms = deadline_ms - clock_monotonic_ms();
        struct pollfd wake = {.fd = peer->wake, .events = POLLIN};
        char bytes[256];

        if (left_ms <= 0 || poll(&wake, 1, (int)left_ms) <= 0)
            return peer_request_count(peer) >= count;
        if (read(peer->wake, bytes, sizeof bytes) == 0)
            return peer_request_count(peer) >= count; /* the peer is gone */
    }
    return true;
}

const struct peer_request *peer_request(struct peer *peer, size_t index)
{
    ck_assert_msg(peer_wait(peer, index + 1, WAIT_MS),
                  "the peer has seen only %zu requests", peer->request_count);
    return &peer->requests[index];
}

struct text peer_header(const struct peer_request *request, const char *name)
{
    const char *line = strstr(request->bytes.data, "\r\n") + 2;
    size_t name_size = strlen(name);

    while (strncmp(line, "\r\n", 2) != 0) {
        size_t size = (size_t)(strstr(line, "\r\n") - line);

        if (size > name_size && line[name_size] == ':' &&
            strncasecmp(line, name, name_size) == 0)
            return text_trim(
                (struct text){line + name_size + 1, size - name_size - 1});
        line += size + 2;
    }
    return TEXT_ABSENT;
}

void peer_stop(struct peer *peer)
{
    if (peer == NULL)
        return;
    if (peer->process > 0) {
        kill(peer->process, SIGKILL);
        waitpid(peer->process, NULL, 0);
    }
    for (size_t i = 0; i < DEAF_CLIENTS; i++) {
        if (peer->clients[i] >= 0)
            close(peer->clients[i]);
    }
    if (peer->listener >= 0)
        close(peer->listener);
    close(peer->record);
    close(peer->wake);
    for (size_t i = 0; i < peer->request_count; i++) {
        free((char *)peer->requests[i].bytes.data);
        free((char *)peer->requests[i].line);
    }
    for (size_t i = 0; i < peer->url_count; i++)
        free(peer->urls[i]);
    free(peer->requests);
    free(peer);
}

static int listen_at(uint16_t port, int backlog, uint16_t *ret_port)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = local_address(port);
    socklen_t size = sizeof address;
    int yes = 1;

    ck_assert_int_ge(listener, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(listen(listener, backlog), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &size),
                     0);
    *ret_port = ntohs(address.sin_port);
    return listener;
}

static struct sockaddr_in local_address(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
}

static struct peer *peer_new(int listener, uint16_t port)
{
    struct peer *peer = xcalloc(1, sizeof *peer);

    peer->listener = listener;
    peer->port = port;
    peer->wake = -1;
    peer->record = memfd_create("peer", MFD_CLOEXEC);
    ck_assert_int_ge(peer->record, 0);
    for (size_t i = 0; i < DEAF_CLIENTS; i++)
        peer->clients[i] = -1;
    return peer;
}

static void run_process(struct peer *peer, const struct peer_rule *rules,
                        size_t count)
{
    pid_t parent = getpid();
    int ends[2];

    ck_assert_int_eq(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    ck_assert_int_eq(fcntl(peer->listener, F_SETFL, O_NONBLOCK), 0);
    peer->process = fork();
    ck_assert_int_ge(peer->process, 0);
    if (peer->process == 0) {
        struct peer_job job = {.listener = peer->listener,
                               .record = peer->record,
                               .wake = ends[1],
                               .rules = rules,
                               .rule_count = count};

        /* A test that crashes takes its peers along. */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(0);
        signal(SIGPIPE, SIG_IGN);
        close(ends[0]);
        peer_process_run(&job);
    }
    close(ends[1]);
    peer->wake = ends[0];
}

/* Begin a connection and leave it alone. */
static int knock(uint16_t port)
{
    struct sockaddr_in address = local_address(port);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(client, 0);
    (void)!connect(client, (struct sockaddr *)&address, sizeof address);
    return client;
}

static void read_records(struct peer *peer)
{
    struct peer_record header;

    while (pread(peer->record, &header, sizeof header, peer->record_read) ==
               (ssize_t)sizeof header &&
           header.kind != 0) {
        if (header.kind == PEER_RECORD_CONNECTION)
            peer->connection_count++;
        else
            add_request(peer, &header);
        peer->record_read += (off_t)(sizeof header + header.size);
    }
}

static void add_request(struct peer *peer, const struct peer_record *header)
{
    struct peer_request *request;
    char *bytes = xmalloc(header->size + 1);
    size_t head_size;

    ck_assert_int_eq(pread(peer->record, bytes, header->size,
                           peer->record_read + (off_t)sizeof *header),
                     (ssize_t)header->size);
    bytes[header->size] = '\0';
    head_size = (size_t)(strstr(bytes, "\r\n\r\n") - bytes) + 4;
    peer->requests =
        xrealloc(peer->requests, (peer->request_count + 1) * sizeof *request);
    request = &peer->requests[peer->request_count++];
    *request = (struct peer_request){
        .connection = header->connection,
        .bytes = {bytes, header->size},
        .body = {bytes + head_size, header->size - head_size},
        .line = strndup(bytes, strcspn(bytes, "\r")),
    };
}
