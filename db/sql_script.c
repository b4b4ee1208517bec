/*
 * The statements of an SQL file.
 */
#include "db/sql_script.h"

#include "server/base/buffer.h"

#include <string.h>

static bool take_line(struct text line, char *quote, struct buffer *statement);
static char quote_after(struct text line, char quote);
static bool ends_statement(struct text line);

const char *sql_script_next(struct arena *arena, const char *script,
                            size_t *position)
{
    struct buffer statement = {NULL, 0, 0};
    const char *result = NULL;
    char quote = '\0';
    bool complete = false;

    while (!complete && script[*position] != '\0') {
        const char *start = script + *position;
        size_t size = strcspn(start, "\n");

        *position += size + (start[size] == '\n' ? 1 : 0);
        complete = take_line((struct text){start, size}, &quote, &statement);
    }
    if (statement.size > 0)
        result = arena_string(arena, buffer_text(&statement));
    buffer_free(&statement);
    return result;
}

/* True when the statement is complete. */
static bool take_line(struct text line, char *quote, struct buffer *statement)
{
    bool complete;

    if (*quote == '\0') {
        struct text trimmed = text_trim(line);

        if (text_starts_with(trimmed, "--") || trimmed.size == 0)
            return false;
    }
    *quote = quote_after(line, *quote);
    complete = *quote == '\0' && ends_statement(line);
    if (complete) {
        line = text_trim(line);
        line.size--;
    }
    buffer_append_text(statement, line);
    if (!complete)
        buffer_append_char(statement, '\n');
    return complete;
}

/* Which quote is open behind the line; a doubled one closes and opens. */
static char quote_after(struct text line, char quote)
{
    for (size_t i = 0; i < line.size; i++) {
        char c = line.data[i];

        if (quote == '\0' && (c == '\'' || c == '"' || c == '`'))
            quote = c;
        else if (c == quote)
            quote = '\0';
        else if (c == '\\' && quote != '\0' && quote != '`')
            i++;
    }
    return quote;
}

static bool ends_statement(struct text line)
{
    struct text trimmed = text_trim(line);

    return trimmed.size > 0 && trimmed.data[trimmed.size - 1] == ';';
}
