/*
 * The process behind tests/support/peer.h: one event loop, no threads.
 *
 * A client is read until its request is complete and recorded; then a rule is
 * chosen and acted upon, and only after that is more read from it.
 */
#include "tests/support/peer_process.h"

#include "server/base/buffer.h"
#include "server/base/memory.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DEFAULT_PACE_MS = 1000, NONE = -1 };

struct server {
    struct peer_job job;
    struct event_base *base;
    unsigned *uses; /* of each rule */
    uint32_t connections;
    off_t record_end;
};

struct client {
    struct server *server;
    uint32_t number;
    struct bufferevent *stream;
    struct event *timer;
    const struct peer_rule *rule; /* NULL: none chosen yet */
    bool is_answering;
    struct buffer answer;
    size_t sent;
    bool is_to_close; /* once all is written */
};

static const struct peer_rule not_found = {.status = 404};

static void on_connection(struct evconnlistener *listener,
                          evutil_socket_t socket, struct sockaddr *address,
                          int size, void *context);
static void on_read(struct bufferevent *stream, void *context);
static void on_written(struct bufferevent *stream, void *context);
static void on_event(struct bufferevent *stream, short what, void *context);
static void on_timer(evutil_socket_t socket, short what, void *context);
static ssize_t head_size_of(struct evbuffer *input);
static size_t body_size_of(const char *head);
static const struct peer_rule *choose_rule(struct server *server,
                                           const char *head);
static void record(struct server *server, uint32_t kind, uint32_t connection,
                   const void *bytes, size_t size);
static void write_at(int file, off_t where, const void *bytes, size_t size);
static void wait_ms(struct client *client, long ms);
static void compose(struct client *client);
static void answer(struct client *client);
static void answer_part(struct client *client, size_t size);
static void finish_answer(struct client *client);
static void reset(struct client *client);
static void client_free(struct client *client);

void peer_process_run(const struct peer_job *job)
{
    struct server server = {.job = *job};

    server.base = event_base_new();
    server.uses = xcalloc(job->rule_count + 1, sizeof *server.uses);
    if (evconnlistener_new(server.base, on_connection, &server,
                           LEV_OPT_CLOSE_ON_FREE, 0, job->listener) == NULL)
        fatal("peer: cannot listen");
    event_base_dispatch(server.base);
    _exit(0);
}

static void on_connection(struct evconnlistener *listener,
                          evutil_socket_t socket, struct sockaddr *address,
                          int size, void *context)
{
    struct server *server = context;
    struct client *client = xcalloc(1, sizeof *client);

    (void)listener;
    (void)address;
    (void)size;
    client->server = server;
    client->number = server->connections++;
    client->timer = event_new(server->base, -1, 0, on_timer, client);
    client->stream =
        bufferevent_socket_new(server->base, socket, BEV_OPT_CLOSE_ON_FREE);
    if (client->timer == NULL || client->stream == NULL)
        fatal("peer: no memory");
    record(server, PEER_RECORD_CONNECTION, client->number, "", 0);
    bufferevent_setcb(client->stream, on_read, on_written, on_event, client);
    bufferevent_enable(client->stream, EV_READ | EV_WRITE);
}

static void on_read(struct bufferevent *stream, void *context)
{
    struct client *client = context;
    struct server *server = client->server;
    struct evbuffer *input = bufferevent_get_input(stream);
    ssize_t head_size = head_size_of(input);
    size_t size;
    char *request;

    if (client->is_answering || head_size == NONE)
        return;
    size = (size_t)head_size;
    request = xmalloc(size + 1);
    evbuffer_copyout(input, request, size);
    request[size] = '\0';
    if (client->rule == NULL)
        client->rule = choose_rule(server, request);
    if (!client->rule->before_body)
        size += body_size_of(request);
    free(request);
    if (evbuffer_get_length(input) < size)
        return;
    record(server, PEER_RECORD_REQUEST, client->number,
           evbuffer_pullup(input, (ssize_t)size), size);
    evbuffer_drain(input, size);
    client->is_answering = true;
    compose(client);
    if (client->rule->delay_ms > 0)
        wait_ms(client, client->rule->delay_ms);
    else
        answer(client);
}

static void on_written(struct bufferevent *stream, void *context)
{
    struct client *client = context;

    (void)stream;
    if (!client->is_to_close)
        return;
    if (client->rule->manner == PEER_RESET)
        reset(client);
    client_free(client);
}

static void on_event(struct bufferevent *stream, short what, void *context)
{
    (void)stream;
    if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0)
        client_free(context);
}

static void on_timer(evutil_socket_t socket, short what, void *context)
{
    (void)socket;
    (void)what;
    answer(context);
}

/* Including the empty line; NONE until it has come. */
static ssize_t head_size_of(struct evbuffer *input)
{
    struct evbuffer_ptr end = evbuffer_search(input, "\r\n\r\n", 4, NULL);

    return end.pos < 0 ? NONE : (ssize_t)(end.pos + 4);
}

static size_t body_size_of(const char *head)
{
    const char *header = strcasestr(head, "\r\nContent-Length:");

    return header == NULL ? 0 : strtoul(header + 17, NULL, 10);
}

static const struct peer_rule *choose_rule(struct server *server,
                                           const char *head)
{
    const char *blank = strchr(head, ' ');
    const char *target = blank == NULL ? "" : blank + 1;

    for (size_t i = 0; i < server->job.rule_count; i++) {
        const struct peer_rule *rule = &server->job.rules[i];
        const char *path = rule->path == NULL ? "" : rule->path;

        if (rule->times > 0 && server->uses[i] >= rule->times)
            continue;
        if (strncmp(target, path, strlen(path)) != 0)
            continue;
        server->uses[i]++;
        return rule;
    }
    return &not_found;
}

static void record(struct server *server, uint32_t kind, uint32_t connection,
                   const void *bytes, size_t size)
{
    struct peer_record header = {.connection = connection, .size = size};
    off_t start = server->record_end;
    int file = server->job.record;

    write_at(file, start + (off_t)sizeof header, bytes, size);
    write_at(file, start, &header, sizeof header);
    write_at(file, start, &kind, sizeof kind);
    server->record_end = start + (off_t)(sizeof header + size);
    /* A full pipe is as good a wake-up as a fuller one. */
    if (write(server->job.wake, "!", 1) < 0 && errno != EAGAIN)
        _exit(0);
}

static void write_at(int file, off_t where, const void *bytes, size_t size)
{
    if (pwrite(file, bytes, size, where) != (ssize_t)size)
        fatal("peer: cannot record");
}

static void wait_ms(struct client *client, long ms)
{
    struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

    event_add(client->timer, &wait);
}

static void compose(struct client *client)
{
    const struct peer_rule *rule = client->rule;
    struct buffer *text = &client->answer;
    const char *body = rule->body == NULL ? "" : rule->body;
    size_t size = rule->body == NULL ? rule->filler : strlen(body);

    buffer_clear(text);
    client->sent = 0;
    if (rule->raw != NULL) {
        buffer_append_string(text, rule->raw);
        return;
    }
    buffer_printf(
        text, "HTTP/1.1 %d Answer\r\nContent-Length: %zu\r\n%s%s\r\n",
        rule->status == 0 ? 200 : rule->status, size,
        rule->headers == NULL ? "" : rule->headers,
        rule->manner == PEER_ANSWER_AND_CLOSE ? "Connection: close\r\n" : "");
    if (rule->body != NULL) {
        buffer_append_string(text, body);
        return;
    }
    buffer_reserve(text, size);
    memset(text->data + text->size, 'x', size);
    text->size += size;
}

static void answer(struct client *client)
{
    const struct peer_rule *rule = client->rule;

    switch (rule->manner) {
    case PEER_STALL:
        return;
    case PEER_TRICKLE:
        if (client->sent == client->answer.size) {
            finish_answer(client);
            return;
        }
        answer_part(client, client->sent + 1);
        wait_ms(client, rule->pace_ms == 0 ? DEFAULT_PACE_MS : rule->pace_ms);
        return;
    case PEER_CUT:
    case PEER_RESET:
        client->is_to_close = true;
        answer_part(client, rule->bytes);
        return;
    case PEER_ANSWER_AND_CLOSE:
    case PEER_ANSWER_AND_DROP:
        client->is_to_close = true;
        answer_part(client, SIZE_MAX);
        return;
    case PEER_ANSWER:
        answer_part(client, SIZE_MAX);
        finish_answer(client);
        return;
    }
}

/* Send the answer up to its byte `end`. */
static void answer_part(struct client *client, size_t end)
{
    if (end > client->answer.size)
        end = client->answer.size;
    bufferevent_write(client->stream, client->answer.data + client->sent,
                      end - client->sent);
    if (end == client->sent)
        /* Nothing to write, so nobody would tell us that it is written. */
        bufferevent_trigger(client->stream, EV_WRITE, BEV_TRIG_DEFER_CALLBACKS);
    client->sent = end;
}

static void finish_answer(struct client *client)
{
    client->is_answering = false;
    client->rule = NULL;
    bufferevent_trigger(client->stream, EV_READ, BEV_TRIG_DEFER_CALLBACKS);
}

static void reset(struct client *client)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    setsockopt(bufferevent_getfd(client->stream), SOL_SOCKET, SO_LINGER,
               &at_once, sizeof at_once);
}

static void client_free(struct client *client)
{
    bufferevent_free(client->stream);
    event_free(client->timer);
    buffer_free(&client->answer);
    free(client);
}
