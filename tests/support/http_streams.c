/*
 * Replies in pieces.
 */
#include "tests/support/http_streams.h"

#include "server/base/log.h"
#include "server/base/memory.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

enum { CRUMB_BYTES = 1000 };

static const struct timeval delay = {.tv_sec = 1, .tv_usec = 500 * 1000};

/* What a path does. */
struct manner {
    const char *path;
    unsigned portion; /* a piece is one of so many parts of all, at most */
    unsigned given;   /* quarters of what is promised */
    bool in_crumbs;
    bool pauses;
    bool is_late;
    bool runs_ahead;
};

static const struct manner manners[] = {
    {.path = "/stream", .portion = 1, .given = 4},
    {.path = "/crumbs", .portion = 1, .given = 4, .in_crumbs = true},
    {.path = "/pausing", .portion = 2, .given = 4, .pauses = true},
    {.path = "/delayed", .portion = 1, .given = 4, .is_late = true},
    {.path = "/ahead", .portion = 1, .given = 4, .runs_ahead = true},
    {.path = "/short", .portion = 4, .given = 2},
    {.path = "/nothing", .portion = 1, .given = 0},
};

struct source {
    const struct manner *manner;
    struct http_request *request;
    struct http_stream *stream; /* NULL before the beginning */
    struct event *pause;
    volatile struct http_stream_counts *counts;
    uint64_t promised;
    uint64_t position;
    uint64_t end;
    size_t piece_bytes;
};

static const struct manner *manner_of(struct text path);
static void begin(struct source *source);
static void go_on(struct source *source);
static void give(struct source *source);
static void on_written(struct http_stream *stream, bool gone, void *context);
static void on_pause_over(evutil_socket_t descriptor, short what,
                          void *context);
static void end(struct source *source);

char http_stream_byte(uint64_t position)
{
    return (char)((position * 7 + position / 256 + position / 65536) & 0xFF);
}

bool http_streams_take(struct event_base *base, struct http_request *request,
                       volatile struct http_stream_counts *counts)
{
    const struct manner *manner = manner_of(http_path(request));
    struct source *source;
    int64_t size = 0;

    if (manner == NULL || !text_to_integer(http_query(request), &size))
        return false;
    source = xcalloc(1, sizeof *source);
    source->manner = manner;
    source->counts = counts;
    source->end = (uint64_t)size * manner->given / 4;
    source->piece_bytes = manner->in_crumbs ? CRUMB_BYTES : HTTP_PIECE_BYTES;
    if ((uint64_t)size / manner->portion < source->piece_bytes)
        source->piece_bytes = (size_t)size / manner->portion;
    source->pause = event_new(base, -1, 0, on_pause_over, source);
    source->request = request;
    source->promised = (uint64_t)size;
    if (manner->is_late)
        event_add(source->pause, &delay);
    else
        begin(source);
    return true;
}

static const struct manner *manner_of(struct text path)
{
    for (size_t i = 0; i < ARRAY_LENGTH(manners); i++)
        if (text_equal_string(path, manners[i].path))
            return &manners[i];
    return NULL;
}

static void begin(struct source *source)
{
    source->stream = http_reply_begin(
        source->request,
        &(struct http_reply){.status = 200,
                             .content_type = "application/octet-stream"},
        source->promised);
    go_on(source);
}

static void go_on(struct source *source)
{
    if (source->position == source->end) {
        source->counts->whole++;
        end(source);
    } else if (source->manner->pauses && source->position > 0) {
        event_add(source->pause, &delay);
    } else {
        give(source);
    }
}

static void give(struct source *source)
{
    size_t size = source->piece_bytes;
    char *bytes;

    if (size > source->end - source->position)
        size = (size_t)(source->end - source->position);
    bytes = xmalloc(size);
    for (size_t i = 0; i < size; i++)
        bytes[i] = http_stream_byte(source->position + i);
    source->position += size;
    http_reply_piece(source->stream, (struct text){bytes, size}, on_written,
                     source);
    free(bytes);
    if (source->manner->runs_ahead && source->position == source->end)
        end(source);
}

static void on_written(struct http_stream *stream, bool gone, void *context)
{
    struct source *source = context;

    if (stream != source->stream)
        fatal("a piece of another stream");
    if (!gone) {
        go_on(source);
        return;
    }
    source->counts->gone++;
    end(source);
}

static void on_pause_over(evutil_socket_t descriptor, short what, void *context)
{
    struct source *source = context;

    (void)descriptor;
    (void)what;
    if (source->stream == NULL)
        begin(source);
    else
        give(source);
}

static void end(struct source *source)
{
    http_reply_end(source->stream);
    event_free(source->pause);
    free(source);
}
