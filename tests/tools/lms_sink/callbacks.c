/*
 * A ring of JSON lines.
 */
#include "tests/tools/lms_sink/callbacks.h"

#include "server/base/arena.h"
#include "server/base/buffer.h"
#include "server/base/clock.h"
#include "server/base/json.h"
#include "server/base/memory.h"
#include "server/base/utf8.h"

#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { SHOWN_CHARACTERS = 60 };

struct callbacks {
    struct buffer *lines; /* the n-th one is at n modulo keep */
    size_t keep;
    int64_t count;
};

static void append_member(struct buffer *json, const char *name,
                          struct text value);
static void print_line(const struct callback *callback);
static struct text key_of(struct arena *arena, struct text header);

struct callbacks *callbacks_new(size_t keep)
{
    struct callbacks *callbacks = xcalloc(1, sizeof *callbacks);

    callbacks->keep = keep;
    callbacks->lines = xcalloc(keep, sizeof *callbacks->lines);
    return callbacks;
}

void callbacks_free(struct callbacks *callbacks)
{
    for (size_t i = 0; i < callbacks->keep; i++)
        buffer_free(&callbacks->lines[i]);
    free(callbacks->lines);
    free(callbacks);
}

void callbacks_add(struct callbacks *callbacks, const struct callback *callback)
{
    size_t place = (size_t)callbacks->count % callbacks->keep;
    struct buffer *json = &callbacks->lines[place];

    callbacks->count++;
    buffer_clear(json);
    buffer_printf(json,
                  "{\"number\": %lld, \"at_us\": %lld, \"status\": %d,"
                  " \"in_hand\": %d, \"twins\": %d",
                  (long long)callbacks->count, (long long)clock_monotonic_us(),
                  callback->status, callback->in_hand, callback->twins);
    append_member(json, "path", callback->path);
    append_member(json, "content_type", callback->content_type);
    append_member(json, "authorization", callback->authorization);
    append_member(json, "xqueue_header", callback->header);
    append_member(json, "xqueue_body", callback->body);
    buffer_append_string(json, "}\n");
    print_line(callback);
}

int64_t callbacks_count(const struct callbacks *callbacks)
{
    return callbacks->count;
}

void callbacks_write(const struct callbacks *callbacks, struct evbuffer *output)
{
    int64_t keep = (int64_t)callbacks->keep;
    int64_t from = callbacks->count > keep ? callbacks->count - keep : 0;

    for (int64_t i = from; i < callbacks->count; i++) {
        const struct buffer *line = &callbacks->lines[i % keep];

        evbuffer_add(output, line->data, line->size);
    }
}

static void append_member(struct buffer *json, const char *name,
                          struct text value)
{
    buffer_printf(json, ", \"%s\": ", name);
    if (text_is_absent(value))
        buffer_append_string(json, "null");
    else
        json_append_string(json, value);
}

static void print_line(const struct callback *callback)
{
    struct arena *arena = arena_new();
    struct buffer line = {0};
    struct text body = callback->body;
    time_t now = time(NULL);
    struct tm parts;
    char when[32];

    gmtime_r(&now, &parts);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &parts);
    buffer_printf(&line, "%s callback status=%d path=", when, callback->status);
    json_append_string(&line, callback->path);
    buffer_append_string(&line, " lms_key=");
    json_append_string(&line, key_of(arena, callback->header));
    buffer_append_string(&line, " body=");
    json_append_string(&line, text_is_absent(body)
                                  ? text_of("")
                                  : utf8_prefix(body, SHOWN_CHARACTERS));
    printf("%s\n", line.data);
    buffer_free(&line);
    arena_free(arena);
}

/* Empty when there is none. */
static struct text key_of(struct arena *arena, struct text header)
{
    const struct json_value *object;
    const struct json_value *key;

    if (text_is_absent(header) || !json_parse_object(arena, header, &object))
        return text_of("");
    key = json_get(object, "lms_key");
    if (key == NULL || json_kind(key) != JSON_STRING)
        return text_of("");
    return json_text(key);
}
