/*
 * Passive graders that count what comes to them: how many at a time over two
 * servers that share a database, a real HTTP/1.0 grader of one thread, and a
 * dead grader among fifty.
 */
#include "tests/support/grader.h"
#include "tests/support/peer.h"
#include "tests/support/port.h"
#include "tests/support/program.h"
#include "tests/support/service_story.h"
#include "tests/support/sink.h"

#include "server/base/buffer.h"
#include "server/base/clock.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    SERVERS = 2,
    KEEP = 10000,
    WAIT_MS = 30000,
    SERIAL = 40,
    WIDE = 120,
    QUEUES = 50,
    EACH = 4,
    PYTHON = 20,
    START_MS = 20000
};

static struct service *second;
static struct http_client *clients[SERVERS];
static struct grader *grader;
static struct sink *lms;

static void begin(void)
{
    grader = grader_start(KEEP, QUEUES);
    lms = sink_start(KEEP);
}

static void end(void)
{
    if (second != NULL) {
        http_client_free(clients[1]);
        service_stop(second);
    }
    own_service_end();
    grader_stop(grader);
    sink_stop(lms);
}

static void serve(size_t count, const char *queues)
{
    struct service_settings settings = {.database = mariadb_database(),
                                        .queues = queues,
                                        .more = "STOP_TIMEOUT: 1\n"};

    own_service_begin(&settings);
    clients[0] = client;
    if (count < SERVERS)
        return;
    second = service_new(&settings);
    service_serve(second);
    clients[1] = http_client_new(service_port(second));
    log_in(clients[1]);
}

/* A callback address is that of a problem: a later submission takes over. */
static void submit(size_t server, const char *queue, int number,
                   const char *body)
{
    const char *url = sink_url(lms, arena_printf(scratch, "/%d", number));
    const struct reply *reply = http_post_form(
        clients[server], "/xqueue/submit/",
        HTTP_FORM({"xqueue_header", lms_header(queue, url), NULL},
                  {"xqueue_body", body, NULL}));

    expect_status(reply, 200, NULL);
    ck_assert_msg(memmem(reply->body.data, reply->body.size,
                         "\"return_code\": 0", 16) != NULL,
                  "%.*s", TEXT_ARGUMENTS(reply->body));
}

static void expect_each_pushed_once(int64_t count)
{
    struct graded_list list = grader_wait(grader, 1, count, WAIT_MS);

    ck_assert_uint_eq(list.count, (size_t)count);
    for (size_t i = 0; i < list.count; i++) {
        ck_assert_int_eq(list.items[i].time, 1);
        ck_assert_int_eq(list.items[i].twins, 1);
    }
}

START_TEST(concurrency_holds_over_two_servers)
{
    char queues[300];

    begin();
    snprintf(queues, sizeof queues,
             "{serial: '%s', wide: {url: '%s', concurrency: 16}}",
             grader_url(grader, 0, "/slow/5/serial"),
             grader_url(grader, 1, "/slow/800/wide"));
    serve(SERVERS, queues);
    for (int i = 0; i < SERIAL + WIDE; i++)
        submit((size_t)i / 4 % SERVERS, i % 4 == 0 ? "serial" : "wide", i,
               arena_printf(scratch, "%d body", i));
    (void)sink_wait(lms, SERIAL + WIDE, WAIT_MS);
    expect_each_pushed_once(SERIAL + WIDE);
    ck_assert_int_eq(grader_path(grader, "/slow/5/serial").came, SERIAL);
    ck_assert_int_eq(grader_path(grader, "/slow/5/serial").most, 1);
    ck_assert_int_eq(grader_path(grader, "/slow/800/wide").came, WIDE);
    ck_assert_int_eq(grader_path(grader, "/slow/800/wide").most, 16);
    mariadb_wait_for_value("0", "SELECT COUNT(*) FROM xqueue_push");
    end();
}
END_TEST

START_TEST(a_dead_grader_among_fifty_holds_up_its_own_queue_only)
{
    struct buffer queues = {NULL, 0, 0};

    begin();
    for (size_t i = 0; i < QUEUES; i++)
        buffer_printf(&queues, "%sq%zu: '%s'", i == 0 ? "{" : ", ", i,
                      grader_url(grader, i, i == 0 ? "/stall/q" : "/q"));
    buffer_append_string(&queues, "}");
    serve(1, queues.data);
    buffer_free(&queues);
    for (int i = 0; i < EACH; i++)
        submit(0, "q0", i, arena_printf(scratch, "%d body", i));
    (void)grader_wait(grader, 1, 1, WAIT_MS);
    for (int i = EACH; i < QUEUES * EACH; i++)
        submit(0, arena_printf(scratch, "q%d", 1 + i % (QUEUES - 1)), i,
               arena_printf(scratch, "%d body", i));
    (void)sink_wait(lms, (QUEUES - 1) * EACH, WAIT_MS);
    expect_each_pushed_once((QUEUES - 1) * EACH + 1);
    ck_assert_int_eq(grader_path(grader, "/stall/q").came, 1);
    ck_assert_int_eq(grader_path(grader, "/stall/q").in_hand, 1);
    mariadb_wait_for_value("4", "SELECT COUNT(*) FROM xqueue_live");
    end();
}
END_TEST

static bool is_listening(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int number = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_there;

    ck_assert_int_ge(number, 0);
    is_there =
        connect(number, (struct sockaddr *)&address, sizeof address) == 0;
    close(number);
    return is_there;
}

/* The grader of README.md. */
static struct program *start_python(uint16_t port)
{
    char number[8];
    const char *const words[] = {"/usr/bin/env", "python3",
                                 SOURCE_DIR "/tests/fixtures/passive_grader.py",
                                 number, NULL};
    int64_t deadline_ms = clock_monotonic_ms() + START_MS;
    struct program *python;

    snprintf(number, sizeof number, "%u", (unsigned)port);
    python = program_start(words, NULL);
    while (!is_listening(port)) {
        if (clock_monotonic_ms() > deadline_ms || !program_is_running(python))
            ck_abort_msg("no grader in Python: is python3 there?");
        poll(NULL, 0, 20);
    }
    return python;
}

START_TEST(a_grader_of_a_few_lines_of_python_grades_in_order)
{
    uint16_t port = port_reserve();
    struct program *python;
    struct received_list received;
    char queues[100];

    begin();
    python = start_python(port);
    snprintf(queues, sizeof queues, "{python: 'http://127.0.0.1:%u'}",
             (unsigned)port);
    serve(1, queues);
    for (int i = 0; i < PYTHON; i++)
        submit(0, "python", i,
               arena_printf(scratch, "{\"student_response\": \"%d\"}", 30 + i));
    received = sink_wait(lms, PYTHON, WAIT_MS);
    ck_assert_uint_eq(received.count, PYTHON);
    ck_assert_value("1", "SELECT COUNT(*) FROM queue_submission WHERE"
                         " grader_reply = '{\"correct\": true, \"score\": 1,"
                         " \"msg\": \"<p>Graded.</p>\"}' AND xqueue_body ="
                         " '{\"student_response\": \"42\"}'");
    ck_assert_value("19", "SELECT COUNT(*) FROM queue_submission WHERE"
                          " grader_reply = '{\"correct\": false, \"score\": 0,"
                          " \"msg\": \"<p>Graded.</p>\"}' AND num_failures ="
                          " 0");
    ck_assert_value("19",
                    "SELECT COUNT(*) FROM queue_submission former JOIN"
                    " queue_submission latter ON latter.id = former.id"
                    " + 1 WHERE latter.return_time >= former.return_time");
    program_free(python);
    end();
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(concurrency_holds_over_two_servers),
        TELL(a_dead_grader_among_fifty_holds_up_its_own_queue_only),
        TELL(a_grader_of_a_few_lines_of_python_grades_in_order),
    };
    static const struct story story = {
        .name = "push graders",
        .tests = tests,
        .count = ARRAY_LENGTH(tests),
        .before_all = mariadb_start,
        .after_all = mariadb_stop,
        .timeout_s = 120,
    };

    return story_run(&story);
}
