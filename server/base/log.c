/*
 * One line per event on standard error. A line is built in a buffer of the
 * calling thread; log_output.c says when it leaves.
 */
#include "server/base/log.h"

#include "server/base/buffer.h"
#include "server/base/clock.h"
#include "server/base/log_output.h"
#include "server/base/memory.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static _Atomic enum log_level current_level = LOG_INFO;
static _Atomic enum log_format current_format = LOG_LOGFMT;
static pthread_mutex_t once_lock = PTHREAD_MUTEX_INITIALIZER;

static const char *const level_names[] = {
    [LOG_DEBUG] = "debug",
    [LOG_INFO] = "info",
    [LOG_WARNING] = "warning",
    [LOG_ERROR] = "error",
};

static char *format_words(const char *format, va_list arguments)
    PRINTF_LIKE(1, 0);
static void append_time(struct buffer *line);
static void write_digits(char *place, size_t count, int number);
static void append_word(struct buffer *line, const char *word);
static void append_logfmt(struct buffer *line, enum log_level level,
                          const char *event, const struct log_field *fields,
                          size_t count);
static void append_json(struct buffer *line, enum log_level level,
                        const char *event, const struct log_field *fields,
                        size_t count);
static void append_value(struct buffer *line, struct text value);
static void append_quoted(struct buffer *line, struct text value);
static bool needs_quotes(struct text value);
static bool once_may_write(struct log_once *once, int64_t *ret_suppressed);

void log_set_level(enum log_level level)
{
    current_level = level;
}

void log_set_format(enum log_format format)
{
    current_format = format;
}

bool log_is_on(enum log_level level)
{
    return level >= current_level;
}

struct log_field log_text(const char *key, struct text value)
{
    return (struct log_field){
        .key = key,
        .kind = text_is_absent(value) ? LOG_FIELD_ABSENT : LOG_FIELD_TEXT,
        .text = value,
    };
}

struct log_field log_string(const char *key, const char *value)
{
    return log_text(key, text_of(value));
}

struct log_field log_integer(const char *key, int64_t value)
{
    return (struct log_field){
        .key = key, .kind = LOG_FIELD_INTEGER, .integer = value};
}

void log_write(enum log_level level, const char *event,
               const struct log_field *fields, size_t count)
{
    struct buffer line = {NULL, 0, 0};

    if (!log_is_on(level))
        return;
    if (current_format == LOG_JSON)
        append_json(&line, level, event, fields, count);
    else
        append_logfmt(&line, level, event, fields, count);
    buffer_append_char(&line, '\n');
    log_output_line(buffer_text(&line), level >= LOG_WARNING);
    buffer_free(&line);
}

void log_message(enum log_level level, const char *format, ...)
{
    va_list arguments;
    char *text;

    if (!log_is_on(level))
        return;
    va_start(arguments, format);
    text = format_words(format, arguments);
    va_end(arguments);
    log_event(level, "message", log_string("text", text));
    free(text);
}

void log_repeated(struct log_once *once, enum log_level level,
                  const char *format, ...)
{
    int64_t suppressed;
    va_list arguments;
    char *text;

    if (!log_is_on(level) || !once_may_write(once, &suppressed))
        return;
    va_start(arguments, format);
    text = format_words(format, arguments);
    va_end(arguments);
    if (suppressed > 0)
        log_event(level, "message", log_string("text", text),
                  log_integer("left_out", suppressed));
    else
        log_event(level, "message", log_string("text", text));
    free(text);
}

/* From malloc. */
static char *format_words(const char *format, va_list arguments)
{
    char *text;

    if (vasprintf(&text, format, arguments) < 0)
        fatal("out of memory: log line");
    return text;
}

/* Without printf(), as the other parts: there is a line for each request. */
static void append_time(struct buffer *line)
{
    int64_t now_us = clock_wall_us();
    time_t seconds = (time_t)(now_us / 1000000);
    char text[] = "0000-00-00T00:00:00.000Z";
    struct tm parts;

    gmtime_r(&seconds, &parts);
    write_digits(text, 4, parts.tm_year + 1900);
    write_digits(text + 5, 2, parts.tm_mon + 1);
    write_digits(text + 8, 2, parts.tm_mday);
    write_digits(text + 11, 2, parts.tm_hour);
    write_digits(text + 14, 2, parts.tm_min);
    write_digits(text + 17, 2, parts.tm_sec);
    write_digits(text + 20, 3, (int)(now_us / 1000 % 1000));
    buffer_append(line, text, sizeof text - 1);
}

static void write_digits(char *place, size_t count, int number)
{
    for (size_t i = count; i-- > 0; number /= 10)
        place[i] = (char)('0' + number % 10);
}

static void append_logfmt(struct buffer *line, enum log_level level,
                          const char *event, const struct log_field *fields,
                          size_t count)
{
    append_time(line);
    append_word(line, level_names[level]);
    append_word(line, event);
    for (size_t i = 0; i < count; i++) {
        if (fields[i].kind == LOG_FIELD_ABSENT)
            continue;
        append_word(line, fields[i].key);
        buffer_append_char(line, '=');
        if (fields[i].kind == LOG_FIELD_INTEGER)
            buffer_append_integer(line, fields[i].integer);
        else
            append_value(line, fields[i].text);
    }
}

static void append_word(struct buffer *line, const char *word)
{
    buffer_append_char(line, ' ');
    buffer_append_string(line, word);
}

static void append_json(struct buffer *line, enum log_level level,
                        const char *event, const struct log_field *fields,
                        size_t count)
{
    buffer_append_string(line, "{\"time\": \"");
    append_time(line);
    buffer_printf(line, "\", \"level\": \"%s\", \"event\": \"%s\"",
                  level_names[level], event);
    for (size_t i = 0; i < count; i++) {
        if (fields[i].kind == LOG_FIELD_ABSENT)
            continue;
        buffer_printf(line, ", \"%s\": ", fields[i].key);
        if (fields[i].kind == LOG_FIELD_INTEGER)
            buffer_append_integer(line, fields[i].integer);
        else
            append_quoted(line, fields[i].text);
    }
    buffer_append_char(line, '}');
}

static void append_value(struct buffer *line, struct text value)
{
    if (needs_quotes(value))
        append_quoted(line, value);
    else
        buffer_append_text(line, value);
}

/* A JSON string; bytes outside printable ASCII are escaped one by one. */
static void append_quoted(struct buffer *line, struct text value)
{
    buffer_append_char(line, '"');
    for (size_t i = 0; i < value.size; i++) {
        unsigned char byte = (unsigned char)value.data[i];

        if (byte == '"' || byte == '\\')
            buffer_printf(line, "\\%c", byte);
        else if (byte == '\n')
            buffer_append_string(line, "\\n");
        else if (byte < 0x20 || byte >= 0x7f)
            buffer_printf(line, "\\u%04x", byte);
        else
            buffer_append_char(line, (char)byte);
    }
    buffer_append_char(line, '"');
}

static bool needs_quotes(struct text value)
{
    for (size_t i = 0; i < value.size; i++) {
        unsigned char byte = (unsigned char)value.data[i];

        if (byte <= 0x20 || byte >= 0x7f || byte == '"' || byte == '\\' ||
            byte == '=')
            return true;
    }
    return value.size == 0;
}

static bool once_may_write(struct log_once *once, int64_t *ret_suppressed)
{
    int64_t now_ms = clock_monotonic_ms();
    bool may;

    pthread_mutex_lock(&once_lock);
    may = now_ms >= once->next_ms;
    if (may) {
        int interval_s = once->interval_s == 0 ? 10 : once->interval_s;

        *ret_suppressed = once->suppressed;
        once->suppressed = 0;
        once->next_ms = now_ms + (int64_t)interval_s * 1000;
    } else {
        once->suppressed++;
    }
    pthread_mutex_unlock(&once_lock);
    return may;
}
