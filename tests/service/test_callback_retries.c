/*
 * Callbacks that fail, follow each other, or are no longer wanted. Instead of
 * waiting for the next attempt, tests move its time in the database.
 */
#include "tests/support/service_story.h"

#include "tests/support/peer.h"
#include "tests/support/sink.h"

#define NOW_US "(UNIX_TIMESTAMP(NOW(6)) * 1000000)"

static struct sink *lms;

static struct pulled take(const char *header)
{
    expect_status(lms_submit(header, "body"), 200, NULL);
    return grader_pull("test-pull");
}

static void put(const struct pulled *pulled, const char *result)
{
    expect_reply(grader_put_result(pulled->header, result), 0, "\"\"");
}

/* One answered with `result`, whose callback goes to `url`. */
static int64_t answered(const char *url, const char *result)
{
    struct pulled pulled;

    log_in(client);
    pulled = take(lms_header("test-pull", url));
    put(&pulled, result);
    return pulled.id;
}

static void wait_for_attempts(int64_t id, int attempts)
{
    mariadb_wait_for_value("1",
                           "SELECT COUNT(*) FROM xqueue_outbox WHERE id = %lld"
                           " AND attempts = %d AND owner IS NULL",
                           (long long)id, attempts);
}

static void wait_until_finished(int64_t id)
{
    mariadb_wait_for_value("0",
                           "SELECT COUNT(*) FROM xqueue_outbox WHERE id = %lld",
                           (long long)id);
}

static void make_due(int64_t id)
{
    mariadb_run("UPDATE xqueue_outbox SET due_us = 0 WHERE id = %lld",
                (long long)id);
}

static void expect_fate(int64_t id, const char *fate)
{
    ck_assert_value(fate,
                    "SELECT CONCAT_WS(' ', 'ack', lms_ack, 'retired', retired,"
                    " 'failures', num_failures) FROM queue_submission"
                    " WHERE id = %lld",
                    (long long)id);
}

/* Not sooner than that after it was stored, not later than that from now. */
static void expect_due(int64_t id, double earliest_s, double latest_s)
{
    ck_assert_value("1 1",
                    "SELECT CONCAT_WS(' ', due_us - created_us >= %.0f,"
                    " due_us - " NOW_US " <= %.0f) FROM xqueue_outbox"
                    " WHERE id = %lld",
                    earliest_s * 1e6, latest_s * 1e6, (long long)id);
}

START_TEST(a_failed_callback_is_sent_again_after_1_second_then_5_then_30)
{
    struct received_list received;
    int64_t id;

    lms = sink_start(0);
    id = answered(sink_url(lms, "/fail/3/500/x"), "right");
    wait_for_attempts(id, 1);
    expect_due(id, 0.8, 1.2);
    wait_for_attempts(id, 2);
    expect_due(id, 0.8 + 4, 6);
    make_due(id);
    wait_for_attempts(id, 3);
    expect_due(id, 0.8 + 24, 36);
    expect_fate(id, "ack 0 retired 0 failures 3");
    make_due(id);
    wait_until_finished(id);
    expect_fate(id, "ack 1 retired 1 failures 3");

    received = sink_received(lms);
    ck_assert_uint_eq(received.count, 4);
    ck_assert_int_eq(received.items[3].status, 200);
    expect_text(received.items[3].body, "right");
    ck_assert(text_equal(received.items[0].header, received.items[3].header));
}
END_TEST

START_TEST(an_lms_may_say_when_to_come_back)
{
    struct peer *peer = peer_start_one(
        (struct peer_rule){.status = 503, .headers = "Retry-After: 100\r\n"});
    int64_t id = answered(peer_url(peer, "/"), "right");

    wait_for_attempts(id, 1);
    expect_due(id, 100, 100);
    peer_stop(peer);
}
END_TEST

START_TEST(but_not_put_us_off_for_more_than_an_hour)
{
    struct peer *peer = peer_start_one(
        (struct peer_rule){.status = 429, .headers = "Retry-After: 80000\r\n"});
    int64_t id = answered(peer_url(peer, "/"), "right");

    wait_for_attempts(id, 1);
    expect_due(id, 3600, 3600);
    peer_stop(peer);
}
END_TEST

START_TEST(a_callback_is_tried_for_three_days)
{
    int64_t id;

    lms = sink_start(0);
    id = answered(sink_url(lms, "/status/500/x"), "right");
    wait_for_attempts(id, 1);
    mariadb_run("UPDATE xqueue_outbox SET due_us = 0,"
                " created_us = " NOW_US " - 2.99 * 86400000000"
                " WHERE id = %lld",
                (long long)id);
    wait_for_attempts(id, 2);
    mariadb_run("UPDATE xqueue_outbox SET due_us = 0,"
                " created_us = " NOW_US " - 3.01 * 86400000000"
                " WHERE id = %lld",
                (long long)id);
    wait_until_finished(id);
    expect_fate(id, "ack 0 retired 1 failures 3");
    ck_assert_value("right",
                    "SELECT grader_reply FROM queue_submission"
                    " WHERE id = %lld",
                    (long long)id);
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_live WHERE id = %lld",
                    (long long)id);
}
END_TEST

START_TEST(a_result_put_twice_while_the_first_is_on_its_way_comes_after_it)
{
    struct received_list received;
    struct pulled pulled;

    lms = sink_start(0);
    log_in(client);
    pulled = take(lms_header("test-pull", sink_url(lms, "/slow/500/x")));
    put(&pulled, "first");
    sink_wait(lms, 1, 10000);
    put(&pulled, "second");
    put(&pulled, "third");
    received = sink_wait(lms, 3, 10000);
    expect_text(received.items[0].body, "first");
    expect_text(received.items[1].body, "second");
    expect_text(received.items[2].body, "third");
    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(received.items[i].twins, 1);
    wait_until_finished(pulled.id);
    expect_fate(pulled.id, "ack 1 retired 1 failures 0");
}
END_TEST

START_TEST(an_amended_result_waits_for_the_first_to_succeed)
{
    struct received_list received;
    struct pulled pulled;

    lms = sink_start(0);
    log_in(client);
    pulled = take(lms_header("test-pull", sink_url(lms, "/fail/1/500/y")));
    put(&pulled, "first");
    wait_for_attempts(pulled.id, 1);
    put(&pulled, "second");
    make_due(pulled.id);
    received = sink_wait(lms, 3, 10000);
    expect_text(received.items[0].body, "first");
    expect_text(received.items[1].body, "first");
    expect_text(received.items[2].body, "second");
    wait_until_finished(pulled.id);
    expect_fate(pulled.id, "ack 1 retired 1 failures 1");
}
END_TEST

START_TEST(a_result_put_again_after_all_is_done_is_delivered_too)
{
    struct pulled pulled;

    lms = sink_start(0);
    log_in(client);
    pulled = take(lms_header("test-pull", sink_url(lms, "/")));
    put(&pulled, "first");
    wait_until_finished(pulled.id);
    put(&pulled, "second");
    expect_text(sink_wait(lms, 2, 10000).items[1].body, "second");
    wait_until_finished(pulled.id);
    expect_fate(pulled.id, "ack 1 retired 1 failures 0");
    ck_assert_value("second",
                    "SELECT grader_reply FROM queue_submission"
                    " WHERE id = %lld",
                    (long long)pulled.id);
}
END_TEST

START_TEST(the_result_of_a_superseded_submission_is_kept_and_not_told)
{
    struct received_list received;
    struct pulled old;
    struct pulled new;
    const char *url;

    lms = sink_start(0);
    url = sink_url(lms, "/resubmitted");
    log_in(client);
    old = take(lms_header("test-pull", url));
    new = take(lms_header("test-pull", url));
    put(&old, "old");
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_outbox WHERE id = %lld",
                    (long long)old.id);
    put(&new, "new");
    wait_until_finished(new.id);
    received = sink_received(lms);
    ck_assert_uint_eq(received.count, 1);
    expect_text(received.items[0].body, "new");
    expect_fate(old.id, "ack 0 retired 1 failures 0");
    ck_assert_value("old",
                    "SELECT grader_reply FROM queue_submission"
                    " WHERE id = %lld",
                    (long long)old.id);
}
END_TEST

START_TEST(a_resubmission_takes_back_what_could_not_be_delivered_yet)
{
    struct received_list received;
    struct pulled pulled;
    const char *url;
    int64_t id;

    lms = sink_start(0);
    url = sink_url(lms, "/fail/1/500/z");
    id = answered(url, "old");
    wait_for_attempts(id, 1);
    pulled = take(lms_header("test-pull", url));
    ck_assert_value("0", "SELECT COUNT(*) FROM xqueue_outbox WHERE id = %lld",
                    (long long)id);
    put(&pulled, "new");
    wait_until_finished(pulled.id);
    received = sink_received(lms);
    ck_assert_uint_eq(received.count, 2);
    expect_text(received.items[0].body, "old");
    expect_text(received.items[1].body, "new");
}
END_TEST

/* A server of this test alone, on a database of its own. */
static struct service *start_own(const char *more)
{
    struct service *own = service_new(&(struct service_settings){.more = more});

    add_user("lms");
    service_serve(own);
    http_client_set_port(client, service_port(own));
    return own;
}

START_TEST(no_callback_leaves_before_its_delay_is_over)
{
    struct service *own = start_own("CALLBACK_DELAY: 1.5\n");
    int64_t id;

    lms = sink_start(0);
    id = answered(sink_url(lms, "/"), "right");
    ck_assert_value("1500000",
                    "SELECT o.due_us - l.arrival_us FROM xqueue_outbox o"
                    " JOIN xqueue_live l ON l.id = o.id WHERE o.id = %lld",
                    (long long)id);
    ck_assert_uint_eq(sink_received(lms).count, 0);
    sink_wait(lms, 1, 10000);
    ck_assert_value("1",
                    "SELECT TIMESTAMPDIFF(MICROSECOND, arrival_time,"
                    " UTC_TIMESTAMP(6)) >= 1500000 FROM queue_submission"
                    " WHERE id = %lld",
                    (long long)id);
    service_stop(own);
}
END_TEST

START_TEST(a_host_that_is_not_on_the_list_is_not_called)
{
    struct service *own =
        start_own("CALLBACK_ALLOWED_HOSTS: [lms.example.org, .example.net]\n");
    int64_t id;

    lms = sink_start(0);
    id = answered(sink_url(lms, "/"), "right");
    wait_for_attempts(id, 1);
    expect_fate(id, "ack 0 retired 0 failures 1");
    ck_assert_uint_eq(sink_received(lms).count, 0);
    service_stop(own);
}
END_TEST

START_TEST(so_many_at_once_and_not_more_go_to_one_host)
{
    struct service *own = start_own("CALLBACK_CONCURRENCY: 3\n");
    struct received_list received;
    int64_t most = 0;

    lms = sink_start(0);
    for (int i = 0; i < 9; i++)
        answered(sink_url(lms, arena_printf(scratch, "/slow/200/%d", i)),
                 "right");
    received = sink_wait(lms, 9, 10000);
    for (size_t i = 0; i < received.count; i++) {
        if (received.items[i].in_hand > most)
            most = received.items[i].in_hand;
    }
    ck_assert_int_eq(most, 3);
    service_stop(own);
}
END_TEST

static const struct service_settings settings = {0};

SERVICE_STORY(
    "callback retries", &settings,
    TELL(a_failed_callback_is_sent_again_after_1_second_then_5_then_30),
    TELL(an_lms_may_say_when_to_come_back),
    TELL(but_not_put_us_off_for_more_than_an_hour),
    TELL(a_callback_is_tried_for_three_days),
    TELL(a_result_put_twice_while_the_first_is_on_its_way_comes_after_it),
    TELL(an_amended_result_waits_for_the_first_to_succeed),
    TELL(a_result_put_again_after_all_is_done_is_delivered_too),
    TELL(the_result_of_a_superseded_submission_is_kept_and_not_told),
    TELL(a_resubmission_takes_back_what_could_not_be_delivered_yet),
    TELL(no_callback_leaves_before_its_delay_is_over),
    TELL(a_host_that_is_not_on_the_list_is_not_called),
    TELL(so_many_at_once_and_not_more_go_to_one_host))
