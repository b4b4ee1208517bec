/*
 * Where claims begin to look: at the floor, and from time to time at the
 * beginning, so that nothing that waits is overlooked for long.
 */
#include "db/floors.h"
#include "db/lease.h"
#include "server/base/clock.h"
#include "tests/support/hot_story.h"

enum { SECOND_US = 1000000, FOUND_WITHIN_MS = 10000 };

static struct floors *floors;

static void begin(void)
{
    hot_story_begin();
    floors = floors_new();
    db_conn_share_floors(db, floors);
}

static void end(void)
{
    hot_story_end();
    floors_free(floors);
}

/* As if a sweep that took long had just found this arrival: none is due. */
static void sweep_found_of(enum floor_of of, int64_t number, int64_t time_us)
{
    const struct floor_look look = {
        .of = of,
        .number = number,
        .is_sweep = true,
        .begin_us = clock_monotonic_us() - 100 * SECOND_US,
    };

    floors_end(floors, &look, time_us);
}

static void sweep_found(int64_t arrival_us)
{
    sweep_found_of(FLOOR_OF_QUEUE, QUEUE, arrival_us);
}

/* A result whose callback is due since that second. */
static int64_t answer_due_at(const char *header, int64_t second)
{
    int64_t id = submit(header);
    struct submission_pull pulled = pull();

    ck_assert_int_eq(answer(&pulled, "reply"), DB_OK);
    mariadb_run("UPDATE xqueue_outbox SET due_us = %lld WHERE id = %lld",
                (long long)second * SECOND_US, (long long)id);
    return id;
}

/* Waiting, arrived at that second. */
static int64_t submit_at(const char *header, int64_t second)
{
    int64_t id = submit(header);
    long long us = (long long)second * SECOND_US;

    mariadb_run("UPDATE xqueue_ready SET arrival_us = %lld WHERE id = %lld", us,
                (long long)id);
    mariadb_run("UPDATE xqueue_live SET arrival_us = %lld WHERE id = %lld", us,
                (long long)id);
    return id;
}

START_TEST(the_first_look_is_at_everything)
{
    struct floor_look look = floors_begin(floors, FLOOR_OF_QUEUE, QUEUE);

    ck_assert(look.is_sweep);
    ck_assert_int_eq(look.from_us, INT64_MIN);
}
END_TEST

START_TEST(the_floor_is_a_little_below_what_was_found)
{
    struct floor_look look;

    sweep_found(7 * SECOND_US);
    look = floors_begin(floors, FLOOR_OF_QUEUE, QUEUE);
    ck_assert(!look.is_sweep);
    ck_assert_int_lt(look.from_us, 7 * SECOND_US);
    ck_assert_int_gt(look.from_us, 6 * SECOND_US);
}
END_TEST

START_TEST(only_a_sweep_takes_the_floor_down)
{
    struct floor_look look;

    sweep_found(7 * SECOND_US);
    look = floors_begin(floors, FLOOR_OF_QUEUE, QUEUE);
    floors_end(floors, &look, 3 * SECOND_US);
    ck_assert_int_gt(floors_begin(floors, FLOOR_OF_QUEUE, QUEUE).from_us,
                     6 * SECOND_US);
    floors_end(floors, &look, 9 * SECOND_US);
    ck_assert_int_gt(floors_begin(floors, FLOOR_OF_QUEUE, QUEUE).from_us,
                     8 * SECOND_US);
    sweep_found(3 * SECOND_US);
    ck_assert_int_lt(floors_begin(floors, FLOOR_OF_QUEUE, QUEUE).from_us,
                     3 * SECOND_US);
}
END_TEST

START_TEST(queues_have_floors_of_their_own)
{
    sweep_found(7 * SECOND_US);
    ck_assert(floors_begin(floors, FLOOR_OF_QUEUE, OTHER_QUEUE).is_sweep);
}
END_TEST

START_TEST(while_one_sweeps_the_others_do_not)
{
    ck_assert(floors_begin(floors, FLOOR_OF_QUEUE, QUEUE).is_sweep);
    ck_assert(!floors_begin(floors, FLOOR_OF_QUEUE, QUEUE).is_sweep);
}
END_TEST

START_TEST(a_claim_begins_at_the_floor)
{
    submit_at("7:old", 10);
    int64_t newer = submit_at("7:new", 20);

    sweep_found(20 * SECOND_US);
    ck_assert_int_eq(pull().id, newer);
}
END_TEST

START_TEST(what_waits_below_the_floor_is_found_in_seconds)
{
    int64_t deadline_ms = clock_monotonic_ms() + FOUND_WITHIN_MS;
    int64_t id = submit_at("7:old", 10);
    struct submission_pull self;

    sweep_found(20 * SECOND_US);
    do {
        self = pull_of();
        ck_assert_int_lt(clock_monotonic_ms(), deadline_ms);
    } while (db_run(db, &self.job) == DB_NOT_FOUND);
    ck_assert_int_eq(self.id, id);
}
END_TEST

START_TEST(a_lease_that_runs_out_lowers_the_floor)
{
    int64_t old = submit_at("7:old", 10);

    ck_assert_int_eq(pull().id, old);
    submit_at("7:new", 20);
    sweep_found(20 * SECOND_US);
    expire();
    ck_assert_int_eq(pull().id, old);
}
END_TEST

START_TEST(what_is_put_back_during_a_claim_keeps_the_floor_down)
{
    struct floor_look look;

    sweep_found(1000 * (int64_t)SECOND_US);
    look = floors_begin(floors, FLOOR_OF_QUEUE, QUEUE);
    ck_assert(!look.is_sweep);
    floors_lower(floors, FLOOR_OF_QUEUE, QUEUE, 500 * (int64_t)SECOND_US);
    floors_end(floors, &look, 2000 * (int64_t)SECOND_US);
    look = floors_begin(floors, FLOOR_OF_QUEUE, QUEUE);
    ck_assert_int_le(look.from_us, 500 * (int64_t)SECOND_US);
}
END_TEST

/* While it is not committed, a claim of others has begun and found another. */
static enum db_status put_back_during_a_claim(struct db_conn *conn,
                                              int64_t now_us, void *context)
{
    struct live_row *row = context;
    enum db_status status =
        lease_give_back(conn, arena, row, 1, LEASE_ATTEMPT_COUNTS);
    struct floor_look look = floors_begin(floors, FLOOR_OF_QUEUE, QUEUE);

    (void)now_us;
    ck_assert(!look.is_sweep);
    floors_end(floors, &look, 2000 * (int64_t)SECOND_US);
    return status;
}

START_TEST(what_was_put_back_keeps_the_floor_down_once_it_is_committed)
{
    struct live_row row = {.id = submit_at("7:old", 500),
                           .queue_id = QUEUE,
                           .arrival_us = 500 * (int64_t)SECOND_US};

    ck_assert_int_eq(pull().id, row.id);
    sweep_found(1000 * (int64_t)SECOND_US);
    ck_assert_int_eq(db_transact(db, put_back_during_a_claim, &row), DB_OK);
    ck_assert_int_le(floors_begin(floors, FLOOR_OF_QUEUE, QUEUE).from_us,
                     row.arrival_us);
    ck_assert_int_eq(pull().id, row.id);
}
END_TEST

/* As if a sweep had just failed that took as long. */
static void sweep_failed_after(int64_t us)
{
    const struct floor_look look = {
        .of = FLOOR_OF_QUEUE,
        .number = QUEUE,
        .is_sweep = true,
        .begin_us = clock_monotonic_us() - us,
    };

    floors_failed(floors, &look);
}

/* So that the next one is due. */
static void sweep_was_fast(void)
{
    const struct floor_look look = {
        .of = FLOOR_OF_QUEUE,
        .number = QUEUE,
        .is_sweep = true,
        .begin_us = clock_monotonic_us(),
    };

    floors_end(floors, &look, clock_wall_us());
}

static int64_t reach_of_next_sweep(void)
{
    struct floor_look look;

    do
        look = floors_begin(floors, FLOOR_OF_QUEUE, QUEUE);
    while (!look.is_sweep);
    return look.from_us == INT64_MIN ? INT64_MAX
                                     : clock_wall_us() - look.from_us;
}

START_TEST(after_a_sweep_that_was_too_long_others_reach_less_far)
{
    const int64_t day_us = INT64_C(24) * 3600 * SECOND_US;
    struct floor_look look;

    sweep_failed_after(8 * SECOND_US);
    /* Who begins meanwhile is not held up either, although nothing is known. */
    look = floors_begin(floors, FLOOR_OF_QUEUE, QUEUE);
    ck_assert(!look.is_sweep);
    ck_assert_int_gt(look.from_us, clock_wall_us() - 2 * day_us);
    for (int i = 0; i < 9; i++)
        sweep_failed_after(8 * SECOND_US);
    sweep_was_fast();
    ck_assert_int_lt(reach_of_next_sweep(), day_us / 8);
}
END_TEST

START_TEST(sweeps_that_are_fast_reach_to_the_beginning_again)
{
    for (int i = 0; i < 10; i++)
        sweep_failed_after(8 * SECOND_US);
    for (int i = 0; i < 10; i++)
        sweep_was_fast();
    ck_assert_int_eq(reach_of_next_sweep(), INT64_MAX);
}
END_TEST

/* Not as part of the claim, which locks what it steps over. */
START_TEST(a_sweep_looks_before_it_locks)
{
    struct submission_pull self = pull_of();
    uint64_t trips;

    submit_at("7:old", 10);
    trips = db_conn_trips(db);
    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    /* The look, beside the five of every claim. */
    ck_assert_uint_eq(db_conn_trips(db) - trips, 6);
}
END_TEST

START_TEST(a_claim_between_sweeps_does_not_look_before)
{
    struct submission_pull self = pull_of();
    uint64_t trips;

    submit_at("7:new", 20);
    sweep_found(20 * SECOND_US);
    trips = db_conn_trips(db);
    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    ck_assert_uint_eq(db_conn_trips(db) - trips, 5);
}
END_TEST

START_TEST(a_sweep_that_failed_soon_says_nothing_about_its_length)
{
    sweep_failed_after(SECOND_US / 10);
    sweep_was_fast();
    ck_assert_int_eq(reach_of_next_sweep(), INT64_MAX);
}
END_TEST

/* A lock on the whole table: the claim gives up after some seconds. */
START_TEST(a_claim_that_fails_says_so)
{
    struct submission_pull self = pull_of();

    ck_assert_int_eq(
        db_execute_text(other_db, "LOCK TABLES xqueue_ready WRITE"), DB_OK);
    ck_assert_int_ne(db_run(db, &self.job), DB_OK);
    ck_assert_int_eq(db_execute_text(other_db, "UNLOCK TABLES"), DB_OK);
    ck_assert_int_ne(floors_begin(floors, FLOOR_OF_QUEUE, QUEUE).from_us,
                     INT64_MIN);
}
END_TEST

START_TEST(a_push_finds_what_waits_wherever_it_is)
{
    int64_t id = submit_at("7:old", 10);

    sweep_found(20 * SECOND_US);
    ck_assert_int_eq(push_claim(1, 1).items[0].id, id);
}
END_TEST

START_TEST(callbacks_are_claimed_from_the_floor)
{
    struct outbox_claim claimed;
    int64_t newer;

    answer_due_at("7:old", 10);
    newer = answer_due_at("7:new", 20);
    sweep_found_of(FLOOR_OF_DESTINATION, 7, 20 * SECOND_US);
    claimed = claim(7, 1);
    ck_assert_uint_eq(claimed.count, 1);
    ck_assert_int_eq(claimed.items[0].id, newer);
}
END_TEST

START_TEST(a_callback_below_the_floor_is_claimed_in_seconds)
{
    int64_t deadline_ms = clock_monotonic_ms() + FOUND_WITHIN_MS;
    int64_t id = answer_due_at("7:old", 10);
    struct outbox_claim claimed;

    sweep_found_of(FLOOR_OF_DESTINATION, 7, 20 * SECOND_US);
    do {
        claimed = claim(7, 1);
        ck_assert_int_lt(clock_monotonic_ms(), deadline_ms);
    } while (claimed.count == 0);
    ck_assert_int_eq(claimed.items[0].id, id);
}
END_TEST

START_TEST(queues_and_destinations_are_not_mixed_up)
{
    sweep_found_of(FLOOR_OF_DESTINATION, QUEUE, 20 * SECOND_US);
    ck_assert(floors_begin(floors, FLOOR_OF_QUEUE, QUEUE).is_sweep);
}
END_TEST

START_TEST(floors_are_bounded_and_the_oldest_is_forgotten)
{
    enum { MANY = 5000 };

    for (int i = 0; i < MANY; i++)
        sweep_found_of(FLOOR_OF_DESTINATION, i, 20 * SECOND_US);
    ck_assert(!floors_begin(floors, FLOOR_OF_DESTINATION, MANY - 1).is_sweep);
    ck_assert(floors_begin(floors, FLOOR_OF_DESTINATION, 0).is_sweep);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(the_first_look_is_at_everything),
        TELL(the_floor_is_a_little_below_what_was_found),
        TELL(only_a_sweep_takes_the_floor_down),
        TELL(queues_have_floors_of_their_own),
        TELL(while_one_sweeps_the_others_do_not),
        TELL(a_claim_begins_at_the_floor),
        TELL(what_waits_below_the_floor_is_found_in_seconds),
        TELL(a_lease_that_runs_out_lowers_the_floor),
        TELL(what_is_put_back_during_a_claim_keeps_the_floor_down),
        TELL(what_was_put_back_keeps_the_floor_down_once_it_is_committed),
        TELL(after_a_sweep_that_was_too_long_others_reach_less_far),
        TELL(sweeps_that_are_fast_reach_to_the_beginning_again),
        TELL(a_sweep_looks_before_it_locks),
        TELL(a_claim_between_sweeps_does_not_look_before),
        TELL(a_sweep_that_failed_soon_says_nothing_about_its_length),
        TELL(a_claim_that_fails_says_so),
        TELL(a_push_finds_what_waits_wherever_it_is),
        TELL(callbacks_are_claimed_from_the_floor),
        TELL(a_callback_below_the_floor_is_claimed_in_seconds),
        TELL(queues_and_destinations_are_not_mixed_up),
        TELL(floors_are_bounded_and_the_oldest_is_forgotten),
    };
    static const struct story story = {
        .name = "floors",
        .tests = tests,
        .count = ARRAY_LENGTH(tests),
        .before_all = mariadb_start,
        .after_all = mariadb_stop,
        .before_each = begin,
        .after_each = end,
        .timeout_s = 60,
    };

    return story_run(&story);
}
