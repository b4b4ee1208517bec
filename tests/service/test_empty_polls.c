/*
 * Graders who ask an empty queue cost the database next to nothing, and yet
 * nobody waits for what has come in.
 */
#include "tests/support/service_story.h"

#include "server/base/clock.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum {
    POLLS = 1000,
    NEXT_TO_NOTHING = 30, /* statements: logins, this test's own */
    A_SECOND = 10,        /* statements that an idle server makes in one */
    DEADLINE_MS = 10000
};

static const struct service_settings settings = {
    .owns_database = true, /* its counters are ours alone */
    .queues = "{polled: null, counted: null, here: null, there: null,"
              " leased: null, locked: null, kept: null, pushed: "
              "'http://127.0.0.1:1/'}",
    .more = "SUBMISSION_PROCESSING_DELAY: 10\n",
};

static int64_t statements(void)
{
    return strtoll(mariadb_value("SELECT VARIABLE_VALUE FROM %s"
                                 " WHERE VARIABLE_NAME = 'Questions'",
                                 mariadb_global_status()),
                   NULL, 10);
}

static bool is_empty(const struct reply *reply)
{
    return strstr(reply->body.data, "is empty") != NULL;
}

/* So that everybody knows it. */
static void expect_empty(const char *queue)
{
    for (int i = 0; i < 2; i++) {
        expect_reply(get_submission(queue), 1,
                     arena_printf(scratch, "\"Queue '%s' is empty\"", queue));
        expect_reply(get_queuelen(queue), 0, "0");
    }
}

/* Ask until something comes; how long that took. */
static int64_t pull_ms(const char *queue)
{
    int64_t began_ms = clock_monotonic_ms();
    const struct reply *reply;

    do {
        reply = get_submission(queue);
        ck_assert_int_eq(reply->status, 200);
        ck_assert_int_lt(clock_monotonic_ms() - began_ms, DEADLINE_MS);
    } while (is_empty(reply));
    return clock_monotonic_ms() - began_ms;
}

static void submit(const char *queue)
{
    expect_status(lms_submit(lms_header(queue, NULL), "body"), 200, NULL);
}

static void expect_few_statements(const struct reply *(*poll)(const char *),
                                  const char *queue)
{
    int64_t before;
    int64_t began_ms;
    int64_t most;

    (void)submit_and_pull(queue);
    before = statements();
    began_ms = clock_monotonic_ms();
    for (int i = 0; i < POLLS; i++) {
        ck_assert_int_eq(poll(queue)->status, 200);
        http_client_forget_replies(client);
    }
    most = NEXT_TO_NOTHING +
           A_SECOND * ((clock_monotonic_ms() - began_ms) / 1000 + 1);
    ck_assert_int_le(statements() - before, most);
}

START_TEST(a_thousand_polls_cost_a_few_statements)
{
    log_in(client);
    expect_few_statements(get_submission, "polled");
}
END_TEST

START_TEST(so_do_a_thousand_questions_for_the_length)
{
    log_in(client);
    expect_few_statements(get_queuelen, "counted");
}
END_TEST

START_TEST(what_was_submitted_here_is_there_at_once)
{
    log_in(client);
    for (int i = 0; i < 20; i++) {
        expect_empty("here");
        submit("here");
        if (i % 2 == 0)
            expect_reply(get_queuelen("here"), 0, "1");
        (void)grader_pull("here");
        expect_reply(get_queuelen("here"), 0, "0");
    }
}
END_TEST

START_TEST(what_another_server_took_in_is_there_within_a_second)
{
    struct http_client *ours = client;
    struct service *second = service_start(&(struct service_settings){
        .database = story_database(),
        .queues = settings.queues,
    });
    struct http_client *theirs = http_client_new(service_port(second));

    log_in(ours);
    log_in(theirs);
    for (int i = 0; i < 3; i++) {
        expect_empty("there");
        client = theirs;
        submit("there");
        client = ours;
        ck_assert_int_le(pull_ms("there"), 1000);
    }
    http_client_free(theirs);
    service_stop(second);
}
END_TEST

/* Ask and ask, until the server has said `words`: then it must be there. */
static void expect_it_after(const char *words, const char *queue)
{
    int64_t began_ms = clock_monotonic_ms();
    const struct reply *reply;

    do {
        reply = get_submission(queue);
        ck_assert_int_lt(clock_monotonic_ms() - began_ms, DEADLINE_MS);
    } while (is_empty(reply) &&
             strstr(service_log(service).data, words) == NULL);
    if (is_empty(reply))
        (void)grader_pull(queue);
}

START_TEST(what_a_grader_has_let_go_is_there_at_once)
{
    struct pulled pulled;

    log_in(client);
    pulled = submit_and_pull("leased");
    expect_empty("leased");
    mariadb_run("UPDATE xqueue_live SET expires_us = 1 WHERE id = %lld",
                (long long)pulled.id);
    expect_it_after("leases_expired", "leased");
}
END_TEST

START_TEST(so_is_what_could_not_be_pushed)
{
    log_in(client);
    submit("pushed");
    mariadb_wait_for_value("1", "SELECT COUNT(*) FROM xqueue_push");
    expect_empty("pushed");
    service_set_queues(service, "{pushed: null}");
    service_signal(service, SIGHUP, "result=ok");
    expect_it_after("given back", "pushed");
    service_set_queues(service, settings.queues);
    service_signal(service, SIGHUP, "result=ok");
}
END_TEST

/* A pull passes over it, but the queue is not empty. */
START_TEST(what_somebody_has_locked_is_not_forgotten)
{
    struct db_conn *db = db_conn_new(story_database());

    log_in(client);
    expect_empty("locked");
    submit("locked");
    ck_assert_int_eq(db_conn_open(db), DB_OK);
    ck_assert_int_eq(db_execute_text(db, "BEGIN"), DB_OK);
    ck_assert_int_eq(
        db_execute_text(db, "SELECT * FROM xqueue_ready FOR UPDATE"), DB_OK);
    for (int i = 0; i < 3; i++)
        ck_assert(is_empty(get_submission("locked")));
    expect_reply(get_queuelen("locked"), 0, "1");
    ck_assert_int_eq(db_execute_text(db, "ROLLBACK"), DB_OK);
    (void)grader_pull("locked");
    db_conn_free(db);
}
END_TEST

START_TEST(queues_that_go_and_come_are_known_anew)
{
    log_in(client);
    expect_empty("kept");
    service_set_queues(service, "{other: null}");
    service_signal(service, SIGHUP, "result=ok");
    expect_reply(get_submission("kept"), 1, "\"Queue 'kept' not found\"");
    expect_empty("other");
    service_set_queues(service, "{kept: null, other: null}");
    service_signal(service, SIGHUP, "result=ok");
    expect_empty("kept");
    submit("kept");
    (void)grader_pull("kept");
    expect_empty("other");
    service_set_queues(service, settings.queues);
    service_signal(service, SIGHUP, "result=ok");
}
END_TEST

SERVICE_STORY("empty polls", &settings,
              TELL(a_thousand_polls_cost_a_few_statements),
              TELL(so_do_a_thousand_questions_for_the_length),
              TELL(what_was_submitted_here_is_there_at_once),
              TELL(what_another_server_took_in_is_there_within_a_second),
              TELL(what_a_grader_has_let_go_is_there_at_once),
              TELL(so_is_what_could_not_be_pushed),
              TELL(what_somebody_has_locked_is_not_forgotten),
              TELL(queues_that_go_and_come_are_known_anew))
