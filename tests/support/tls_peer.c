/*
 * A TLS server with a certificate that nobody signed.
 *
 * s_server writes what it receives to its standard output and sends what it
 * reads from its standard input, so the HTTP is played from here.
 */
#include "tests/support/tls_peer.h"

#include "server/base/buffer.h"
#include "server/base/compiler.h"
#include "server/base/memory.h"
#include "tests/support/story.h"

#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct tls_peer {
    pid_t process;
    char folder[32];
    char *key;
    char *certificate;
    char *url;
    int input;
    int output;
    struct event *readable;
    struct buffer seen;
    bool was_asked;
};

static void make_certificate(const struct tls_peer *peer, const char *names);
static void run_server(struct tls_peer *peer, const char *option);
static void read_port(struct tls_peer *peer);
static pid_t run(const char *const *words, int input, int output);
static void on_readable(evutil_socket_t file, short what, void *context);

struct tls_peer *tls_peer_start(const char *names, const char *option)
{
    static const char template[] = "/tmp/xqueue-tls-XXXXXX";
    struct tls_peer *peer = xcalloc(1, sizeof *peer);

    memcpy(peer->folder, template, sizeof template);
    ck_assert_ptr_nonnull(mkdtemp(peer->folder));
    peer->key = xasprintf("%s/key.pem", peer->folder);
    peer->certificate = xasprintf("%s/certificate.pem", peer->folder);
    make_certificate(peer, names);
    run_server(peer, option);
    read_port(peer);
    return peer;
}

void tls_peer_serve(struct tls_peer *peer, struct event_base *base)
{
    peer->readable =
        event_new(base, peer->output, EV_READ | EV_PERSIST, on_readable, peer);
    event_add(peer->readable, NULL);
}

const char *tls_peer_url(const struct tls_peer *peer)
{
    return peer->url;
}

const char *tls_peer_certificate(const struct tls_peer *peer)
{
    return peer->certificate;
}

bool tls_peer_was_asked(const struct tls_peer *peer)
{
    return peer->was_asked;
}

size_t tls_peer_received(const struct tls_peer *peer)
{
    return peer->seen.size;
}

void tls_peer_stop(struct tls_peer *peer)
{
    if (peer == NULL)
        return;
    kill(peer->process, SIGKILL);
    waitpid(peer->process, NULL, 0);
    if (peer->readable != NULL)
        event_free(peer->readable);
    close(peer->input);
    close(peer->output);
    unlink(peer->key);
    unlink(peer->certificate);
    rmdir(peer->folder);
    buffer_free(&peer->seen);
    free(peer->key);
    free(peer->certificate);
    free(peer->url);
    free(peer);
}

static void make_certificate(const struct tls_peer *peer, const char *names)
{
    char *extension = xasprintf("subjectAltName=%s", names);
    const char *const words[] = {"openssl",
                                 "req",
                                 "-x509",
                                 "-newkey",
                                 "ec",
                                 "-pkeyopt",
                                 "ec_paramgen_curve:prime256v1",
                                 "-nodes",
                                 "-days",
                                 "2",
                                 "-subj",
                                 "/CN=XQueue test",
                                 "-addext",
                                 extension,
                                 "-keyout",
                                 peer->key,
                                 "-out",
                                 peer->certificate,
                                 NULL};
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    int status;

    ck_assert_int_eq(waitpid(run(words, nothing, nothing), &status, 0) > 0, 1);
    ck_assert_msg(status == 0, "openssl req has failed");
    close(nothing);
    free(extension);
}

static void run_server(struct tls_peer *peer, const char *option)
{
    const char *const words[] = {
        "openssl", "s_server",        "-accept", "127.0.0.1:0",
        "-key",    peer->key,         "-cert",   peer->certificate,
        "-cipher", "ALL:@SECLEVEL=0", option,    NULL};
    int input[2];
    int output[2];

    ck_assert_int_eq(pipe2(input, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(output, O_CLOEXEC), 0);
    peer->process = run(words, input[0], output[1]);
    close(input[0]);
    close(output[1]);
    peer->input = input[1];
    peer->output = output[0];
}

static void read_port(struct tls_peer *peer)
{
    static const char mark[] = "ACCEPT 127.0.0.1:";
    const char *found = NULL;
    char byte;

    while (found == NULL || strchr(found, '\n') == NULL) {
        ck_assert_msg(read(peer->output, &byte, 1) == 1,
                      "openssl s_server does not start");
        buffer_append_char(&peer->seen, byte);
        found = strstr(peer->seen.data, mark);
    }
    peer->url = xasprintf("https://localhost:%ld/",
                          strtol(found + strlen(mark), NULL, 10));
    buffer_clear(&peer->seen);
}

static pid_t run(const char *const *words, int input, int output)
{
    pid_t process = fork();

    ck_assert_int_ge(process, 0);
    if (process == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(input, STDIN_FILENO);
        dup2(output, STDOUT_FILENO);
        dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
        execvp(words[0], (char *const *)words);
        _exit(127);
    }
    return process;
}

static void on_readable(evutil_socket_t file, short what, void *context)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\n"
                                 "Content-Length: 2\r\n\r\nok";
    struct tls_peer *peer = context;
    char bytes[4096];
    ssize_t size = read(file, bytes, sizeof bytes);

    (void)what;
    if (size <= 0) {
        event_del(peer->readable);
        return;
    }
    buffer_append(&peer->seen, bytes, (size_t)size);
    if (peer->was_asked ||
        memmem(peer->seen.data, peer->seen.size, "\r\n\r\n", 4) == NULL)
        return;
    peer->was_asked = true;
    ck_assert_int_eq(write(peer->input, answer, strlen(answer)),
                     (ssize_t)strlen(answer));
}
