/*
 * Starting a pretended peer and reading what it tells.
 */
#include "tests/support/pretended.h"

#include "server/base/memory.h"
#include "tests/support/http_client.h"
#include "tests/support/program.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { START_MS = 20000, GRACE_MS = 20000 };

struct pretended {
    struct arena *arena;
    const char *name;
    size_t keep;
    struct program *program;
    struct http_client *client;
    uint16_t *ports;
    size_t port_count;
};

static void start(struct pretended *peer);
static void read_ports(struct pretended *peer, const char *list);

struct pretended *pretended_start(const char *name, size_t keep, size_t ports)
{
    struct pretended *peer = xcalloc(1, sizeof *peer);

    peer->arena = arena_new();
    peer->name = arena_strdup(peer->arena, name);
    peer->keep = keep == 0 ? 100 : keep;
    peer->ports = arena_zalloc(peer->arena, ports * sizeof *peer->ports);
    peer->port_count = ports;
    start(peer);
    return peer;
}

void pretended_restart(struct pretended *peer)
{
    pretended_kill(peer);
    start(peer);
}

void pretended_kill(struct pretended *peer)
{
    http_client_free(peer->client);
    program_free(peer->program);
    peer->client = NULL;
    peer->program = NULL;
}

void pretended_stop(struct pretended *peer)
{
    if (peer == NULL)
        return;
    pretended_kill(peer);
    arena_free(peer->arena);
    free(peer);
}

struct arena *pretended_arena(struct pretended *peer)
{
    return peer->arena;
}

uint16_t pretended_port(const struct pretended *peer, size_t place)
{
    ck_assert_uint_lt(place, peer->port_count);
    return peer->ports[place];
}

const char *pretended_url(struct pretended *peer, size_t place,
                          const char *path)
{
    return arena_printf(peer->arena, "http://127.0.0.1:%u%s",
                        (unsigned)pretended_port(peer, place), path);
}

struct json_lines pretended_ask(struct pretended *peer, const char *path,
                                int timeout_ms)
{
    struct json_lines list = {NULL, 0};
    const struct reply *reply;
    size_t lines = 0;
    struct text rest;

    http_client_set_timeout_ms(peer->client, timeout_ms + GRACE_MS);
    reply = http_get(peer->client, path);
    if (reply->status != 200)
        ck_abort_msg("%s: status %d, %s", peer->name, reply->status,
                     reply->problem);
    rest = reply->body;
    for (size_t i = 0; i < rest.size; i++)
        lines += rest.data[i] == '\n';
    list.objects =
        arena_zalloc(peer->arena, (lines + 1) * sizeof *list.objects);
    while (list.count < lines) {
        const char *end = memchr(rest.data, '\n', rest.size);
        size_t size = (size_t)(end - rest.data);

        if (!json_parse_object(peer->arena, (struct text){rest.data, size},
                               &list.objects[list.count++]))
            ck_abort_msg("%s: not JSON: %.*s", peer->name, (int)size,
                         rest.data);
        rest.data += size + 1;
        rest.size -= size + 1;
    }
    http_client_forget_replies(peer->client);
    return list;
}

struct json_lines pretended_wait(struct pretended *peer, int64_t from,
                                 int64_t count, int timeout_ms)
{
    struct json_lines list = pretended_ask(
        peer,
        arena_printf(peer->arena, "/received?from=%lld&count=%lld&wait_ms=%d",
                     (long long)from, (long long)count, timeout_ms),
        timeout_ms);
    int64_t last = 0;

    if (list.count > 0)
        last = member_integer(list.objects[list.count - 1], "number");
    if (last < count)
        ck_abort_msg("only %lld of %lld came to the %s within %d ms",
                     (long long)last, (long long)count, peer->name, timeout_ms);
    return list;
}

struct text member_text(const struct json_value *object, const char *name)
{
    const struct json_value *value = json_get(object, name);

    return value == NULL ? TEXT_ABSENT : json_text(value);
}

int64_t member_integer(const struct json_value *object, const char *name)
{
    const struct json_value *value = json_get(object, name);
    int64_t integer = -1;

    if (value == NULL || !json_integer(value, &integer))
        ck_abort_msg("a pretended peer tells no number '%s'", name);
    return integer;
}

static void start(struct pretended *peer)
{
    const char *words[] = {
        arena_printf(peer->arena, BINARY_DIR "/tests/%s", peer->name),
        "127.0.0.1",
        arena_printf(peer->arena, "%u", (unsigned)peer->ports[0]),
        arena_printf(peer->arena, "%zu", peer->keep),
        peer->port_count == 1
            ? NULL
            : arena_printf(peer->arena, "%zu", peer->port_count),
        NULL};
    size_t position = 0;
    struct text line;

    peer->program = program_start(words, NULL);
    line = program_wait_for_line(peer->program, peer->arena,
                                 "listening port=", &position, START_MS);
    read_ports(peer, strchr(arena_string(peer->arena, line), '=') + 1);
    peer->client = http_client_new(peer->ports[0]);
}

static void read_ports(struct pretended *peer, const char *list)
{
    for (size_t i = 0; i < peer->port_count; i++) {
        char *end;

        peer->ports[i] = (uint16_t)strtoul(list, &end, 10);
        list = end + 1;
    }
}
