/*
 * Lanes: whose turn it is to claim, and how much.
 */
#include "server/deliver/lanes.h"

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/task/loop.h"

#include <stdio.h>

enum { GATHER_MS = 10 };

static void on_timer(void *context);
static void set_timer(struct lane *lane, int64_t wait_ms);
static void drain_all(struct lanes *lanes);
static void drain(struct lane *lane);
static void claim(struct lane *lane);
static size_t room_of(const struct lane *lane);
static size_t ahead_of(const struct lane *lane);
static bool are_full(const struct lanes *lanes);
static void go_on(struct lane *lane, bool was_full);
static void log_open(const struct lane *lane);

void lanes_init(struct lanes *lanes, struct loop *loop, size_t at_once,
                const struct lane_ops *ops)
{
    *lanes = (struct lanes){.ops = ops, .loop = loop, .at_once = at_once};
    TAILQ_INIT(&lanes->list);
}

void lanes_stop(struct lanes *lanes)
{
    struct lane *lane;

    lanes->stopping = true;
    TAILQ_FOREACH(lane, &lanes->list, entry)
    {
        loop_timer_cancel(lane->timer);
    }
}

void lane_open(struct lanes *lanes, struct lane *lane, const char *name,
               bool careful)
{
    *lane = (struct lane){.lanes = lanes};
    breaker_init(&lane->breaker, careful);
    lane->timer = loop_timer_new(lanes->loop, on_timer, lane);
    lane_set_name(lane, text_of(name));
    TAILQ_INSERT_TAIL(&lanes->list, lane, entry);
}

void lane_set_name(struct lane *lane, struct text name)
{
    snprintf(lane->name, sizeof lane->name, "%.*s", (int)name.size, name.data);
}

void lane_close(struct lane *lane)
{
    TAILQ_REMOVE(&lane->lanes->list, lane, entry);
    loop_timer_free(lane->timer);
}

bool lane_is_idle(const struct lane *lane)
{
    bool may_claim = lane->lanes->ops->limit(lane) > 0;

    return lane->in_flight == 0 && lane->claiming == 0 &&
           !(lane->more && may_claim) && !loop_timer_is_set(lane->timer);
}

bool lane_expects_claim(const struct lane *lane)
{
    return lane->more && !lane->lanes->stopping && lane_width(lane) > 0;
}

size_t lane_width(const struct lane *lane)
{
    size_t limit = lane->lanes->ops->limit(lane);

    switch (breaker_state(&lane->breaker, clock_monotonic_ms())) {
    case BREAKER_CLOSED:
        return limit;
    case BREAKER_CAREFUL:
        return limit > 0;
    case BREAKER_OPEN:
        return 0;
    }
    fatal("impossible state of a breaker");
}

void lane_nudge(struct lane *lane)
{
    lane->more = true;
    drain(lane);
}

void lane_nudge_later(struct lane *lane, int64_t wait_ms)
{
    if (wait_ms <= 0)
        lane_nudge(lane);
    else
        set_timer(lane, wait_ms);
}

void lane_claimed(struct lane *lane, size_t count, bool more)
{
    struct lanes *lanes = lane->lanes;
    bool was_full = are_full(lanes);

    lanes->claiming -= lane->claiming;
    lanes->in_flight += count;
    lane->claiming = 0;
    lane->in_flight += count;
    lane->more = lane->more || more;
    go_on(lane, was_full);
}

void lane_claimed_all_places(struct lane *lane, size_t count)
{
    bool may_be_free = lane->ended_since;

    lane_claimed(lane, count, may_be_free);
    if (!may_be_free && lane->in_flight > 0)
        lane->more = true;
}

void lane_succeeded(struct lane *lane)
{
    bool was_closed =
        breaker_state(&lane->breaker, clock_monotonic_ms()) == BREAKER_CLOSED;

    if (breaker_succeeded(&lane->breaker))
        log_event(LOG_INFO, "breaker", log_string("of", lane->lanes->ops->name),
                  log_string("lane", lane->name),
                  log_string("state", "closed"));
    /* No room is new otherwise. */
    if (!was_closed)
        drain(lane);
}

void lane_failed(struct lane *lane, int64_t retry_after_s)
{
    struct breaker *breaker = &lane->breaker;
    int64_t now_ms = clock_monotonic_ms();

    if (breaker_failed(breaker, now_ms, retry_after_s))
        log_open(lane);
    if (breaker_state(breaker, now_ms) == BREAKER_OPEN)
        set_timer(lane, breaker_wait_ms(breaker, now_ms));
}

void lane_done(struct lane *lane)
{
    bool was_full = are_full(lane->lanes);

    lane->ended_since = true;
    lane->in_flight--;
    lane->lanes->in_flight--;
    go_on(lane, was_full);
}

static void on_timer(void *context)
{
    struct lane *lane = context;
    int64_t closed_ms = breaker_wait_ms(&lane->breaker, clock_monotonic_ms());

    lane->gathering = false;
    lane->more = true;
    if (closed_ms > 0)
        set_timer(lane, closed_ms);
    else
        claim(lane);
}

/* One that fires too soon for its breaker is set again then. */
static void set_timer(struct lane *lane, int64_t wait_ms)
{
    int64_t at_ms = clock_monotonic_ms() + wait_ms;

    if (lane->lanes->stopping ||
        (loop_timer_is_set(lane->timer) && lane->timer_at_ms <= at_ms))
        return;
    lane->timer_at_ms = at_ms;
    loop_timer_set(lane->timer, wait_ms);
}

/* In turns: who begins a claim goes to the end. */
static void drain_all(struct lanes *lanes)
{
    struct lane *next;

    for (struct lane *lane = TAILQ_FIRST(&lanes->list);
         lane != NULL && !are_full(lanes); lane = next) {
        next = TAILQ_NEXT(lane, entry);
        drain(lane);
    }
}

/*
 * Do what may be done now; called whenever something has changed. A claim
 * costs the database the same for one as for many: while most of what may be
 * under way is, a moment passes before the next.
 */
static void drain(struct lane *lane)
{
    if (lane->gathering)
        return;
    if (lane->in_flight <= room_of(lane)) {
        claim(lane);
    } else if (lane->more && room_of(lane) > 0) {
        lane->gathering = true;
        set_timer(lane, GATHER_MS);
    }
}

static void claim(struct lane *lane)
{
    struct lanes *lanes = lane->lanes;
    size_t room = room_of(lane);

    if (lanes->stopping || !lane->more || lane->claiming > 0 || room == 0)
        return;
    TAILQ_REMOVE(&lanes->list, lane, entry);
    TAILQ_INSERT_TAIL(&lanes->list, lane, entry);
    lane->claiming = room;
    lane->more = false;
    lane->ended_since = false;
    lanes->claiming += room;
    lanes->ops->claim(lane, room);
}

/* How many more may be under way; no lane has it all to itself. */
static size_t room_of(const struct lane *lane)
{
    const struct lanes *lanes = lane->lanes;
    size_t most = lane_width(lane) + ahead_of(lane);
    size_t room;

    if (most > (lanes->at_once + 1) / 2)
        most = (lanes->at_once + 1) / 2;
    if (are_full(lanes) || lane->in_flight >= most)
        return 0;
    room = lanes->at_once - lanes->in_flight - lanes->claiming;
    most -= lane->in_flight;
    return most < room ? most : room;
}

/*
 * Nothing is to wait for a destination that may not be well, nor in a place
 * that another one could use: what waits shares half of all places with what
 * the others have under way.
 */
static size_t ahead_of(const struct lane *lane)
{
    const struct lanes *lanes = lane->lanes;
    size_t half = (lanes->at_once + 1) / 2;
    size_t others =
        lanes->in_flight + lanes->claiming - lane->in_flight - lane->claiming;
    size_t ahead;

    if (lanes->ops->ahead == NULL || others >= half ||
        breaker_state(&lane->breaker, clock_monotonic_ms()) != BREAKER_CLOSED)
        return 0;
    ahead = lanes->ops->ahead(lane);
    return ahead < half - others ? ahead : half - others;
}

static bool are_full(const struct lanes *lanes)
{
    return lanes->in_flight + lanes->claiming >= lanes->at_once;
}

/* There is room again: for this one, or for whoever waited for it. */
static void go_on(struct lane *lane, bool was_full)
{
    if (was_full)
        drain_all(lane->lanes);
    else
        drain(lane);
}

static void log_open(const struct lane *lane)
{
    int64_t wait_ms = breaker_wait_ms(&lane->breaker, clock_monotonic_ms());

    log_event(LOG_WARNING, "breaker", log_string("of", lane->lanes->ops->name),
              log_string("lane", lane->name), log_string("state", "open"),
              log_integer("failures", lane->breaker.failures),
              log_integer("wait_s", (wait_ms + 999) / 1000));
}
