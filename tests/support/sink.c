/*
 * What lms_sink tells, as structs.
 */
#include "tests/support/sink.h"

#include "server/base/memory.h"
#include "tests/support/pretended.h"

#include <stdlib.h>

enum { ASK_MS = 20000 };

struct sink {
    struct pretended *peer;
};

static struct received_list list_of(struct sink *sink, struct json_lines lines);
static struct received received_of(const struct json_value *object);

struct sink *sink_start(size_t keep)
{
    struct sink *sink = xcalloc(1, sizeof *sink);

    sink->peer = pretended_start("lms_sink", keep, 1);
    return sink;
}

void sink_restart(struct sink *sink)
{
    pretended_restart(sink->peer);
}

void sink_kill(struct sink *sink)
{
    pretended_kill(sink->peer);
}

void sink_stop(struct sink *sink)
{
    if (sink == NULL)
        return;
    pretended_stop(sink->peer);
    free(sink);
}

uint16_t sink_port(const struct sink *sink)
{
    return pretended_port(sink->peer, 0);
}

const char *sink_url(struct sink *sink, const char *path)
{
    return pretended_url(sink->peer, 0, path);
}

struct received_list sink_wait(struct sink *sink, int64_t count, int timeout_ms)
{
    return list_of(sink, pretended_wait(sink->peer, 1, count, timeout_ms));
}

struct received_list sink_received(struct sink *sink)
{
    return list_of(sink, pretended_ask(sink->peer, "/received", ASK_MS));
}

static struct received_list list_of(struct sink *sink, struct json_lines lines)
{
    struct received_list list = {NULL, lines.count};

    list.items = arena_zalloc(pretended_arena(sink->peer),
                              (lines.count + 1) * sizeof *list.items);
    for (size_t i = 0; i < lines.count; i++)
        list.items[i] = received_of(lines.objects[i]);
    return list;
}

static struct received received_of(const struct json_value *object)
{
    return (struct received){
        .number = member_integer(object, "number"),
        .at_us = member_integer(object, "at_us"),
        .status = member_integer(object, "status"),
        .in_hand = member_integer(object, "in_hand"),
        .twins = member_integer(object, "twins"),
        .path = member_text(object, "path"),
        .content_type = member_text(object, "content_type"),
        .authorization = member_text(object, "authorization"),
        .header = member_text(object, "xqueue_header"),
        .body = member_text(object, "xqueue_body"),
    };
}
