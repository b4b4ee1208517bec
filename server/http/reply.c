/*
 * The reply, given to evhttp with every field that it would guess wrongly.
 *
 * Whether the connection goes on is decided here from the client's Connection
 * field, read as a list, and then told to evhttp by rewriting that field in
 * the request into one of the two forms which it understands.
 */
#include "server/http/private.h"

#include "server/base/clock.h"
#include "server/base/memory.h"
#include "server/http/status.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char default_type[] = "text/html; charset=utf-8";

static void add_fields(struct http_request *request,
                       const struct http_reply *reply, uint64_t content_length);
static const char *date_of(struct http_server *server);
static void add_field(struct http_request *request, const char *name,
                      const char *value);
static void settle_connection(struct http_request *request, bool close);
static bool wants_close(const struct http_request *request);
static bool list_has(struct text list, const char *word);
static void send_reply(struct http_request *request,
                       const struct http_reply *reply);
static void on_written(struct evhttp_request *evhttp, void *context);

void http_reply(struct http_request *request, const struct http_reply *reply)
{
    struct http_connection *connection = request->connection;

    request->server->in_flight--;
    if (evhttp_request_get_connection(request->evhttp) == NULL) {
        evhttp_send_reply(request->evhttp, reply->status, "", NULL); /* frees */
        http_request_free(request);
        return;
    }
    http_reply_prepare(request, reply, reply->body.size);
    send_reply(request, reply);
    http_connection_replying(connection);
    http_request_free(request);
}

void http_reply_prepare(struct http_request *request,
                        const struct http_reply *reply, uint64_t content_length)
{
    add_fields(request, reply, content_length);
    settle_connection(request, reply->close || request->server->stopping);
    evhttp_request_set_on_complete_cb(request->evhttp, on_written,
                                      request->connection);
}

static void add_fields(struct http_request *request,
                       const struct http_reply *reply, uint64_t content_length)
{
    char length[24];

    add_field(request, "Date", date_of(request->server));
    add_field(request, "X-Content-Type-Options", "nosniff");
    if (http_status_has_body(reply->status)) {
        snprintf(length, sizeof length, "%" PRIu64, content_length);
        add_field(request, "Content-Length", length);
        add_field(request, "Content-Type",
                  reply->content_type != NULL ? reply->content_type
                                              : default_type);
    }
    for (size_t i = 0; i < reply->field_count; i++)
        add_field(request, reply->fields[i].name, reply->fields[i].value);
}

/* evhttp would make it anew for each reply. */
static const char *date_of(struct http_server *server)
{
    struct http_date *date = &server->date;
    const time_t now = (time_t)(clock_wall_us() / 1000000);
    struct tm parts;

    if (date->second != now) {
        date->second = now;
        gmtime_r(&now, &parts);
        strftime(date->text, sizeof date->text, "%a, %d %b %Y %H:%M:%S GMT",
                 &parts);
    }
    return date->text;
}

/* evhttp refuses a value with a line end in it: leave that field out. */
static void add_field(struct http_request *request, const char *name,
                      const char *value)
{
    if (evhttp_add_header(evhttp_request_get_output_headers(request->evhttp),
                          name, value) != 0)
        log_message(LOG_ERROR, "the field %s cannot be sent", name);
}

static void settle_connection(struct http_request *request, bool close)
{
    struct evkeyvalq *input = evhttp_request_get_input_headers(request->evhttp);
    const bool close_now = close || wants_close(request);

    while (evhttp_remove_header(input, "Connection") == 0)
        continue;
    if (close_now)
        add_field(request, "Connection", "close");
    else if (request->evhttp->minor == 0)
        evhttp_add_header(input, "Connection", "keep-alive");
}

static bool wants_close(const struct http_request *request)
{
    bool keeps_alive = request->evhttp->minor > 0;
    const struct evkeyval *field;

    TAILQ_FOREACH(field, evhttp_request_get_input_headers(request->evhttp),
                  next)
    {
        if (!text_equal_ignoring_case(text_of(field->key), "Connection"))
            continue;
        if (list_has(text_of(field->value), "close"))
            return true;
        if (list_has(text_of(field->value), "keep-alive"))
            keeps_alive = true;
    }
    return !keeps_alive;
}

static bool list_has(struct text list, const char *word)
{
    while (list.size > 0) {
        const char *comma = memchr(list.data, ',', list.size);
        const size_t size =
            comma != NULL ? (size_t)(comma - list.data) : list.size;
        const struct text item = {list.data, size};

        if (text_equal_ignoring_case(text_trim(item), word))
            return true;
        if (comma == NULL)
            return false;
        list.data += size + 1;
        list.size -= size + 1;
    }
    return false;
}

static void send_reply(struct http_request *request,
                       const struct http_reply *reply)
{
    const bool with_body =
        http_status_has_body(reply->status) && request->method != HTTP_HEAD;
    struct evbuffer *body = evbuffer_new();

    if (body == NULL ||
        (with_body && reply->body.size > 0 &&
         evbuffer_add(body, reply->body.data, reply->body.size) != 0))
        fatal("no memory for a reply");
    evhttp_send_reply(request->evhttp, reply->status,
                      http_status_reason(reply->status), body);
    evbuffer_free(body);
    http_request_forget_body(request);
}

static void on_written(struct evhttp_request *evhttp, void *context)
{
    struct http_connection *connection = context;

    (void)evhttp;
    http_connection_replied(connection);
}
