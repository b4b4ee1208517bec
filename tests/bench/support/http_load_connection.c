/*
 * One client's connection. It is watched once, for everything and edge by
 * edge, so that a request costs a send, a recv, and a share of an epoll_wait.
 */
#include "tests/bench/support/http_load_private.h"

#include "server/base/memory.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_BYTES = 4096, MOST_SOURCES = 250 };

static bool connect_to(struct load_connection *connection,
                       struct load_network *network);
static int open_socket(unsigned source);
static enum load_event write_on(struct load_connection *connection);
static enum load_event read_on(struct load_connection *connection,
                               bool is_hung_up);
static enum load_event look_at(struct load_connection *connection);
static bool take_head_apart(struct load_connection *connection);
static const char *field_of(const struct load_connection *connection,
                            const char *name);

enum load_event load_connection_send(struct load_connection *connection,
                                     struct load_network *network)
{
    connection->written = 0;
    connection->head_size = 0;
    buffer_clear(&connection->in);
    connection->state = LOAD_WRITING;
    if (connection->socket == -1 && !connect_to(connection, network))
        return LOAD_BROKEN;
    return write_on(connection);
}

enum load_event load_connection_event(struct load_connection *connection,
                                      uint32_t events)
{
    bool is_hung_up = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    bool had_to_wait = connection->state == LOAD_WRITING;

    if (connection->state == LOAD_IDLE) {
        if (is_hung_up)
            load_connection_close(connection);
        return LOAD_NOTHING_YET;
    }
    if (had_to_wait && write_on(connection) == LOAD_BROKEN)
        return LOAD_BROKEN;
    if (connection->state != LOAD_READING)
        return is_hung_up ? LOAD_BROKEN : LOAD_NOTHING_YET;
    /* What came meanwhile was announced before we cared for it. */
    if ((events & EPOLLIN) != 0 || is_hung_up || had_to_wait)
        return read_on(connection, is_hung_up);
    return LOAD_NOTHING_YET;
}

struct http_load_reply
load_connection_reply(const struct load_connection *connection)
{
    const char *data = connection->in.data;
    const char *blank = memchr(data, ' ', connection->head_size);

    return (struct http_load_reply){
        .status = blank == NULL ? 0 : (int)strtol(blank, NULL, 10),
        .head = {data, connection->head_size},
        .body = {data + connection->head_size, connection->body_size},
    };
}

bool load_connection_is_last_reply(const struct load_connection *connection)
{
    const char *value = field_of(connection, "Connection:");

    return value != NULL && strncasecmp(value, " close\r\n", 8) == 0;
}

void load_connection_close(struct load_connection *connection)
{
    if (connection->socket != -1)
        close(connection->socket);
    connection->socket = -1;
}

void load_connection_free(struct load_connection *connection)
{
    load_connection_close(connection);
    buffer_free(&connection->out);
    buffer_free(&connection->in);
}

static bool connect_to(struct load_connection *connection,
                       struct load_network *network)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(network->port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    struct epoll_event event = {
        .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
        .data.ptr = connection,
    };

    for (; network->source < MOST_SOURCES; network->source++) {
        connection->socket = open_socket(network->source);
        if (connect(connection->socket, (const struct sockaddr *)&address,
                    sizeof address) == 0 ||
            errno == EINPROGRESS)
            break;
        load_connection_close(connection);
        if (errno != EADDRNOTAVAIL)
            return false;
    }
    if (connection->socket == -1)
        fatal("no ports are left to connect from");
    if (epoll_ctl(network->epoll, EPOLL_CTL_ADD, connection->socket, &event) !=
        0)
        fatal("epoll_ctl: %s", strerror(errno));
    return true;
}

static int open_socket(unsigned source)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK + source),
    };
    const int yes = 1;
    int file = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (file == -1)
        fatal("socket: %s", strerror(errno));
    setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (source == 0)
        return file;
    setsockopt(file, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    if (bind(file, (const struct sockaddr *)&address, sizeof address) != 0)
        fatal("bind: %s", strerror(errno));
    return file;
}

static enum load_event write_on(struct load_connection *connection)
{
    const struct buffer *out = &connection->out;

    while (connection->written < out->size) {
        ssize_t size = send(connection->socket, out->data + connection->written,
                            out->size - connection->written, MSG_NOSIGNAL);

        if (size < 0)
            return errno == EAGAIN ? LOAD_NOTHING_YET : LOAD_BROKEN;
        connection->written += (size_t)size;
    }
    connection->state = LOAD_READING;
    return LOAD_NOTHING_YET;
}

static enum load_event read_on(struct load_connection *connection,
                               bool is_hung_up)
{
    struct buffer *in = &connection->in;

    for (;;) {
        enum load_event event;
        size_t room;
        ssize_t size;

        buffer_reserve(in, READ_BYTES);
        room = in->capacity - in->size - 1;
        size = recv(connection->socket, in->data + in->size, room, 0);
        if (size == 0)
            return LOAD_BROKEN;
        if (size < 0)
            return errno == EAGAIN ? LOAD_NOTHING_YET : LOAD_BROKEN;
        in->size += (size_t)size;
        in->data[in->size] = '\0';
        event = look_at(connection);
        /* Less than there was room for is all that there is. */
        if (event != LOAD_NOTHING_YET || ((size_t)size < room && !is_hung_up))
            return event;
    }
}

static enum load_event look_at(struct load_connection *connection)
{
    const struct buffer *in = &connection->in;

    if (connection->head_size == 0) {
        const char *end = memmem(in->data, in->size, "\r\n\r\n", 4);

        if (end == NULL)
            return LOAD_NOTHING_YET;
        connection->head_size = (size_t)(end - in->data) + 4;
        if (!take_head_apart(connection))
            return LOAD_BROKEN;
    }
    if (in->size < connection->head_size + connection->body_size)
        return LOAD_NOTHING_YET;
    return in->size == connection->head_size + connection->body_size
               ? LOAD_REPLY
               : LOAD_BROKEN;
}

/* A reply says how long it is; the servers here do. */
static bool take_head_apart(struct load_connection *connection)
{
    const char *length = field_of(connection, "Content-Length:");

    if (length == NULL)
        return false;
    connection->body_size = strtoul(length, NULL, 10);
    return true;
}

/* What follows the name, in the head; NULL when it is not there. */
static const char *field_of(const struct load_connection *connection,
                            const char *name)
{
    const char *line = connection->in.data;
    const char *end = line + connection->head_size - 2;

    for (; line < end; line = strchr(line, '\n') + 1) {
        if (strncasecmp(line, name, strlen(name)) == 0)
            return line + strlen(name);
    }
    return NULL;
}
