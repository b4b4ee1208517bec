/*
 * A TCP client that sends any bytes.
 */
#include "tests/support/raw_client.h"

#include "server/base/clock.h"
#include "tests/support/story.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ASK_MS = 5000, SEND_MS = 20000 };

static bool wait_for(int client, short events, int64_t until_ms);
static ssize_t read_some(int client, struct buffer *reply);
static bool is_whole(const struct buffer *reply);

int raw_connect(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(port)};
    const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_ge(client, 0);
    ck_assert_int_eq(
        connect(client, (const struct sockaddr *)&address, sizeof address), 0);
    return client;
}

bool raw_send(int client, const void *bytes, size_t size)
{
    const int64_t until_ms = clock_monotonic_ms() + SEND_MS;
    const char *data = bytes;

    while (size > 0) {
        const ssize_t sent =
            send(client, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (sent < 0 && errno == EAGAIN) {
            if (!wait_for(client, POLLOUT, until_ms))
                return false;
            continue;
        }
        if (sent < 0)
            return false;
        data += sent;
        size -= (size_t)sent;
    }
    return true;
}

bool raw_say(int client, const char *text)
{
    return raw_send(client, text, strlen(text));
}

bool raw_say_slowly(int client, const char *text, int pause_ms)
{
    for (const char *byte = text; *byte != '\0'; byte++) {
        if (wait_for(client, POLLIN, clock_monotonic_ms() + pause_ms) ||
            !raw_send(client, byte, 1))
            return false;
    }
    return true;
}

enum raw_end raw_read_all(int client, struct buffer *ret_reply, int deadline_ms)
{
    const int64_t until_ms = clock_monotonic_ms() + deadline_ms;

    while (wait_for(client, POLLIN, until_ms)) {
        const ssize_t size = read_some(client, ret_reply);

        if (size <= 0)
            return size == 0 ? RAW_CLOSED : RAW_RESET;
    }
    return RAW_OPEN;
}

bool raw_read_reply(int client, struct buffer *ret_reply, int deadline_ms)
{
    const int64_t until_ms = clock_monotonic_ms() + deadline_ms;

    while (!is_whole(ret_reply)) {
        if (!wait_for(client, POLLIN, until_ms) ||
            read_some(client, ret_reply) <= 0)
            return false;
    }
    return true;
}

int raw_status(const struct buffer *reply)
{
    if (reply->size < 12 || memcmp(reply->data, "HTTP/1.", 7) != 0)
        return 0;
    return (int)strtol(reply->data + 9, NULL, 10);
}

size_t raw_count(const struct buffer *reply, const char *text)
{
    const size_t size = strlen(text);
    size_t count = 0;

    for (size_t at = 0; at + size <= reply->size; at++)
        if (memcmp(reply->data + at, text, size) == 0)
            count++;
    return count;
}

int raw_ask(uint16_t port, const void *bytes, size_t size,
            struct buffer *ret_reply)
{
    const int client = raw_connect(port);

    buffer_clear(ret_reply);
    raw_send(client, bytes, size);
    raw_read_all(client, ret_reply, ASK_MS);
    close(client);
    return raw_status(ret_reply);
}

static bool wait_for(int client, short events, int64_t until_ms)
{
    struct pollfd descriptor = {.fd = client, .events = events};
    int64_t left_ms = until_ms - clock_monotonic_ms();

    if (left_ms < 0)
        left_ms = 0;
    return poll(&descriptor, 1, (int)left_ms) > 0;
}

static ssize_t read_some(int client, struct buffer *reply)
{
    char piece[16 * 1024];
    const ssize_t size = recv(client, piece, sizeof piece, 0);

    if (size > 0)
        buffer_append(reply, piece, (size_t)size);
    return size;
}

static bool is_whole(const struct buffer *reply)
{
    static const char field[] = "Content-Length: ";
    const char *end = reply->size == 0 ? NULL : strstr(reply->data, "\r\n\r\n");
    const char *length = end == NULL ? NULL : strstr(reply->data, field);

    if (length == NULL || length > end)
        return false;
    return reply->size >= (size_t)(end + 4 - reply->data) +
                              strtoul(length + sizeof field - 1, NULL, 10);
}
