/*
 * Threads for work that blocks. One mutex guards the lines that jobs wait in,
 * the list of finished jobs, and their numbers; nothing else is shared.
 */
#include "server/base/workers.h"

#include "server/base/clock.h"
#include "server/base/job_lines.h"
#include "server/base/memory.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { PATIENCE_MS = 20 };

struct workers {
    struct workers_settings settings;
    pthread_mutex_t lock;
    pthread_cond_t arrived;
    struct job_lines lines;
    struct job_list finished; /* ran, not collected */
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
static void call(struct workers *workers);
static struct job_line *take_batch(struct workers *workers, struct job **batch,
                                   size_t *ret_count);
static void finish_batch(struct workers *workers, struct job_line *line,
                         struct job **batch, size_t count);
static void call_done(struct workers *workers, struct job_list *list);

struct workers *workers_start(const struct workers_settings *settings)
{
    struct workers *workers = xcalloc(1, sizeof *workers);
    pthread_condattr_t attributes;

    workers->settings = *settings;
    workers->watched_ms = INT64_MAX;
    pthread_mutex_init(&workers->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&workers->arrived, &attributes);
    pthread_condattr_destroy(&attributes);
    job_lines_init(&workers->lines, settings->patience_ms != 0
                                        ? settings->patience_ms
                                        : PATIENCE_MS);
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
    bool accepted = workers_put(workers, job);

    if (accepted)
        workers_call(workers);
    return accepted;
}

bool workers_put(struct workers *workers, struct job *job)
{
    bool accepted;

    pthread_mutex_lock(&workers->lock);
    accepted = !workers->stopping &&
               workers->lines.waiting_count < workers->settings.max_waiting;
    if (accepted) {
        job->ran = false;
        job_lines_add(&workers->lines, job);
        workers->pending_count++;
    }
    pthread_mutex_unlock(&workers->lock);
    return accepted;
}

void workers_call(struct workers *workers)
{
    pthread_mutex_lock(&workers->lock);
    call(workers);
    pthread_mutex_unlock(&workers->lock);
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
    count = workers->lines.waiting_count;
    pthread_mutex_unlock(&workers->lock);
    return count;
}

void workers_stop(struct workers *workers)
{
    struct job_list never_ran = STAILQ_HEAD_INITIALIZER(never_ran);

    if (workers == NULL)
        return;
    pthread_mutex_lock(&workers->lock);
    workers->stopping = true;
    job_lines_leave(&workers->lines, &never_ran);
    pthread_cond_broadcast(&workers->arrived);
    pthread_mutex_unlock(&workers->lock);

    for (size_t i = 0; i < workers->settings.threads; i++)
        pthread_join(workers->threads[i], NULL);
    workers_collect(workers);
    call_done(workers, &never_ran);
    job_lines_free(&workers->lines);
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
        struct job_line *line = take_batch(workers, batch, &count);

        if (line == NULL)
            continue;
        batch[0]->kind->run(context, batch, count);
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
    while (!workers->stopping &&
           job_lines_find_turn(&workers->lines, &turn_ms) == NULL && !is_due) {
        is_due = has_hook && clock_monotonic_ms() >= *idle_at_ms;
        if (!is_due)
            watch(workers, turn_ms, has_hook ? *idle_at_ms : INT64_MAX);
    }
    stopping = workers->stopping;
    if (is_due)
        call(workers);
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

/*
 * Under the lock, also on the way to work: the next turn is for somebody else.
 * Nobody is woken for one that somebody sleeps until.
 */
static void call(struct workers *workers)
{
    int64_t turn_ms;

    if (job_lines_find_turn(&workers->lines, &turn_ms) != NULL)
        turn_ms = 0;
    if (turn_ms < workers->watched_ms)
        pthread_cond_signal(&workers->arrived);
}

static struct job_line *take_batch(struct workers *workers, struct job **batch,
                                   size_t *ret_count)
{
    struct job_line *line;
    size_t count = 0;
    int64_t until_ms;

    pthread_mutex_lock(&workers->lock);
    line = job_lines_find_turn(&workers->lines, &until_ms);
    if (line != NULL) {
        count = job_lines_take(&workers->lines, line, batch);
        call(workers);
    }
    pthread_mutex_unlock(&workers->lock);
    *ret_count = count;
    return line;
}

static void finish_batch(struct workers *workers, struct job_line *line,
                         struct job **batch, size_t count)
{
    bool was_empty;

    pthread_mutex_lock(&workers->lock);
    was_empty = STAILQ_EMPTY(&workers->finished);
    for (size_t i = 0; i < count; i++) {
        batch[i]->ran = true;
        STAILQ_INSERT_TAIL(&workers->finished, batch[i], entry);
    }
    job_lines_end_batch(&workers->lines, line);
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
