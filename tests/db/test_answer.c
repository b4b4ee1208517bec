/*
 * db/answer.c
 */
#include "tests/support/hot_story.h"

#include <pthread.h>

enum { MINUTE_US = 60000000 };

/* "seq-order: due? kind reply" of its outbox rows, oldest first. */
static const char *callbacks(int64_t id)
{
    return mariadb_value(
        "SELECT COALESCE(GROUP_CONCAT(IF(due_us IS NULL, 'behind', 'due'),"
        " ' ', kind, ' ', COALESCE(reply, '=') ORDER BY seq SEPARATOR ', '),"
        " '') FROM xqueue_outbox WHERE id = %lld",
        (long long)id);
}

static const char *stored(int64_t id)
{
    return wide("grader_reply, retired, lms_ack", id);
}

START_TEST(a_result_with_the_right_key_is_stored_and_to_be_delivered)
{
    int64_t id = submit("7:p");
    struct submission_pull pulled = pull();
    struct submission_answer self = answer_of(id, pulled.pullkey, "reply");

    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    ck_assert(self.will_deliver);
    ck_assert_int_eq(self.destination, 7);
    ck_assert_str_eq(stored(id), "reply 0 0");
    ck_assert_str_eq(live_state(id), "2");
    ck_assert_str_eq(callbacks(id), "due 0 =");
    ck_assert_value("1", "SELECT expires_us IS NULL FROM xqueue_live");
}
END_TEST

START_TEST(a_result_writes_the_lease_into_djangos_columns)
{
    int64_t id = submit("7:p");
    struct submission_pull pulled = pull();

    ck_assert_int_eq(answer(&pulled, "reply"), DB_OK);
    ck_assert_str_eq(wide("pullkey, grader_id", id),
                     arena_printf(arena, "%s grader", pulled.pullkey));
    ck_assert_str_eq(wide("pull_time >= arrival_time, return_time >= pull_time,"
                          " return_time <= UTC_TIMESTAMP(6)",
                          id),
                     "1 1 1");
    ck_assert_value("1", "SELECT UNIX_TIMESTAMP(pull_time) * 1000000 ="
                         " (SELECT pulled_us FROM xqueue_live)"
                         " FROM queue_submission");
}
END_TEST

START_TEST(any_reply_is_stored_byte_by_byte)
{
    int64_t id = submit("7:p");
    struct submission_pull pulled = pull();
    struct submission_answer self = answer_of(id, pulled.pullkey, "");
    struct outbox_claim claimed;

    self.reply = (struct text){"{\"\xf0\x9f\x98\x80\": \"\0\r\n'\\\"}", 16};
    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    claimed = claim(7, 1);
    ck_assert_uint_eq(claimed.count, 1);
    ck_assert(text_equal(claimed.items[0].reply, self.reply));
}
END_TEST

START_TEST(a_wrong_or_empty_key_changes_nothing)
{
    int64_t id = submit("7:p");
    struct submission_answer empty = answer_of(id, "", "reply");
    struct submission_answer wrong;
    struct submission_pull pulled;

    /* Nobody pulled it yet: no key fits, not even the empty one. */
    ck_assert_int_eq(db_run(db, &empty.job), DB_MISMATCH);
    pulled = pull();
    ck_assert_int_eq(db_run(db, &empty.job), DB_MISMATCH);
    wrong = answer_of(id, "00000000000000000000000000000000", "reply");
    ck_assert_int_eq(db_run(db, &wrong.job), DB_MISMATCH);
    wrong = answer_of(id, arena_printf(arena, "%s0", pulled.pullkey), "reply");
    ck_assert_int_eq(db_run(db, &wrong.job), DB_MISMATCH);
    ck_assert_str_eq(stored(id), " 0 0");
    ck_assert_str_eq(callbacks(id), "");
    ck_assert_str_eq(live_state(id), "1");
}
END_TEST

START_TEST(a_wrong_or_empty_key_changes_nothing_in_history)
{
    int64_t id = submit("7:p");
    struct submission_answer self = answer_of(id, "wrong", "amended");
    struct submission_answer empty = answer_of(id, "", "amended");

    finish_next();
    ck_assert_int_eq(db_run(db, &self.job), DB_MISMATCH);
    ck_assert_int_eq(db_run(db, &empty.job), DB_MISMATCH);
    mariadb_run("UPDATE queue_submission SET pullkey = ''");
    ck_assert_int_eq(db_run(db, &empty.job), DB_MISMATCH);
    ck_assert_str_eq(stored(id), "reply 1 1");
    ck_assert_str_eq(live_state(id), "");
}
END_TEST

START_TEST(the_key_of_an_earlier_lease_does_not_fit_after_a_new_one)
{
    int64_t id = submit("7:p");
    struct submission_pull first = pull();
    struct submission_pull second;

    expire();
    second = pull();
    ck_assert_int_eq(answer(&first, "late"), DB_MISMATCH);
    ck_assert_str_eq(stored(id), " 0 0");
    ck_assert_int_eq(answer(&second, "in time"), DB_OK);
    ck_assert_str_eq(stored(id), "in time 0 0");
    ck_assert_int_eq(answer(&first, "later"), DB_MISMATCH);
}
END_TEST

START_TEST(after_expiry_the_key_fits_until_there_is_a_newer_one)
{
    int64_t id = submit("7:p");
    struct submission_pull first = pull();
    struct submission_pull again = pull_of();

    expire();
    ck_assert_str_eq(live_state(id), "0");
    ck_assert_int_eq(answer(&first, "late"), DB_OK);
    ck_assert_str_eq(live_state(id), "2");
    ck_assert_str_eq(callbacks(id), "due 0 =");
    ck_assert_int_eq(db_run(db, &again.job), DB_NOT_FOUND);
    ck_assert_value("0", "SELECT SUM(waiting) FROM xqueue_depth");
}
END_TEST

START_TEST(a_dead_one_takes_a_result_which_follows_the_failure_message)
{
    int64_t id = submit("7:p");
    struct submission_pull pulled;

    for (int i = 0; i < 3; i++) {
        pulled = pull();
        expire();
    }
    ck_assert_str_eq(live_state(id), "4");
    ck_assert_int_eq(answer(&pulled, "at last"), DB_OK);
    ck_assert_str_eq(live_state(id), "2");
    ck_assert_str_eq(callbacks(id), "due 1 failure, behind 0 =");
}
END_TEST

START_TEST(a_dead_one_takes_a_result_even_after_the_lms_has_heard)
{
    int64_t id = submit("7:p");
    struct submission_pull pulled;
    struct outbox_claim claimed;

    for (int i = 0; i < 3; i++) {
        pulled = pull();
        expire();
    }
    claimed = claim(7, 1);
    record(&claimed, 0, OUTBOX_DELIVERED);
    ck_assert_str_eq(live_state(id), "");
    ck_assert_int_eq(answer(&pulled, "at last"), DB_OK);
    ck_assert_str_eq(callbacks(id), "due 0 =");
}
END_TEST

START_TEST(the_result_of_a_superseded_one_is_stored_only)
{
    int64_t id = submit("7:p");
    struct submission_pull pulled = pull();
    struct submission_answer self = answer_of(id, pulled.pullkey, "old");

    submit("7:p");
    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    ck_assert(!self.will_deliver);
    ck_assert_str_eq(stored(id), "old 1 0");
    ck_assert_str_eq(callbacks(id), "");
    ck_assert_str_eq(live_state(id), "");
    /* And so is its repeat. */
    ck_assert_int_eq(answer(&pulled, "old again"), DB_OK);
    ck_assert_str_eq(stored(id), "old again 1 0");
    ck_assert_str_eq(callbacks(id), "");
}
END_TEST

START_TEST(a_repeat_waits_behind_the_first_and_each_has_its_own_text)
{
    int64_t id = submit("7:p");
    struct submission_pull pulled = pull();
    struct outbox_claim claimed;

    ck_assert_int_eq(answer(&pulled, "first"), DB_OK);
    ck_assert_int_eq(answer(&pulled, "second"), DB_OK);
    ck_assert_int_eq(answer(&pulled, "third"), DB_OK);
    ck_assert_str_eq(stored(id), "third 0 0");
    ck_assert_str_eq(callbacks(id), "due 0 first, behind 0 second, behind 0 =");
    for (int i = 0; i < 3; i++) {
        static const char *const replies[] = {"first", "second", "third"};

        claimed = claim(7, i);
        ck_assert_uint_eq(claimed.count, 1);
        ck_assert(text_equal_string(claimed.items[0].reply, replies[i]));
        record(&claimed, 0, OUTBOX_DELIVERED);
    }
    ck_assert_str_eq(stored(id), "third 1 1");
    ck_assert_str_eq(live_state(id), "");
}
END_TEST

START_TEST(a_repeat_after_delivery_is_delivered_again)
{
    int64_t id = submit("7:p");
    struct submission_pull pulled = finish_next();
    struct submission_answer self = answer_of(id, pulled.pullkey, "amended");
    struct outbox_claim claimed;

    ck_assert_str_eq(stored(id), "reply 1 1");
    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    ck_assert(self.will_deliver);
    ck_assert_int_eq(self.destination, 7);
    ck_assert_str_eq(callbacks(id), "due 0 =");
    /* As any other whose callback is on its way. */
    ck_assert_str_eq(stored(id), "amended 0 1");
    ck_assert_str_eq(live_state(id), "2");
    claimed = claim(7, 1);
    ck_assert_uint_eq(claimed.count, 1);
    ck_assert(text_equal_string(claimed.items[0].reply, "amended"));
    record(&claimed, 0, OUTBOX_DELIVERED);
    ck_assert_str_eq(stored(id), "amended 1 1");
    ck_assert_str_eq(live_state(id), "");
    ck_assert_str_eq(wide("pullkey, grader_id", id),
                     arena_printf(arena, "%s grader", pulled.pullkey));
}
END_TEST

START_TEST(two_repeats_after_delivery_go_in_order)
{
    int64_t id = submit("7:p");
    struct submission_pull pulled = finish_next();

    ck_assert_int_eq(answer(&pulled, "second"), DB_OK);
    ck_assert_int_eq(answer(&pulled, "third"), DB_OK);
    ck_assert_str_eq(callbacks(id), "due 0 second, behind 0 =");
}
END_TEST

START_TEST(a_repeat_is_only_stored_when_a_newer_one_is_live)
{
    int64_t id = submit("7:p");
    struct submission_pull pulled = finish_next();
    struct submission_answer self = answer_of(id, pulled.pullkey, "amended");

    submit("7:p");
    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    ck_assert(!self.will_deliver);
    ck_assert_str_eq(stored(id), "amended 1 1");
    ck_assert_str_eq(callbacks(id), "");
    ck_assert_str_eq(live_state(id), "");
}
END_TEST

/* On whatever day it came, and if it was the Django server that took it. */
START_TEST(a_repeat_is_only_stored_when_a_newer_one_is_finished)
{
    static const char *const days[] = {"'2020-02-29'", "UTC_DATE()", "NULL"};
    int64_t id = submit("7:p");
    struct submission_pull pulled = finish_next();

    submit("7:p");
    (void)finish_next();
    for (size_t i = 0; i < ARRAY_LENGTH(days); i++) {
        struct submission_answer self =
            answer_of(id, pulled.pullkey, "amended");

        mariadb_run("UPDATE queue_submission SET xqueue_arrival_day = %s"
                    " WHERE id > %lld",
                    days[i], (long long)id);
        ck_assert_int_eq(db_run(db, &self.job), DB_OK);
        ck_assert(!self.will_deliver);
        ck_assert_str_eq(callbacks(id), "");
    }
}
END_TEST

START_TEST(a_repeat_on_its_way_is_dropped_when_a_newer_one_comes)
{
    int64_t id = submit("7:p");
    struct submission_pull pulled = finish_next();

    ck_assert_int_eq(answer(&pulled, "amended"), DB_OK);
    submit("7:p");
    ck_assert_str_eq(stored(id), "amended 1 1");
    ck_assert_str_eq(callbacks(id), "");
    ck_assert_str_eq(live_state(id), "");
}
END_TEST

START_TEST(a_repeat_without_a_usable_header_is_stored)
{
    int64_t id = submit("7:p");
    struct submission_pull pulled = finish_next();

    mariadb_run("UPDATE queue_submission SET xqueue_header = 'none'");
    ck_assert_int_eq(answer(&pulled, "amended"), DB_OK);
    ck_assert_str_eq(stored(id), "amended 1 1");
}
END_TEST

START_TEST(an_unknown_id_is_not_found)
{
    struct submission_answer self = answer_of(12345, "key", "reply");

    ck_assert_int_eq(db_run(db, &self.job), DB_NOT_FOUND);
}
END_TEST

START_TEST(the_results_of_a_batch_end_each_on_its_own)
{
    struct submission_answer list[5];
    struct db_job *jobs[5];
    int64_t done = submit("7:a");
    struct submission_pull finished = finish_next();
    int64_t right = submit("7:b");
    int64_t wrong = submit("7:c");
    struct submission_pull pulled = pull();

    pull();
    list[0] = answer_of(wrong, "no", "reply");
    list[1] = answer_of(12345, "key", "reply");
    list[2] = answer_of(right, pulled.pullkey, "good");
    list[3] = answer_of(done, finished.pullkey, "amended");
    list[4] = answer_of(-1, "key", "reply");
    for (int i = 0; i < 5; i++)
        jobs[i] = &list[i].job;
    ck_assert_int_eq(run_batch(db, jobs, 5), DB_OK);
    ck_assert_int_eq(jobs[0]->status, DB_MISMATCH);
    ck_assert_int_eq(jobs[1]->status, DB_NOT_FOUND);
    ck_assert_int_eq(jobs[2]->status, DB_OK);
    ck_assert_int_eq(jobs[3]->status, DB_OK);
    ck_assert_int_eq(jobs[4]->status, DB_NOT_FOUND);
    ck_assert_str_eq(stored(right), "good 0 0");
    ck_assert_str_eq(stored(done), "amended 0 1");
}
END_TEST

START_TEST(each_of_a_batch_is_stored_with_its_own_reply_and_lease)
{
    enum { COUNT = 5 };
    struct submission_pull pulls[COUNT];
    struct submission_answer list[COUNT];
    struct db_job *jobs[COUNT];

    for (int i = 0; i < COUNT; i++) {
        submit(arena_printf(arena, "7:%d", i));
        pulls[i] = pull_of();
        pulls[i].grader_id = text_of(arena_printf(arena, "grader %d", i));
        ck_assert_int_eq(db_run(db, &pulls[i].job), DB_OK);
        list[i] = answer_of(pulls[i].id, pulls[i].pullkey,
                            arena_printf(arena, "reply %d", i));
    }
    mariadb_run("UPDATE xqueue_live SET pulled_us = pulled_us + 1000 * id");
    /* Not in the order of the ids. */
    for (int i = 0; i < COUNT; i++)
        jobs[i] = &list[(i + 3) % COUNT].job;
    ck_assert_int_eq(run_batch(db, jobs, COUNT), DB_OK);
    for (int i = 0; i < COUNT; i++)
        ck_assert_str_eq(wide("grader_reply, pullkey, grader_id", pulls[i].id),
                         arena_printf(arena, "reply %d %s grader %d", i,
                                      pulls[i].pullkey, i));
    ck_assert_value("5", "SELECT COUNT(*) FROM xqueue_live l"
                         " JOIN queue_submission s ON s.id = l.id"
                         " WHERE l.state = 2 AND l.expires_us IS NULL AND"
                         " UNIX_TIMESTAMP(pull_time) * 1000000 = pulled_us");
}
END_TEST

START_TEST(a_batch_takes_results_of_submissions_in_every_state)
{
    enum { LEASED, EXPIRED, DEAD, REPEATED, SUPERSEDED, FINISHED, COUNT };
    static const char *const replies[] = {"a", "b", "c", "d", "e", "f"};
    struct submission_pull pulls[COUNT];
    struct submission_answer list[COUNT];
    struct db_job *jobs[COUNT];

    submit("7:finished");
    pulls[FINISHED] = finish_next();
    submit("7:dead");
    for (int i = 0; i < 3; i++) {
        pulls[DEAD] = pull();
        expire();
    }
    submit("7:repeated");
    pulls[REPEATED] = pull();
    ck_assert_int_eq(answer(&pulls[REPEATED], "first"), DB_OK);
    submit("7:expired");
    pulls[EXPIRED] = pull();
    expire();
    submit("7:superseded");
    submit("7:leased");
    /* The expired one is the oldest that waits. */
    mariadb_run("DELETE FROM xqueue_ready WHERE id = %lld",
                (long long)pulls[EXPIRED].id);
    pulls[SUPERSEDED] = pull();
    pulls[LEASED] = pull();
    mariadb_run("INSERT INTO xqueue_ready SELECT queue_id, arrival_us, id"
                " FROM xqueue_live WHERE id = %lld",
                (long long)pulls[EXPIRED].id);
    submit("7:superseded");
    for (int i = 0; i < COUNT; i++) {
        list[i] = answer_of(pulls[i].id, pulls[i].pullkey, replies[i]);
        jobs[i] = &list[i].job;
    }
    ck_assert_int_eq(run_batch(db, jobs, COUNT), DB_OK);
    for (int i = 0; i < COUNT; i++) {
        ck_assert_int_eq(jobs[i]->status, DB_OK);
        ck_assert_int_eq(list[i].will_deliver, i != SUPERSEDED);
        ck_assert_str_eq(wide("grader_reply", pulls[i].id), replies[i]);
        ck_assert_str_eq(live_state(pulls[i].id), i == SUPERSEDED ? "" : "2");
    }
    ck_assert_str_eq(callbacks(pulls[LEASED].id), "due 0 =");
    ck_assert_str_eq(callbacks(pulls[EXPIRED].id), "due 0 =");
    ck_assert_str_eq(callbacks(pulls[DEAD].id), "due 1 failure, behind 0 =");
    ck_assert_str_eq(callbacks(pulls[REPEATED].id), "due 0 first, behind 0 =");
    ck_assert_str_eq(callbacks(pulls[SUPERSEDED].id), "");
    ck_assert_str_eq(callbacks(pulls[FINISHED].id), "due 0 =");
    /* The newer one of the superseded one waits, nothing else. */
    ck_assert_value("1", "SELECT COUNT(*) FROM xqueue_ready");
}
END_TEST

START_TEST(two_results_of_one_submission_do_not_share_a_batch)
{
    int64_t id = submit("7:p");
    struct submission_pull pulled = pull();
    struct submission_answer list[] = {
        answer_of(id, pulled.pullkey, "first"),
        answer_of(id, pulled.pullkey, "second"),
    };
    struct db_job *jobs[] = {&list[0].job, &list[1].job};

    /* The pool then runs them one by one. */
    ck_assert_int_eq(run_batch(db, jobs, 2), DB_REFUSED);
    ck_assert_str_eq(stored(id), " 0 0");
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(db_run(db, jobs[i]), DB_OK);
    ck_assert_str_eq(callbacks(id), "due 0 first, behind 0 =");
}
END_TEST

/* R21 */
START_TEST(no_callback_leaves_sooner_than_the_delay_after_arrival)
{
    int64_t id = submit("7:p");
    struct submission_pull pulled = pull();
    struct submission_answer self = answer_of(id, pulled.pullkey, "reply");

    self.callback_delay_us = MINUTE_US;
    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    ck_assert_value("60000000", "SELECT o.due_us - l.arrival_us"
                                " FROM xqueue_outbox o JOIN xqueue_live l"
                                " ON l.id = o.id");
    ck_assert_uint_eq(claim(7, 1).count, 0);
}
END_TEST

START_TEST(after_the_delay_a_callback_is_due_at_once)
{
    int64_t id = submit("7:p");
    struct submission_pull pulled = pull();
    struct submission_answer self = answer_of(id, pulled.pullkey, "reply");

    self.callback_delay_us = 1;
    ck_assert_int_eq(db_run(db, &self.job), DB_OK);
    ck_assert_value("1", "SELECT due_us = created_us FROM xqueue_outbox");
    ck_assert_uint_eq(claim(7, 1).count, 1);
}
END_TEST

static void *answer_elsewhere(void *context)
{
    struct submission_answer *self = context;

    db_thread_start();
    db_run(other_db, &self->job);
    db_thread_stop();
    return NULL;
}

/* A repeat that reads of the delivery before it is committed. */
START_TEST(a_repeat_during_the_delivery_becomes_due)
{
    int64_t id = submit("7:p");
    struct submission_pull pulled = pull();
    struct submission_answer repeat = answer_of(id, pulled.pullkey, "amended");
    pthread_t thread;

    ck_assert_int_eq(answer(&pulled, "reply"), DB_OK);
    ck_assert_int_eq(db_execute_text(db, "BEGIN"), DB_OK);
    ck_assert_int_eq(
        db_execute_text(db, "SELECT id FROM xqueue_live FOR UPDATE"), DB_OK);
    pthread_create(&thread, NULL, answer_elsewhere, &repeat);
    wait_for_waiting_locks(1);
    ck_assert_int_eq(db_execute_text(db, "DELETE FROM xqueue_outbox"), DB_OK);
    ck_assert_int_eq(db_execute_text(db, "UPDATE queue_submission SET"
                                         " lms_ack = 1, retired = 1"),
                     DB_OK);
    ck_assert_int_eq(db_execute_text(db, "DELETE FROM xqueue_live"), DB_OK);
    ck_assert_int_eq(db_execute_text(db, "COMMIT"), DB_OK);
    pthread_join(thread, NULL);
    ck_assert_int_eq(repeat.job.status, DB_OK);
    ck_assert_str_eq(callbacks(id), "due 0 =");
}
END_TEST

/* Two repeats of a finished one: the second sees the first. */
START_TEST(repeats_after_delivery_at_once_are_delivered_in_order)
{
    int64_t id = submit("7:p");
    struct submission_pull pulled = finish_next();
    struct submission_answer second = answer_of(id, pulled.pullkey, "third");
    pthread_t thread;

    ck_assert_int_eq(db_execute_text(db, "BEGIN"), DB_OK);
    ck_assert_int_eq(
        db_execute_text(db, "SELECT id FROM queue_submission FOR UPDATE"),
        DB_OK);
    pthread_create(&thread, NULL, answer_elsewhere, &second);
    wait_for_waiting_locks(1);
    /* What the first repeat would write. */
    ck_assert_int_eq(
        db_execute_text(
            db, "INSERT INTO xqueue_live (id, queue_id, arrival_us, state,"
                " attempts, problem, destination, pullkey, grader_id)"
                " SELECT id, 1, 1000, 2, 0, NULL, 7, pullkey, ''"
                " FROM queue_submission"),
        DB_OK);
    ck_assert_int_eq(
        db_execute_text(db, "INSERT INTO xqueue_outbox (id, destination,"
                            " due_us, attempts, kind, created_us)"
                            " SELECT id, 7, 1, 0, 0, 1 FROM queue_submission"),
        DB_OK);
    ck_assert_int_eq(db_execute_text(db,
                                     "UPDATE queue_submission SET retired = 0,"
                                     " grader_reply = 'second'"),
                     DB_OK);
    ck_assert_int_eq(db_execute_text(db, "COMMIT"), DB_OK);
    pthread_join(thread, NULL);
    ck_assert_int_eq(second.job.status, DB_OK);
    ck_assert_str_eq(callbacks(id), "due 0 second, behind 0 =");
    ck_assert_str_eq(stored(id), "third 0 1");
}
END_TEST

HOT_STORY("answers",
          TELL(a_result_with_the_right_key_is_stored_and_to_be_delivered),
          TELL(a_result_writes_the_lease_into_djangos_columns),
          TELL(any_reply_is_stored_byte_by_byte),
          TELL(a_wrong_or_empty_key_changes_nothing),
          TELL(a_wrong_or_empty_key_changes_nothing_in_history),
          TELL(the_key_of_an_earlier_lease_does_not_fit_after_a_new_one),
          TELL(after_expiry_the_key_fits_until_there_is_a_newer_one),
          TELL(a_dead_one_takes_a_result_which_follows_the_failure_message),
          TELL(a_dead_one_takes_a_result_even_after_the_lms_has_heard),
          TELL(the_result_of_a_superseded_one_is_stored_only),
          TELL(a_repeat_waits_behind_the_first_and_each_has_its_own_text),
          TELL(a_repeat_after_delivery_is_delivered_again),
          TELL(two_repeats_after_delivery_go_in_order),
          TELL(a_repeat_is_only_stored_when_a_newer_one_is_live),
          TELL(a_repeat_is_only_stored_when_a_newer_one_is_finished),
          TELL(a_repeat_on_its_way_is_dropped_when_a_newer_one_comes),
          TELL(a_repeat_without_a_usable_header_is_stored),
          TELL(an_unknown_id_is_not_found),
          TELL(the_results_of_a_batch_end_each_on_its_own),
          TELL(each_of_a_batch_is_stored_with_its_own_reply_and_lease),
          TELL(a_batch_takes_results_of_submissions_in_every_state),
          TELL(two_results_of_one_submission_do_not_share_a_batch),
          TELL(no_callback_leaves_sooner_than_the_delay_after_arrival),
          TELL(after_the_delay_a_callback_is_due_at_once),
          TELL(a_repeat_during_the_delivery_becomes_due),
          TELL(repeats_after_delivery_at_once_are_delivered_in_order))
