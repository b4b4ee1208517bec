/*
 * A bare evhttp on a loopback port is sent a request whose length is told in
 * two ways, with a second request inside. Before CVE-2026-63382 was repaired
 * evhttp answered both.
 */
#include "server/http/selftest.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <event2/http.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DEADLINE_S = 2 };

static const char question[] = "POST / HTTP/1.1\r\n"
                               "Host: localhost\r\n"
                               "Content-Length: 6\r\n"
                               "Transfer-Encoding: chunked\r\n"
                               "\r\n"
                               "0\r\n"
                               "\r\n"
                               "GET /smuggled HTTP/1.1\r\n"
                               "Host: localhost\r\n"
                               "\r\n";

struct selftest {
    struct event_base *base;
    struct evhttp *evhttp;
    struct event *answered;
    int client;
    unsigned requests; /* that got through */
    char answer[64];
    ssize_t answer_size;
};

static const char *run(struct selftest *test);
static int connect_to(int listening);
static void on_request(struct evhttp_request *request, void *context);
static void on_answer(evutil_socket_t descriptor, short what, void *context);

bool http_selftest(const char **ret_error)
{
    struct selftest test = {.client = -1};
    const char *error;

    test.base = event_base_new();
    test.evhttp = test.base != NULL ? evhttp_new(test.base) : NULL;
    error = test.evhttp != NULL ? run(&test) : "no memory for a self-test";
    if (test.answered != NULL)
        event_free(test.answered);
    if (test.client >= 0)
        close(test.client);
    if (test.evhttp != NULL)
        evhttp_free(test.evhttp);
    if (test.base != NULL)
        event_base_free(test.base);
    if (error == NULL)
        return true;
    *ret_error = error;
    return false;
}

static const char *run(struct selftest *test)
{
    const struct timeval deadline = {.tv_sec = DEADLINE_S};
    struct evhttp_bound_socket *bound =
        evhttp_bind_socket_with_handle(test->evhttp, "127.0.0.1", 0);
    const ssize_t size = sizeof question - 1;

    if (bound == NULL)
        return "the self-test cannot listen on 127.0.0.1";
    test->client = connect_to(evhttp_bound_socket_get_fd(bound));
    if (test->client < 0 ||
        send(test->client, question, (size_t)size, MSG_NOSIGNAL) != size)
        return "the self-test cannot connect to 127.0.0.1";
    evhttp_set_gencb(test->evhttp, on_request, test);
    test->answered =
        event_new(test->base, test->client, EV_READ, on_answer, test);
    event_add(test->answered, &deadline);
    event_base_dispatch(test->base);
    if (test->requests == 0 && test->answer_size >= 12 &&
        memcmp(test->answer, "HTTP/1.1 400", 12) == 0)
        return NULL;
    return "this libevent has known security holes (CVE-2026-63382): install "
           "2.1.13, or 2.1.12-stable-8+deb12u1 of Debian, or later";
}

static int connect_to(int listening)
{
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (client >= 0 &&
        getsockname(listening, (struct sockaddr *)&address, &size) == 0 &&
        connect(client, (const struct sockaddr *)&address, size) == 0)
        return client;
    if (client >= 0)
        close(client);
    return -1;
}

static void on_request(struct evhttp_request *request, void *context)
{
    struct selftest *test = context;

    test->requests++;
    evhttp_send_reply(request, 200, "OK", NULL);
}

/* By now a smuggled request would have been answered too. */
static void on_answer(evutil_socket_t descriptor, short what, void *context)
{
    struct selftest *test = context;

    if (what & EV_READ)
        test->answer_size =
            recv(descriptor, test->answer, sizeof test->answer, MSG_DONTWAIT);
    event_base_loopbreak(test->base);
}
