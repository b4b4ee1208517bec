/*
 * A request of the XQueue protocol.
 */
#include "server/api/request.h"

#include "server/base/utf8.h"

#include <string.h>

enum { ADDRESS_COLUMN = 128 };

/* Of any form: UPLOAD_MAX_FILES is for submissions and may be up to this. */
static const struct form_limits limits = {
    .max_fields = 1000,
    .max_files = 1000,
};

static bool is_host(struct text host);

struct request *request_of(struct task *task)
{
    return task->self;
}

void *request_new_state(struct task *task, size_t size)
{
    struct request *request = request_of(task);

    request->state = arena_zalloc(task->arena, size);
    return request->state;
}

struct text request_parameter(struct task *task, const char *name)
{
    struct form form;

    if (form_parse_urlencoded(task->arena, http_query(request_of(task)->http),
                              &limits, &form) != FORM_OK)
        return TEXT_ABSENT;
    return form_get(&form, name);
}

enum form_status request_read_form(struct task *task, struct form *ret_form)
{
    struct http_request *http = request_of(task)->http;

    return form_parse_body(task->arena, http_field(http, "Content-Type"),
                           http_body(http), &limits, ret_form);
}

struct text request_client_address(struct task *task)
{
    struct http_request *http = request_of(task)->http;
    struct text address = http_field(http, "X-Real-IP");

    if (address.size == 0)
        address = text_of(http_peer(http));
    address = utf8_repair(task->arena, address);
    return arena_copy(task->arena, utf8_prefix(address, ADDRESS_COLUMN));
}

struct text request_base_url(struct task *task)
{
    struct http_request *http = request_of(task)->http;
    struct text host = http_field(http, "Host");
    struct text scheme = http_field(http, "X-Forwarded-Proto");

    if (!is_host(host))
        return text_of(arena_strdup(task->arena, task->env->own_url));
    return text_of(arena_printf(
        task->arena, "%s://%.*s",
        text_equal_ignoring_case(scheme, "https") ? "https" : "http",
        TEXT_ARGUMENTS(host)));
}

/* Nothing but what a name, an address and a port are made of. */
static bool is_host(struct text host)
{
    for (size_t i = 0; i < host.size; i++) {
        char one = host.data[i];
        bool letter = (one >= 'a' && one <= 'z') || (one >= 'A' && one <= 'Z');
        bool digit = one >= '0' && one <= '9';

        if (!letter && !digit && (one == '\0' || strchr("-._:[]", one) == NULL))
            return false;
    }
    return host.size > 0;
}
