/*
 * From the start of the process to the first answered request, on an empty
 * database and on one with 10^6 submissions; beside the start of a program
 * that does nothing.
 */
#include "tests/bench/support/bench.h"
#include "tests/support/hot_story.h"
#include "tests/support/service_story.h"

#include "server/base/clock.h"
#include "tests/support/program.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROWS = 1000000, FEW = 1000, DEADLINE_MS = 60000, RETRY_MS = 1 };

static const char question[] = "GET /xqueue/status/ HTTP/1.1\r\n"
                               "Host: xqueue\r\nConnection: close\r\n\r\n";

/* One try; false when nobody listens yet. */
static bool ask(uint16_t port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char answer[16] = "";
    bool is_answered =
        connect(file, (const struct sockaddr *)&address, sizeof address) == 0 &&
        send(file, question, strlen(question), MSG_NOSIGNAL) > 0 &&
        recv(file, answer, sizeof answer - 1, MSG_WAITALL) > 0;

    close(file);
    return is_answered && strncmp(answer, "HTTP/1.1 200", 12) == 0;
}

/* Milliseconds. */
static double start_server(void *context)
{
    const char *const words[] = {BINARY_DIR "/xqueue", "serve", NULL};
    const char *const environment[] = {
        arena_printf(scratch, "XQUEUE_CFG=%s", service_config(service)), NULL};
    int64_t began_us = clock_monotonic_us();
    struct program *program = program_start(words, environment);
    double ms;

    (void)context;
    while (!ask(service_port(service))) {
        ck_assert(program_is_running(program));
        ck_assert_int_lt(clock_monotonic_us() - began_us,
                         (int64_t)DEADLINE_MS * 1000);
        poll(NULL, 0, RETRY_MS);
    }
    ms = (double)(clock_monotonic_us() - began_us) / 1000;
    program_signal(program, SIGTERM);
    ck_assert_int_eq(program_wait_for_exit(program, DEADLINE_MS), 0);
    program_free(program);
    return ms;
}

static double start_nothing(void *context)
{
    const char *const words[] = {"/bin/true", NULL};
    int64_t began_us = clock_monotonic_us();
    struct program *program = program_start(words, NULL);
    double ms;

    (void)context;
    ck_assert_int_eq(program_wait_for_exit(program, DEADLINE_MS), 0);
    ms = (double)(clock_monotonic_us() - began_us) / 1000;
    program_free(program);
    return ms;
}

static void measure(const char *name)
{
    struct series server = {.count = 0};
    struct series nothing = {.count = 0};

    report_progress("%s", name);
    bench_rounds(start_server, start_nothing, NULL, &server, &nothing);
    report_ratio(name, "ms", &server, &nothing, "/bin/true", NO_TARGET);
}

static void run(void)
{
    size_t rows = bench_size(ROWS, FEW);

    own_service_begin(&(struct service_settings){.database = mariadb_database(),
                                                 .queues = "{queue: null}"});
    service_shut_down(service);
    service_set_more(service, ""); /* it keeps its port from now on */
    measure("an empty database");
    report_progress("adding %zu finished submissions", rows);
    add_finished((int)rows);
    measure(arena_printf(scratch, "%zu finished submissions", rows));
    report_progress("adding %zu waiting submissions", rows);
    add_waiting((int)rows);
    measure(arena_printf(scratch, "%zu more, waiting", rows));
    service_serve(service);
    own_service_end();
}

BENCH("start", "from the start to the first answer", run)
