/*
 * Translates a request of evhttp for the gate.
 */
#include "server/http/admission.h"

#include "server/base/memory.h"
#include "server/http/private.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <stdlib.h>

enum { MAX_TARGET = 8 * 1024 };

static size_t collect_fields(struct evkeyvalq *fields,
                             struct gate_field *ret_fields, size_t room);
static bool is_badly_chunked(struct http_request *request);

struct gate_verdict http_admission_judge(struct http_request *request)
{
    struct evhttp_request *evhttp = request->evhttp;
    const struct http_settings *settings = &request->server->settings;
    const struct gate_limits limits = {.max_fields = settings->max_fields,
                                       .max_target_bytes = MAX_TARGET};
    const size_t room = settings->max_fields + 1; /* the gate counts them */
    struct gate_field *fields = xmalloc(room * sizeof *fields);
    const struct gate_request question = {
        .method = text_of(http_method_name(request)),
        .major = evhttp->major,
        .minor = evhttp->minor,
        .target = text_of(evhttp_request_get_uri(evhttp)),
        .fields = fields,
        .field_count = collect_fields(evhttp_request_get_input_headers(evhttp),
                                      fields, room),
        .body_size =
            evbuffer_get_length(evhttp_request_get_input_buffer(evhttp)),
    };
    struct gate_verdict verdict = gate_judge(&question, &limits);

    free(fields);
    /* After CONNECT evhttp would keep the connection, whatever is said. */
    if (evhttp_request_get_command(evhttp) == EVHTTP_REQ_CONNECT)
        return (struct gate_verdict){405, "CONNECT is not supported"};
    if (verdict.status == 0 && is_badly_chunked(request))
        verdict = (struct gate_verdict){400, "Malformed chunked body"};
    return verdict;
}

static size_t collect_fields(struct evkeyvalq *fields,
                             struct gate_field *ret_fields, size_t room)
{
    size_t count = 0;
    const struct evkeyval *field;

    TAILQ_FOREACH(field, fields, next)
    {
        if (count == room)
            break;
        ret_fields[count++] =
            (struct gate_field){.name = text_of(field->key),
                                .value = text_trim(text_of(field->value))};
    }
    return count;
}

static bool is_badly_chunked(struct http_request *request)
{
    return !text_is_absent(http_field(request, "Transfer-Encoding")) &&
           !chunk_watch_is_whole(&request->connection->chunks);
}
