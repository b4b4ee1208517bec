/*
 * A list of events that threads append to, and the texts of a load.
 */
#include "tests/support/history_private.h"

#include "server/base/clock.h"
#include "server/base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { BODY_PADDING = 1000 };

struct history *history_new(const char *queue)
{
    struct history *history = xcalloc(1, sizeof *history);

    pthread_mutex_init(&history->lock, NULL);
    history->queue = queue;
    return history;
}

struct history *history_new_pushed(const char *queue)
{
    struct history *history = history_new(queue);

    history->is_pushed = true;
    return history;
}

void history_free(struct history *history)
{
    pthread_mutex_destroy(&history->lock);
    free(history->events);
    free(history->kills_us);
    free(history);
}

void history_add(struct history *history, const struct event *event)
{
    pthread_mutex_lock(&history->lock);
    if (history->count == history->room) {
        history->room = history->room == 0 ? 1024 : history->room * 2;
        history->events =
            xrealloc(history->events, history->room * sizeof *history->events);
    }
    history->events[history->count++] = *event;
    history->counts[event->kind][event->outcome]++;
    pthread_mutex_unlock(&history->lock);
}

int64_t history_count(struct history *history, enum event_kind kind,
                      enum event_outcome outcome)
{
    int64_t count;

    pthread_mutex_lock(&history->lock);
    count = history->counts[kind][outcome];
    pthread_mutex_unlock(&history->lock);
    return count;
}

void history_add_kill(struct history *history)
{
    history->kills_us =
        xrealloc(history->kills_us,
                 (history->kill_count + 1) * sizeof *history->kills_us);
    history->kills_us[history->kill_count++] = clock_monotonic_us();
}

void history_write_header(const struct history *history, struct buffer *buffer,
                          const char *origin, int64_t number)
{
    buffer_printf(buffer,
                  "{\"lms_callback_url\": \"%s/%lld\", \"lms_key\":"
                  " \"key %lld\", \"queue_name\": \"%s\"}",
                  origin, (long long)number, (long long)number, history->queue);
}

void history_write_body(struct buffer *buffer, int64_t number)
{
    char padding[BODY_PADDING + 1];

    memset(padding, 'x', BODY_PADDING);
    padding[BODY_PADDING] = '\0';
    buffer_printf(buffer, "%lld %s", (long long)number, padding);
}

void history_write_result(struct buffer *buffer, int64_t number,
                          const char *key)
{
    buffer_printf(buffer, "result of %lld under %s", (long long)number, key);
}

int64_t history_number_of(struct text body)
{
    const char *end = memchr(body.data, ' ', body.size);
    int64_t number;

    if (end == NULL ||
        !text_to_integer((struct text){body.data, (size_t)(end - body.data)},
                         &number))
        return -1;
    return number;
}
