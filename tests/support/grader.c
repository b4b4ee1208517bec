/*
 * What the grader tells, as structs.
 */
#include "tests/support/grader.h"

#include "server/base/memory.h"
#include "tests/support/pretended.h"

#include <stdlib.h>

enum { ASK_MS = 20000 };

struct grader {
    struct pretended *peer;
};

static struct graded_list list_of(struct grader *grader,
                                  struct json_lines lines);
static struct graded graded_of(const struct json_value *object);

struct grader *grader_start(size_t keep, size_t ports)
{
    struct grader *grader = xcalloc(1, sizeof *grader);

    grader->peer = pretended_start("grader", keep, ports == 0 ? 1 : ports);
    return grader;
}

void grader_kill(struct grader *grader)
{
    pretended_kill(grader->peer);
}

void grader_restart(struct grader *grader)
{
    pretended_restart(grader->peer);
}

void grader_stop(struct grader *grader)
{
    if (grader == NULL)
        return;
    pretended_stop(grader->peer);
    free(grader);
}

const char *grader_url(struct grader *grader, size_t place, const char *path)
{
    return pretended_url(grader->peer, place, path);
}

struct graded_list grader_wait(struct grader *grader, int64_t from,
                               int64_t count, int timeout_ms)
{
    return list_of(grader,
                   pretended_wait(grader->peer, from, count, timeout_ms));
}

struct graded_list grader_graded(struct grader *grader)
{
    return list_of(grader, pretended_ask(grader->peer, "/received", ASK_MS));
}

struct path_count grader_path(struct grader *grader, const char *path)
{
    struct json_lines lines = pretended_ask(grader->peer, "/paths", ASK_MS);

    for (size_t i = 0; i < lines.count; i++) {
        const struct json_value *object = lines.objects[i];

        if (text_equal_string(member_text(object, "path"), path))
            return (struct path_count){
                .came = member_integer(object, "came"),
                .in_hand = member_integer(object, "in_hand"),
                .most = member_integer(object, "most"),
            };
    }
    return (struct path_count){0, 0, 0};
}

void grader_write_grade(struct buffer *buffer, int64_t submission, int64_t time)
{
    buffer_printf(buffer,
                  "{\"correct\": true, \"score\": 1, \"msg\":"
                  " \"<p>submission %lld, time %lld</p>\"}",
                  (long long)submission, (long long)time);
}

static struct graded_list list_of(struct grader *grader,
                                  struct json_lines lines)
{
    struct graded_list list = {NULL, lines.count};

    list.items = arena_zalloc(pretended_arena(grader->peer),
                              (lines.count + 1) * sizeof *list.items);
    for (size_t i = 0; i < lines.count; i++)
        list.items[i] = graded_of(lines.objects[i]);
    return list;
}

static struct graded graded_of(const struct json_value *object)
{
    return (struct graded){
        .number = member_integer(object, "number"),
        .at_us = member_integer(object, "at_us"),
        .status = member_integer(object, "status"),
        .submission = member_integer(object, "submission"),
        .time = member_integer(object, "time"),
        .in_hand = member_integer(object, "in_hand"),
        .twins = member_integer(object, "twins"),
        .path = member_text(object, "path"),
        .authorization = member_text(object, "authorization"),
    };
}
