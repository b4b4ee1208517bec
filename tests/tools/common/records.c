/*
 * A ring of JSON lines.
 */
#include "tests/tools/common/records.h"

#include "server/base/arena.h"
#include "server/base/clock.h"
#include "server/base/json.h"
#include "server/base/memory.h"
#include "server/http/form.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <stdlib.h>
#include <string.h>

struct records {
    struct host *host;
    struct buffer *lines; /* the n-th one is at n modulo keep */
    int64_t keep;
    int64_t count; /* since the start */
};

/* What the query of /received asks for; 0: not said. */
struct wish {
    int64_t count;
    int64_t from;
    int64_t wait_ms;
};

/* Somebody who waits until as many have come as he wishes. */
struct waiting {
    struct later later;
    struct records *records;
    struct wish wish;
};

static struct wish read_wish(struct text source);
static int64_t query_number(const struct form *query, const char *name);
static void send_records(struct records *records,
                         struct evhttp_request *request, int64_t from);
static void finish_waiting(struct later *later);

struct records *records_new(struct host *host, size_t keep)
{
    struct records *records = xcalloc(1, sizeof *records);

    records->host = host;
    records->keep = (int64_t)keep;
    records->lines = xcalloc(keep, sizeof *records->lines);
    return records;
}

void records_free(struct records *records)
{
    for (int64_t i = 0; i < records->keep; i++)
        buffer_free(&records->lines[i]);
    free(records->lines);
    free(records);
}

struct buffer *records_begin(struct records *records)
{
    struct buffer *line = &records->lines[records->count % records->keep];

    records->count++;
    buffer_clear(line);
    buffer_printf(line, "{\"number\": %lld, \"at_us\": %lld",
                  (long long)records->count, (long long)clock_monotonic_us());
    return line;
}

void records_add_text(struct buffer *line, const char *name, struct text value)
{
    buffer_printf(line, ", \"%s\": ", name);
    if (text_is_absent(value))
        buffer_append_string(line, "null");
    else
        json_append_string(line, value);
}

void records_end(struct buffer *line)
{
    buffer_append_string(line, "}\n");
}

void records_wake(struct records *records)
{
    struct later *later = TAILQ_FIRST(host_laters(records->host));

    while (later != NULL) {
        struct later *next = TAILQ_NEXT(later, entry);

        if (later->finish == finish_waiting &&
            ((struct waiting *)later)->wish.count <= records->count)
            later_finish(later);
        later = next;
    }
}

void records_tell(struct records *records, struct evhttp_request *request)
{
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
    const char *path = evhttp_uri_get_path(uri);
    struct wish wish = read_wish(text_of(evhttp_uri_get_query(uri)));
    struct waiting *waiting;

    if (path == NULL || strcmp(path, "/received") != 0) {
        evhttp_send_reply(request, HTTP_NOTFOUND, "Not Found", NULL);
        return;
    }
    if (wish.count <= records->count || wish.wait_ms <= 0) {
        send_records(records, request, wish.from);
        return;
    }
    waiting = later_new(records->host, request, (long)wish.wait_ms,
                        sizeof *waiting, finish_waiting);
    waiting->records = records;
    waiting->wish = wish;
}

/* All 0 when the query is no query. */
static struct wish read_wish(struct text source)
{
    static const struct form_limits limits = {.max_fields = 10};
    struct arena *arena = arena_new();
    struct form query = {0};
    struct wish wish;

    if (text_is_absent(source) ||
        form_parse_urlencoded(arena, source, &limits, &query) != FORM_OK)
        query = (struct form){0};
    wish = (struct wish){
        .count = query_number(&query, "count"),
        .from = query_number(&query, "from"),
        .wait_ms = query_number(&query, "wait_ms"),
    };
    arena_free(arena);
    return wish;
}

/* 0 when it is not there or no number. */
static int64_t query_number(const struct form *query, const char *name)
{
    int64_t number = 0;

    text_to_integer(form_get(query, name), &number);
    return number;
}

static void send_records(struct records *records,
                         struct evhttp_request *request, int64_t from)
{
    struct evbuffer *output = evhttp_request_get_output_buffer(request);
    int64_t oldest =
        records->count > records->keep ? records->count - records->keep : 0;

    for (int64_t i = from - 1 > oldest ? from - 1 : oldest; i < records->count;
         i++) {
        const struct buffer *line = &records->lines[i % records->keep];

        evbuffer_add(output, line->data, line->size);
    }
    evhttp_add_header(evhttp_request_get_output_headers(request),
                      "Content-Type", "text/plain; charset=utf-8");
    evhttp_send_reply(request, HTTP_OK, "OK", NULL);
}

static void finish_waiting(struct later *later)
{
    struct waiting *waiting = (struct waiting *)later;

    send_records(waiting->records, later->request, waiting->wish.from);
}
