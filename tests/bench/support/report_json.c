/*
 * Lines of JSON. Each is appended at once, so a benchmark that dies leaves
 * what it has told.
 */
#include "tests/bench/support/report_json.h"

#include "server/base/json.h"
#include "server/base/memory.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void append_name(struct buffer *line, const char *name);
static void append_number(struct buffer *line, double value);

void report_json_begin(struct buffer *line, const char *bench, const char *kind)
{
    buffer_append_string(line, "{\"bench\": ");
    json_append_string(line, text_of(bench));
    report_json_text(line, "kind", kind);
}

void report_json_text(struct buffer *line, const char *name, const char *text)
{
    append_name(line, name);
    json_append_string(line, text_of(text));
}

void report_json_number(struct buffer *line, const char *name, double value)
{
    append_name(line, name);
    append_number(line, value);
}

void report_json_series(struct buffer *line, const char *name,
                        const struct series *series)
{
    append_name(line, name);
    buffer_append_char(line, '[');
    for (size_t i = 0; i < series->count; i++) {
        buffer_append_string(line, i > 0 ? ", " : "");
        append_number(line, series->values[i]);
    }
    buffer_append_char(line, ']');
}

void report_json_end(struct buffer *line)
{
    const char *path = getenv("BENCH_JSON");
    FILE *file;

    buffer_append_string(line, "}\n");
    if (path != NULL && path[0] != '\0') {
        file = fopen(path, "ae");
        if (file == NULL ||
            fwrite(line->data, 1, line->size, file) != line->size ||
            fclose(file) != 0)
            fatal("%s: %s", path, strerror(errno));
    }
    buffer_free(line);
}

static void append_name(struct buffer *line, const char *name)
{
    buffer_append_string(line, ", ");
    json_append_string(line, text_of(name));
    buffer_append_string(line, ": ");
}

/* JSON knows no infinity. */
static void append_number(struct buffer *line, double value)
{
    if (isfinite(value))
        buffer_printf(line, "%.8g", value);
    else
        buffer_append_string(line, "null");
}
