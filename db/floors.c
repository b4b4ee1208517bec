/*
 * Scan floors.
 */
#include "db/floors.h"

#include "server/base/clock.h"
#include "server/base/memory.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    /*
     * Below the first row found: for submits that commit a little later than
     * others that arrived after them. Each claim steps over what was handed
     * out of this time.
     */
    MARGIN_US = 100000,
    SWEEP_PAUSE = 50,
    SWEEP_PAUSE_MAX_US = 5000000,
    SWEEP_LOST_US = 5000000, /* one that never ends does not stop the others */
    SLOW_US = 1000000,       /* one that should reach less far when it fails */
    MOST = 1024              /* whatever is forgotten is swept anew */
};

/* How far back sweeps reach after slow ones that failed: the first, the last */
static const int64_t long_reach_us = INT64_C(24) * 3600 * 1000000;
static const int64_t short_reach_us = INT64_C(60) * 1000000;
enum { REACH_FACTOR = 8 };

struct floor {
    enum floor_of of;
    int64_t number;
    int64_t floor_us;
    int64_t sweep_us; /* the next one is due (monotonic) */
    int64_t reach_us; /* a sweep begins so long ago; 0: at the beginning */
    uint64_t lowered; /* so often */
};

struct floors {
    pthread_mutex_t lock;
    struct floor list[MOST];
    size_t count;
};

static struct floor *find(struct floors *floors, enum floor_of of,
                          int64_t number);
static struct floor *make_room(struct floors *floors);
static int64_t beginning(const struct floor *floor);
static void reach_further(struct floor *floor);
static void reach_less_far(struct floor *floor);
static int64_t pause_after(const struct floor_look *look, int64_t now_us);

struct floors *floors_new(void)
{
    struct floors *floors = xcalloc(1, sizeof *floors);

    pthread_mutex_init(&floors->lock, NULL);
    return floors;
}

void floors_free(struct floors *floors)
{
    pthread_mutex_destroy(&floors->lock);
    free(floors);
}

struct floor_look floors_begin(struct floors *floors, enum floor_of of,
                               int64_t number)
{
    struct floor_look look = {
        .of = of,
        .number = number,
        .from_us = INT64_MIN,
        .is_sweep = floors != NULL,
        .begin_us = clock_monotonic_us(),
    };
    struct floor *floor;

    if (floors == NULL)
        return look;
    pthread_mutex_lock(&floors->lock);
    floor = find(floors, of, number);
    look.lowered = floor->lowered;
    look.from_us = beginning(floor);
    if (look.begin_us < floor->sweep_us) {
        look.is_sweep = false;
        if (floor->floor_us > look.from_us)
            look.from_us = floor->floor_us;
    } else {
        /* The others need not sweep as well. */
        floor->sweep_us = look.begin_us + SWEEP_LOST_US;
    }
    pthread_mutex_unlock(&floors->lock);
    return look;
}

void floors_end(struct floors *floors, const struct floor_look *look,
                int64_t lowest_us)
{
    int64_t floor_us = lowest_us - MARGIN_US;
    struct floor *floor;

    if (floors == NULL)
        return;
    pthread_mutex_lock(&floors->lock);
    floor = find(floors, look->of, look->number);
    /* What was put back meanwhile may have been passed already. */
    if (floor->lowered != look->lowered && floor_us > floor->floor_us)
        floor_us = floor->floor_us;
    if (look->is_sweep) {
        int64_t now_us = clock_monotonic_us();

        floor->floor_us = floor_us;
        floor->sweep_us = now_us + pause_after(look, now_us);
        if (now_us - look->begin_us < SLOW_US)
            reach_further(floor);
    } else if (floor_us > floor->floor_us) {
        floor->floor_us = floor_us;
    }
    pthread_mutex_unlock(&floors->lock);
}

void floors_failed(struct floors *floors, const struct floor_look *look)
{
    int64_t now_us = clock_monotonic_us();
    struct floor *floor;

    if (floors == NULL || !look->is_sweep)
        return;
    pthread_mutex_lock(&floors->lock);
    floor = find(floors, look->of, look->number);
    floor->sweep_us = now_us + pause_after(look, now_us);
    if (now_us - look->begin_us >= SLOW_US)
        reach_less_far(floor);
    pthread_mutex_unlock(&floors->lock);
}

void floor_marks_add(struct floor_marks *marks, enum floor_of of,
                     int64_t number, int64_t time_us)
{
    for (size_t i = 0; i < marks->count; i++) {
        struct floor_mark *mark = &marks->list[i];

        if (mark->of != of || mark->number != number)
            continue;
        if (time_us < mark->time_us)
            mark->time_us = time_us;
        return;
    }
    if (marks->count == marks->capacity) {
        marks->capacity = marks->capacity == 0 ? 4 : 2 * marks->capacity;
        marks->list =
            xrealloc(marks->list, marks->capacity * sizeof *marks->list);
    }
    marks->list[marks->count++] =
        (struct floor_mark){.of = of, .number = number, .time_us = time_us};
}

void floor_marks_lower(struct floor_marks *marks, struct floors *floors)
{
    for (size_t i = 0; i < marks->count; i++)
        floors_lower(floors, marks->list[i].of, marks->list[i].number,
                     marks->list[i].time_us);
    marks->count = 0;
}

void floors_lower(struct floors *floors, enum floor_of of, int64_t number,
                  int64_t time_us)
{
    struct floor *floor;

    if (floors == NULL)
        return;
    pthread_mutex_lock(&floors->lock);
    floor = find(floors, of, number);
    floor->lowered++;
    if (time_us < floor->floor_us)
        floor->floor_us = time_us;
    pthread_mutex_unlock(&floors->lock);
}

/* A new one is swept first. */
static struct floor *find(struct floors *floors, enum floor_of of,
                          int64_t number)
{
    struct floor *floor;

    for (size_t i = 0; i < floors->count; i++) {
        floor = &floors->list[i];
        if (floor->of == of && floor->number == number)
            return floor;
    }
    floor = make_room(floors);
    *floor = (struct floor){.of = of,
                            .number = number,
                            .floor_us = INT64_MIN,
                            .sweep_us = INT64_MIN};
    return floor;
}

/* Destinations come and go. */
static struct floor *make_room(struct floors *floors)
{
    struct floor *oldest = &floors->list[0];

    if (floors->count < MOST)
        return &floors->list[floors->count++];
    for (size_t i = 1; i < MOST; i++) {
        if (floors->list[i].sweep_us < oldest->sweep_us)
            oldest = &floors->list[i];
    }
    return oldest;
}

/* The database's clock may differ from ours: this is a guess, too. */
static int64_t beginning(const struct floor *floor)
{
    return floor->reach_us == 0 ? INT64_MIN : clock_wall_us() - floor->reach_us;
}

static void reach_further(struct floor *floor)
{
    floor->reach_us *= REACH_FACTOR;
    if (floor->reach_us > long_reach_us)
        floor->reach_us = 0;
}

static void reach_less_far(struct floor *floor)
{
    if (floor->reach_us == 0)
        floor->reach_us = long_reach_us;
    else if (floor->reach_us > short_reach_us)
        floor->reach_us /= REACH_FACTOR;
}

static int64_t pause_after(const struct floor_look *look, int64_t now_us)
{
    int64_t pause_us = (now_us - look->begin_us) * SWEEP_PAUSE;

    return pause_us < SWEEP_PAUSE_MAX_US ? pause_us : SWEEP_PAUSE_MAX_US;
}
