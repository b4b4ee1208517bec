/*
 * How the server ends, and what the two roles do when they are apart.
 */
#include "tests/support/service_story.h"

#include "server/base/clock.h"
#include "tests/support/deliverer.h"
#include "tests/support/sink.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static const struct db_settings *database;
static struct sink *lms;

static void begin(const char *role)
{
    lms = sink_start(0);
    database = mariadb_database();
    own_service_begin(&(struct service_settings){
        .database = database,
        .options = (const char *const[]){"--role", role, NULL},
    });
}

static void end(void)
{
    own_service_end();
    sink_stop(lms);
}

START_TEST(an_idle_server_ends_at_once)
{
    static const int signals[] = {SIGTERM, SIGINT};

    begin("web,deliver");
    for (size_t i = 0; i < ARRAY_LENGTH(signals); i++) {
        int64_t before_ms = clock_monotonic_ms();

        service_signal(service, signals[i], "info stop ");
        service_shut_down(service);
        ck_assert_int_lt(clock_monotonic_ms() - before_ms, 2000);
        ck_assert_int_eq(http_get(client, "/xqueue/status/")->status, 0);
        service_serve(service);
    }
    end();
}
END_TEST

/* Submits, and does not get through before the lock is gone. */
static struct db_conn *send_blocked_submit(void)
{
    static const char body[] =
        "xqueue_body=b&xqueue_header=%7B%22lms_callback_url%22%3A%22http://"
        "127.0.0.1:1/%22%2C%22lms_key%22%3A%22%22%2C%22queue_name%22%3A%22"
        "test-pull%22%7D";
    struct db_conn *db = db_conn_new(database);

    ck_assert_int_eq(db_conn_open(db), DB_OK);
    ck_assert_int_eq(db_execute_text(db, "LOCK TABLES queue_submission WRITE"),
                     DB_OK);
    ck_assert(http_send_bytes(
        client, text_of(arena_printf(
                    scratch,
                    "POST /xqueue/submit/ HTTP/1.1\r\nHost: x\r\n"
                    "Content-Type: application/x-www-form-urlencoded\r\n"
                    "Cookie: sessionid=%s\r\nContent-Length: %zu\r\n\r\n%s",
                    http_cookie(client, "sessionid"), sizeof body - 1, body))));
    mariadb_wait_for_value("1", "SELECT COUNT(*) FROM"
                                " information_schema.PROCESSLIST"
                                " WHERE DB = DATABASE()"
                                " AND INFO LIKE 'INSERT%%submission%%'");
    return db;
}

START_TEST(a_request_in_hand_is_answered)
{
    const struct reply *reply;
    struct http_client *late;
    struct db_conn *lock;

    begin("web,deliver");
    lock = send_blocked_submit();
    service_signal(service, SIGTERM, "info stop ");
    late = http_client_new(service_port(service));
    ck_assert_int_eq(http_get(late, "/xqueue/status/")->status, 0);
    http_client_free(late);
    db_conn_free(lock);
    reply = http_read_reply(client);
    expect_reply(reply, 0, "\"1\"");
    expect_field(reply, "Connection", "close");
    service_shut_down(service);
    ck_assert_value("1", "SELECT COUNT(*) FROM xqueue_ready");
    service_serve(service);
    end();
}
END_TEST

START_TEST(a_second_signal_ends_it_whatever_is_in_hand)
{
    struct db_conn *lock;
    int64_t before_ms;

    begin("web,deliver");
    lock = send_blocked_submit();
    service_signal(service, SIGTERM, "info stop ");
    before_ms = clock_monotonic_ms();
    service_shut_down(service);
    ck_assert_int_lt(clock_monotonic_ms() - before_ms, 2000);
    ck_assert_int_eq(http_read_reply(client)->status, 0);
    db_conn_free(lock);
    service_serve(service);
    end();
}
END_TEST

START_TEST(an_idle_connection_is_closed)
{
    begin("web,deliver");
    expect_status(http_get(client, "/xqueue/status/"), 200, NULL);
    service_signal(service, SIGTERM, "info stop ");
    ck_assert(http_is_hung_up(client));
    service_shut_down(service);
    service_serve(service);
    end();
}
END_TEST

START_TEST(a_callback_that_the_lms_keeps_waiting_is_cut_off_and_kept)
{
    int64_t before_ms;

    begin("web,deliver");
    service_set_more(service, "REQUESTS_TIMEOUT: 60\n");
    service_signal(service, SIGHUP, "result=ok");
    submit_and_answer(sink_url(lms, "/slow/60000/x"), "right");
    sink_wait(lms, 1, 10000);
    before_ms = clock_monotonic_ms();
    service_shut_down(service);
    ck_assert_int_lt(clock_monotonic_ms() - before_ms, 15000);
    ck_assert_value("1", "SELECT COUNT(*) FROM xqueue_outbox WHERE owner IS"
                         " NULL AND due_us <="
                         " UNIX_TIMESTAMP(NOW(6)) * 1000000");
    service_serve(service);
    sink_wait(lms, 2, 10000);
    service_kill(service);
    service_set_more(service, "");
    service_serve(service);
    end();
}
END_TEST

static void expect_delivery_by(const char *const *words)
{
    struct program *deliverer;

    begin("web");
    submit_and_answer(sink_url(lms, "/"), "right");
    /* Its looks at the outbox would be among these. */
    service_signal(service, SIGHUP, "result=ok");
    ck_assert_value("1", "SELECT COUNT(*) FROM xqueue_outbox"
                         " WHERE owner IS NULL AND attempts = 0");
    ck_assert_uint_eq(sink_received(lms).count, 0);
    deliverer = deliverer_start(words);
    sink_wait(lms, 1, 10000);
    submit_and_answer(sink_url(lms, "/2"), "right");
    sink_wait(lms, 2, 10000);
    mariadb_wait_for_value("0", "SELECT COUNT(*) FROM xqueue_outbox");
    deliverer_stop(deliverer);
    ck_assert_ptr_null(
        strstr(arena_string(scratch, service_log(service)), "callback req="));
    end();
}

START_TEST(one_process_may_serve_and_another_deliver)
{
    expect_delivery_by((const char *const[]){BINARY_DIR "/xqueue", "serve",
                                             "--role=deliver", NULL});
}
END_TEST

START_TEST(run_consumer_is_the_delivering_one)
{
    expect_delivery_by(
        (const char *const[]){BINARY_DIR "/xqueue", "run_consumer", NULL});
}
END_TEST

START_TEST(a_taken_port_is_told)
{
    struct text output;

    begin("web,deliver");
    ck_assert_int_eq(
        service_command(service, &output, "serve", "--listen",
                        arena_printf(scratch, "127.0.0.1:%u",
                                     (unsigned)service_port(service)),
                        NULL),
        1);
    ck_assert_ptr_nonnull(
        strstr(arena_string(scratch, output), "Address already in use"));
    end();
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(an_idle_server_ends_at_once),
        TELL(a_request_in_hand_is_answered),
        TELL(a_second_signal_ends_it_whatever_is_in_hand),
        TELL(an_idle_connection_is_closed),
        TELL(a_callback_that_the_lms_keeps_waiting_is_cut_off_and_kept),
        TELL(one_process_may_serve_and_another_deliver),
        TELL(run_consumer_is_the_delivering_one),
        TELL(a_taken_port_is_told),
    };
    static const struct story story = {
        .name = "shutdown",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_all = mariadb_start,
        .after_all = mariadb_stop,
        .timeout_s = 120,
    };

    return story_run(&story);
}
