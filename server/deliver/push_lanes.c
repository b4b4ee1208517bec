/*
 * The queues that are pushed, each with its lane.
 */
#include "server/deliver/push_lanes.h"

#include "server/base/compiler.h"
#include "server/base/memory.h"
#include "server/deliver/push_leave.h"
#include "server/task/queue_table.h"

#include <stdlib.h>

static struct push_lane *open_lane(struct pushes *pushes,
                                   const struct queue_entry *entry);
static void settle_lane(struct push_lane *lane);
static int by_queue(const void *left, const void *right);
static struct push_lane *find_lane(const struct pushes *pushes, size_t count,
                                   int64_t queue_id);
static void close_lane(struct push_lane *lane);

void push_lanes_take_queues(struct pushes *pushes)
{
    size_t known = pushes->count;
    size_t count;
    const struct queue_entry *entries =
        queue_table_entries(pushes->env->queues, &count);

    for (size_t i = 0; i < known; i++)
        pushes->items[i]->settings = NULL;
    pushes->items =
        xrealloc(pushes->items, (known + count + 1) * sizeof *pushes->items);
    for (size_t i = 0; i < count; i++) {
        struct push_lane *lane = find_lane(pushes, known, entries[i].number);

        if (entries[i].settings->grader_url == NULL)
            continue;
        if (lane == NULL) {
            lane = open_lane(pushes, &entries[i]);
            pushes->items[pushes->count++] = lane;
        }
        lane->settings = entries[i].settings;
    }
    qsort(pushes->items, pushes->count, sizeof *pushes->items, by_queue);
    for (size_t i = 0; i < pushes->count; i++)
        settle_lane(pushes->items[i]);
}

struct push_lane *push_lane_find(const struct pushes *pushes, int64_t queue_id)
{
    return find_lane(pushes, pushes->count, queue_id);
}

struct push_lane *push_lane_of(const struct lane *lane)
{
    return CONTAINER_OF(lane, struct push_lane, lane);
}

void push_lanes_forget_idle(struct pushes *pushes)
{
    size_t kept = 0;

    for (size_t i = 0; i < pushes->count; i++) {
        struct push_lane *lane = pushes->items[i];

        if (lane->settings == NULL && lane_is_idle(&lane->lane))
            close_lane(lane);
        else
            pushes->items[kept++] = lane;
    }
    pushes->count = kept;
}

void push_lanes_close(struct pushes *pushes)
{
    for (size_t i = 0; i < pushes->count; i++)
        close_lane(pushes->items[i]);
    free(pushes->items);
}

static struct push_lane *open_lane(struct pushes *pushes,
                                   const struct queue_entry *entry)
{
    struct push_lane *lane = xcalloc(1, sizeof *lane);

    lane->pushes = pushes;
    lane->queue_id = entry->number;
    lane->name = xstrdup(entry->settings->name);
    lane->url = xstrdup(entry->settings->grader_url);
    push_line_init(&lane->line);
    places_init(&lane->places, &lane->lane, push_leave);
    lane_open(&pushes->lanes, &lane->lane, lane->name, false);
    return lane;
}

/*
 * What waits for a place comes back with the settings of now. A grader that
 * moved: what waits for the old one is pushed to the new one, of which nothing
 * bad is known.
 */
static void settle_lane(struct push_lane *lane)
{
    const char *url =
        lane->settings == NULL ? NULL : lane->settings->grader_url;

    places_recall(&lane->places);
    if (config_texts_equal(lane->url, url))
        return;
    free(lane->url);
    lane->url = url == NULL ? NULL : xstrdup(url);
    push_line_recall(&lane->line);
    if (url != NULL)
        lane_succeeded(&lane->lane);
}

static int by_queue(const void *left, const void *right)
{
    const struct push_lane *const *one = left;
    const struct push_lane *const *other = right;

    return ((*one)->queue_id > (*other)->queue_id) -
           ((*one)->queue_id < (*other)->queue_id);
}

/* Among the first `count`, which are in order; NULL when it is not there. */
static struct push_lane *find_lane(const struct pushes *pushes, size_t count,
                                   int64_t queue_id)
{
    size_t low = 0;

    while (low < count) {
        size_t middle = low + (count - low) / 2;
        struct push_lane *lane = pushes->items[middle];

        if (lane->queue_id == queue_id)
            return lane;
        if (lane->queue_id < queue_id)
            low = middle + 1;
        else
            count = middle;
    }
    return NULL;
}

static void close_lane(struct push_lane *lane)
{
    lane_close(&lane->lane);
    places_close(&lane->places);
    free(lane->name);
    free(lane->url);
    free(lane);
}
