/*
 * Rows that people changed by hand, and locks that they hold: the hot set
 * goes on with the others. Each of these once did not.
 */
#include "tests/support/hot_story.h"

#include <string.h>

static void hold(const char *sql)
{
    ck_assert_int_eq(db_conn_open(other_db), DB_OK);
    ck_assert_int_eq(db_execute_text(other_db, "BEGIN"), DB_OK);
    ck_assert_int_eq(db_execute_text(other_db, sql), DB_OK);
}

START_TEST(a_submission_that_somebody_holds_is_left_in_line_and_the_next_given)
{
    int64_t held = submit("7:a");
    int64_t next = submit("7:b");
    struct submission_pull none = pull_of();

    hold("SELECT id FROM xqueue_live ORDER BY id LIMIT 1 FOR UPDATE");
    ck_assert_int_eq(pull().id, next);
    ck_assert_int_eq(db_run(db, &none.job), DB_NOT_FOUND);
    ck_assert_int_eq(db_execute_text(other_db, "COMMIT"), DB_OK);
    ck_assert_int_eq(pull().id, held);
}
END_TEST

START_TEST(so_is_one_whose_history_row_is_held)
{
    int64_t held = submit("7:a");
    int64_t next = submit("7:b");

    hold("SELECT id FROM queue_submission ORDER BY id LIMIT 1 FOR UPDATE");
    ck_assert_int_eq(pull().id, next);
    ck_assert_int_eq(db_execute_text(other_db, "COMMIT"), DB_OK);
    ck_assert_int_eq(pull().id, held);
}
END_TEST

START_TEST(one_waits_behind_a_hundred_that_were_deleted_by_hand)
{
    int64_t last;

    add_waiting(140);
    last = submit("7:last");
    mariadb_run("DELETE FROM queue_submission WHERE id < %lld",
                (long long)last);
    ck_assert_int_eq(pull().id, last);
}
END_TEST

START_TEST(an_arrival_that_is_no_time_of_ours_ends_nothing)
{
    struct submission_pull pulled;

    submit("7:a");
    pulled = finish_next();
    mariadb_run("UPDATE queue_submission SET arrival_time = '2040-01-01'");
    ck_assert_int_eq(answer(&pulled, "again"), DB_OK);
    mariadb_run("UPDATE queue_submission SET arrival_time = '1960-01-01'");
    ck_assert_int_eq(answer(&pulled, "and again"), DB_OK);
}
END_TEST

START_TEST(what_a_column_does_not_hold_reads_as_nothing)
{
    struct db_rows rows;

    ck_assert_int_eq(
        db_query(db, arena, "SELECT NULL, 'text', 5", NULL, 0, &rows), DB_OK);
    ck_assert_int_eq(db_integer(&rows, 0, 0), 0);
    ck_assert_int_eq(db_integer(&rows, 0, 1), 0);
    ck_assert(text_is_absent(db_text(&rows, 0, 0)));
    ck_assert(text_is_absent(db_text(&rows, 0, 2)));
}
END_TEST

START_TEST(a_due_destination_is_seen_behind_a_thousand_that_are_not)
{
    struct outbox_look look = {.job.op = &outbox_look_op, .arena = arena};
    bool seen = false;

    add_finished(1100);
    mariadb_run("INSERT INTO xqueue_outbox (id, destination, due_us, attempts,"
                " kind, created_us) SELECT id, id, 4e15, 1, 0, 1"
                " FROM queue_submission");
    mariadb_run("INSERT INTO xqueue_outbox (id, destination, due_us, attempts,"
                " kind, created_us) VALUES (1, 9000000000, 1, 0, 0, 1)");
    ck_assert_int_eq(db_run(db, &look.job), DB_OK);
    for (size_t i = 0; i < look.count; i++)
        seen = seen || look.due[i].destination == 9000000000;
    ck_assert(seen);
}
END_TEST

START_TEST(a_sweep_that_could_end_no_lease_does_not_ask_for_another_at_once)
{
    struct leases_expire sweep = sweep_of();

    add_waiting(300);
    mariadb_run("DELETE FROM xqueue_ready");
    mariadb_run("DELETE FROM xqueue_depth");
    mariadb_run("UPDATE xqueue_live SET state = 1, attempts = 1,"
                " expires_us = 1");
    hold("SELECT id FROM xqueue_live FOR UPDATE");
    ck_assert_int_eq(db_run(db, &sweep.job), DB_OK);
    ck_assert_uint_eq(sweep.returned, 0);
    ck_assert(!sweep.more);
    ck_assert_int_eq(db_execute_text(other_db, "COMMIT"), DB_OK);
    ck_assert_int_eq(db_run(db, &sweep.job), DB_OK);
    ck_assert_uint_eq(sweep.returned, 256);
    ck_assert(sweep.more);
}
END_TEST

START_TEST(a_repeat_is_only_stored_when_a_newer_one_has_been_finished)
{
    struct submission_pull older;

    submit("7:p");
    older = finish_next();
    submit("7:p");
    finish_next();
    ck_assert_int_eq(answer(&older, "amended"), DB_OK);
    ck_assert_str_eq(wide("grader_reply", older.id), "amended");
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_outbox");
}
END_TEST

HOT_STORY(
    "odd_rows",
    TELL(a_submission_that_somebody_holds_is_left_in_line_and_the_next_given),
    TELL(so_is_one_whose_history_row_is_held),
    TELL(one_waits_behind_a_hundred_that_were_deleted_by_hand),
    TELL(an_arrival_that_is_no_time_of_ours_ends_nothing),
    TELL(what_a_column_does_not_hold_reads_as_nothing),
    TELL(a_due_destination_is_seen_behind_a_thousand_that_are_not),
    TELL(a_sweep_that_could_end_no_lease_does_not_ask_for_another_at_once),
    TELL(a_repeat_is_only_stored_when_a_newer_one_has_been_finished))
