/*
 * One mutex guards the lines that jobs wait in, the list of finished jobs, and
 * their numbers; nothing else is shared. A line is there while it has jobs that
 * wait or run; whoever takes a batch from one puts it behind the others.
 */
#include "server/base/workers.h"

#include "server/base/clock.h"
#include "server/base/memory.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { PATIENCE_MS = 20 };

STAILQ_HEAD(job_list, job);

/* The jobs of one kind and group. */
struct line {
    const struct job_kind *kind;
    uint64_t group;
    struct job_list waiting; /* submitted, not taken */
    size_t waiting_count;
    size_t running;   /* batches */
    int64_t taken_ms; /* when the last one was taken */
    TAILQ_ENTRY(line) entry;
};

TAILQ_HEAD(line_list, line);

struct workers {
    struct workers_settings settings;
    pthread_mutex_t lock;
    pthread_cond_t arrived;
    struct line_list lines;
    struct job_list finished; /* ran, not collected */
    size_t waiting_count;     /* submitted, not taken */
    size_t pending_count;     /* submitted, not collected */
    int64_t watched_ms;       /* somebody sleeps until then at the latest */
    bool stopping;
    size_t started; /* numbers the threads */
    pthread_t *threads;
};

static void *worker_main(void *argument);
static size_t introduce(struct workers *workers);
static bool wait_for_work(struct workers *workers, void *context,
                          int64_t *idle_at_ms);
static void watch(struct workers *workers, int64_t turn_ms, int64_t until_ms);
static void pass_on(struct workers *workers);
static void call_for(struct workers *workers, int64_t turn_ms);
static void stand_in_line(struct workers *workers, struct job *job);
static struct line *line_of(struct workers *workers, const struct job *job);
static struct line *find_turn(struct workers *workers, int64_t *ret_until_ms);
static int64_t turn_ms(const struct workers *workers, const struct line *line);
static struct line *take_batch(struct workers *workers, struct job **batch,
                               size_t *ret_count);
static void finish_batch(struct workers *workers, struct line *line,
                         struct job **batch, size_t count);
static void call_done(struct workers *workers, struct job_list *list);

struct workers *workers_start(const struct workers_settings *settings)
{
    struct workers *workers = xcalloc(1, sizeof *workers);
    pthread_condattr_t attributes;

    workers->settings = *settings;
    workers->watched_ms = INT64_MAX;
    if (settings->patience_ms == 0)
        workers->settings.patience_ms = PATIENCE_MS;
    pthread_mutex_init(&workers->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&workers->arrived, &attributes);
    pthread_condattr_destroy(&attributes);
    TAILQ_INIT(&workers->lines);
    STAILQ_INIT(&workers->finished);
    workers->threads = xcalloc(settings->threads, sizeof(pthread_t));
    for (size_t i = 0; i < settings->threads; i++) {
        if (pthread_create(&workers->threads[i], NULL, worker_main, workers) !=
            0)
            fatal("cannot start a %s thread", settings->name);
    }
    return workers;
}

bool workers_submit(struct workers *workers, struct job *job)
{
    bool accepted;

    pthread_mutex_lock(&workers->lock);
    accepted = !workers->stopping &&
               workers->waiting_count < workers->settings.max_waiting;
    if (accepted)
        stand_in_line(workers, job);
    pthread_mutex_unlock(&workers->lock);
    return accepted;
}

void workers_collect(struct workers *workers)
{
    struct job_list list = STAILQ_HEAD_INITIALIZER(list);

    pthread_mutex_lock(&workers->lock);
    STAILQ_CONCAT(&list, &workers->finished);
    pthread_mutex_unlock(&workers->lock);
    call_done(workers, &list);
}

size_t workers_pending(struct workers *workers)
{
    size_t count;

    pthread_mutex_lock(&workers->lock);
    count = workers->pending_count;
    pthread_mutex_unlock(&workers->lock);
    return count;
}

size_t workers_waiting(struct workers *workers)
{
    size_t count;

    pthread_mutex_lock(&workers->lock);
    count = workers->waiting_count;
    pthread_mutex_unlock(&workers->lock);
    return count;
}

void workers_stop(struct workers *workers)
{
    struct job_list never_ran = STAILQ_HEAD_INITIALIZER(never_ran);
    struct line *line;

    if (workers == NULL)
        return;
    pthread_mutex_lock(&workers->lock);
    workers->stopping = true;
    TAILQ_FOREACH(line, &workers->lines, entry)
    STAILQ_CONCAT(&never_ran, &line->waiting);
    workers->waiting_count = 0;
    pthread_cond_broadcast(&workers->arrived);
    pthread_mutex_unlock(&workers->lock);

    for (size_t i = 0; i < workers->settings.threads; i++)
        pthread_join(workers->threads[i], NULL);
    workers_collect(workers);
    call_done(workers, &never_ran);
    while ((line = TAILQ_FIRST(&workers->lines)) != NULL) {
        TAILQ_REMOVE(&workers->lines, line, entry);
        free(line);
    }
    pthread_cond_destroy(&workers->arrived);
    pthread_mutex_destroy(&workers->lock);
    free(workers->threads);
    free(workers);
}

static void *worker_main(void *argument)
{
    struct workers *workers = argument;
    const struct workers_settings *settings = &workers->settings;
    struct job *batch[WORKERS_MAX_BATCH];
    void *context = NULL;
    size_t number = introduce(workers);
    int64_t idle_at_ms = 0; /* when worker_idle is due */

    if (settings->worker_start != NULL)
        context = settings->worker_start(settings->shared, number);
    while (wait_for_work(workers, context, &idle_at_ms)) {
        size_t count;
        struct line *line = take_batch(workers, batch, &count);

        if (line == NULL)
            continue;
        line->kind->run(context, batch, count);
        finish_batch(workers, line, batch, count);
        idle_at_ms = 0;
    }
    if (settings->worker_stop != NULL)
        settings->worker_stop(context);
    return NULL;
}

/* The new thread's number and name; signals belong to the loop thread. */
static size_t introduce(struct workers *workers)
{
    char name[16];
    sigset_t all;
    size_t number;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    pthread_mutex_lock(&workers->lock);
    number = workers->started++;
    pthread_mutex_unlock(&workers->lock);
    snprintf(name, sizeof name, "%.11s-%u", workers->settings.name,
             (unsigned)number % 1000);
    pthread_setname_np(pthread_self(), name);
    return number;
}

/* Until there may be work, or worker_idle was called. False: the pool stops. */
static bool wait_for_work(struct workers *workers, void *context,
                          int64_t *idle_at_ms)
{
    bool has_hook = workers->settings.worker_idle != NULL;
    bool is_due = false;
    bool stopping;
    int64_t turn_ms = INT64_MAX;

    pthread_mutex_lock(&workers->lock);
    while (!workers->stopping && find_turn(workers, &turn_ms) == NULL &&
           !is_due) {
        is_due = has_hook && clock_monotonic_ms() >= *idle_at_ms;
        if (!is_due)
            watch(workers, turn_ms, has_hook ? *idle_at_ms : INT64_MAX);
    }
    stopping = workers->stopping;
    if (is_due)
        pass_on(workers);
    pthread_mutex_unlock(&workers->lock);
    if (is_due && !stopping) {
        int ms = workers->settings.worker_idle(context);

        *idle_at_ms = clock_monotonic_ms() + ms;
    }
    return !stopping;
}

/* Under the lock: sleep until a turn, or until then, or until a signal. */
static void watch(struct workers *workers, int64_t turn_ms, int64_t until_ms)
{
    int64_t end_ms = turn_ms < until_ms ? turn_ms : until_ms;
    struct timespec end = {.tv_sec = (time_t)(end_ms / 1000),
                           .tv_nsec = (long)(end_ms % 1000) * 1000000};

    if (turn_ms < workers->watched_ms)
        workers->watched_ms = turn_ms;
    pthread_cond_timedwait(&workers->arrived, &workers->lock, &end);
    if (turn_ms == workers->watched_ms)
        workers->watched_ms = INT64_MAX;
}

/* Under the lock, on the way to work: the next turn is for somebody else. */
static void pass_on(struct workers *workers)
{
    int64_t turn_ms;

    if (find_turn(workers, &turn_ms) != NULL)
        turn_ms = 0;
    call_for(workers, turn_ms);
}

/* Under the lock: nobody is woken for a turn that somebody sleeps until. */
static void call_for(struct workers *workers, int64_t turn_ms)
{
    if (turn_ms < workers->watched_ms)
        pthread_cond_signal(&workers->arrived);
}

/* Under the lock. */
static void stand_in_line(struct workers *workers, struct job *job)
{
    struct line *line = line_of(workers, job);

    job->ran = false;
    STAILQ_INSERT_TAIL(&line->waiting, job, entry);
    line->waiting_count++;
    workers->waiting_count++;
    workers->pending_count++;
    call_for(workers, turn_ms(workers, line));
}

/* Under the lock. A new line's turn comes after those of all others. */
static struct line *line_of(struct workers *workers, const struct job *job)
{
    struct line *line;

    TAILQ_FOREACH(line, &workers->lines, entry)
    {
        if (line->kind == job->kind && line->group == job->group)
            return line;
    }
    line = xcalloc(1, sizeof *line);
    line->kind = job->kind;
    line->group = job->group;
    STAILQ_INIT(&line->waiting);
    TAILQ_INSERT_TAIL(&workers->lines, line, entry);
    return line;
}

/*
 * Under the lock: the line that a batch is to be taken from. NULL when there
 * is none; *ret_until_ms is then when the next turn may come by itself.
 */
static struct line *find_turn(struct workers *workers, int64_t *ret_until_ms)
{
    struct line *line;
    int64_t now_ms = -1;

    *ret_until_ms = INT64_MAX;
    TAILQ_FOREACH(line, &workers->lines, entry)
    {
        int64_t may_ms = turn_ms(workers, line);

        if (may_ms == INT64_MAX)
            continue;
        if (now_ms < 0 && may_ms > 0)
            now_ms = clock_monotonic_ms();
        if (may_ms <= now_ms || may_ms == 0)
            return line;
        if (may_ms < *ret_until_ms)
            *ret_until_ms = may_ms;
    }
    return NULL;
}

/* 0: at once; INT64_MAX: nobody waits in it. */
static int64_t turn_ms(const struct workers *workers, const struct line *line)
{
    const struct job_kind *kind = line->kind;
    size_t count = line->waiting_count;

    if (count == 0)
        return INT64_MAX;
    if (line->running == 0 || count >= kind->max_batch)
        return 0;
    if ((kind->max_running == 0 || line->running < kind->max_running) &&
        count >= kind->min_beside)
        return 0;
    return line->taken_ms + workers->settings.patience_ms;
}

static struct line *take_batch(struct workers *workers, struct job **batch,
                               size_t *ret_count)
{
    struct line *line;
    size_t count = 0;
    int64_t until_ms;

    pthread_mutex_lock(&workers->lock);
    line = find_turn(workers, &until_ms);
    if (line != NULL) {
        while (count < line->kind->max_batch && !STAILQ_EMPTY(&line->waiting)) {
            batch[count++] = STAILQ_FIRST(&line->waiting);
            STAILQ_REMOVE_HEAD(&line->waiting, entry);
        }
        line->waiting_count -= count;
        line->running++;
        line->taken_ms = clock_monotonic_ms();
        workers->waiting_count -= count;
        TAILQ_REMOVE(&workers->lines, line, entry);
        TAILQ_INSERT_TAIL(&workers->lines, line, entry);
        pass_on(workers);
    }
    pthread_mutex_unlock(&workers->lock);
    *ret_count = count;
    return line;
}

static void finish_batch(struct workers *workers, struct line *line,
                         struct job **batch, size_t count)
{
    bool was_empty;

    pthread_mutex_lock(&workers->lock);
    was_empty = STAILQ_EMPTY(&workers->finished);
    for (size_t i = 0; i < count; i++) {
        batch[i]->ran = true;
        STAILQ_INSERT_TAIL(&workers->finished, batch[i], entry);
    }
    line->running--;
    if (line->running == 0 && STAILQ_EMPTY(&line->waiting)) {
        TAILQ_REMOVE(&workers->lines, line, entry);
        free(line);
    }
    pthread_mutex_unlock(&workers->lock);
    if (was_empty && workers->settings.wake != NULL)
        workers->settings.wake(workers->settings.wake_context);
}

/* `done` may free the job, submit it again, or submit others. */
static void call_done(struct workers *workers, struct job_list *list)
{
    struct job *job;

    while ((job = STAILQ_FIRST(list)) != NULL) {
        bool ran = job->ran;

        STAILQ_REMOVE_HEAD(list, entry);
        pthread_mutex_lock(&workers->lock);
        workers->pending_count--;
        pthread_mutex_unlock(&workers->lock);
        job->done(job, ran);
    }
}
