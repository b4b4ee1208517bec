/*
 * Which queues are known to be empty.
 *
 * Each time this process puts something into a queue its `filled` goes up. A
 * look, and a pull that found nothing, tell of the queue as it was when they
 * began: when `filled` has gone up since, what they say is too old to keep.
 *
 *     UNSURE  a look found none, and `filled` is as it was     -> EMPTY
 *     UNSURE  a look found something                           -> FILLED
 *     FILLED  a pull found none, and `filled` is as it was     -> UNSURE
 *     EMPTY   the time is over                                 as UNSURE
 *     any     filled                                           -> FILLED
 *
 * A pull that found nothing is no proof that a queue is empty: it passes over
 * what others have locked. A look sees what is committed, locked or not.
 */
#include "server/task/queue_watch.h"

#include "db/queue.h"
#include "server/base/clock.h"
#include "server/base/memory.h"

#include <stdlib.h>
#include <string.h>

enum knowledge {
    UNSURE, /* a look will tell */
    FILLED, /* something may wait: to be tried without a look */
    EMPTY   /* until `empty_until_ms` */
};

STAILQ_HEAD(question_list, queue_question);

struct watched {
    struct queue_watch *watch;
    int64_t queue_id;
    enum knowledge knowledge;
    uint64_t filled;
    int64_t empty_until_ms; /* monotonic */

    /* The look that is under way, and who waits for it. */
    bool is_looking;
    struct queue_look look;
    bool something_waits;
    int64_t look_began_ms;
    uint64_t look_filled; /* `filled` when it began */
    struct question_list waiting;
};

/* Every queue that was ever asked for, by its number. */
struct queue_watch {
    void (*run)(struct database *database, struct db_job *job);
    struct database *database; /* borrows */
    struct watched **items;
    size_t count;
};

static size_t place_of(const struct queue_watch *watch, int64_t queue_id);
static struct watched *find(const struct queue_watch *watch, int64_t queue_id);
static struct watched *find_or_add(struct queue_watch *watch, int64_t queue_id);
static bool is_known(const struct watched *watched);
static void begin_look(struct watched *watched);
static void looked(struct db_job *job);
static void learn(struct watched *watched);
static void tell(struct watched *watched, struct queue_question *question);
static void fill(struct watched *watched);

struct queue_watch *queue_watch_new(void (*run)(struct database *database,
                                                struct db_job *job),
                                    struct database *database)
{
    struct queue_watch *watch = xcalloc(1, sizeof *watch);

    watch->run = run;
    watch->database = database;
    return watch;
}

void queue_watch_free(struct queue_watch *watch)
{
    if (watch == NULL)
        return;
    for (size_t i = 0; i < watch->count; i++)
        free(watch->items[i]);
    free(watch->items);
    free(watch);
}

enum step queue_watch_ask(struct queue_watch *watch, struct task *task,
                          struct queue_question *question, task_step *next)
{
    struct watched *watched = find_or_add(watch, question->queue_id);
    enum step step = task_wait(task, next);

    question->task = task;
    question->job.status = DB_OK;
    if (is_known(watched)) {
        question->is_empty = watched->knowledge == EMPTY;
        question->filled = watched->filled;
        task_resume(task);
        return step;
    }
    STAILQ_INSERT_TAIL(&watched->waiting, question, waiting);
    if (!watched->is_looking)
        begin_look(watched);
    return step;
}

void queue_watch_found_nothing(struct queue_watch *watch,
                               const struct queue_question *question)
{
    struct watched *watched = find(watch, question->queue_id);

    if (watched->knowledge == FILLED && watched->filled == question->filled)
        watched->knowledge = UNSURE;
}

void queue_watch_filled(struct queue_watch *watch, int64_t queue_id)
{
    struct watched *watched = find(watch, queue_id);

    if (watched != NULL)
        fill(watched);
}

void queue_watch_filled_any(struct queue_watch *watch)
{
    for (size_t i = 0; i < watch->count; i++)
        fill(watch->items[i]);
}

static void fill(struct watched *watched)
{
    watched->filled++;
    watched->knowledge = FILLED;
}

/* Where it is, or belongs. */
static size_t place_of(const struct queue_watch *watch, int64_t queue_id)
{
    size_t low = 0;
    size_t high = watch->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (watch->items[middle]->queue_id < queue_id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* NULL: nobody has asked for it yet. */
static struct watched *find(const struct queue_watch *watch, int64_t queue_id)
{
    size_t place = place_of(watch, queue_id);
    bool is_there =
        place < watch->count && watch->items[place]->queue_id == queue_id;

    return is_there ? watch->items[place] : NULL;
}

static struct watched *find_or_add(struct queue_watch *watch, int64_t queue_id)
{
    struct watched *watched = find(watch, queue_id);
    size_t place;

    if (watched != NULL)
        return watched;
    watched = xcalloc(1, sizeof *watched);
    watched->watch = watch;
    watched->queue_id = queue_id;
    STAILQ_INIT(&watched->waiting);
    place = place_of(watch, queue_id);
    watch->items =
        xrealloc(watch->items, (watch->count + 1) * sizeof(struct watched *));
    memmove(watch->items + place + 1, watch->items + place,
            (watch->count - place) * sizeof(struct watched *));
    watch->items[place] = watched;
    watch->count++;
    return watched;
}

/*
 * Or nobody can know without trying: a look that began before the queue was
 * filled, and emptied again, is none for those who come now.
 */
static bool is_known(const struct watched *watched)
{
    if (watched->knowledge == EMPTY)
        return clock_monotonic_ms() < watched->empty_until_ms;
    if (watched->knowledge == FILLED)
        return true;
    return watched->is_looking && watched->look_filled != watched->filled;
}

static void begin_look(struct watched *watched)
{
    watched->is_looking = true;
    watched->look_began_ms = clock_monotonic_ms();
    watched->look_filled = watched->filled;
    watched->look = (struct queue_look){
        .job.op = &queue_look_op,
        .job.done = looked,
        .queue_ids = &watched->queue_id,
        .count = 1,
        .ret_waiting = &watched->something_waits,
    };
    watched->watch->run(watched->watch->database, &watched->look.job);
}

/* Those who are told may ask again before this ends, and begin a look. */
static void looked(struct db_job *job)
{
    struct watched *watched = CONTAINER_OF(job, struct watched, look.job);
    struct question_list waiting = STAILQ_HEAD_INITIALIZER(waiting);
    struct queue_question *question;

    watched->is_looking = false;
    learn(watched);
    STAILQ_CONCAT(&waiting, &watched->waiting);
    STAILQ_FOREACH(question, &waiting, waiting)
    {
        tell(watched, question);
    }
    while ((question = STAILQ_FIRST(&waiting)) != NULL) {
        STAILQ_REMOVE_HEAD(&waiting, waiting);
        task_resume(question->task);
    }
}

static void learn(struct watched *watched)
{
    if (watched->look.job.status != DB_OK ||
        watched->filled != watched->look_filled)
        return;
    watched->knowledge = watched->something_waits ? FILLED : EMPTY;
    watched->empty_until_ms = watched->look_began_ms + QUEUE_WATCH_MS;
}

static void tell(struct watched *watched, struct queue_question *question)
{
    question->job = watched->look.job;
    question->filled = watched->filled;
    question->is_empty = watched->look.job.status == DB_OK &&
                         watched->filled == watched->look_filled &&
                         !watched->something_waits;
}
