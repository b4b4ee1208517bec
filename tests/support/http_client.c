/*
 * Requests and replies over one blocking socket. What is sent is put together
 * in http_write.c, the jar is in cookie_jar.c.
 */
#include "tests/support/http_client.h"

#include "server/base/buffer.h"
#include "server/base/memory.h"
#include "tests/support/cookie_jar.h"
#include "tests/support/http_write.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TIMEOUT_MS = 30000, READ_BYTES = 65536 };

struct http_client {
    uint16_t port;
    int timeout_ms;
    int send_buffer_bytes; /* 0: the system's choice */
    int socket;            /* -1: not connected */
    bool is_head;
    struct arena *arena; /* owns the replies */
    struct cookie_jar *cookies;
    struct buffer input; /* what came and is not yet part of a reply */
};

static bool connect_if_needed(struct http_client *client);
static bool is_usable(struct http_client *client);
static bool read_more(struct http_client *client, struct reply *reply);
static bool read_head(struct http_client *client, struct reply *reply);
static bool read_body(struct http_client *client, struct reply *reply);
static struct text take_input(struct http_client *client, size_t size);
static void keep_cookies(struct http_client *client, const struct reply *reply);
static struct reply *reply_new(struct http_client *client);

struct http_client *http_client_new(uint16_t port)
{
    struct http_client *client = xcalloc(1, sizeof *client);

    client->port = port;
    client->timeout_ms = TIMEOUT_MS;
    client->socket = -1;
    client->arena = arena_new();
    client->cookies = cookie_jar_new();
    return client;
}

void http_client_free(struct http_client *client)
{
    if (client == NULL)
        return;
    http_client_close(client);
    cookie_jar_free(client->cookies);
    arena_free(client->arena);
    buffer_free(&client->input);
    free(client);
}

void http_client_set_send_buffer(struct http_client *client, int bytes)
{
    client->send_buffer_bytes = bytes;
}

void http_client_set_timeout_ms(struct http_client *client, int timeout_ms)
{
    client->timeout_ms = timeout_ms;
}

void http_client_set_port(struct http_client *client, uint16_t port)
{
    http_client_close(client);
    client->port = port;
}

void http_client_close(struct http_client *client)
{
    if (client->socket != -1)
        close(client->socket);
    client->socket = -1;
    buffer_clear(&client->input);
}

void http_client_forget_replies(struct http_client *client)
{
    arena_free(client->arena);
    client->arena = arena_new();
}

const struct reply *http_get(struct http_client *client, const char *path)
{
    return http_send(client,
                     &(struct http_message){.method = "GET", .path = path});
}

const struct reply *http_head(struct http_client *client, const char *path)
{
    return http_send(client,
                     &(struct http_message){.method = "HEAD", .path = path});
}

const struct reply *http_post_form(struct http_client *client, const char *path,
                                   struct http_form form)
{
    struct buffer body = {0};
    const struct reply *reply;

    http_write_form(&body, form);
    reply = http_send(
        client,
        &(struct http_message){
            .method = "POST",
            .path = path,
            .fields = "Content-Type: application/x-www-form-urlencoded\r\n",
            .body = buffer_text(&body)});
    buffer_free(&body);
    return reply;
}

const struct reply *http_post_multipart(struct http_client *client,
                                        const char *path, struct http_form form)
{
    struct buffer body = {0};
    const struct reply *reply;

    http_write_multipart(&body, form);
    reply =
        http_send(client, &(struct http_message){.method = "POST",
                                                 .path = path,
                                                 .fields = HTTP_MULTIPART_TYPE,
                                                 .body = buffer_text(&body)});
    buffer_free(&body);
    return reply;
}

const struct reply *http_send(struct http_client *client,
                              const struct http_message *message)
{
    struct buffer bytes = {0};
    struct buffer cookies = {0};
    const struct reply *reply;

    cookie_jar_write(client->cookies, &cookies);
    http_write_head(&bytes, message, client->port, buffer_text(&cookies));
    if (!text_is_absent(message->body))
        buffer_append_text(&bytes, message->body);
    client->is_head = strcmp(message->method, "HEAD") == 0;
    reply = http_send_raw(client, buffer_text(&bytes));
    client->is_head = false;
    buffer_free(&cookies);
    buffer_free(&bytes);
    return reply;
}

const struct reply *http_send_raw(struct http_client *client, struct text bytes)
{
    /* A server may answer and hang up before it has read everything. */
    bool is_sent = http_send_bytes(client, bytes);
    struct reply *reply;

    if (client->socket != -1)
        return http_read_reply(client);
    reply = reply_new(client);
    reply->problem = is_sent ? "the connection broke" : "no connection";
    return reply;
}

bool http_send_bytes(struct http_client *client, struct text bytes)
{
    if (!is_usable(client))
        http_client_close(client);
    if (!connect_if_needed(client))
        return false;
    while (bytes.size > 0) {
        ssize_t sent =
            send(client->socket, bytes.data, bytes.size, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        bytes.data += sent;
        bytes.size -= (size_t)sent;
    }
    return true;
}

const struct reply *http_read_reply(struct http_client *client)
{
    struct reply *reply = reply_new(client);

    if (client->socket == -1) {
        reply->problem = "not connected";
        return reply;
    }
    if (!read_head(client, reply) || !read_body(client, reply)) {
        reply->status = 0;
        http_client_close(client);
        return reply;
    }
    keep_cookies(client, reply);
    if (text_equal_ignoring_case(reply_field(reply, "Connection"), "close"))
        http_client_close(client);
    return reply;
}

bool http_has_input(struct http_client *client)
{
    struct pollfd poll_for = {.fd = client->socket, .events = POLLIN};

    return client->input.size > 0 || client->socket == -1 ||
           poll(&poll_for, 1, 0) == 1;
}

bool http_is_hung_up(struct http_client *client)
{
    struct pollfd poll_for = {.fd = client->socket, .events = POLLIN};
    char byte;

    if (client->socket == -1)
        return true;
    return client->input.size == 0 &&
           poll(&poll_for, 1, client->timeout_ms) == 1 &&
           recv(client->socket, &byte, 1, MSG_PEEK) <= 0;
}

struct text reply_field(const struct reply *reply, const char *name)
{
    return http_field_of(reply->head, name);
}

const char *http_cookie(const struct http_client *client, const char *name)
{
    return cookie_jar_get(client->cookies, name);
}

void http_set_cookie(struct http_client *client, const char *name,
                     const char *value)
{
    cookie_jar_set(client->cookies, name, value);
}

void http_clear_cookies(struct http_client *client)
{
    cookie_jar_free(client->cookies);
    client->cookies = cookie_jar_new();
}

static bool connect_if_needed(struct http_client *client)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(client->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval timeout = {.tv_sec = client->timeout_ms / 1000,
                              .tv_usec = client->timeout_ms % 1000 * 1000};
    int on = 1;

    if (client->socket != -1)
        return true;
    client->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->socket == -1)
        return false;
    setsockopt(client->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (client->send_buffer_bytes > 0)
        setsockopt(client->socket, SOL_SOCKET, SO_SNDBUF,
                   &client->send_buffer_bytes,
                   sizeof client->send_buffer_bytes);
    setsockopt(client->socket, SOL_SOCKET, SO_RCVTIMEO, &timeout,
               sizeof timeout);
    setsockopt(client->socket, SOL_SOCKET, SO_SNDTIMEO, &timeout,
               sizeof timeout);
    if (connect(client->socket, (struct sockaddr *)&address, sizeof address) ==
        0)
        return true;
    http_client_close(client);
    return false;
}

/* An idle connection that the server has closed is readable. */
static bool is_usable(struct http_client *client)
{
    struct pollfd poll_for = {.fd = client->socket, .events = POLLIN};
    char byte;

    return client->socket != -1 &&
           (poll(&poll_for, 1, 0) == 0 ||
            recv(client->socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0);
}

/* True when at least one byte more is in the input. */
static bool read_more(struct http_client *client, struct reply *reply)
{
    ssize_t size;

    buffer_reserve(&client->input, READ_BYTES);
    do
        size = recv(client->socket, client->input.data + client->input.size,
                    READ_BYTES, 0);
    while (size < 0 && errno == EINTR);
    if (size > 0) {
        client->input.size += (size_t)size;
        return true;
    }
    reply->problem = arena_printf(
        client->arena, "%s after %zu bytes",
        size == 0 ? "the server hung up" : strerror(errno), client->input.size);
    return false;
}

static bool read_head(struct http_client *client, struct reply *reply)
{
    const char *end;
    int64_t status = 0;

    do {
        while (client->input.size == 0 ||
               (end = memmem(client->input.data, client->input.size, "\r\n\r\n",
                             4)) == NULL)
            if (!read_more(client, reply))
                return false;
        reply->head =
            take_input(client, (size_t)(end - client->input.data) + 4);
        if (reply->head.size < 12 ||
            !text_starts_with(reply->head, "HTTP/1.") ||
            !text_to_integer((struct text){reply->head.data + 9, 3}, &status)) {
            reply->problem = "not an HTTP reply";
            return false;
        }
    } while (status < 200);
    reply->status = (int)status;
    return true;
}

static bool read_body(struct http_client *client, struct reply *reply)
{
    struct text length = reply_field(reply, "Content-Length");
    int64_t size = 0;

    if (client->is_head || reply->status == 204 || reply->status == 304)
        return true;
    if (!text_is_absent(reply_field(reply, "Transfer-Encoding"))) {
        reply->problem = "a reply in chunks";
        return false;
    }
    if (text_is_absent(length)) {
        while (read_more(client, reply))
            continue;
        reply->problem = NULL;
        reply->body = take_input(client, client->input.size);
        http_client_close(client);
        return true;
    }
    if (!text_to_integer(length, &size) || size < 0) {
        reply->problem = "a Content-Length that is no number";
        return false;
    }
    while (client->input.size < (size_t)size)
        if (!read_more(client, reply))
            return false;
    reply->body = take_input(client, (size_t)size);
    return true;
}

/* Move the first `size` bytes of the input into the arena. */
static struct text take_input(struct http_client *client, size_t size)
{
    struct buffer *input = &client->input;
    struct text taken = text_of("");

    if (size == 0)
        return taken;
    taken = arena_copy(client->arena, (struct text){input->data, size});
    memmove(input->data, input->data + size, input->size - size);
    input->size -= size;
    return taken;
}

static void keep_cookies(struct http_client *client, const struct reply *reply)
{
    struct text rest = reply->head;
    struct text field = http_next_field_of(&rest, "Set-Cookie");

    while (!text_is_absent(field)) {
        cookie_jar_take(client->cookies, field);
        field = http_next_field_of(&rest, "Set-Cookie");
    }
}

static struct reply *reply_new(struct http_client *client)
{
    struct reply *reply = arena_zalloc(client->arena, sizeof *reply);

    reply->head = text_of("");
    reply->body = text_of("");
    return reply;
}
