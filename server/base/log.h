/*
 * One line per event on standard error, in logfmt or JSON.
 *
 * A line is an event word and key=value fields; values are escaped, so no
 * peer can forge a line. Never give it bodies, passwords, cookies, keys or
 * anything a learner wrote. Any thread.
 */
#ifndef XQUEUE_BASE_LOG_H
#define XQUEUE_BASE_LOG_H

#include "server/base/compiler.h"
#include "server/base/text.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };
enum log_format { LOG_LOGFMT, LOG_JSON };

void log_set_level(enum log_level level);
void log_set_format(enum log_format format);

bool log_is_on(enum log_level level);

/* One field of a line; make it with the functions below. */
struct log_field {
    const char *key;
    enum { LOG_FIELD_TEXT, LOG_FIELD_INTEGER, LOG_FIELD_ABSENT } kind;
    struct text text;
    int64_t integer;
};

struct log_field log_text(const char *key, struct text value);
struct log_field log_string(const char *key, const char *value);
struct log_field log_integer(const char *key, int64_t value);

/*
 * Write a line: log_event(LOG_INFO, "submit", log_integer("id", 42));
 * Absent texts are left out.
 */
#define log_event(level, event, ...)                                           \
    log_write((level), (event), (struct log_field[]){__VA_ARGS__},             \
              sizeof((struct log_field[]){__VA_ARGS__}) /                      \
                  sizeof(struct log_field))

void log_write(enum log_level level, const char *event,
               const struct log_field *fields, size_t count);

/* A line of words for people: log_message(LOG_INFO, "listening on %s", ...) */
void log_message(enum log_level level, const char *format, ...)
    PRINTF_LIKE(2, 3);

/*
 * The same for something that may repeat without end: at most one line per
 * `once->interval_s` seconds, which then says how many were left out. Give
 * each place its own static `struct log_once`.
 */
struct log_once {
    int interval_s; /* 0 means 10 */
    int64_t next_ms;
    int64_t suppressed;
};

void log_repeated(struct log_once *once, enum log_level level,
                  const char *format, ...) PRINTF_LIKE(3, 4);

#endif
