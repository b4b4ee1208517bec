/*
 * The places at a queue's grader that this process has (db/push_place.h), and
 * the pushes that wait for one: more are claimed at a time than there are
 * places, so that a grader that has answered gets the next submission at once
 * and not two transactions later. Loop thread.
 *
 * A push has its turn while it has a place. When it is over, whoever waits
 * longest takes the place over; if nobody does, the push's end leaves it,
 * together with what became of the push. Only while a claim is under way, or is
 * to be expected, a place stays here idle, for what the claim will bring.
 *
 * No turn begins in a place whose lease is over before that of the submission:
 * a claim makes the places last as long as what it brings.
 *
 * While the lane's breaker is open nobody gets a turn, and those that wait go
 * back to their queue; so does one that has waited for PUSH_LINE_MS, for its
 * lease might not last.
 */
#ifndef XQUEUE_DELIVER_PUSH_PLACES_H
#define XQUEUE_DELIVER_PUSH_PLACES_H

#include "db/push_place.h"
#include "server/task/task.h"

#include <sys/queue.h>

struct held_place;
struct lane;
struct places;
struct push_turn;

TAILQ_HEAD(push_turns, push_turn);

/*
 * Leave these in the database, which no push does; their leases end by
 * `end_ms` (monotonic). They are borrowed.
 */
typedef void leave_places(struct places *places, const struct push_place *list,
                          size_t count, int64_t end_ms);

/* Embedded in its owner; outlives all that wait in it. */
struct places {
    struct lane *lane; /* borrows */
    leave_places *leave;
    struct push_turns waiting;
    size_t bytes;            /* of those that wait */
    struct held_place *held; /* owns */
    size_t count;
    size_t capacity;
    size_t busy;     /* of them */
    size_t surplus;  /* so many are not handed on */
    int64_t took_us; /* a usual answer; -1: not known, or not any more */
    size_t claiming; /* claims under way */
};

enum push_turn_state {
    PUSH_TURN_WAITS,
    PUSH_TURN_HAS_COME,
    PUSH_TURN_GOES_BACK, /* it has never come */
    PUSH_TURN_IS_OVER
};

/* Of one push, embedded in it. */
struct push_turn {
    TAILQ_ENTRY(push_turn) entry; /* while it waits */
    struct places *places;        /* borrows */
    struct task *task;            /* borrows */
    size_t bytes;                 /* that are in memory meanwhile */
    int64_t began_ms;
    int64_t lease_end_ms;
    enum push_turn_state state;
    struct push_place place; /* while it has one, and then: to be left */
};

void places_init(struct places *places, struct lane *lane, leave_places *leave);

/* When nobody waits and nobody has a turn. */
void places_close(struct places *places);

/*
 * How many pushes may be claimed to wait here: what the places of `limit` get
 * done in a moment. None before the grader has answered once, nor since one has
 * waited for too long, and none beside large ones.
 */
size_t places_ahead(const struct places *places, size_t limit);

/* All that wait go back. */
void places_recall(struct places *places);

/* Whoever may go now has its turn; or all go back. */
void places_drain(struct places *places);

/* The same, now and then: whatever is idle is left. */
void places_look(struct places *places);

/*
 * A claim is under way until places_claimed(): the places that are here now
 * stay, and are listed, in the arena. *ret_idle of them have no push.
 */
struct push_place *places_claim(struct places *places, struct arena *arena,
                                size_t *ret_count, size_t *ret_idle);

/* What the claim found: this one has come with it; until then; */
void places_add(struct places *places, const struct push_place *place,
                int64_t end_ms);

/* this one of the list lasts until then; */
void places_keep(struct places *places, const struct push_place *place,
                 int64_t end_ms);

/* this one of the list is not ours any more. */
void places_lose(struct places *places, const struct push_place *place);

/*
 * It is over, and the pushes that it brought wait. `surplus` places of the
 * queue's are too many.
 */
void places_claimed(struct places *places, size_t surplus);

/* `next` runs when its turn has come, or never will: see turn->state. */
enum step push_turn_await(struct push_turn *turn, struct task *task,
                          task_step *next) MUST_CHECK;

/*
 * The grader is done with it; turn->place is to be left if it is any. A second
 * call does nothing.
 */
void push_turn_end(struct push_turn *turn);

/* The grader took so long to answer. */
void push_turn_took(struct push_turn *turn, int64_t took_ms);

#endif
