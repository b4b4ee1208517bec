/*
 * Lines of JSON, each an object.
 */
#include "tests/bench/table/results.h"

#include "server/base/json.h"
#include "server/base/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LINES = 10000 };

static struct result result_of(struct arena *arena,
                               const struct json_value *line);
static enum result_kind kind_of(const char *name);
static const char *text_at(struct arena *arena, const struct json_value *line,
                           const char *key);
static double number_at(struct arena *arena, const struct json_value *line,
                        const char *key);
static struct target target_of(struct arena *arena,
                               const struct json_value *line);

struct results results_read(struct arena *arena, const char *path)
{
    struct results results = {
        arena_zalloc(arena, MOST_LINES * sizeof *results.items), 0};
    FILE *file = fopen(path, "re");
    char *text = NULL;
    size_t room = 0;
    ssize_t size;

    if (file == NULL)
        fatal("%s: %s", path, strerror(errno));
    while ((size = getline(&text, &room, file)) > 0) {
        const struct json_value *line;

        if (results.count == MOST_LINES ||
            !json_parse_object(
                arena, arena_copy(arena, (struct text){text, (size_t)size}),
                &line))
            fatal("%s: not what a benchmark tells: %s", path, text);
        results.items[results.count++] = result_of(arena, line);
    }
    free(text);
    fclose(file);
    return results;
}

static struct result result_of(struct arena *arena,
                               const struct json_value *line)
{
    const char *unit = text_at(arena, line, "unit");
    double low = number_at(arena, line, "low");
    double high = number_at(arena, line, "high");

    return (struct result){
        .kind = kind_of(text_at(arena, line, "kind")),
        .bench = text_at(arena, line, "bench"),
        .what = text_at(arena, line, "what"),
        .facts = text_at(arena, line, "facts"),
        .text = text_at(arena, line, "text"),
        .row = {.figure = text_at(arena, line, "figure"),
                .unit = unit,
                .baseline = text_at(arena, line, "baseline"),
                .ours = number_at(arena, line, "ours"),
                .base = number_at(arena, line, "base"),
                .ratio = number_at(arena, line, "ratio"),
                .low = low,
                .high = high,
                .target = target_of(arena, line)},
        .point = {.curve = text_at(arena, line, "curve"),
                  .axis = text_at(arena, line, "axis"),
                  .unit = unit,
                  .x = number_at(arena, line, "x"),
                  .y = number_at(arena, line, "y"),
                  .low = low,
                  .high = high},
    };
}

static enum result_kind kind_of(const char *name)
{
    static const char *const names[] = {
        [RESULT_BEGIN] = "begin",
        [RESULT_ROW] = "row",
        [RESULT_POINT] = "point",
        [RESULT_WRONG] = "wrong",
    };

    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        if (name != NULL && strcmp(name, names[i]) == 0)
            return (enum result_kind)i;
    }
    fatal("no benchmark tells a %s", name != NULL ? name : "thing");
}

/* NULL when it is not there. */
static const char *text_at(struct arena *arena, const struct json_value *line,
                           const char *key)
{
    const struct json_value *value = json_get(line, key);

    return value == NULL ? NULL : arena_string(arena, json_text(value));
}

/* 0 when it is not there, or was no number. */
static double number_at(struct arena *arena, const struct json_value *line,
                        const char *key)
{
    const struct json_value *value = json_get(line, key);

    return value == NULL
               ? 0
               : strtod(arena_string(arena, json_as_python_text(arena, value)),
                        NULL);
}

static struct target target_of(struct arena *arena,
                               const struct json_value *line)
{
    const char *kind = text_at(arena, line, "target");
    double value = number_at(arena, line, "target_value");

    if (kind == NULL)
        return NO_TARGET;
    return strcmp(kind, "at least") == 0 ? AT_LEAST(value) : AT_MOST(value);
}
