/*
 * db/push_end.c
 */
#include "tests/support/hot_story.h"

#include "db/retire.h"

#include <string.h>

enum { BATCH = 64 };

#define DJANGO_COLUMNS                                                         \
    "push_time IS NULL, return_time IS NULL, pull_time IS NULL, grader_id,"    \
    " grader_reply, num_failures, lms_ack, retired, pullkey"

static struct push_item item;

/* One submission, and it is under way. */
static int64_t begin_push(const char *header)
{
    int64_t id = submit(header);

    item = push_claim(1, 1).items[0];
    ck_assert_int_eq(item.id, id);
    return id;
}

static void expect_no_place_taken(void)
{
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_push");
}

static void expect_untouched(int64_t id)
{
    ck_assert_str_eq(wide(DJANGO_COLUMNS, id), "1 1 1   0 0 0 ");
}

/* --- outcomes --------------------------------------------------------- */

START_TEST(a_grade_is_stored_and_goes_to_the_lms)
{
    int64_t id = begin_push("7:p");
    struct push_end end =
        push_end_of(&item, PUSH_GRADED, "grade \xf0\x9f\x8e\x93");
    struct outbox_claim callbacks;

    ck_assert_int_eq(db_run(db, &end.job), DB_OK);
    ck_assert(end.will_deliver);
    ck_assert_int_eq(end.destination, 7);
    ck_assert_str_eq(wide(DJANGO_COLUMNS, id),
                     "0 0 1 http://grader grade \xf0\x9f\x8e\x93 0 0 0 ");
    ck_assert_str_eq(live_state(id), "2");
    expect_no_place_taken();
    callbacks = claim(7, 1);
    ck_assert_uint_eq(callbacks.count, 1);
    ck_assert_int_eq(callbacks.items[0].kind, OUTBOX_RESULT);
    ck_assert(
        text_equal_string(callbacks.items[0].reply, "grade \xf0\x9f\x8e\x93"));
    record(&callbacks, 0, OUTBOX_DELIVERED);
    ck_assert_str_eq(wide("lms_ack, retired, num_failures", id), "1 1 0");
    ck_assert_str_eq(live_state(id), "");
}
END_TEST

START_TEST(a_failure_is_counted_and_the_lms_gets_word_once)
{
    int64_t id = begin_push("7:p");
    struct outbox_claim callbacks;

    ck_assert_int_eq(push_end(&item, PUSH_FAILED, "sorry"), DB_OK);
    ck_assert_str_eq(wide(DJANGO_COLUMNS, id), "0 0 1 http://grader  1 0 0 ");
    ck_assert_str_eq(live_state(id), "4");
    expect_no_place_taken();
    push_claim(1, 0);
    callbacks = claim(7, 1);
    ck_assert_uint_eq(callbacks.count, 1);
    ck_assert_int_eq(callbacks.items[0].kind, OUTBOX_FAILURE);
    ck_assert(text_equal_string(callbacks.items[0].reply, "sorry"));
    record(&callbacks, 0, OUTBOX_DELIVERED);
    ck_assert_str_eq(wide("lms_ack, retired, num_failures, grader_reply", id),
                     "1 1 1 ");
}
END_TEST

START_TEST(the_times_are_those_of_the_claim_and_of_the_end)
{
    int64_t id = begin_push("7:p");

    mariadb_run("UPDATE queue_submission SET arrival_time = '2020-01-01'");
    item.pushed_us = 1500000000123456;
    ck_assert_int_eq(push_end(&item, PUSH_GRADED, "reply"), DB_OK);
    ck_assert_str_eq(wide("push_time, return_time > NOW(6) - INTERVAL 1 MINUTE,"
                          " return_time <= NOW(6)",
                          id),
                     "2017-07-14 02:40:00.123456 1 1");
}
END_TEST

START_TEST(what_was_not_sent_goes_back_and_does_not_count)
{
    int64_t id = begin_push("7:a");

    submit("7:b");
    ck_assert_int_eq(push_end(&item, PUSH_UNSENT, ""), DB_OK);
    expect_untouched(id);
    expect_no_place_taken();
    ck_assert_value("0 0 1",
                    "SELECT CONCAT_WS(' ', state, attempts,"
                    " expires_us IS NULL) FROM xqueue_live"
                    " WHERE id = %lld",
                    (long long)id);
    /* Into its place by arrival. */
    item = push_claim(1, 1).items[0];
    ck_assert_int_eq(item.id, id);
    ck_assert_int_eq(item.attempt, 1);
}
END_TEST

START_TEST(what_was_cut_off_goes_back_and_counts)
{
    int64_t id = begin_push("7:p");

    ck_assert_int_eq(push_end(&item, PUSH_CUT_OFF, ""), DB_OK);
    expect_untouched(id);
    expect_no_place_taken();
    item = push_claim(1, 1).items[0];
    ck_assert_int_eq(item.id, id);
    ck_assert_int_eq(item.attempt, 2);
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_outbox");
}
END_TEST

START_TEST(the_callback_waits_for_the_callback_delay)
{
    const enum push_outcome outcomes[] = {PUSH_GRADED, PUSH_FAILED};

    for (size_t i = 0; i < 2; i++) {
        struct push_end end;

        begin_push(arena_printf(arena, "7:%d", (int)i));
        end = push_end_of(&item, outcomes[i], "reply");
        end.callback_delay_us = 60000000;
        ck_assert_int_eq(db_run(db, &end.job), DB_OK);
        ck_assert_value("60000000",
                        "SELECT o.due_us - l.arrival_us FROM xqueue_outbox o"
                        " JOIN xqueue_live l ON l.id = o.id WHERE l.id = %lld",
                        (long long)end.id);
    }
}
END_TEST

START_TEST(a_long_grader_url_is_cut_to_its_column)
{
    int64_t id = begin_push("7:p");
    struct push_end end = push_end_of(&item, PUSH_GRADED, "reply");
    char url[300];

    memset(url, 'u', sizeof url);
    url[sizeof url - 1] = '\0';
    end.grader_id = text_of(url);
    ck_assert_int_eq(db_run(db, &end.job), DB_OK);
    ck_assert_str_eq(wide("CHAR_LENGTH(grader_id)", id), "128");
}
END_TEST

START_TEST(one_pulled_before_keeps_its_pull_time)
{
    int64_t id = submit("7:p");

    pull();
    expire();
    item = push_claim(1, 1).items[0];
    ck_assert_int_eq(push_end(&item, PUSH_GRADED, "reply"), DB_OK);
    ck_assert_str_eq(
        wide("pull_time IS NULL, push_time IS NULL, grader_id", id),
        "0 0 http://grader");
}
END_TEST

/* --- prepare ---------------------------------------------------------- */

static int prepared;

static void prepare_failure(struct push_end *self)
{
    prepared++;
    self->outcome = PUSH_FAILED;
    self->reply = text_of("not JSON");
}

START_TEST(prepare_may_change_the_outcome_and_runs_once)
{
    int64_t id = begin_push("7:p");
    struct push_end end = push_end_of(&item, PUSH_GRADED, "reply");

    prepared = 0;
    end.prepare = prepare_failure;
    ck_assert_int_eq(db_run(db, &end.job), DB_OK);
    ck_assert_int_eq(db_run(db, &end.job), DB_MISMATCH);
    ck_assert_int_eq(prepared, 1);
    ck_assert_str_eq(live_state(id), "4");
    ck_assert_value("not JSON", "SELECT reply FROM xqueue_outbox");
}
END_TEST

/* --- leases that are not ours any more ---------------------------------- */

static const enum push_outcome all_outcomes[] = {PUSH_GRADED, PUSH_FAILED,
                                                 PUSH_UNSENT, PUSH_CUT_OFF};

START_TEST(one_that_somebody_else_has_got_is_left_alone)
{
    for (size_t i = 0; i < 4; i++) {
        int64_t id = begin_push(arena_printf(arena, "7:%d", (int)i));
        struct push_end end = push_end_of(&item, all_outcomes[i], "reply");
        struct submission_pull pulled;

        expire();
        pulled = pull();
        end.will_deliver = true;
        ck_assert_int_eq(db_run(db, &end.job), DB_MISMATCH);
        ck_assert(!end.will_deliver);
        expect_untouched(id);
        ck_assert_value("1 2",
                        "SELECT CONCAT_WS(' ', state, attempts)"
                        " FROM xqueue_live WHERE id = %lld",
                        (long long)id);
        expect_no_place_taken();
        ck_assert_int_eq(answer(&pulled, "theirs"), DB_OK);
    }
    ck_assert_value("4", "SELECT COUNT(*) FROM xqueue_outbox");
}
END_TEST

START_TEST(a_lease_that_ran_out_still_takes_the_grade)
{
    int64_t id = begin_push("7:p");

    expire();
    ck_assert_int_eq(push_end(&item, PUSH_GRADED, "reply"), DB_OK);
    ck_assert_str_eq(live_state(id), "2");
    push_claim(1, 0);
    ck_assert_str_eq(wide("grader_reply", id), "reply");
}
END_TEST

START_TEST(one_whose_lease_ran_out_is_not_given_back_twice)
{
    int64_t id = begin_push("7:p");

    expire();
    ck_assert_int_eq(push_end(&item, PUSH_UNSENT, ""), DB_OK);
    ck_assert_int_eq(push_end(&item, PUSH_CUT_OFF, ""), DB_OK);
    ck_assert_str_eq(live_state(id), "0");
    ck_assert_value("1", "SELECT COUNT(*) FROM xqueue_ready");
}
END_TEST

START_TEST(the_end_of_a_push_is_recorded_once)
{
    for (size_t i = 0; i < 2; i++) {
        begin_push(arena_printf(arena, "7:%d", (int)i));
        ck_assert_int_eq(push_end(&item, all_outcomes[i], "reply"), DB_OK);
        ck_assert_int_eq(push_end(&item, all_outcomes[i], "reply"),
                         DB_MISMATCH);
        ck_assert_str_eq(wide("num_failures", item.id), i == 0 ? "0" : "1");
    }
    ck_assert_value("2", "SELECT COUNT(*) FROM xqueue_outbox");
}
END_TEST

START_TEST(one_declared_dead_meanwhile_still_takes_the_grade_behind_the_failure)
{
    int64_t id = begin_push("7:p");
    struct leases_expire sweep = sweep_of();

    sweep.max_attempts = 1;
    mariadb_run("UPDATE xqueue_live SET expires_us = 1");
    ck_assert_int_eq(db_run(db, &sweep.job), DB_OK);
    ck_assert_uint_eq(sweep.dead, 1);
    ck_assert_int_eq(push_end(&item, PUSH_UNSENT, ""), DB_MISMATCH);
    ck_assert_int_eq(push_end(&item, PUSH_FAILED, "sorry"), DB_MISMATCH);
    ck_assert_int_eq(push_end(&item, PUSH_GRADED, "reply"), DB_OK);
    ck_assert_str_eq(live_state(id), "2");
    ck_assert_value("1 1, 0 0",
                    "SELECT GROUP_CONCAT(CONCAT(kind, ' ', due_us IS NOT NULL)"
                    " ORDER BY seq SEPARATOR ', ') FROM xqueue_outbox");
}
END_TEST

START_TEST(one_deleted_in_mid_push_frees_its_place)
{
    struct old_submission *chosen;
    size_t count;

    begin_push("7:p");
    mariadb_run("UPDATE queue_submission SET arrival_time = '2020-01-01'");
    ck_assert_int_eq(delete_old_choose(db, arena, 1, 10, 0, &chosen, &count),
                     DB_OK);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(delete_old_rows(db, chosen, count), DB_OK);
    ck_assert_int_eq(push_end(&item, PUSH_GRADED, "reply"), DB_MISMATCH);
    expect_no_place_taken();
}
END_TEST

START_TEST(one_retired_by_force_in_mid_push_stays_retired)
{
    int64_t id = begin_push("7:a");
    const struct retire_settings settings = {
        .queue_name = text_of("queue"),
        .failure = text_of("failure"),
    };
    int64_t retired;

    ck_assert_int_eq(retire_old(db, &settings, TEXT_ABSENT, &retired), DB_OK);
    ck_assert_int_eq(retired, 1);
    submit("7:b");
    /* The grader is still at it. */
    push_claim(1, 0);
    ck_assert_int_eq(push_end(&item, PUSH_GRADED, "reply"), DB_MISMATCH);
    ck_assert_str_eq(wide("retired, grader_reply, push_time IS NULL", id),
                     "1  1");
    ck_assert_value("2", "SELECT kind FROM xqueue_outbox");
    push_claim(1, 1);
}
END_TEST

/* --- superseded ------------------------------------------------------- */

START_TEST(the_grade_of_a_superseded_one_is_stored_and_not_delivered)
{
    int64_t id = begin_push("7:p");
    struct push_end end = push_end_of(&item, PUSH_GRADED, "reply");
    int64_t newer = submit("7:p");

    /* The grader is still at it. */
    push_claim(1, 0);
    ck_assert_int_eq(db_run(db, &end.job), DB_OK);
    ck_assert(!end.will_deliver);
    ck_assert_str_eq(wide(DJANGO_COLUMNS, id),
                     "0 0 1 http://grader reply 0 0 1 ");
    ck_assert_str_eq(live_state(id), "");
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_outbox");
    ck_assert_int_eq(push_claim(1, 1).items[0].id, newer);
}
END_TEST

START_TEST(a_failure_of_a_superseded_one_is_counted_and_not_told)
{
    int64_t id = begin_push("7:p");

    submit("7:p");
    ck_assert_int_eq(push_end(&item, PUSH_FAILED, "sorry"), DB_OK);
    ck_assert_str_eq(wide(DJANGO_COLUMNS, id), "0 0 1 http://grader  1 0 1 ");
    ck_assert_str_eq(live_state(id), "");
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_outbox");
    expect_no_place_taken();
}
END_TEST

START_TEST(a_superseded_one_does_not_go_back)
{
    for (size_t i = 2; i < 4; i++) {
        int64_t id = begin_push("7:p");
        int64_t newer = submit("7:p");

        ck_assert_int_eq(push_end(&item, all_outcomes[i], ""), DB_OK);
        ck_assert_str_eq(live_state(id), "");
        ck_assert_str_eq(wide("retired, push_time IS NULL", id), "1 1");
        ck_assert_int_eq(push_claim(1, 1).items[0].id, newer);
        mariadb_run("DELETE FROM xqueue_push");
    }
}
END_TEST

/* --- batches ---------------------------------------------------------- */

START_TEST(sixty_four_ends_share_a_transaction)
{
    struct push_claim claimed;
    struct push_end ends[BATCH];
    struct db_job *jobs[BATCH];

    add_waiting(BATCH);
    claimed = push_claim(BATCH, BATCH);
    mariadb_run("DELETE FROM xqueue_commit");
    for (size_t i = 0; i < BATCH; i++) {
        ends[i] = push_end_of(&claimed.items[i], all_outcomes[i % 4], "reply");
        jobs[i] = &ends[i].job;
    }
    /* One of them lost its lease. */
    ends[4].pullkey[0] = '-';
    ck_assert_int_eq(run_batch(db, jobs, BATCH), DB_OK);
    for (size_t i = 0; i < BATCH; i++)
        ck_assert_int_eq(jobs[i]->status, i == 4 ? DB_MISMATCH : DB_OK);
    ck_assert_value("1", "SELECT COUNT(*) FROM xqueue_commit");
    ck_assert_value("0 32, 1 1, 2 15, 4 16",
                    "SELECT GROUP_CONCAT(CONCAT(state, ' ', n)"
                    " ORDER BY state SEPARATOR ', ') FROM (SELECT state,"
                    " COUNT(*) AS n FROM xqueue_live GROUP BY state) s");
    expect_no_place_taken();
}
END_TEST

START_TEST(two_ends_of_one_submission_do_not_share_a_transaction)
{
    struct push_end ends[2];
    struct db_job *jobs[2] = {&ends[0].job, &ends[1].job};

    begin_push("7:p");
    prepared = 0;
    for (size_t i = 0; i < 2; i++) {
        ends[i] = push_end_of(&item, PUSH_GRADED, "reply");
        ends[i].prepare = prepare_failure;
    }
    ck_assert_int_eq(run_batch(db, jobs, 2), DB_REFUSED);
    ck_assert_int_eq(prepared, 0);
}
END_TEST

HOT_STORY(
    "push_end", TELL(a_grade_is_stored_and_goes_to_the_lms),
    TELL(a_failure_is_counted_and_the_lms_gets_word_once),
    TELL(the_times_are_those_of_the_claim_and_of_the_end),
    TELL(what_was_not_sent_goes_back_and_does_not_count),
    TELL(what_was_cut_off_goes_back_and_counts),
    TELL(the_callback_waits_for_the_callback_delay),
    TELL(a_long_grader_url_is_cut_to_its_column),
    TELL(one_pulled_before_keeps_its_pull_time),
    TELL(prepare_may_change_the_outcome_and_runs_once),
    TELL(one_that_somebody_else_has_got_is_left_alone),
    TELL(a_lease_that_ran_out_still_takes_the_grade),
    TELL(one_whose_lease_ran_out_is_not_given_back_twice),
    TELL(the_end_of_a_push_is_recorded_once),
    TELL(one_declared_dead_meanwhile_still_takes_the_grade_behind_the_failure),
    TELL(one_deleted_in_mid_push_frees_its_place),
    TELL(one_retired_by_force_in_mid_push_stays_retired),
    TELL(the_grade_of_a_superseded_one_is_stored_and_not_delivered),
    TELL(a_failure_of_a_superseded_one_is_counted_and_not_told),
    TELL(a_superseded_one_does_not_go_back),
    TELL(sixty_four_ends_share_a_transaction),
    TELL(two_ends_of_one_submission_do_not_share_a_transaction))
