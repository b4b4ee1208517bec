/*
 * The request that the handler sees: a view of evhttp's.
 */
#include "server/http/private.h"

#include "server/base/memory.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <stdlib.h>
#include <string.h>

static enum http_method method_of(struct evhttp_request *evhttp);
static struct text target_of(const struct http_request *request);
static const char *peer_of(struct evhttp_connection *evhttp);

struct http_request *http_request_new(struct http_server *server,
                                      struct http_connection *connection,
                                      struct evhttp_request *evhttp)
{
    struct http_request *request = xcalloc(1, sizeof *request);

    request->server = server;
    request->connection = connection;
    request->evhttp = evhttp;
    request->method = method_of(evhttp);
    request->peer = xstrdup(peer_of(connection->evhttp));
    return request;
}

void http_request_free(struct http_request *request)
{
    free(request->peer);
    free(request);
}

void http_request_lost(struct http_request *request)
{
    request->connection = NULL;
    if (request->stream != NULL)
        http_stream_lost(request->stream);
}

void http_request_forget_body(struct http_request *request)
{
    struct evbuffer *body = evhttp_request_get_input_buffer(request->evhttp);

    evbuffer_drain(body, evbuffer_get_length(body));
}

enum http_method http_method(const struct http_request *request)
{
    return request->method;
}

const char *http_method_name(const struct http_request *request)
{
    switch (evhttp_request_get_command(request->evhttp)) {
    case EVHTTP_REQ_GET:
        return "GET";
    case EVHTTP_REQ_POST:
        return "POST";
    case EVHTTP_REQ_HEAD:
        return "HEAD";
    case EVHTTP_REQ_PUT:
        return "PUT";
    case EVHTTP_REQ_DELETE:
        return "DELETE";
    case EVHTTP_REQ_OPTIONS:
        return "OPTIONS";
    case EVHTTP_REQ_TRACE:
        return "TRACE";
    case EVHTTP_REQ_CONNECT:
        return "CONNECT";
    case EVHTTP_REQ_PATCH:
        return "PATCH";
    }
    return "OTHER";
}

struct text http_path(const struct http_request *request)
{
    const struct text target = target_of(request);
    const char *mark = memchr(target.data, '?', target.size);

    if (mark == NULL)
        return target;
    return (struct text){target.data, (size_t)(mark - target.data)};
}

struct text http_query(const struct http_request *request)
{
    const struct text target = target_of(request);
    const struct text path = http_path(request);

    if (path.size == target.size)
        return TEXT_ABSENT;
    return (struct text){path.data + path.size + 1,
                         target.size - path.size - 1};
}

struct text http_body(struct http_request *request)
{
    struct evbuffer *body = evhttp_request_get_input_buffer(request->evhttp);
    const size_t size = evbuffer_get_length(body);

    if (size == 0)
        return text_of("");
    return (struct text){(const char *)evbuffer_pullup(body, -1), size};
}

struct text http_field(const struct http_request *request, const char *name)
{
    const char *value = evhttp_find_header(
        evhttp_request_get_input_headers(request->evhttp), name);

    return value == NULL ? TEXT_ABSENT : text_trim(text_of(value));
}

const char *http_peer(const struct http_request *request)
{
    return request->peer;
}

static enum http_method method_of(struct evhttp_request *evhttp)
{
    switch (evhttp_request_get_command(evhttp)) {
    case EVHTTP_REQ_GET:
        return HTTP_GET;
    case EVHTTP_REQ_POST:
        return HTTP_POST;
    case EVHTTP_REQ_HEAD:
        return HTTP_HEAD;
    case EVHTTP_REQ_PUT:
    case EVHTTP_REQ_DELETE:
    case EVHTTP_REQ_OPTIONS:
    case EVHTTP_REQ_TRACE:
    case EVHTTP_REQ_CONNECT:
    case EVHTTP_REQ_PATCH:
        return HTTP_OTHER;
    }
    return HTTP_OTHER;
}

static struct text target_of(const struct http_request *request)
{
    return text_of(evhttp_request_get_uri(request->evhttp));
}

/* An IPv4 client of a socket for both: "::ffff:127.0.0.1". */
static const char *peer_of(struct evhttp_connection *evhttp)
{
    static const char mapped[] = "::ffff:";
    char *address = NULL;
    uint16_t port = 0;

    evhttp_connection_get_peer(evhttp, &address, &port);
    if (strncmp(address, mapped, sizeof mapped - 1) == 0 &&
        strchr(address, '.') != NULL)
        return address + sizeof mapped - 1;
    return address;
}
