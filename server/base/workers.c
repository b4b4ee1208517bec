/*
 * Threads for work that blocks. One mutex, two lists (waiting, finished), a
 * count of jobs somebody runs just now; nothing else is shared.
 */
#include "server/base/workers.h"

#include "server/base/clock.h"
#include "server/base/memory.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

STAILQ_HEAD(job_list, job);

struct workers {
    struct workers_settings settings;
    pthread_mutex_t lock;
    pthread_cond_t arrived;
    struct job_list waiting;  /* submitted, not taken */
    struct job_list finished; /* ran, not collected */
    size_t waiting_count;
    size_t pending_count; /* submitted, not collected */
    bool stopping;
    size_t started; /* numbers the threads */
    pthread_t *threads;
};

static void *worker_main(void *argument);
static size_t introduce(struct workers *workers);
static bool wait_for_work(struct workers *workers, void *context,
                          int64_t *idle_at_ms);
static void sleep_until(struct workers *workers, int64_t until_ms);
static size_t take_batch(struct workers *workers, struct job **batch);
static void finish_batch(struct workers *workers, struct job **batch,
                         size_t count);
static void detach_finished(struct workers *workers, struct job_list *list);
static void call_done(struct workers *workers, struct job_list *list);

struct workers *workers_start(const struct workers_settings *settings)
{
    struct workers *workers = xcalloc(1, sizeof *workers);
    pthread_condattr_t attributes;

    workers->settings = *settings;
    pthread_mutex_init(&workers->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&workers->arrived, &attributes);
    pthread_condattr_destroy(&attributes);
    STAILQ_INIT(&workers->waiting);
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
    if (accepted) {
        job->ran = false;
        STAILQ_INSERT_TAIL(&workers->waiting, job, entry);
        workers->waiting_count++;
        workers->pending_count++;
        pthread_cond_signal(&workers->arrived);
    }
    pthread_mutex_unlock(&workers->lock);
    return accepted;
}

void workers_collect(struct workers *workers)
{
    struct job_list list = STAILQ_HEAD_INITIALIZER(list);

    detach_finished(workers, &list);
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

    if (workers == NULL)
        return;
    pthread_mutex_lock(&workers->lock);
    workers->stopping = true;
    STAILQ_CONCAT(&never_ran, &workers->waiting);
    workers->waiting_count = 0;
    pthread_cond_broadcast(&workers->arrived);
    pthread_mutex_unlock(&workers->lock);

    for (size_t i = 0; i < workers->settings.threads; i++)
        pthread_join(workers->threads[i], NULL);
    workers_collect(workers);
    call_done(workers, &never_ran);
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
        size_t count = take_batch(workers, batch);

        if (count == 0)
            continue;
        batch[0]->kind->run(context, batch, count);
        finish_batch(workers, batch, count);
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

/*
 * Until there may be work, or until worker_idle was called. False once the
 * pool stops.
 */
static bool wait_for_work(struct workers *workers, void *context,
                          int64_t *idle_at_ms)
{
    bool has_hook = workers->settings.worker_idle != NULL;
    bool is_due = false;
    bool stopping;

    pthread_mutex_lock(&workers->lock);
    while (!workers->stopping && STAILQ_EMPTY(&workers->waiting) && !is_due) {
        is_due = has_hook && clock_monotonic_ms() >= *idle_at_ms;
        if (!is_due)
            sleep_until(workers, has_hook ? *idle_at_ms : INT64_MAX);
    }
    stopping = workers->stopping;
    pthread_mutex_unlock(&workers->lock);
    if (is_due && !stopping) {
        int ms = workers->settings.worker_idle(context);

        *idle_at_ms = clock_monotonic_ms() + ms;
    }
    return !stopping;
}

/* Under the lock, or until somebody signals. */
static void sleep_until(struct workers *workers, int64_t until_ms)
{
    struct timespec until = {.tv_sec = (time_t)(until_ms / 1000),
                             .tv_nsec = (long)(until_ms % 1000) * 1000000};

    if (until_ms == INT64_MAX)
        pthread_cond_wait(&workers->arrived, &workers->lock);
    else
        pthread_cond_timedwait(&workers->arrived, &workers->lock, &until);
}

/* The oldest job and those after it that may share its batch. */
static size_t take_batch(struct workers *workers, struct job **batch)
{
    struct job_list rest = STAILQ_HEAD_INITIALIZER(rest);
    struct job *job;
    size_t count = 0;

    pthread_mutex_lock(&workers->lock);
    while ((job = STAILQ_FIRST(&workers->waiting)) != NULL) {
        size_t limit =
            count == 0 ? WORKERS_MAX_BATCH : batch[0]->kind->max_batch;

        if (count >= limit || count >= WORKERS_MAX_BATCH)
            break;
        STAILQ_REMOVE_HEAD(&workers->waiting, entry);
        if (count == 0 ||
            (job->kind == batch[0]->kind && job->group == batch[0]->group))
            batch[count++] = job;
        else
            STAILQ_INSERT_TAIL(&rest, job, entry);
    }
    STAILQ_CONCAT(&rest, &workers->waiting);
    STAILQ_CONCAT(&workers->waiting, &rest);
    workers->waiting_count -= count;
    if (!STAILQ_EMPTY(&workers->waiting))
        pthread_cond_signal(&workers->arrived);
    pthread_mutex_unlock(&workers->lock);
    return count;
}

static void finish_batch(struct workers *workers, struct job **batch,
                         size_t count)
{
    bool was_empty;

    pthread_mutex_lock(&workers->lock);
    was_empty = STAILQ_EMPTY(&workers->finished);
    for (size_t i = 0; i < count; i++) {
        batch[i]->ran = true;
        STAILQ_INSERT_TAIL(&workers->finished, batch[i], entry);
    }
    pthread_mutex_unlock(&workers->lock);
    if (was_empty && workers->settings.wake != NULL)
        workers->settings.wake(workers->settings.wake_context);
}

static void detach_finished(struct workers *workers, struct job_list *list)
{
    pthread_mutex_lock(&workers->lock);
    STAILQ_CONCAT(list, &workers->finished);
    pthread_mutex_unlock(&workers->lock);
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
