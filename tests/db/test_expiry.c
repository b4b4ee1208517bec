/*
 * db/expiry.c
 */
#include "tests/support/hot_story.h"

#include <pthread.h>

enum { LIMIT = 256 };

static void let_all_run_out(void)
{
    mariadb_run("UPDATE xqueue_live SET expires_us = 1"
                " WHERE expires_us IS NOT NULL");
}

/* Leased and run out, without the way there. */
static void lease_many(int count)
{
    add_finished(count);
    mariadb_run("UPDATE queue_submission SET retired = 0");
    mariadb_run("INSERT INTO xqueue_live (id, queue_id, arrival_us, state,"
                " attempts, problem, destination, pullkey, pulled_us,"
                " expires_us, grader_id)"
                " SELECT id, 1 + id %% 2, id, 1, 1, NULL, 7, 'key', 1,"
                " 1, 'g' FROM queue_submission");
}

START_TEST(a_lease_that_ran_out_returns_to_its_place_by_arrival)
{
    int64_t first = submit("7:a");
    int64_t second = submit("7:b");
    struct submission_pull pulled = pull();
    struct leases_expire self = sweep_of();

    ck_assert_int_eq(pulled.id, first);
    let_all_run_out();
    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    ck_assert_uint_eq(self.returned, 1);
    ck_assert_uint_eq(self.dead, 0);
    ck_assert(!self.more);
    ck_assert_str_eq(live_state(first), "0");
    ck_assert_value("2", "SELECT SUM(waiting) FROM xqueue_depth");
    ck_assert_int_eq(pull().id, first);
    ck_assert_int_eq(pull().id, second);
}
END_TEST

START_TEST(the_key_is_kept_and_so_is_the_attempt)
{
    submit("7:p");
    struct submission_pull pulled = pull();

    expire();
    ck_assert_value(pulled.pullkey, "SELECT pullkey FROM xqueue_live");
    ck_assert_value("1", "SELECT attempts FROM xqueue_live");
    ck_assert_value("1", "SELECT expires_us IS NULL FROM xqueue_live");
}
END_TEST

START_TEST(a_lease_with_time_left_stays)
{
    int64_t id = submit("7:p");
    struct leases_expire self = sweep_of();

    pull();
    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    ck_assert_uint_eq(self.returned, 0);
    ck_assert_str_eq(live_state(id), "1");
}
END_TEST

START_TEST(with_nothing_leased_there_is_nothing_to_do)
{
    struct leases_expire self = sweep_of();

    submit("7:p");
    self.returned = 9;
    self.dead = 9;
    self.more = true;
    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    ck_assert_uint_eq(self.returned, 0);
    ck_assert_uint_eq(self.dead, 0);
    ck_assert(!self.more);
}
END_TEST

START_TEST(after_the_last_attempt_it_is_dead_and_the_lms_gets_word)
{
    int64_t id = submit("7:p");
    struct leases_expire self = sweep_of();
    struct submission_pull pulled = pull();
    struct outbox_claim claimed;

    self.max_attempts = 1;
    let_all_run_out();
    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    ck_assert_uint_eq(self.returned, 0);
    ck_assert_uint_eq(self.dead, 1);
    ck_assert_str_eq(live_state(id), "4");
    ck_assert_str_eq(wide("retired, lms_ack, grader_id, pullkey", id),
                     arena_printf(arena, "0 0 grader %s", pulled.pullkey));
    claimed = claim(7, 1);
    ck_assert_uint_eq(claimed.count, 1);
    ck_assert_int_eq(claimed.items[0].kind, OUTBOX_FAILURE);
    ck_assert(text_equal_string(claimed.items[0].reply, "failure"));
    record(&claimed, 0, OUTBOX_DELIVERED);
    ck_assert_str_eq(wide("retired, lms_ack, grader_reply", id), "1 1 ");
}
END_TEST

START_TEST(each_queue_may_have_a_number_of_attempts_of_its_own)
{
    enum { QUEUES = 7 };
    struct queue_limit limits[] = {{2, 1}, {3, 3}, {5, 2}, {7, 4}};
    struct leases_expire self = sweep_of();

    lease_many(QUEUES);
    mariadb_run("INSERT INTO xqueue_queue (id, name) VALUES (3, '3'),"
                " (4, '4'), (5, '5'), (6, '6'), (7, '7')");
    mariadb_run("UPDATE xqueue_live l JOIN (SELECT id, ROW_NUMBER() OVER"
                " (ORDER BY id) AS number FROM queue_submission) s"
                " ON s.id = l.id SET l.queue_id = number, l.attempts = 2");
    self.limits = limits;
    self.limit_count = 4;
    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    ck_assert_uint_eq(self.returned, 5);
    ck_assert_value("2,5", "SELECT GROUP_CONCAT(queue_id ORDER BY queue_id)"
                           " FROM xqueue_live WHERE state = 4");
    ck_assert_value("1,3,4,6,7",
                    "SELECT GROUP_CONCAT(queue_id ORDER BY queue_id)"
                    " FROM xqueue_ready");
}
END_TEST

START_TEST(a_limit_for_one_queue_leaves_the_others_theirs)
{
    struct queue_limit limit = {OTHER_QUEUE, 9};
    struct leases_expire self = sweep_of();

    self.limits = &limit;
    self.limit_count = 1;
    self.max_attempts = 1;
    submit("7:p");
    pull();
    let_all_run_out();
    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    ck_assert_uint_eq(self.dead, 1);
}
END_TEST

START_TEST(a_push_whose_lease_ran_out_goes_back_like_a_pull)
{
    int64_t id = submit("7:p");
    struct leases_expire self = sweep_of();
    struct push_item item = push_claim(1, 1).items[0];

    let_all_run_out();
    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    ck_assert_uint_eq(self.returned, 1);
    ck_assert_str_eq(live_state(id), "0");
    ck_assert_value(item.pullkey, "SELECT pullkey FROM xqueue_live");
    ck_assert_value("1", "SELECT attempts FROM xqueue_live");
}
END_TEST

START_TEST(after_the_last_push_it_is_dead_and_its_key_stays_secret)
{
    int64_t id = submit("7:p");
    struct leases_expire self = sweep_of();
    struct outbox_claim callbacks;

    push_claim(1, 1);
    self.max_attempts = 1;
    let_all_run_out();
    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    ck_assert_uint_eq(self.dead, 1);
    ck_assert_str_eq(wide("pullkey, grader_id, pull_time IS NULL", id), "  1");
    callbacks = claim(7, 1);
    ck_assert_uint_eq(callbacks.count, 1);
    ck_assert_int_eq(callbacks.items[0].kind, OUTBOX_FAILURE);
    ck_assert(text_equal_string(callbacks.items[0].reply, "failure"));
}
END_TEST

START_TEST(a_dead_one_is_neither_handed_out_nor_swept_again)
{
    struct leases_expire self = sweep_of();
    struct submission_pull again = pull_of();

    submit("7:p");
    pull();
    self.max_attempts = 1;
    let_all_run_out();
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(db_run(db, &self.job), DB_OK);
        ck_assert_uint_eq(self.dead, i == 0 ? 1 : 0);
    }
    ck_assert_int_eq(db_run(db, &again.job), DB_NOT_FOUND);
    ck_assert_value("1", "SELECT COUNT(*) FROM xqueue_outbox");
}
END_TEST

START_TEST(the_failure_message_too_waits_for_the_callback_delay)
{
    struct leases_expire self = sweep_of();

    submit("7:p");
    pull();
    self.max_attempts = 1;
    self.callback_delay_us = 60000000;
    let_all_run_out();
    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    ck_assert_value("60000000", "SELECT o.due_us - l.arrival_us"
                                " FROM xqueue_outbox o JOIN xqueue_live l"
                                " ON l.id = o.id");
}
END_TEST

START_TEST(a_superseded_one_disappears_when_its_lease_runs_out)
{
    int64_t old = submit("7:p");
    struct submission_pull pulled = pull();
    int64_t new = submit("7:p");
    struct leases_expire self = sweep_of();

    let_all_run_out();
    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    ck_assert_uint_eq(self.returned, 0);
    ck_assert_uint_eq(self.dead, 0);
    ck_assert_str_eq(live_state(old), "");
    ck_assert_str_eq(wide("retired, pullkey", old),
                     arena_printf(arena, "1 %s", pulled.pullkey));
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_outbox");
    ck_assert_int_eq(pull().id, new);
}
END_TEST

START_TEST(an_answered_one_is_not_given_back)
{
    int64_t id = submit("7:p");
    struct submission_pull pulled = pull();

    ck_assert_int_eq(answer(&pulled, "reply"), DB_OK);
    expire();
    ck_assert_str_eq(live_state(id), "2");
}
END_TEST

START_TEST(more_than_256_take_several_sweeps)
{
    struct leases_expire self = sweep_of();

    lease_many(LIMIT + 44);
    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    ck_assert_uint_eq(self.returned, 256);
    ck_assert(self.more);
    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    ck_assert_uint_eq(self.returned, 44);
    ck_assert(!self.more);
    ck_assert_value("150 150", "SELECT GROUP_CONCAT(n SEPARATOR ' ') FROM"
                               " (SELECT SUM(waiting) AS n FROM xqueue_depth"
                               " GROUP BY queue_id) d");
}
END_TEST

START_TEST(rows_that_another_holds_are_left_for_the_next_sweep)
{
    int64_t held = submit("7:a");
    int64_t unheld = submit("7:b");
    struct leases_expire self = sweep_of();

    pull();
    pull();
    let_all_run_out();
    ck_assert_int_eq(db_execute_text(other_db, "BEGIN"), DB_OK);
    ck_assert_int_eq(
        db_execute_text(other_db, arena_printf(arena,
                                               "SELECT id FROM xqueue_live"
                                               " WHERE id = %lld FOR UPDATE",
                                               (long long)held)),
        DB_OK);
    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    ck_assert_uint_eq(self.returned, 1);
    ck_assert_str_eq(live_state(unheld), "0");
    ck_assert_str_eq(live_state(held), "1");
    ck_assert_int_eq(db_execute_text(other_db, "ROLLBACK"), DB_OK);
    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    ck_assert_uint_eq(self.returned, 1);
    ck_assert_str_eq(live_state(held), "0");
}
END_TEST

/* Another process sweeps meanwhile. */
static void *sweep_elsewhere(void *context)
{
    struct leases_expire *self = context;

    db_thread_start();
    do
        db_run(other_db, &self->job);
    while (self->job.status == DB_OK && self->returned > 0);
    db_thread_stop();
    return NULL;
}

START_TEST(two_processes_at_once_give_each_back_once)
{
    struct leases_expire theirs = sweep_of();
    struct leases_expire ours = sweep_of();
    pthread_t thread;

    lease_many(LIMIT);
    pthread_create(&thread, NULL, sweep_elsewhere, &theirs);
    do
        ck_assert_int_eq(db_run(db, &ours.job), DB_OK);
    while (ours.returned > 0);
    pthread_join(thread, NULL);
    ck_assert_int_eq(theirs.job.status, DB_OK);
    /* Who skipped what the other held sees it done now. */
    ck_assert_int_eq(db_run(db, &ours.job), DB_OK);
    ck_assert_value("256", "SELECT COUNT(*) FROM xqueue_ready");
    ck_assert_value("256", "SELECT SUM(waiting) FROM xqueue_depth");
}
END_TEST

HOT_STORY("expiry", TELL(a_lease_that_ran_out_returns_to_its_place_by_arrival),
          TELL(the_key_is_kept_and_so_is_the_attempt),
          TELL(a_lease_with_time_left_stays),
          TELL(with_nothing_leased_there_is_nothing_to_do),
          TELL(after_the_last_attempt_it_is_dead_and_the_lms_gets_word),
          TELL(each_queue_may_have_a_number_of_attempts_of_its_own),
          TELL(a_limit_for_one_queue_leaves_the_others_theirs),
          TELL(a_push_whose_lease_ran_out_goes_back_like_a_pull),
          TELL(after_the_last_push_it_is_dead_and_its_key_stays_secret),
          TELL(a_dead_one_is_neither_handed_out_nor_swept_again),
          TELL(the_failure_message_too_waits_for_the_callback_delay),
          TELL(a_superseded_one_disappears_when_its_lease_runs_out),
          TELL(an_answered_one_is_not_given_back),
          TELL(more_than_256_take_several_sweeps),
          TELL(rows_that_another_holds_are_left_for_the_next_sweep),
          TELL(two_processes_at_once_give_each_back_once))
