/*
 * A callback as a record and as a line.
 */
#include "tests/tools/lms_sink/callbacks.h"

#include "server/base/arena.h"
#include "server/base/json.h"
#include "server/base/utf8.h"

#include <stdio.h>
#include <time.h>

enum { SHOWN_CHARACTERS = 60 };

static void print_line(const struct callback *callback);
static struct text key_of(struct arena *arena, struct text header);

void callbacks_add(struct records *records, const struct callback *callback)
{
    struct buffer *line = records_begin(records);

    buffer_printf(line, ", \"status\": %d, \"in_hand\": %d, \"twins\": %d",
                  callback->status, callback->in_hand, callback->twins);
    records_add_text(line, "path", callback->path);
    records_add_text(line, "content_type", callback->content_type);
    records_add_text(line, "authorization", callback->authorization);
    records_add_text(line, "xqueue_header", callback->header);
    records_add_text(line, "xqueue_body", callback->body);
    records_end(line);
    print_line(callback);
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
