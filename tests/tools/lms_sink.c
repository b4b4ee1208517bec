/*
 * A tiny LMS: takes callbacks, prints one line for each and remembers them.
 *
 *     lms_sink ADDRESS PORT [KEEP]
 *
 * With port 0 it takes a free one; its first line is "listening port=N".
 *
 *     POST /anything           200 with an empty body, as the LMS, unless the
 *                              path asks for more: tests/tools/common/manner.h
 *     GET /received            the last KEEP (100) callbacks, as JSON lines:
 *                              tests/tools/common/records.h
 *
 * One thread, one loop.
 */
#include "server/base/arena.h"
#include "server/http/form.h"
#include "tests/tools/common/host.h"
#include "tests/tools/common/manner.h"
#include "tests/tools/lms_sink/callbacks.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEEP_DEFAULT = 100 };

struct lms {
    struct host *host;
    struct records *records;
    struct manners *manners;
};

/* A callback that is answered later. */
struct pending {
    struct later later;
    struct manner manner;
};

static int serve(struct lms *lms, const char *address, const char *port);
static void on_request(struct evhttp_request *request, void *context);
static void take(struct lms *lms, struct evhttp_request *request, int status);
static int in_hand(const struct lms *lms, const char *uri);
static void finish(struct later *later);
static void answer(const struct manner *manner, struct evhttp_request *request);

int main(int count, char **words)
{
    struct lms lms = {0};
    unsigned long keep = KEEP_DEFAULT;
    int status;

    if (count == 4)
        keep = strtoul(words[3], NULL, 10);
    if (count < 3 || count > 4 || keep == 0) {
        fprintf(stderr, "usage: lms_sink ADDRESS PORT [KEEP]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    lms.host = host_new(on_request, &lms);
    lms.records = records_new(lms.host, keep);
    lms.manners = manners_new();
    status = serve(&lms, words[1], words[2]);
    host_free(lms.host);
    manners_free(lms.manners);
    records_free(lms.records);
    return status;
}

static int serve(struct lms *lms, const char *address, const char *port)
{
    uint16_t bound;

    if (!host_listen(lms->host, address, (uint16_t)strtoul(port, NULL, 10),
                     &bound)) {
        fprintf(stderr, "lms_sink: cannot listen on %s port %s\n", address,
                port);
        return 1;
    }
    printf("listening port=%u\n", (unsigned)bound);
    host_run(lms->host);
    return 0;
}

static void on_request(struct evhttp_request *request, void *context)
{
    struct lms *lms = context;
    struct manner manner;

    if (evhttp_request_get_command(request) != EVHTTP_REQ_POST) {
        records_tell(lms->records, request);
        return;
    }
    manner = manners_read(lms->manners, evhttp_request_get_uri(request));
    take(lms, request, manner.status);
    if (manner.slow_ms != 0) {
        struct pending *pending = later_new(lms->host, request, manner.slow_ms,
                                            sizeof *pending, finish);

        pending->manner = manner;
    } else {
        answer(&manner, request);
    }
    records_wake(lms->records);
}

static void take(struct lms *lms, struct evhttp_request *request, int status)
{
    static const struct form_limits limits = {.max_fields = 1000,
                                              .max_files = 100};
    struct evkeyvalq *fields = evhttp_request_get_input_headers(request);
    struct evbuffer *input = evhttp_request_get_input_buffer(request);
    struct arena *arena = arena_new();
    struct form form = {0};
    struct text body = {.size = evbuffer_get_length(input)};
    struct callback callback = {
        .status = status,
        .in_hand = 1 + in_hand(lms, NULL),
        .twins = 1 + in_hand(lms, evhttp_request_get_uri(request)),
        .path = text_of(evhttp_request_get_uri(request)),
        .content_type = text_of(evhttp_find_header(fields, "Content-Type")),
        .authorization = text_of(evhttp_find_header(fields, "Authorization")),
    };

    body.data = (const char *)evbuffer_pullup(input, -1);
    if (body.data == NULL)
        body = text_of("");
    if (form_parse_body(arena, callback.content_type, body, &limits, &form) !=
        FORM_OK)
        form = (struct form){0};
    callback.header = form_get(&form, "xqueue_header");
    callback.body = form_get(&form, "xqueue_body");
    callbacks_add(lms->records, &callback);
    arena_free(arena);
}

/* Slow callbacks that are not answered yet; with `uri`, those to it. */
static int in_hand(const struct lms *lms, const char *uri)
{
    const struct later *later;
    int count = 0;

    TAILQ_FOREACH(later, host_laters(lms->host), entry)
    {
        if (later->finish == finish &&
            (uri == NULL ||
             strcmp(uri, evhttp_request_get_uri(later->request)) == 0))
            count++;
    }
    return count;
}

static void finish(struct later *later)
{
    answer(&((struct pending *)later)->manner, later->request);
}

static void answer(const struct manner *manner, struct evhttp_request *request)
{
    manner_answer(manner, request, "text/html; charset=utf-8", text_of(""));
}
