/*
 * Starts lms_sink and asks it over HTTP what came. It holds the answer until
 * enough has come, so that nobody polls.
 */
#include "tests/support/sink.h"

#include "server/base/json.h"
#include "server/base/memory.h"
#include "tests/support/http_client.h"
#include "tests/support/program.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { START_MS = 20000, GRACE_MS = 20000 };

struct sink {
    struct arena *arena;
    struct program *program;
    struct http_client *client;
    uint16_t port;
    size_t keep;
};

static void start(struct sink *sink);
static struct received_list ask(struct sink *sink, const char *path);
static struct received received_of(struct arena *arena, struct text line);
static struct text member_text(const struct json_value *object,
                               const char *name);
static int64_t member_integer(const struct json_value *object,
                              const char *name);

struct sink *sink_start(size_t keep)
{
    struct sink *sink = xcalloc(1, sizeof *sink);

    sink->arena = arena_new();
    sink->keep = keep == 0 ? 100 : keep;
    start(sink);
    return sink;
}

void sink_restart(struct sink *sink)
{
    sink_kill(sink);
    start(sink);
}

void sink_kill(struct sink *sink)
{
    http_client_free(sink->client);
    program_free(sink->program);
    sink->client = NULL;
    sink->program = NULL;
}

void sink_stop(struct sink *sink)
{
    if (sink == NULL)
        return;
    sink_kill(sink);
    arena_free(sink->arena);
    free(sink);
}

uint16_t sink_port(const struct sink *sink)
{
    return sink->port;
}

const char *sink_url(struct sink *sink, const char *path)
{
    return arena_printf(sink->arena, "http://127.0.0.1:%u%s",
                        (unsigned)sink->port, path);
}

struct received_list sink_wait(struct sink *sink, int64_t count, int timeout_ms)
{
    struct received_list list;

    http_client_set_timeout_ms(sink->client, timeout_ms + GRACE_MS);
    list =
        ask(sink, arena_printf(sink->arena, "/received?count=%lld&wait_ms=%d",
                               (long long)count, timeout_ms));
    if (list.count == 0 || list.items[list.count - 1].number < count)
        ck_abort_msg("only %lld of %lld callbacks came within %d ms",
                     list.count == 0
                         ? 0LL
                         : (long long)list.items[list.count - 1].number,
                     (long long)count, timeout_ms);
    return list;
}

struct received_list sink_received(struct sink *sink)
{
    return ask(sink, "/received");
}

static void start(struct sink *sink)
{
    const char *words[] = {
        BINARY_DIR "/tests/lms_sink", "127.0.0.1",
        arena_printf(sink->arena, "%u", (unsigned)sink->port),
        arena_printf(sink->arena, "%zu", sink->keep), NULL};
    size_t position = 0;
    struct text line;

    sink->program = program_start(words, NULL);
    line = program_wait_for_line(sink->program, sink->arena,
                                 "listening port=", &position, START_MS);
    sink->port = (uint16_t)strtoul(
        strstr(arena_string(sink->arena, line), "port=") + 5, NULL, 10);
    sink->client = http_client_new(sink->port);
}

static struct received_list ask(struct sink *sink, const char *path)
{
    const struct reply *reply = http_get(sink->client, path);
    struct text rest = reply->body;
    struct received_list list = {0};
    size_t lines = 0;

    if (reply->status != 200)
        ck_abort_msg("lms_sink: status %d, %s", reply->status, reply->problem);
    for (size_t i = 0; i < rest.size; i++)
        lines += rest.data[i] == '\n';
    list.items = arena_zalloc(sink->arena, (lines + 1) * sizeof *list.items);
    while (list.count < lines) {
        const char *end = memchr(rest.data, '\n', rest.size);
        size_t size = (size_t)(end - rest.data);

        list.items[list.count++] =
            received_of(sink->arena, (struct text){rest.data, size});
        rest.data += size + 1;
        rest.size -= size + 1;
    }
    return list;
}

static struct received received_of(struct arena *arena, struct text line)
{
    const struct json_value *object;

    if (!json_parse_object(arena, line, &object))
        ck_abort_msg("lms_sink: not JSON: %.*s", TEXT_ARGUMENTS(line));
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

static struct text member_text(const struct json_value *object,
                               const char *name)
{
    const struct json_value *value = json_get(object, name);

    return value == NULL ? TEXT_ABSENT : json_text(value);
}

static int64_t member_integer(const struct json_value *object, const char *name)
{
    const struct json_value *value = json_get(object, name);
    int64_t integer = -1;

    if (value == NULL || !json_integer(value, &integer))
        ck_abort_msg("lms_sink: no number '%s'", name);
    return integer;
}
