/*
 * The places of one queue, and the pushes that wait for one.
 */
#include "server/deliver/push_places.h"

#include "server/base/clock.h"
#include "server/base/memory.h"
#include "server/deliver/lanes.h"
#include "server/deliver/push_times.h"

#include <stdlib.h>
#include <string.h>

enum {
    AHEAD_MOST = 96,
    AHEAD_MS = 200,                /* about as long one waits here at most */
    AHEAD_BYTES = 8 * 1024 * 1024, /* with more here none is added */
    WEIGHT = 8                     /* of what is known, in took_us */
};

struct held_place {
    struct push_place place;
    int64_t end_ms; /* of its lease; monotonic */
    bool is_busy;
};

static bool is_claim_near(const struct places *places);
static void hand_out(struct places *places);
static struct held_place *find_idle(struct places *places,
                                    const struct push_turn *turn);
static void call(struct push_turn *turn, enum push_turn_state state);
static bool is_late(const struct push_turn *turn);
static void leave_idle(struct places *places);
static struct held_place *find(struct places *places,
                               const struct push_place *place);
static void drop(struct places *places, struct held_place *held);

void places_init(struct places *places, struct lane *lane, leave_places *leave)
{
    *places = (struct places){.lane = lane, .leave = leave, .took_us = -1};
    TAILQ_INIT(&places->waiting);
}

void places_close(struct places *places)
{
    free(places->held);
}

size_t places_ahead(const struct places *places, size_t limit)
{
    int64_t took_us = places->took_us > 1000 ? places->took_us : 1000;
    int64_t ahead = (int64_t)limit * AHEAD_MS * 1000 / took_us;

    if (places->took_us < 0 || places->bytes >= AHEAD_BYTES)
        return 0;
    return ahead < AHEAD_MOST ? (size_t)ahead : AHEAD_MOST;
}

void places_recall(struct places *places)
{
    struct push_turn *turn;

    while ((turn = TAILQ_FIRST(&places->waiting)) != NULL)
        call(turn, PUSH_TURN_GOES_BACK);
}

void places_drain(struct places *places)
{
    hand_out(places);
    if (!is_claim_near(places))
        leave_idle(places);
    /* Nobody's end would call them. */
    if (places->busy == 0 && places->claiming == 0)
        places_recall(places);
}

void places_look(struct places *places)
{
    places_drain(places);
    if (places->claiming == 0)
        leave_idle(places);
}

struct push_place *places_claim(struct places *places, struct arena *arena,
                                size_t *ret_count, size_t *ret_idle)
{
    struct push_place *list =
        arena_alloc(arena, (places->count + 1) * sizeof *list);

    places->claiming++;
    for (size_t i = 0; i < places->count; i++)
        list[i] = places->held[i].place;
    *ret_count = places->count;
    *ret_idle = places->count - places->busy;
    return list;
}

void places_add(struct places *places, const struct push_place *place,
                int64_t end_ms)
{
    if (places->count == places->capacity) {
        places->capacity = 2 * places->capacity + 8;
        places->held =
            xrealloc(places->held, places->capacity * sizeof *places->held);
    }
    places->held[places->count++] =
        (struct held_place){.place = *place, .end_ms = end_ms};
}

/* One that was left meanwhile is not there any more. */
void places_keep(struct places *places, const struct push_place *place,
                 int64_t end_ms)
{
    struct held_place *held = find(places, place);

    if (held != NULL && end_ms > held->end_ms)
        held->end_ms = end_ms;
}

void places_lose(struct places *places, const struct push_place *place)
{
    struct held_place *held = find(places, place);

    if (held != NULL)
        held->end_ms = 0;
}

void places_claimed(struct places *places, size_t surplus)
{
    places->claiming--;
    places->surplus = surplus;
    places_drain(places);
}

enum step push_turn_await(struct push_turn *turn, struct task *task,
                          task_step *next)
{
    struct places *places = turn->places;

    turn->task = task;
    turn->began_ms = clock_monotonic_ms();
    turn->state = PUSH_TURN_WAITS;
    places->bytes += turn->bytes;
    TAILQ_INSERT_TAIL(&places->waiting, turn, entry);
    return task_wait(task, next);
}

void push_turn_end(struct push_turn *turn)
{
    struct places *places = turn->places;
    bool is_surplus = places->surplus > 0;
    struct held_place *held;

    if (turn->state != PUSH_TURN_HAS_COME)
        return;
    turn->state = PUSH_TURN_IS_OVER;
    find(places, &turn->place)->is_busy = false;
    places->busy--;
    if (is_surplus)
        places->surplus--;
    else
        hand_out(places);
    /* Whoever has got it may even have left it since. */
    held = find(places, &turn->place);
    if (held != NULL && !held->is_busy &&
        (is_surplus || !is_claim_near(places)))
        drop(places, held);
    else
        turn->place.number = 0;
    places_drain(places);
}

void push_turn_took(struct push_turn *turn, int64_t took_ms)
{
    struct places *places = turn->places;
    int64_t took_us = took_ms * 1000;

    if (places->took_us < 0)
        places->took_us = took_us;
    else
        places->took_us += (took_us - places->took_us) / WEIGHT;
}

/* What it brings can use the places that are idle. */
static bool is_claim_near(const struct places *places)
{
    return places->claiming > 0 || lane_expects_claim(places->lane);
}

static void hand_out(struct places *places)
{
    size_t most = lane_width(places->lane);
    struct held_place *held;
    struct push_turn *turn;

    if (places->lane->lanes->stopping)
        most = 0;
    while ((turn = TAILQ_FIRST(&places->waiting)) != NULL) {
        if (is_late(turn))
            places->took_us = -1;
        if (most == 0 || is_late(turn)) {
            call(turn, PUSH_TURN_GOES_BACK);
            continue;
        }
        held = find_idle(places, turn);
        if (held == NULL || places->busy >= most)
            return;
        held->is_busy = true;
        places->busy++;
        turn->place = held->place;
        call(turn, PUSH_TURN_HAS_COME);
    }
}

static struct held_place *find_idle(struct places *places,
                                    const struct push_turn *turn)
{
    for (size_t i = 0; i < places->count; i++) {
        struct held_place *held = &places->held[i];

        if (!held->is_busy && held->end_ms >= turn->lease_end_ms)
            return held;
    }
    return NULL;
}

/* The task goes on, and may be over afterwards. */
static void call(struct push_turn *turn, enum push_turn_state state)
{
    TAILQ_REMOVE(&turn->places->waiting, turn, entry);
    turn->places->bytes -= turn->bytes;
    turn->state = state;
    task_resume(turn->task);
}

static bool is_late(const struct push_turn *turn)
{
    return clock_monotonic_ms() - turn->began_ms > PUSH_LINE_MS;
}

static void leave_idle(struct places *places)
{
    struct push_place *list;
    int64_t end_ms = 0;
    size_t count = 0;

    if (places->busy == places->count)
        return;
    list = xcalloc(places->count, sizeof *list);
    for (size_t i = places->count; i > 0; i--) {
        struct held_place *held = &places->held[i - 1];

        if (!held->is_busy) {
            list[count++] = held->place;
            if (held->end_ms > end_ms)
                end_ms = held->end_ms;
            drop(places, held);
        }
    }
    places->leave(places, list, count, end_ms);
    free(list);
}

/* NULL when it is not here. */
static struct held_place *find(struct places *places,
                               const struct push_place *place)
{
    for (size_t i = 0; i < places->count; i++) {
        struct held_place *held = &places->held[i];

        if (held->place.number == place->number &&
            strcmp(held->place.key, place->key) == 0)
            return held;
    }
    return NULL;
}

/* The last one takes its room. */
static void drop(struct places *places, struct held_place *held)
{
    *held = places->held[--places->count];
}
