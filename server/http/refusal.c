/*
 * Refusals are a few hundred bytes and nothing else is being written, so that
 * one send() takes them; where it does not, closing says enough.
 */
#include "server/http/refusal.h"

#include "server/base/buffer.h"
#include "server/http/private.h"
#include "server/http/status.h"

#include <event2/http.h>
#include <sys/socket.h>

static void append_body(struct buffer *body, const char *content);
static void log_refusal(struct evhttp_connection *evhttp, int status,
                        const char *content);

int http_refusal_status(int evhttp_status)
{
    return evhttp_status == 501 ? 405 : evhttp_status;
}

void http_refusal_send(struct http_connection *connection)
{
    const int status = connection->refusal_status;
    const char *content = connection->refusal_content;
    struct buffer body = {0};
    struct buffer reply = {0};

    if (content == NULL)
        content = http_status_reason(status);
    log_refusal(connection->evhttp, status, content);
    append_body(&body, content);
    buffer_printf(&reply,
                  "HTTP/1.1 %d %s\r\n"
                  "Content-Type: text/html; charset=utf-8\r\n"
                  "X-Content-Type-Options: nosniff\r\n"
                  "%s"
                  "Content-Length: %zu\r\n"
                  "Connection: close\r\n"
                  "\r\n",
                  status, http_status_reason(status),
                  status == 405 ? "Allow: GET, HEAD, POST\r\n" : "", body.size);
    buffer_append_text(&reply, buffer_text(&body));
    connection->refused = send(connection->descriptor, reply.data, reply.size,
                               MSG_NOSIGNAL | MSG_DONTWAIT) > 0;
    buffer_free(&reply);
    buffer_free(&body);
}

static void append_body(struct buffer *body, const char *content)
{
    buffer_printf(body, "{\"return_code\": 1, \"content\": \"%s\"}", content);
}

/* At most one line in ten seconds. */
static void log_refusal(struct evhttp_connection *evhttp, int status,
                        const char *content)
{
    static struct log_once once;
    char *address = NULL;
    uint16_t port = 0;

    if (evhttp != NULL)
        evhttp_connection_get_peer(evhttp, &address, &port);
    log_repeated(&once, LOG_INFO, "refused a request from %s: %d %s",
                 address != NULL ? address : "a client gone", status, content);
}
