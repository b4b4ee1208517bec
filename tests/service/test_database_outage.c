/*
 * The database goes, stalls, and comes back. The server says so and waits; it
 * neither hangs nor loses what it acknowledged.
 */
#include "tests/support/service_story.h"

#include "server/base/clock.h"
#include "tests/support/program.h"
#include "tests/support/sink.h"

#include <signal.h>
#include <stdlib.h>

enum { PATIENCE_MS = 10000 };

static const struct db_settings *database;

static struct service *new_server(const char *more)
{
    struct service *new;

    database = mariadb_database();
    new = service_new(
        &(struct service_settings){.database = database, .more = more});
    add_user("lms");
    return new;
}

static void begin(const char *more)
{
    db_library_start();
    scratch = arena_new();
    service = new_server(more);
    service_serve(service);
    client = http_client_new(service_port(service));
    http_client_set_timeout_ms(client, PATIENCE_MS);
    log_in(client);
}

static void end(void)
{
    http_client_free(client);
    service_stop(service);
    arena_free(scratch);
    db_library_stop();
}

static void expect_unavailable(const struct reply *reply)
{
    expect_status(reply, 503,
                  "{\"return_code\": 1, \"content\":"
                  " \"Service unavailable, try again\"}");
    expect_field(reply, "Retry-After", "2");
}

static const struct reply *submit(void)
{
    return lms_submit(lms_header("test-pull", NULL), "body");
}

/* As a client does that is told to try again. */
static void wait_until_back(void)
{
    while (get_queuelen("test-pull")->status == 503)
        service_wait_for_log(service, "get_queuelen req=");
}

START_TEST(while_it_is_away_clients_are_told_to_come_back)
{
    struct http_client *stranger;
    struct pulled pulled;

    begin("");
    pulled = submit_and_pull("test-pull");
    mariadb_kill();
    expect_unavailable(submit());
    expect_unavailable(get_queuelen("test-pull"));
    expect_unavailable(get_submission("test-pull"));
    expect_unavailable(grader_put_result(pulled.header, "right"));
    expect_unavailable(http_post_form(
        client, "/xqueue/login/",
        HTTP_FORM({"username", "lms", NULL}, {"password", "password", NULL})));
    expect_reply(http_get(client, "/xqueue/status/"), 0, "\"OK\"");

    /* Nobody is let in, or sent away, who cannot be looked up. */
    stranger = http_client_new(service_port(service));
    http_set_cookie(stranger, "sessionid",
                    "abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOP");
    expect_unavailable(
        http_get(stranger, "/xqueue/get_queuelen/?queue_name=test-pull"));
    http_client_free(stranger);

    mariadb_restart();
    wait_until_back();
    expect_reply(get_queuelen("test-pull"), 0, "0");
    expect_reply(grader_put_result(pulled.header, "right"), 0, "\"\"");
    expect_reply(submit(), 0, "\"1\"");
    end();
}
END_TEST

START_TEST(a_planned_restart_is_no_different)
{
    begin("");
    expect_reply(submit(), 0, "\"1\"");
    mariadb_shut_down();
    expect_unavailable(submit());
    mariadb_restart();
    wait_until_back();
    expect_reply(submit(), 0, "\"2\"");
    end();
}
END_TEST

START_TEST(it_says_once_that_the_database_went_and_once_that_it_is_back)
{
    begin("DB_CONNECTIONS: 1\n");
    mariadb_kill();
    expect_unavailable(submit());
    service_wait_for_log(service, "error database_away ");
    mariadb_restart();
    service_wait_for_log(service, "info database_back ");
    expect_reply(submit(), 0, "\"1\"");
    end();
}
END_TEST

START_TEST(callbacks_go_on_when_it_is_back)
{
    struct sink *lms = sink_start(0);
    struct pulled pulled;

    begin("");
    expect_status(
        lms_submit(lms_header("test-pull", sink_url(lms, "/slow/500/x")), "b"),
        200, NULL);
    pulled = grader_pull("test-pull");
    expect_reply(grader_put_result(pulled.header, "right"), 0, "\"\"");
    sink_wait(lms, 1, 10000);
    mariadb_kill();
    service_wait_for_log(service, "callback req=");
    mariadb_restart();
    mariadb_wait_for_value("1", "SELECT lms_ack FROM queue_submission");
    ck_assert_uint_eq(sink_received(lms).count, 1);
    end();
    sink_stop(lms);
}
END_TEST

/* Holds a lock that every submit needs. */
static struct db_conn *lock_submissions(void)
{
    struct db_conn *db = db_conn_new(database);

    ck_assert_int_eq(db_conn_open(db), DB_OK);
    ck_assert_int_eq(db_execute_text(db, "LOCK TABLES queue_submission WRITE"),
                     DB_OK);
    return db;
}

static void wait_for_an_insert(void)
{
    mariadb_wait_for_value("1", "SELECT COUNT(*) FROM"
                                " information_schema.PROCESSLIST"
                                " WHERE INFO LIKE 'INSERT%%submission%%'");
}

static void send_submit(struct http_client *speaker, const char *cookie)
{
    static const char body[] =
        "xqueue_body=b&xqueue_header=%7B%22lms_callback_url%22%3A%22http://"
        "127.0.0.1:1/%22%2C%22lms_key%22%3A%22%22%2C%22queue_name%22%3A%22"
        "test-pull%22%7D";

    ck_assert(http_send_bytes(
        speaker, text_of(arena_printf(
                     scratch,
                     "POST /xqueue/submit/ HTTP/1.1\r\nHost: x\r\n"
                     "Content-Type: application/x-www-form-urlencoded\r\n"
                     "Cookie: sessionid=%s\r\nContent-Length: %zu\r\n\r\n%s",
                     cookie, sizeof body - 1, body))));
}

START_TEST(when_too_much_waits_for_it_the_rest_is_refused_at_once)
{
    enum { CLIENTS = 40 };
    struct http_client *clients[CLIENTS];
    struct db_conn *lock;
    int stored = 0;

    begin("DB_CONNECTIONS: 1\nDB_QUEUE: 16\n");
    lock = lock_submissions();
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = http_client_new(service_port(service));
        send_submit(clients[i], http_cookie(client, "sessionid"));
        /* The first one keeps the only connection busy; the rest waits. */
        if (i == 0)
            wait_for_an_insert();
    }
    service_wait_for_log(service, "submit req=");
    expect_reply(http_get(client, "/xqueue/status/"), 0, "\"OK\"");
    expect_unavailable(get_queuelen("test-pull"));
    db_conn_free(lock);

    for (int i = 0; i < CLIENTS; i++) {
        const struct reply *reply = http_read_reply(clients[i]);

        if (reply->status == 200)
            stored++;
        else
            expect_unavailable(reply);
        http_client_free(clients[i]);
    }
    /* One is being run, and 16 wait: some of them other work than submits. */
    ck_assert_int_ge(stored, 12);
    ck_assert_int_le(stored, 17);
    ck_assert_value(arena_printf(scratch, "%d", stored),
                    "SELECT COUNT(*) FROM queue_submission");
    end();
}
END_TEST

START_TEST(a_request_that_it_was_busy_with_is_answered)
{
    struct http_client *other;
    struct db_conn *lock;

    begin("");
    other = http_client_new(service_port(service));
    lock = lock_submissions();
    send_submit(other, http_cookie(client, "sessionid"));
    wait_for_an_insert();
    mariadb_kill();
    expect_unavailable(http_read_reply(other));
    db_conn_free(lock);
    mariadb_restart();
    wait_until_back();
    ck_assert_value("0", "SELECT COUNT(*) FROM queue_submission");
    http_client_free(other);
    end();
}
END_TEST

START_TEST(a_lock_keeps_nobody_for_long)
{
    struct db_conn *lock;
    int64_t before_ms;

    begin("");
    lock = lock_submissions();
    before_ms = clock_monotonic_ms();
    expect_unavailable(submit());
    ck_assert_int_lt(clock_monotonic_ms() - before_ms, PATIENCE_MS);
    db_conn_free(lock);
    expect_reply(submit(), 0, "\"1\"");
    ck_assert_value("1", "SELECT COUNT(*) FROM queue_submission");
    end();
}
END_TEST

START_TEST(nor_does_a_database_that_is_frozen)
{
    pid_t database_pid;
    int64_t before_ms;
    struct program *reader;
    size_t position = 0;

    begin("");
    reader = program_start(
        (const char *const[]){"/bin/cat", mariadb_value("SELECT @@pid_file"),
                              NULL},
        NULL);
    database_pid = (pid_t)strtol(
        arena_string(scratch, program_wait_for_line(reader, scratch, "",
                                                    &position, 5000)),
        NULL, 10);
    program_free(reader);
    ck_assert_int_gt(database_pid, 1);
    kill(database_pid, SIGSTOP);
    before_ms = clock_monotonic_ms();
    expect_unavailable(submit());
    ck_assert_int_lt(clock_monotonic_ms() - before_ms, PATIENCE_MS);
    expect_reply(http_get(client, "/xqueue/status/"), 0, "\"OK\"");
    kill(database_pid, SIGCONT);
    wait_until_back();
    expect_status(submit(), 200, NULL);
    end();
}
END_TEST

/* `xqueue serve` as a container starts it: perhaps too early. */
static struct program *serve_without_database(void)
{
    const char *words[] = {BINARY_DIR "/xqueue", "serve", NULL};
    const char *environment[] = {
        arena_printf(scratch, "XQUEUE_CFG=%s", service_config(service)), NULL};
    struct program *program = program_start(words, environment);
    size_t position = 0;

    program_wait_for_line(program, scratch, "waiting for the database",
                          &position, 20000);
    return program;
}

static struct program *start_too_early(void)
{
    db_library_start();
    scratch = arena_new();
    service = new_server("");
    mariadb_kill();
    return serve_without_database();
}

START_TEST(the_server_may_start_before_it)
{
    struct program *program = start_too_early();
    size_t position = 0;

    program_signal(program, SIGHUP); /* too early to matter */
    mariadb_restart();
    program_wait_for_line(program, scratch, "listening address=", &position,
                          20000);
    program_signal(program, SIGTERM);
    ck_assert_int_eq(program_wait_for_exit(program, 20000), 0);
    program_free(program);
    service_stop(service);
}
END_TEST

START_TEST(and_may_be_stopped_while_it_waits)
{
    struct program *program = start_too_early();

    program_signal(program, SIGTERM);
    ck_assert_int_eq(program_wait_for_exit(program, 2000), 0);
    program_free(program);
    mariadb_restart();
    service_stop(service);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(while_it_is_away_clients_are_told_to_come_back),
        TELL(a_planned_restart_is_no_different),
        TELL(it_says_once_that_the_database_went_and_once_that_it_is_back),
        TELL(callbacks_go_on_when_it_is_back),
        TELL(when_too_much_waits_for_it_the_rest_is_refused_at_once),
        TELL(a_request_that_it_was_busy_with_is_answered),
        TELL(a_lock_keeps_nobody_for_long),
        TELL(nor_does_a_database_that_is_frozen),
        TELL(the_server_may_start_before_it),
        TELL(and_may_be_stopped_while_it_waits),
    };
    static const struct story story = {
        .name = "database outage",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_all = mariadb_start_own,
        .after_all = mariadb_stop,
        .timeout_s = 120,
    };

    return story_run(&story);
}
