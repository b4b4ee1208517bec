/*
 * server/base/workers.c
 */
#include "server/base/workers.h"

#include "server/base/clock.h"
#include "server/base/memory.h"
#include "tests/support/story.h"

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum { DEADLINE_MS = 10000 };

/* A job that writes down how it ran. */
struct note {
    struct job job;
    int number;
    size_t batch_size; /* out */
    int place;         /* out: the how-manieth to run */
    int done;          /* out: how often */
    bool ran;          /* out */
};

/* What the workers of a test share. */
static sem_t gate;  /* run waits here once per batch, when closed */
static sem_t woken; /* posted by wake */
static atomic_bool is_gated;
static atomic_int places;
static atomic_int starts;
static atomic_int stops;
static atomic_int idles;

static void set_up(void)
{
    sem_init(&gate, 0, 0);
    sem_init(&woken, 0, 0);
}

static void take(sem_t *semaphore)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += DEADLINE_MS / 1000;
    ck_assert_int_eq(sem_timedwait(semaphore, &until), 0);
}

static void wake(void *context)
{
    (void)context;
    sem_post(&woken);
}

static void run(void *context, struct job **jobs, size_t count)
{
    (void)context;
    if (is_gated)
        sem_wait(&gate);
    for (size_t i = 0; i < count; i++) {
        struct note *note = CONTAINER_OF(jobs[i], struct note, job);

        note->batch_size = count;
        note->place = ++places;
    }
}

static void done(struct job *job, bool ran)
{
    struct note *note = CONTAINER_OF(job, struct note, job);

    note->done++;
    note->ran = ran;
}

static const struct job_kind single = {
    .name = "single", .max_batch = 1, .run = run};
static const struct job_kind batched = {
    .name = "batched", .max_batch = 3, .run = run};

static const struct job_kind paired = {
    .name = "paired", .max_batch = 10, .max_running = 2, .run = run};
static const struct job_kind choosy = {.name = "choosy",
                                       .max_batch = 10,
                                       .max_running = 2,
                                       .min_beside = 3,
                                       .run = run};

static struct note note_of(const struct job_kind *kind, uint64_t group)
{
    return (struct note){.job = {.kind = kind, .group = group, .done = done}};
}

static struct workers *start(size_t threads, size_t max_waiting)
{
    const struct workers_settings settings = {
        .name = "test",
        .threads = threads,
        .max_waiting = max_waiting,
        .wake = wake,
    };

    return workers_start(&settings);
}

static struct workers *start_patient(size_t threads, int patience_ms)
{
    const struct workers_settings settings = {
        .name = "test",
        .threads = threads,
        .max_waiting = 100,
        .patience_ms = patience_ms,
        .wake = wake,
    };

    return workers_start(&settings);
}

/* Collect, as a loop would, until nothing is pending. */
static void collect_all(struct workers *workers)
{
    while (workers_pending(workers) > 0) {
        take(&woken);
        workers_collect(workers);
    }
}

static void collect_until_done(struct workers *workers, const struct note *note)
{
    while (note->done == 0) {
        take(&woken);
        workers_collect(workers);
    }
}

/* Let so many batches go that stand at the gate, and all behind them. */
static void release(struct workers *workers, int count)
{
    is_gated = false;
    for (int i = 0; i < count; i++)
        sem_post(&gate);
    collect_all(workers);
}

/* Submit one that holds the only worker, and wait until it has been taken. */
static void hold(struct workers *workers, struct note *note)
{
    int64_t deadline_ms = clock_monotonic_ms() + DEADLINE_MS;

    is_gated = true;
    ck_assert(workers_submit(workers, &note->job));
    while (workers_waiting(workers) > 0) {
        ck_assert_int_lt(clock_monotonic_ms(), deadline_ms);
        poll(NULL, 0, 1);
    }
}

START_TEST(a_job_runs_and_is_done_once)
{
    struct workers *workers = start(2, 10);
    struct note note = note_of(&single, 0);

    ck_assert(workers_submit(workers, &note.job));
    collect_all(workers);
    ck_assert_int_eq(note.done, 1);
    ck_assert(note.ran);
    workers_stop(workers);
    ck_assert_int_eq(note.done, 1);
}
END_TEST

START_TEST(what_waited_together_runs_together_up_to_the_limit)
{
    struct workers *workers = start(1, 100);
    struct note first = note_of(&single, 0);
    struct note notes[4];

    hold(workers, &first);
    for (int i = 0; i < 4; i++) {
        notes[i] = note_of(&batched, 0);
        ck_assert(workers_submit(workers, &notes[i].job));
    }
    release(workers, 1);
    ck_assert_uint_eq(first.batch_size, 1);
    ck_assert_uint_eq(notes[0].batch_size, 3);
    ck_assert_uint_eq(notes[2].batch_size, 3);
    ck_assert_uint_eq(notes[3].batch_size, 1);
    workers_stop(workers);
}
END_TEST

/* Though a worker sleeps that could have taken the first of them. */
START_TEST(what_was_put_before_a_call_runs_together)
{
    struct workers *workers = start_patient(3, 60 * 1000);
    struct note notes[3];

    is_gated = false;
    for (int i = 0; i < 3; i++) {
        notes[i] = note_of(&batched, 1);
        ck_assert_uint_eq(workers_waiting(workers), (size_t)i);
        ck_assert(workers_put(workers, &notes[i].job));
    }
    workers_call(workers);
    collect_until_done(workers, &notes[2]);
    ck_assert_uint_eq(notes[0].batch_size, 3);
    workers_stop(workers);
}
END_TEST

START_TEST(kinds_and_groups_do_not_mix_and_keep_their_order)
{
    struct workers *workers = start(1, 100);
    struct note first = note_of(&single, 0);
    struct note a1 = note_of(&batched, 1);
    struct note b1 = note_of(&batched, 2);
    struct note c = note_of(&single, 1);
    struct note a2 = note_of(&batched, 1);

    hold(workers, &first);
    ck_assert(workers_submit(workers, &a1.job));
    ck_assert(workers_submit(workers, &b1.job));
    ck_assert(workers_submit(workers, &c.job));
    ck_assert(workers_submit(workers, &a2.job));
    release(workers, 1);
    ck_assert_uint_eq(a1.batch_size, 2);
    ck_assert_uint_eq(b1.batch_size, 1);
    ck_assert_int_eq(a1.place, 2);
    ck_assert_int_eq(a2.place, 3);
    ck_assert_int_eq(b1.place, 4);
    ck_assert_int_eq(c.place, 5);
    workers_stop(workers);
}
END_TEST

START_TEST(lines_take_turns)
{
    struct workers *workers = start(1, 100);
    struct note first = note_of(&single, 0);
    struct note many[6];
    struct note other = note_of(&batched, 2);

    hold(workers, &first);
    for (int i = 0; i < 6; i++) {
        many[i] = note_of(&batched, 1);
        ck_assert(workers_submit(workers, &many[i].job));
    }
    ck_assert(workers_submit(workers, &other.job));
    release(workers, 1);
    ck_assert_int_eq(many[2].place, 4);
    ck_assert_int_eq(other.place, 5);
    ck_assert_int_eq(many[3].place, 6);
    workers_stop(workers);
}
END_TEST

/* Two that fill their line, and then more of it: they have not been taken. */
static void fill_line(struct workers *workers, struct note *notes, int count)
{
    for (int i = 0; i < 2; i++) {
        notes[i] = note_of(&paired, 0);
        hold(workers, &notes[i]);
    }
    for (int i = 2; i < count; i++) {
        notes[i] = note_of(&paired, 0);
        ck_assert(workers_submit(workers, &notes[i].job));
    }
}

START_TEST(a_line_with_enough_batches_under_way_gathers_a_larger_one)
{
    struct workers *workers = start_patient(8, 60 * 1000);
    struct note notes[8];

    fill_line(workers, notes, 8);
    ck_assert_uint_eq(workers_waiting(workers), 6);
    release(workers, 2);
    ck_assert_uint_eq(notes[0].batch_size, 1);
    ck_assert_uint_eq(notes[1].batch_size, 1);
    for (int i = 2; i < 8; i++)
        ck_assert_uint_eq(notes[i].batch_size, 6);
    workers_stop(workers);
}
END_TEST

START_TEST(a_line_with_enough_batches_under_way_does_not_hold_up_another)
{
    struct workers *workers = start_patient(3, 60 * 1000);
    struct note notes[3];
    struct note other = note_of(&paired, 1);

    fill_line(workers, notes, 3);
    is_gated = false;
    ck_assert(workers_submit(workers, &other.job));
    collect_until_done(workers, &other);
    ck_assert_int_eq(notes[0].done + notes[1].done, 0);
    release(workers, 2);
    workers_stop(workers);
}
END_TEST

/* It would not become larger by waiting. */
START_TEST(a_whole_batch_does_not_wait_for_those_under_way)
{
    struct workers *workers = start_patient(3, 60 * 1000);
    struct note notes[2 + 10];

    fill_line(workers, notes, 2);
    is_gated = false;
    for (int i = 2; i < 2 + 10; i++) {
        notes[i] = note_of(&paired, 0);
        ck_assert(workers_submit(workers, &notes[i].job));
    }
    collect_until_done(workers, &notes[2]);
    ck_assert_uint_eq(notes[2].batch_size, 10);
    ck_assert_int_eq(notes[0].done + notes[1].done, 0);
    release(workers, 2);
    workers_stop(workers);
}
END_TEST

START_TEST(a_batch_runs_beside_another_when_it_is_large_enough)
{
    struct workers *workers = start_patient(3, 60 * 1000);
    struct note first = note_of(&choosy, 0);
    struct note notes[3];

    hold(workers, &first);
    is_gated = false;
    for (int i = 0; i < 3; i++) {
        notes[i] = note_of(&choosy, 0);
        ck_assert_uint_eq(workers_waiting(workers), (size_t)i);
        ck_assert(workers_submit(workers, &notes[i].job));
    }
    collect_until_done(workers, &notes[0]);
    ck_assert_uint_eq(notes[0].batch_size, 3);
    ck_assert_int_eq(first.done, 0);
    release(workers, 1);
    workers_stop(workers);
}
END_TEST

/* As of batches that wait for a lock, or for a disk that is very slow. */
START_TEST(batches_that_take_long_do_not_hold_up_their_line_for_ever)
{
    struct workers *workers = start_patient(3, 1);
    struct note notes[4];

    fill_line(workers, notes, 2);
    is_gated = false;
    for (int i = 2; i < 4; i++) {
        notes[i] = note_of(&paired, 0);
        ck_assert(workers_submit(workers, &notes[i].job));
    }
    collect_until_done(workers, &notes[2]);
    collect_until_done(workers, &notes[3]);
    ck_assert_int_eq(notes[0].done + notes[1].done, 0);
    release(workers, 2);
    workers_stop(workers);
}
END_TEST

static sem_t other_gate;

static void run_held(void *context, struct job **jobs, size_t count)
{
    (void)context;
    (void)jobs;
    (void)count;
    sem_wait(&other_gate);
}

static const struct job_kind held = {
    .name = "held", .max_batch = 1, .run = run_held};

/* Whoever slept until that line's turn may be who does the other work. */
START_TEST(a_line_is_not_forgotten_when_other_work_comes)
{
    enum { IDLE = 6 };
    struct workers *workers = start_patient(2 + IDLE, 100);
    struct note notes[3];
    struct note others[IDLE - 1];

    sem_init(&other_gate, 0, 0);
    fill_line(workers, notes, 3);
    is_gated = false;
    for (int i = 0; i < IDLE - 1; i++) {
        others[i] = note_of(&held, 0);
        ck_assert(workers_submit(workers, &others[i].job));
    }
    collect_until_done(workers, &notes[2]);
    ck_assert_int_eq(notes[0].done + notes[1].done, 0);
    for (int i = 0; i < IDLE - 1; i++)
        sem_post(&other_gate);
    release(workers, 2);
    workers_stop(workers);
}
END_TEST

START_TEST(a_full_pool_refuses)
{
    struct workers *workers = start(1, 2);
    struct note notes[4];

    for (int i = 0; i < 4; i++)
        notes[i] = note_of(&single, 0);
    hold(workers, &notes[0]);
    ck_assert(workers_submit(workers, &notes[1].job));
    ck_assert(workers_submit(workers, &notes[2].job));
    ck_assert(!workers_submit(workers, &notes[3].job));
    release(workers, 1);
    ck_assert_int_eq(notes[3].done, 0);
    workers_stop(workers);
}
END_TEST

/* Opens the gate as soon as the stop has taken away what waited. */
static void *open_when_stopping(void *argument)
{
    struct workers *workers = argument;

    while (workers_waiting(workers) > 0)
        poll(NULL, 0, 1);
    sem_post(&gate);
    return NULL;
}

START_TEST(stopping_ends_what_runs_and_cancels_what_waits)
{
    struct workers *workers = start(1, 10);
    struct note running = note_of(&single, 0);
    struct note waiting = note_of(&single, 0);
    pthread_t opener;

    hold(workers, &running);
    ck_assert(workers_submit(workers, &waiting.job));
    pthread_create(&opener, NULL, open_when_stopping, workers);
    workers_stop(workers);
    pthread_join(opener, NULL);
    ck_assert_int_eq(running.done, 1);
    ck_assert(running.ran);
    ck_assert_int_eq(waiting.done, 1);
    ck_assert(!waiting.ran);
}
END_TEST

static struct workers *resubmit_to;

static void done_and_again(struct job *job, bool ran)
{
    done(job, ran);
    if (CONTAINER_OF(job, struct note, job)->done < 3)
        ck_assert(workers_submit(resubmit_to, job));
}

START_TEST(a_job_may_be_submitted_again_when_it_is_done)
{
    struct note note = note_of(&single, 0);

    note.job.done = done_and_again;
    resubmit_to = start(1, 1);
    ck_assert(workers_submit(resubmit_to, &note.job));
    collect_all(resubmit_to);
    ck_assert_int_eq(note.done, 3);
    workers_stop(resubmit_to);
}
END_TEST

static void *count_start(void *shared, size_t number)
{
    ck_assert_ptr_eq(shared, &starts);
    atomic_fetch_add(&starts, (int)number + 1);
    return &starts;
}

static void count_stop(void *context)
{
    ck_assert_ptr_eq(context, &starts);
    atomic_fetch_add(&stops, 1);
}

static int count_idle(void *context)
{
    ck_assert_ptr_eq(context, &starts);
    atomic_fetch_add(&idles, 1);
    sem_post(&woken);
    return 5;
}

START_TEST(each_thread_has_its_start_its_idle_moments_and_its_end)
{
    const struct workers_settings settings = {
        .name = "test",
        .threads = 3,
        .max_waiting = 1,
        .worker_start = count_start,
        .worker_idle = count_idle,
        .worker_stop = count_stop,
        .shared = &starts,
    };
    struct workers *workers = workers_start(&settings);

    for (int i = 0; i < 20; i++)
        take(&woken);
    workers_stop(workers);
    ck_assert_int_eq(starts, 1 + 2 + 3);
    ck_assert_int_eq(stops, 3);
    ck_assert_int_ge(idles, 20);
}
END_TEST

static int never_again(void *context)
{
    (void)context;
    atomic_fetch_add(&idles, 1);
    return 3600 * 1000;
}

START_TEST(a_long_idle_wait_does_not_delay_a_job_nor_the_stop)
{
    const struct workers_settings settings = {
        .name = "test",
        .threads = 1,
        .max_waiting = 1,
        .worker_idle = never_again,
        .wake = wake,
    };
    struct workers *workers = workers_start(&settings);
    struct note note = note_of(&single, 0);

    ck_assert(workers_submit(workers, &note.job));
    collect_all(workers);
    workers_stop(workers);
    ck_assert_int_eq(note.done, 1);
}
END_TEST

START_TEST(many_jobs_of_many_threads_all_come_back)
{
    enum { COUNT = 2000 };
    struct workers *workers = start(4, COUNT);
    struct note *notes = xcalloc(COUNT, sizeof *notes);

    for (int i = 0; i < COUNT; i++) {
        notes[i] = note_of(i % 2 == 0 ? &single : &batched, 0);
        ck_assert(workers_submit(workers, &notes[i].job));
        if (i % 100 == 0)
            workers_collect(workers);
    }
    collect_all(workers);
    for (int i = 0; i < COUNT; i++)
        ck_assert_int_eq(notes[i].done, 1);
    workers_stop(workers);
    free(notes);
}
END_TEST

START_TEST(stopping_nothing_is_legal)
{
    workers_stop(NULL);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(a_job_runs_and_is_done_once),
        TELL(what_waited_together_runs_together_up_to_the_limit),
        TELL(what_was_put_before_a_call_runs_together),
        TELL(kinds_and_groups_do_not_mix_and_keep_their_order),
        TELL(lines_take_turns),
        TELL(a_line_with_enough_batches_under_way_gathers_a_larger_one),
        TELL(a_line_with_enough_batches_under_way_does_not_hold_up_another),
        TELL(a_whole_batch_does_not_wait_for_those_under_way),
        TELL(a_batch_runs_beside_another_when_it_is_large_enough),
        TELL(batches_that_take_long_do_not_hold_up_their_line_for_ever),
        TELL(a_line_is_not_forgotten_when_other_work_comes),
        TELL(a_full_pool_refuses),
        TELL(stopping_ends_what_runs_and_cancels_what_waits),
        TELL(a_job_may_be_submitted_again_when_it_is_done),
        TELL(each_thread_has_its_start_its_idle_moments_and_its_end),
        TELL(a_long_idle_wait_does_not_delay_a_job_nor_the_stop),
        TELL(many_jobs_of_many_threads_all_come_back),
        TELL(stopping_nothing_is_legal),
    };
    static const struct story story = {
        .name = "workers",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_each = set_up,
    };
    return story_run(&story);
}
