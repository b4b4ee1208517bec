/*
 * db/outbox.c, db/outbox_record.c, db/outbox_row.c
 */
#include "tests/support/hot_story.h"

#include <pthread.h>
#include <string.h>

/* A submission with a result to deliver. */
static int64_t answered(const char *header)
{
    struct submission_pull pulled;

    submit(header);
    pulled = pull();
    ck_assert_int_eq(answer(&pulled, "reply"), DB_OK);
    return pulled.id;
}

static const char *columns(int64_t id)
{
    return wide("lms_ack, num_failures, retired", id);
}

static struct outbox_look look(void)
{
    struct outbox_look self = {.job.op = &outbox_look_op, .arena = arena};

    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    return self;
}

/* As if the lease of every claimed one had ended. */
static void end_leases(void)
{
    mariadb_run("UPDATE xqueue_outbox SET due_us = 1"
                " WHERE due_us IS NOT NULL");
}

START_TEST(an_empty_outbox_has_no_destinations)
{
    submit("7:p");
    ck_assert_uint_eq(look().count, 0);
    ck_assert_uint_eq(claim(7, 1).count, 0);
}
END_TEST

START_TEST(a_look_tells_each_destination_and_how_long_to_wait)
{
    int64_t id = answered("7:a");
    struct outbox_look self;

    answered("7:b");
    answered("-8:c");
    mariadb_run("UPDATE xqueue_outbox SET due_us ="
                " (UNIX_TIMESTAMP(NOW(6)) + 3600) * 1000000"
                " WHERE id = %lld OR destination = -8",
                (long long)id);
    self = look();
    ck_assert_uint_eq(self.count, 2);
    for (int i = 0; i < 2; i++) {
        if (self.due[i].destination == 7) {
            ck_assert_int_eq(self.due[i].wait_us, 0);
        } else {
            ck_assert_int_eq(self.due[i].destination, -8);
            ck_assert_int_gt(self.due[i].wait_us, INT64_C(3540000000));
            ck_assert_int_le(self.due[i].wait_us, INT64_C(3600000000));
        }
    }
}
END_TEST

START_TEST(a_claim_gives_what_a_delivery_needs)
{
    int64_t id = answered("7:p");
    struct outbox_claim claimed = claim(7, 1);
    const struct outbox_item *item = &claimed.items[0];

    ck_assert_uint_eq(claimed.count, 1);
    ck_assert_int_eq(item->id, id);
    ck_assert_int_eq(item->attempt, 1);
    ck_assert_int_eq(item->kind, OUTBOX_RESULT);
    ck_assert_int_ge(item->age_us, 0);
    ck_assert_int_lt(item->age_us, 60000000);
    ck_assert(text_equal_string(item->queue_name, "queue"));
    ck_assert(text_equal_string(item->header, "7:p"));
    ck_assert(text_equal_string(item->reply, "reply"));
}
END_TEST

START_TEST(a_claim_takes_one_destination_only)
{
    int64_t id = answered("7:a");
    struct outbox_claim claimed;

    answered("8:b");
    claimed = claim(7, 1);
    ck_assert_uint_eq(claimed.count, 1);
    ck_assert_int_eq(claimed.items[0].id, id);
    ck_assert_uint_eq(claim(9, 1).count, 0);
    ck_assert_uint_eq(claim(8, 1).count, 1);
}
END_TEST

START_TEST(a_claim_takes_the_longest_due_first_and_no_more_than_asked)
{
    int64_t ids[4];
    struct outbox_claim self = claim_of(7, 1);

    for (int i = 0; i < 4; i++)
        ids[i] = answered(arena_printf(arena, "7:%d", i));
    mariadb_run("UPDATE xqueue_outbox SET due_us = 1000 - seq");
    self.limit = 3;
    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    ck_assert_uint_eq(self.count, 3);
    ck_assert_int_eq(self.items[0].id, ids[3]);
    ck_assert_int_eq(self.items[1].id, ids[2]);
    ck_assert_int_eq(self.items[2].id, ids[1]);
}
END_TEST

START_TEST(what_is_not_due_yet_is_not_claimed)
{
    answered("7:p");
    mariadb_run("UPDATE xqueue_outbox SET due_us ="
                " (UNIX_TIMESTAMP(NOW(6)) + 3600) * 1000000");
    ck_assert_uint_eq(claim(7, 1).count, 0);
}
END_TEST

START_TEST(a_claimed_one_is_nobody_elses_until_the_lease_ends)
{
    struct outbox_claim again;

    answered("7:p");
    ck_assert_uint_eq(claim(7, 1).count, 1);
    ck_assert_uint_eq(claim(7, 2).count, 0);
    ck_assert_int_gt(look().due[0].wait_us, 50000000);
    end_leases();
    again = claim(7, 2);
    ck_assert_uint_eq(again.count, 1);
    ck_assert_int_eq(again.items[0].attempt, 2);
}
END_TEST

START_TEST(rows_that_another_claims_just_now_are_passed_over)
{
    int64_t first = answered("7:a");
    int64_t second = answered("7:b");
    struct outbox_claim claimed;

    mariadb_run("UPDATE xqueue_outbox SET due_us = seq");
    ck_assert_int_eq(db_execute_text(other_db, "BEGIN"), DB_OK);
    ck_assert_int_eq(
        db_execute_text(other_db,
                        arena_printf(arena,
                                     "SELECT seq FROM xqueue_outbox WHERE"
                                     " id = %lld FOR UPDATE",
                                     (long long)first)),
        DB_OK);
    claimed = claim(7, 1);
    ck_assert_uint_eq(claimed.count, 1);
    ck_assert_int_eq(claimed.items[0].id, second);
    ck_assert_int_eq(db_execute_text(other_db, "ROLLBACK"), DB_OK);
    ck_assert_uint_eq(claim(7, 1).count, 1);
}
END_TEST

START_TEST(a_delivered_one_is_acknowledged_and_retired)
{
    int64_t id = answered("7:p");
    struct outbox_claim claimed = claim(7, 1);

    record(&claimed, 0, OUTBOX_DELIVERED);
    ck_assert_str_eq(columns(id), "1 0 1");
    ck_assert_str_eq(live_state(id), "");
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_outbox");
}
END_TEST

START_TEST(a_failed_one_is_counted_and_due_later)
{
    int64_t id = answered("7:p");
    struct outbox_claim claimed = claim(7, 1);

    record(&claimed, 0, OUTBOX_RETRY);
    ck_assert_str_eq(columns(id), "0 1 0");
    ck_assert_str_eq(live_state(id), "2");
    ck_assert_value("1", "SELECT COUNT(*) FROM xqueue_outbox"
                         " WHERE owner IS NULL");
    ck_assert_int_gt(look().due[0].wait_us, 50000000);
    ck_assert_uint_eq(claim(7, 1).count, 0);
    end_leases();
    claimed = claim(7, 2);
    ck_assert_int_eq(claimed.items[0].attempt, 2);
    record(&claimed, 0, OUTBOX_RETRY);
    ck_assert_str_eq(columns(id), "0 2 0");
}
END_TEST

START_TEST(one_that_we_cut_off_is_due_at_once_and_no_failure)
{
    struct submission_pull pulled;
    struct outbox_claim claimed;

    submit("7:p");
    pulled = pull();
    ck_assert_int_eq(answer(&pulled, "reply"), DB_OK);
    claimed = claim(7, 1);
    record(&claimed, 0, OUTBOX_CUT_OFF);
    ck_assert_str_eq(wide("retired, lms_ack, num_failures", pulled.id),
                     "0 0 0");
    claimed = claim(7, 2);
    ck_assert_uint_eq(claimed.count, 1);
    ck_assert_int_eq(claimed.items[0].attempt, 1);
}
END_TEST

START_TEST(one_given_up_is_counted_and_retired_without_acknowledgement)
{
    int64_t id = answered("7:p");
    struct outbox_claim claimed = claim(7, 1);

    record(&claimed, 0, OUTBOX_GIVE_UP);
    ck_assert_str_eq(columns(id), "0 1 1");
    ck_assert_str_eq(live_state(id), "");
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_outbox");
    ck_assert_str_eq(wide("grader_reply", id), "reply");
}
END_TEST

START_TEST(each_of_a_claim_has_its_own_text_be_it_long_or_short)
{
    static const size_t sizes[] = {5, 65536, 65537, 0, 300000};
    struct outbox_claim claimed;
    int64_t ids[5];

    for (int i = 0; i < 5; i++) {
        ids[i] = answered(arena_printf(arena, "7:%d", i));
        mariadb_run("UPDATE queue_submission SET grader_reply ="
                    " REPEAT('%d', %zu) WHERE id = %lld",
                    i, sizes[i], (long long)ids[i]);
    }
    mariadb_run("UPDATE xqueue_outbox SET due_us = seq");
    claimed = claim(7, 1);
    ck_assert_uint_eq(claimed.count, 5);
    for (int i = 0; i < 5; i++) {
        struct text reply = claimed.items[i].reply;

        ck_assert_int_eq(claimed.items[i].id, ids[i]);
        ck_assert_uint_eq(reply.size, sizes[i]);
        ck_assert(reply.size == 0 || reply.data[reply.size - 1] == '0' + i);
        ck_assert(text_equal_string(claimed.items[i].header,
                                    arena_printf(arena, "7:%d", i)));
    }
}
END_TEST

START_TEST(large_texts_are_claimed_a_few_at_a_time)
{
    struct outbox_claim claimed;

    for (int i = 0; i < 5; i++)
        answered(arena_printf(arena, "7:%d", i));
    claimed = claim(7, 1);
    ck_assert_uint_eq(claimed.count, 5);
    ck_assert(!claimed.more);
    end_leases();
    mariadb_run("UPDATE queue_submission SET grader_reply ="
                " REPEAT('x', 12 * 1024 * 1024)");
    claimed = claim(7, 2);
    ck_assert_uint_eq(claimed.count, 2);
    ck_assert_uint_eq(claimed.items[1].reply.size, 12 * 1024 * 1024);
    ck_assert(claimed.more);
    ck_assert_uint_eq(claim(7, 3).count, 2);
    claimed = claim(7, 4);
    ck_assert_uint_eq(claimed.count, 1);
    ck_assert(!claimed.more);
    ck_assert_uint_eq(claim(7, 5).count, 0);
}
END_TEST

START_TEST(who_has_lost_the_lease_changes_nothing)
{
    int64_t id = answered("7:p");
    struct outbox_claim first = claim(7, 1);
    struct outbox_claim second;

    end_leases();
    second = claim(7, 2);
    ck_assert_uint_eq(second.count, 1);
    record(&first, 0, OUTBOX_RETRY);
    record(&first, 0, OUTBOX_GIVE_UP);
    record(&first, 0, OUTBOX_DELIVERED);
    ck_assert_str_eq(columns(id), "0 0 0");
    ck_assert_str_eq(live_state(id), "2");
    record(&second, 0, OUTBOX_DELIVERED);
    ck_assert_str_eq(columns(id), "1 0 1");
    record(&second, 0, OUTBOX_DELIVERED);
    ck_assert_str_eq(columns(id), "1 0 1");
}
END_TEST

START_TEST(a_lease_that_ended_unclaimed_can_still_be_settled)
{
    int64_t id = answered("7:p");
    struct outbox_claim claimed = claim(7, 1);

    end_leases();
    record(&claimed, 0, OUTBOX_DELIVERED);
    ck_assert_str_eq(columns(id), "1 0 1");
}
END_TEST

static void expect_promotion(enum outbox_outcome outcome, const char *before,
                             const char *after)
{
    struct submission_pull pulled;
    struct outbox_claim claimed;

    submit("7:p");
    pulled = pull();
    ck_assert_int_eq(answer(&pulled, "first"), DB_OK);
    ck_assert_int_eq(answer(&pulled, "second"), DB_OK);
    claimed = claim(7, 1);
    ck_assert_uint_eq(claimed.count, 1);
    ck_assert(text_equal_string(claimed.items[0].reply, "first"));
    record(&claimed, 0, outcome);
    ck_assert_str_eq(columns(pulled.id), before);
    ck_assert_str_eq(live_state(pulled.id), "2");
    claimed = claim(7, 1);
    ck_assert_uint_eq(claimed.count, 1);
    ck_assert(text_equal_string(claimed.items[0].reply, "second"));
    record(&claimed, 0, OUTBOX_DELIVERED);
    ck_assert_str_eq(columns(pulled.id), after);
    ck_assert_str_eq(live_state(pulled.id), "");
}

START_TEST(after_a_delivered_one_the_one_behind_it_is_due)
{
    expect_promotion(OUTBOX_DELIVERED, "1 0 0", "1 0 1");
}
END_TEST

START_TEST(after_one_given_up_the_one_behind_it_is_due)
{
    expect_promotion(OUTBOX_GIVE_UP, "0 1 0", "1 1 1");
}
END_TEST

START_TEST(after_a_failed_one_the_one_behind_it_still_waits)
{
    struct submission_pull pulled;
    struct outbox_claim claimed;

    submit("7:p");
    pulled = pull();
    ck_assert_int_eq(answer(&pulled, "first"), DB_OK);
    ck_assert_int_eq(answer(&pulled, "second"), DB_OK);
    claimed = claim(7, 1);
    record(&claimed, 0, OUTBOX_RETRY);
    ck_assert_uint_eq(claim(7, 1).count, 0);
    end_leases();
    claimed = claim(7, 1);
    ck_assert_uint_eq(claimed.count, 1);
    ck_assert(text_equal_string(claimed.items[0].reply, "first"));
}
END_TEST

START_TEST(the_records_of_a_batch_end_each_on_its_own)
{
    struct outbox_record records[4];
    struct db_job *jobs[4];
    struct outbox_claim claimed;
    int64_t ids[4];

    for (int i = 0; i < 4; i++)
        ids[i] = answered(arena_printf(arena, "7:%d", i));
    mariadb_run("UPDATE xqueue_outbox SET due_us = seq");
    claimed = claim(7, 1);
    for (int i = 0; i < 4; i++)
        jobs[i] = &records[i].job;
    records[0] = record_of(&claimed, 0, OUTBOX_DELIVERED);
    records[1] = record_of(&claimed, 1, OUTBOX_RETRY);
    records[2] = record_of(&claimed, 2, OUTBOX_GIVE_UP);
    records[3] = record_of(&claimed, 3, OUTBOX_DELIVERED);
    records[3].owner[0]++;
    ck_assert_int_eq(run_batch(db, jobs, 4), DB_OK);
    ck_assert_str_eq(columns(ids[0]), "1 0 1");
    ck_assert_str_eq(columns(ids[1]), "0 1 0");
    ck_assert_str_eq(columns(ids[2]), "0 1 1");
    ck_assert_str_eq(columns(ids[3]), "0 0 0");
    ck_assert_value("2", "SELECT COUNT(*) FROM xqueue_live");
    ck_assert_value("2", "SELECT COUNT(*) FROM xqueue_outbox");
}
END_TEST

START_TEST(in_a_batch_each_is_noted_and_woken_as_if_alone)
{
    enum { LAST, BEHIND, FAILED, CUT_OFF, GIVEN_UP, UNWANTED, COUNT };
    static const enum outbox_outcome outcomes[] = {
        OUTBOX_DELIVERED, OUTBOX_DELIVERED, OUTBOX_RETRY,
        OUTBOX_CUT_OFF,   OUTBOX_GIVE_UP,   OUTBOX_GIVE_UP};
    static const char *const expected[] = {"1 0 1", "1 0 0", "0 1 0",
                                           "0 0 0", "0 1 1", "0 1 0"};
    struct submission_pull pulls[COUNT];
    struct outbox_record records[COUNT];
    struct db_job *jobs[COUNT];
    struct outbox_claim claimed;

    for (int i = 0; i < COUNT; i++) {
        submit(arena_printf(arena, "7:%d", i));
        pulls[i] = pull();
        ck_assert_int_eq(answer(&pulls[i], "first"), DB_OK);
        if (i == BEHIND || i == UNWANTED)
            ck_assert_int_eq(answer(&pulls[i], "second"), DB_OK);
    }
    mariadb_run("UPDATE xqueue_outbox SET due_us = seq WHERE due_us > 0");
    claimed = claim(7, 1);
    ck_assert_uint_eq(claimed.count, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        records[i] = record_of(&claimed, i, outcomes[i]);
        records[i].retry_us += (int64_t)i * 1000000;
        jobs[COUNT - 1 - i] = &records[i].job;
    }
    ck_assert_int_eq(run_batch(db, jobs, COUNT), DB_OK);
    for (int i = 0; i < COUNT; i++)
        ck_assert_str_eq(columns(pulls[i].id), expected[i]);
    ck_assert_value("4", "SELECT COUNT(*) FROM xqueue_live");
    ck_assert_value("62",
                    "SELECT ROUND(due_us / 1000000"
                    " - UNIX_TIMESTAMP(NOW(6))) FROM xqueue_outbox"
                    " WHERE id = %lld",
                    (long long)pulls[FAILED].id);
    claimed = claim(7, 2);
    ck_assert_uint_eq(claimed.count, 3);
    /* All due at the same moment; the oldest first. */
    ck_assert_int_eq(claimed.items[0].id, pulls[BEHIND].id);
    ck_assert_int_eq(claimed.items[1].id, pulls[CUT_OFF].id);
    ck_assert_int_eq(claimed.items[1].attempt, 1);
    ck_assert_int_eq(claimed.items[2].id, pulls[UNWANTED].id);
    ck_assert(text_equal_string(claimed.items[2].reply, "second"));
}
END_TEST

START_TEST(two_callbacks_of_one_submission_do_not_share_a_batch)
{
    struct submission_pull pulled;
    struct outbox_record records[2];
    struct db_job *jobs[] = {&records[0].job, &records[1].job};
    struct outbox_claim claimed;

    submit("7:p");
    pulled = pull();
    ck_assert_int_eq(answer(&pulled, "first"), DB_OK);
    ck_assert_int_eq(answer(&pulled, "second"), DB_OK);
    mariadb_run("UPDATE xqueue_outbox SET due_us = seq");
    claimed = claim(7, 1);
    ck_assert_uint_eq(claimed.count, 2);
    records[0] = record_of(&claimed, 0, OUTBOX_DELIVERED);
    records[1] = record_of(&claimed, 1, OUTBOX_DELIVERED);
    /* The pool then runs them one by one. */
    ck_assert_int_eq(run_batch(db, jobs, 2), DB_REFUSED);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(db_run(db, jobs[i]), DB_OK);
    ck_assert_str_eq(columns(pulled.id), "1 0 1");
    ck_assert_str_eq(live_state(pulled.id), "");
}
END_TEST

START_TEST(the_callback_of_a_deleted_submission_is_dropped)
{
    int64_t gone = answered("7:a");
    int64_t kept = answered("7:b");
    struct outbox_claim claimed;

    mariadb_run("DELETE FROM queue_submission WHERE id = %lld",
                (long long)gone);
    claimed = claim(7, 1);
    ck_assert_uint_eq(claimed.count, 1);
    ck_assert_int_eq(claimed.items[0].id, kept);
    ck_assert_str_eq(live_state(gone), "");
    ck_assert_value("1", "SELECT COUNT(*) FROM xqueue_outbox");
}
END_TEST

START_TEST(a_claim_of_nothing_but_orphans_is_empty)
{
    answered("7:a");
    mariadb_run("DELETE FROM queue_submission");
    ck_assert_uint_eq(claim(7, 1).count, 0);
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_outbox");
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_live");
}
END_TEST

START_TEST(deleted_between_claim_and_record_is_no_error)
{
    answered("7:p");
    struct outbox_claim claimed = claim(7, 1);

    mariadb_run("DELETE FROM queue_submission");
    record(&claimed, 0, OUTBOX_DELIVERED);
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_outbox");
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_live");
}
END_TEST

START_TEST(superseded_between_claim_and_record_stays_superseded)
{
    int64_t old = answered("7:p");
    struct outbox_claim claimed = claim(7, 1);
    int64_t new = submit("7:p");

    record(&claimed, 0, OUTBOX_DELIVERED);
    ck_assert_str_eq(columns(old), "0 0 1");
    ck_assert_str_eq(live_state(new), "0");
}
END_TEST

static void *record_elsewhere(void *context)
{
    struct outbox_record *self = context;

    db_thread_start();
    db_run(other_db, &self->job);
    db_thread_stop();
    return NULL;
}

/*
 * One retired by force has no live row: the two meet at queue_submission. The
 * record must not overlook a callback that is stored at the same moment.
 */
START_TEST(without_a_live_row_a_callback_stored_meanwhile_becomes_due)
{
    int64_t id = answered("7:p");
    struct outbox_claim claimed = claim(7, 1);
    struct outbox_record theirs = record_of(&claimed, 0, OUTBOX_DELIVERED);
    pthread_t thread;

    mariadb_run("DELETE FROM xqueue_live");
    ck_assert_int_eq(db_execute_text(db, "BEGIN"), DB_OK);
    ck_assert_int_eq(
        db_execute_text(db, "SELECT id FROM queue_submission FOR UPDATE"),
        DB_OK);
    pthread_create(&thread, NULL, record_elsewhere, &theirs);
    wait_for_waiting_locks(1);
    ck_assert_int_eq(
        db_execute_text(db, "INSERT INTO xqueue_outbox (id, destination,"
                            " due_us, attempts, kind, created_us)"
                            " SELECT id, 7, NULL, 0, 0, 1"
                            " FROM queue_submission"),
        DB_OK);
    ck_assert_int_eq(db_execute_text(db, "COMMIT"), DB_OK);
    pthread_join(thread, NULL);
    ck_assert_int_eq(theirs.job.status, DB_OK);
    ck_assert_str_eq(columns(id), "1 0 0");
    ck_assert_uint_eq(claim(7, 1).count, 1);
}
END_TEST

HOT_STORY("outbox", TELL(an_empty_outbox_has_no_destinations),
          TELL(a_look_tells_each_destination_and_how_long_to_wait),
          TELL(a_claim_gives_what_a_delivery_needs),
          TELL(a_claim_takes_one_destination_only),
          TELL(a_claim_takes_the_longest_due_first_and_no_more_than_asked),
          TELL(what_is_not_due_yet_is_not_claimed),
          TELL(a_claimed_one_is_nobody_elses_until_the_lease_ends),
          TELL(rows_that_another_claims_just_now_are_passed_over),
          TELL(a_delivered_one_is_acknowledged_and_retired),
          TELL(a_failed_one_is_counted_and_due_later),
          TELL(one_that_we_cut_off_is_due_at_once_and_no_failure),
          TELL(one_given_up_is_counted_and_retired_without_acknowledgement),
          TELL(each_of_a_claim_has_its_own_text_be_it_long_or_short),
          TELL(large_texts_are_claimed_a_few_at_a_time),
          TELL(who_has_lost_the_lease_changes_nothing),
          TELL(a_lease_that_ended_unclaimed_can_still_be_settled),
          TELL(after_a_delivered_one_the_one_behind_it_is_due),
          TELL(after_one_given_up_the_one_behind_it_is_due),
          TELL(after_a_failed_one_the_one_behind_it_still_waits),
          TELL(the_records_of_a_batch_end_each_on_its_own),
          TELL(in_a_batch_each_is_noted_and_woken_as_if_alone),
          TELL(two_callbacks_of_one_submission_do_not_share_a_batch),
          TELL(the_callback_of_a_deleted_submission_is_dropped),
          TELL(a_claim_of_nothing_but_orphans_is_empty),
          TELL(deleted_between_claim_and_record_is_no_error),
          TELL(superseded_between_claim_and_record_stays_superseded),
          TELL(without_a_live_row_a_callback_stored_meanwhile_becomes_due))
