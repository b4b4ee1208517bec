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
    SWEEP_PAUSE = 20,
    SWEEP_PAUSE_MAX_US = 5000000,
    SWEEP_LOST_US = 1000000 /* one that never ends does not stop the others */
};

struct queue_floor {
    int64_t queue_id;
    int64_t floor_us;
    int64_t sweep_us; /* the next one is due (monotonic) */
};

struct floors {
    pthread_mutex_t lock;
    struct queue_floor *list;
    size_t count;
};

static struct queue_floor *find(struct floors *floors, int64_t queue_id);
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
    free(floors->list);
    free(floors);
}

struct floor_look floors_begin(struct floors *floors, int64_t queue_id)
{
    struct floor_look look = {
        .queue_id = queue_id,
        .from_us = INT64_MIN,
        .is_sweep = true,
        .begin_us = clock_monotonic_us(),
    };
    struct queue_floor *queue;

    if (floors == NULL)
        return look;
    pthread_mutex_lock(&floors->lock);
    queue = find(floors, queue_id);
    if (look.begin_us < queue->sweep_us) {
        look.is_sweep = false;
        look.from_us = queue->floor_us;
    } else {
        /* The others need not sweep as well. */
        queue->sweep_us = look.begin_us + SWEEP_LOST_US;
    }
    pthread_mutex_unlock(&floors->lock);
    return look;
}

void floors_end(struct floors *floors, const struct floor_look *look,
                int64_t lowest_us)
{
    int64_t floor_us = lowest_us - MARGIN_US;
    struct queue_floor *queue;

    if (floors == NULL)
        return;
    pthread_mutex_lock(&floors->lock);
    queue = find(floors, look->queue_id);
    if (look->is_sweep) {
        int64_t now_us = clock_monotonic_us();

        queue->floor_us = floor_us;
        queue->sweep_us = now_us + pause_after(look, now_us);
    } else if (floor_us > queue->floor_us) {
        queue->floor_us = floor_us;
    }
    pthread_mutex_unlock(&floors->lock);
}

void floors_lower(struct floors *floors, int64_t queue_id, int64_t arrival_us)
{
    struct queue_floor *queue;

    if (floors == NULL)
        return;
    pthread_mutex_lock(&floors->lock);
    queue = find(floors, queue_id);
    if (arrival_us < queue->floor_us)
        queue->floor_us = arrival_us;
    pthread_mutex_unlock(&floors->lock);
}

/* A new one is swept first. There are as many as queues in use. */
static struct queue_floor *find(struct floors *floors, int64_t queue_id)
{
    for (size_t i = 0; i < floors->count; i++) {
        if (floors->list[i].queue_id == queue_id)
            return &floors->list[i];
    }
    floors->list =
        xrealloc(floors->list, (floors->count + 1) * sizeof *floors->list);
    floors->list[floors->count] = (struct queue_floor){
        .queue_id = queue_id, .floor_us = INT64_MIN, .sweep_us = INT64_MIN};
    return &floors->list[floors->count++];
}

static int64_t pause_after(const struct floor_look *look, int64_t now_us)
{
    int64_t pause_us = (now_us - look->begin_us) * SWEEP_PAUSE;

    return pause_us < SWEEP_PAUSE_MAX_US ? pause_us : SWEEP_PAUSE_MAX_US;
}
