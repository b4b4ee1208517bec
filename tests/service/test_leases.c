/*
 * What becomes of a submission whose grader does not come back (R13). The
 * leases are 3 seconds long, the second one is the last, where the queue does
 * not say otherwise.
 */
#include "tests/support/service_story.h"

#include "tests/support/sink.h"

#include <string.h>

static const struct service_settings settings = {
    .queues = "{a: null, b: null, c: null, d: null, e: null, f: null,"
              " g: null, h: null, patient: {processing_delay: 10,"
              " max_attempts: 3}, hasty: {max_attempts: 1}}",
    .more = "SUBMISSION_PROCESSING_DELAY: 0.05\nMAX_ATTEMPTS: 2\n",
};

static struct sink *lms;

static void begin(void)
{
    lms = sink_start(0);
    log_in(client);
}

static void submit(const char *queue, const char *path, const char *body)
{
    expect_status(lms_submit(lms_header(queue, sink_url(lms, path)), body), 200,
                  NULL);
}

static void wait_until_back(const struct pulled *pulled)
{
    mariadb_wait_for_value("1",
                           "SELECT COUNT(*) FROM xqueue_ready WHERE id = %lld",
                           (long long)pulled->id);
}

/* End its lease now. */
static void expire(const struct pulled *pulled)
{
    mariadb_run("UPDATE xqueue_live SET expires_us = 1 WHERE id = %lld",
                (long long)pulled->id);
}

static void wait_until_finished(const struct pulled *pulled)
{
    mariadb_wait_for_value("0",
                           "SELECT COUNT(*) FROM xqueue_live WHERE id = %lld",
                           (long long)pulled->id);
}

static void expect_fate(const struct pulled *pulled, const char *fate)
{
    ck_assert_value(fate,
                    "SELECT CONCAT_WS(' ', 'ack', lms_ack, 'retired', retired,"
                    " 'failures', num_failures) FROM queue_submission"
                    " WHERE id = %lld",
                    (long long)pulled->id);
}

static void expect_empty(const char *queue)
{
    expect_reply(get_submission(queue), 1,
                 arena_printf(scratch, "\"Queue '%s' is empty\"", queue));
}

START_TEST(a_submission_is_hidden_for_the_time_of_its_lease)
{
    struct pulled pulled;

    begin();
    submit("a", "/", "body");
    expect_reply(get_queuelen("a"), 0, "1");
    pulled = grader_pull("a");
    ck_assert_value("3000000",
                    "SELECT expires_us - pulled_us FROM xqueue_live"
                    " WHERE id = %lld",
                    (long long)pulled.id);
    expect_reply(get_queuelen("a"), 0, "0");
    expect_empty("a");
    wait_until_back(&pulled);
    expect_reply(get_queuelen("a"), 0, "1");
    ck_assert_value("1",
                    "SELECT UNIX_TIMESTAMP(NOW(6)) * 1000000 - pulled_us"
                    " >= 3000000 FROM xqueue_live WHERE id = %lld",
                    (long long)pulled.id);
}
END_TEST

START_TEST(it_comes_back_to_its_place_with_a_new_key)
{
    struct pulled first;
    struct pulled again;

    begin();
    submit("b", "/1", "one");
    submit("b", "/2", "two");
    first = grader_pull("b");
    expire(&first);
    wait_until_back(&first);
    again = grader_pull("b");
    expect_text(again.body, "one");
    ck_assert_int_eq(again.id, first.id);
    ck_assert_uint_eq(strlen(again.key), 32);
    ck_assert_str_ne(again.key, first.key);
    expect_text(grader_pull("b").body, "two");
}
END_TEST

START_TEST(a_late_result_with_the_old_key_is_refused)
{
    struct pulled first;
    struct pulled again;

    begin();
    submit("c", "/", "body");
    first = grader_pull("c");
    expire(&first);
    wait_until_back(&first);
    again = grader_pull("c");
    expect_reply(grader_put_result(first.header, "late"), 1,
                 "\"Incorrect key for submission\"");
    expect_reply(grader_put_result(again.header, "good"), 0, "\"\"");
    expect_reply(grader_put_result(first.header, "late"), 1,
                 "\"Incorrect key for submission\"");
    wait_until_finished(&again);
    expect_reply(grader_put_result(first.header, "late"), 1,
                 "\"Incorrect key for submission\"");
    ck_assert_uint_eq(sink_received(lms).count, 1);
    expect_text(sink_received(lms).items[0].body, "good");
}
END_TEST

START_TEST(a_late_result_is_taken_when_nobody_has_a_newer_key)
{
    struct pulled pulled;

    begin();
    submit("d", "/", "body");
    pulled = grader_pull("d");
    expire(&pulled);
    wait_until_back(&pulled);
    expect_reply(grader_put_result(pulled.header, "late"), 0, "\"\"");
    expect_empty("d");
    expect_reply(get_queuelen("d"), 0, "0");
    wait_until_finished(&pulled);
    expect_text(sink_wait(lms, 1, 10000).items[0].body, "late");
    expect_fate(&pulled, "ack 1 retired 1 failures 0");
}
END_TEST

/* Handed out twice in vain. */
static struct pulled die(const char *queue, const char *path)
{
    struct pulled pulled;

    submit(queue, path, "body");
    pulled = grader_pull(queue);
    expire(&pulled);
    wait_until_back(&pulled);
    pulled = grader_pull(queue);
    expire(&pulled);
    return pulled;
}

START_TEST(after_so_many_attempts_the_lms_is_told_and_a_result_still_taken)
{
    struct received_list received;
    struct pulled dead;

    begin();
    dead = die("e", "/");
    received = sink_wait(lms, 1, 20000);
    expect_text(received.items[0].body,
                "{\"correct\": null, \"score\": 0, \"msg\":"
                " \"<div class=\\\"capa_alert\\\">The grader could not"
                " finish grading this submission. Please look it over and"
                " submit it again. If it happens again, please tell the"
                " course staff.</div>\"}");
    wait_until_finished(&dead);
    expect_fate(&dead, "ack 1 retired 1 failures 0");
    expect_empty("e");
    expect_reply(get_queuelen("e"), 0, "0");
    expect_reply(grader_put_result(dead.header, "after all"), 0, "\"\"");
    received = sink_wait(lms, 2, 20000);
    expect_text(received.items[1].body, "after all");
    wait_until_finished(&dead);
    expect_fate(&dead, "ack 1 retired 1 failures 0");
}
END_TEST

START_TEST(a_result_may_come_while_the_failure_is_on_its_way)
{
    struct received_list received;
    struct pulled dead;

    begin();
    dead = die("g", "/slow/500/g");
    sink_wait(lms, 1, 20000);
    expect_reply(grader_put_result(dead.header, "after all"), 0, "\"\"");
    received = sink_wait(lms, 2, 20000);
    ck_assert_ptr_nonnull(
        strstr(arena_string(scratch, received.items[0].body), "capa_alert"));
    expect_text(received.items[1].body, "after all");
    ck_assert_int_eq(received.items[1].twins, 1);
    wait_until_finished(&dead);
    ck_assert_value("after all",
                    "SELECT grader_reply FROM queue_submission"
                    " WHERE id = %lld",
                    (long long)dead.id);
}
END_TEST

START_TEST(a_superseded_one_does_not_come_back)
{
    struct pulled old;

    begin();
    submit("h", "/same", "old");
    old = grader_pull("h");
    submit("h", "/same", "new");
    expire(&old);
    wait_until_finished(&old);
    expect_text(grader_pull("h").body, "new");
    expect_empty("h");
    expect_reply(grader_put_result(old.header, "late"), 0, "\"\"");
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_outbox WHERE id = %lld",
                    (long long)old.id);
}
END_TEST

START_TEST(a_queue_can_have_longer_leases_than_the_others)
{
    struct pulled pulled;

    begin();
    submit("patient", "/", "body");
    pulled = grader_pull("patient");
    ck_assert_value("600000000",
                    "SELECT expires_us - pulled_us FROM xqueue_live"
                    " WHERE id = %lld",
                    (long long)pulled.id);
    expire(&pulled);
    wait_until_back(&pulled);
    pulled = grader_pull("patient");
    expect_reply(grader_put_result(pulled.header, "good"), 0, "\"\"");
}
END_TEST

START_TEST(a_queue_can_allow_more_attempts_than_the_others_or_fewer)
{
    struct pulled patient;
    struct pulled hasty;

    begin();
    submit("hasty", "/hasty", "body");
    hasty = grader_pull("hasty");
    patient = die("patient", "/patient");
    wait_until_back(&patient);
    expire(&hasty);
    sink_wait(lms, 1, 20000);
    wait_until_finished(&hasty);
    expect_empty("hasty");
    patient = grader_pull("patient");
    expire(&patient);
    sink_wait(lms, 2, 20000);
    wait_until_finished(&patient);
    expect_empty("patient");
    expect_text(sink_received(lms).items[0].path, "/hasty");
}
END_TEST

SERVICE_STORY(
    "leases", &settings, TELL(a_submission_is_hidden_for_the_time_of_its_lease),
    TELL(it_comes_back_to_its_place_with_a_new_key),
    TELL(a_late_result_with_the_old_key_is_refused),
    TELL(a_late_result_is_taken_when_nobody_has_a_newer_key),
    TELL(after_so_many_attempts_the_lms_is_told_and_a_result_still_taken),
    TELL(a_result_may_come_while_the_failure_is_on_its_way),
    TELL(a_superseded_one_does_not_come_back),
    TELL(a_queue_can_have_longer_leases_than_the_others),
    TELL(a_queue_can_allow_more_attempts_than_the_others_or_fewer))
