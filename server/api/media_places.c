/*
 * The places of those who are sent files.
 */
#include "server/api/media_places.h"

#include "server/base/clock.h"
#include "server/base/memory.h"
#include "server/task/loop.h"

#include <stdlib.h>

TAILQ_HEAD(place_list, media_place);

struct media_places {
    struct place_list taken;
    struct place_list line; /* who has waited longest first */
    size_t taken_count;
    size_t line_count;
    struct loop_timer *look; /* set while there is a line */
};

static void take(struct media_places *places, struct media_place *place);
static void line_up(struct media_places *places, struct media_place *place);
static void leave_line(struct media_places *places, struct media_place *place);
static void look(void *context);
static void send_away(struct media_places *places);
static struct media_place *find_slowest(struct media_places *places);
static uint64_t gain_of(const struct media_place *place);
static void note_all(struct media_places *places);

struct media_places *media_places_new(struct loop *loop)
{
    struct media_places *places = xcalloc(1, sizeof *places);

    TAILQ_INIT(&places->taken);
    TAILQ_INIT(&places->line);
    places->look = loop_timer_new(loop, look, places);
    return places;
}

void media_places_free(struct media_places *places)
{
    if (places == NULL)
        return;
    loop_timer_free(places->look);
    free(places);
}

enum step media_places_await(struct media_places *places, struct task *task,
                             struct media_place *place, task_step *next)
{
    place->task = task;
    if (places->taken_count < MEDIA_PLACES) {
        take(places, place);
        return next(task);
    }
    if (places->line_count == MEDIA_LINE) {
        place->state = MEDIA_PLACE_NONE;
        return next(task);
    }
    line_up(places, place);
    return task_wait(task, next);
}

void media_places_leave(struct media_places *places, struct media_place *place)
{
    struct media_place *first = TAILQ_FIRST(&places->line);

    TAILQ_REMOVE(&places->taken, place, entry);
    places->taken_count--;
    if (first == NULL)
        return;
    leave_line(places, first);
    take(places, first);
    task_resume(first->task);
}

static void take(struct media_places *places, struct media_place *place)
{
    place->state = MEDIA_PLACE_TAKEN;
    TAILQ_INSERT_TAIL(&places->taken, place, entry);
    places->taken_count++;
}

static void line_up(struct media_places *places, struct media_place *place)
{
    place->state = MEDIA_PLACE_IN_LINE;
    place->since_ms = clock_monotonic_ms();
    TAILQ_INSERT_TAIL(&places->line, place, entry);
    if (places->line_count++ == 0) {
        note_all(places);
        loop_timer_set(places->look, MEDIA_LOOK_MS);
    }
}

static void leave_line(struct media_places *places, struct media_place *place)
{
    TAILQ_REMOVE(&places->line, place, entry);
    if (--places->line_count == 0)
        loop_timer_cancel(places->look);
}

/* Whoever is resumed may leave, and let in the next one, at once. */
static void look(void *context)
{
    struct media_places *places = context;
    struct media_place *slowest;

    for (size_t wanted = places->line_count; wanted > 0; wanted--) {
        slowest = find_slowest(places);
        if (slowest == NULL)
            break;
        slowest->state = MEDIA_PLACE_LOST;
        task_resume(slowest->task);
    }
    send_away(places);
    note_all(places);
    if (places->line_count > 0)
        loop_timer_set(places->look, MEDIA_LOOK_MS);
}

/* Those whose clients will not wait much longer. */
static void send_away(struct media_places *places)
{
    const int64_t now_ms = clock_monotonic_ms();
    struct media_place *first;

    while ((first = TAILQ_FIRST(&places->line)) != NULL &&
           now_ms - first->since_ms >= MEDIA_PATIENCE_MS) {
        leave_line(places, first);
        first->state = MEDIA_PLACE_NONE;
        task_resume(first->task);
    }
}

/* NULL when none is too slow. Who waits for the disk cannot be blamed. */
static struct media_place *find_slowest(struct media_places *places)
{
    struct media_place *slowest = NULL;
    uint64_t least = MEDIA_LEAST_BYTES;
    struct media_place *place;

    TAILQ_FOREACH(place, &places->taken, entry)
    {
        if (!place->was_seen || !place->is_client_due ||
            gain_of(place) >= least)
            continue;
        slowest = place;
        least = gain_of(place);
    }
    return slowest;
}

static uint64_t gain_of(const struct media_place *place)
{
    return http_reply_taken(place->stream) - place->bytes;
}

static void note_all(struct media_places *places)
{
    struct media_place *place;

    TAILQ_FOREACH(place, &places->taken, entry)
    {
        place->was_seen = place->stream != NULL;
        if (place->was_seen)
            place->bytes = http_reply_taken(place->stream);
    }
}
