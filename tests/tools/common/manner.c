/*
 * The prefixes of a path, read from left to right.
 */
#include "tests/tools/common/manner.h"

#include "server/base/memory.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct failing_path {
    struct failing_path *next;
    char *uri;
    long calls;
};

struct manners {
    struct failing_path *failing;
};

static bool next_number(const char **path, const char *word, long *ret_number);
static long count_call(struct manners *manners, const char *uri);

struct manners *manners_new(void)
{
    return xcalloc(1, sizeof(struct manners));
}

void manners_free(struct manners *manners)
{
    struct failing_path *path;

    while ((path = manners->failing) != NULL) {
        manners->failing = path->next;
        free(path->uri);
        free(path);
    }
    free(manners);
}

struct manner manners_read(struct manners *manners, const char *uri)
{
    struct manner manner = {.status = 200};
    const char *path = uri;
    long number;
    long code;

    for (;;) {
        if (next_number(&path, "/status/", &number)) {
            manner.status = (int)number;
        } else if (next_number(&path, "/slow/", &number)) {
            manner.slow_ms = number;
        } else if (strncmp(path, "/stall/", strlen("/stall/")) == 0) {
            path += strlen("/stall");
            manner.slow_ms = -1;
        } else if (next_number(&path, "/redirect/", &number)) {
            manner.status = (int)number;
            manner.location = path;
            return manner;
        } else if (next_number(&path, "/fail/", &number) &&
                   next_number(&path, "/", &code)) {
            if (count_call(manners, uri) <= number)
                manner.status = (int)code;
        } else {
            if (strncmp(path, "/drop/", strlen("/drop/")) == 0)
                manner.status = 0;
            return manner;
        }
    }
}

void manner_answer(const struct manner *manner, struct evhttp_request *request,
                   const char *type, struct text body)
{
    struct evkeyvalq *fields = evhttp_request_get_output_headers(request);

    if (manner->status == 0) {
        struct evhttp_connection *connection =
            evhttp_request_get_connection(request);

        if (connection != NULL)
            evhttp_connection_free(connection);
        return;
    }
    if (manner->location != NULL)
        evhttp_add_header(fields, "Location", manner->location);
    evhttp_add_header(fields, "Content-Type", type);
    if (manner->status == HTTP_OK)
        evbuffer_add(evhttp_request_get_output_buffer(request), body.data,
                     body.size);
    evhttp_send_reply(request, manner->status, "As asked", NULL);
}

/* Move over WORD and the number behind it; the path then starts with '/'. */
static bool next_number(const char **path, const char *word, long *ret_number)
{
    size_t length = strlen(word);
    char *end;
    long number;

    if (strncmp(*path, word, length) != 0)
        return false;
    number = strtol(*path + length, &end, 10);
    if (end == *path + length || *end != '/')
        return false;
    *path = end;
    *ret_number = number;
    return true;
}

static long count_call(struct manners *manners, const char *uri)
{
    struct failing_path *path = manners->failing;

    while (path != NULL && strcmp(path->uri, uri) != 0)
        path = path->next;
    if (path == NULL) {
        path = xcalloc(1, sizeof *path);
        path->uri = xstrdup(uri);
        path->next = manners->failing;
        manners->failing = path;
    }
    return ++path->calls;
}
