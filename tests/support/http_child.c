/*
 * An HTTP server in a process of its own.
 */
#include "tests/support/http_child.h"

#include "server/base/buffer.h"
#include "server/base/memory.h"
#include "server/http/private.h"
#include "server/task/loop.h"
#include "tests/support/story.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Part of the address sanitizer, when that is there. */
int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

enum { MOST_HELD = 256, MOST_EATEN = 1024, LEAK_STATUS = 23 };

struct child {
    struct loop *loop;
    struct event_base *base; /* the loop's */
    struct http_server *server;
    struct event *control;
    struct event *tick;
    struct http_request *held[MOST_HELD];
    size_t held_count;
    int eaten[MOST_EATEN]; /* descriptors */
    size_t eaten_count;
    struct http_child_report *report;
    bool ending;
};

struct late {
    struct event *timer;
    struct http_request *request;
};

NORETURN static void child_main(const struct http_settings *settings,
                                int control, int port_pipe,
                                struct http_child_report *report);
static void on_request(struct http_request *request, void *context);
static void reply_echo(struct http_request *request);
static void reply_bytes(struct http_request *request, size_t size);
static void reply_later(struct child *child, struct http_request *request);
static void on_late(evutil_socket_t descriptor, short what, void *context);
static void on_control(evutil_socket_t descriptor, short what, void *context);
static void starve(struct child *child);
static void release(struct child *child);
static void on_tick(evutil_socket_t descriptor, short what, void *context);
static void observe(struct child *child);
static size_t unwritten_of(const struct http_server *server);

struct http_settings http_child_settings(void)
{
    struct http_settings settings;

    http_settings_init(&settings);
    settings.port = 0;
    settings.max_body_bytes = (size_t)8 * 1024 * 1024;
    return settings;
}

struct http_child http_child_start(const struct http_settings *settings,
                                   unsigned open_files)
{
    struct http_child child = {.port = 0};
    struct http_child_report *report =
        mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int control[2];
    int port_pipe[2];

    ck_assert_ptr_ne(report, MAP_FAILED);
    ck_assert_int_eq(pipe(control), 0);
    ck_assert_int_eq(pipe(port_pipe), 0);
    child.process = fork();
    ck_assert_int_ge(child.process, 0);
    if (child.process == 0) {
        const struct rlimit limit = {open_files, open_files};

        close(control[1]);
        if (open_files > 0)
            setrlimit(RLIMIT_NOFILE, &limit);
        child_main(settings, control[0], port_pipe[1], report);
    }
    close(control[0]);
    close(port_pipe[1]);
    child.control = control[1];
    child.report = report;
    ck_assert_int_eq(read(port_pipe[0], &child.port, sizeof child.port),
                     sizeof child.port);
    close(port_pipe[0]);
    return child;
}

void http_child_release(const struct http_child *child)
{
    ck_assert_int_eq(write(child->control, "r", 1), 1);
}

void http_child_starve(const struct http_child *child)
{
    ck_assert_int_eq(write(child->control, "e", 1), 1);
}

void http_child_stop_accepting(const struct http_child *child)
{
    ck_assert_int_eq(write(child->control, "s", 1), 1);
}

void http_child_end(struct http_child *child)
{
    int status = 0;

    close(child->control);
    ck_assert_int_eq(waitpid(child->process, &status, 0), child->process);
    ck_assert_int_eq(status, 0);
}

void http_child_wait_ms(int ms)
{
    poll(NULL, 0, ms);
}

static void child_main(const struct http_settings *settings, int control,
                       int port_pipe, struct http_child_report *report)
{
    const struct timeval tick = {.tv_usec = 10000};
    struct child child = {.report = report};
    const char *error = NULL;
    struct rusage usage;
    uint16_t port;

    child.loop = loop_new();
    child.base = loop_base(child.loop);
    child.server =
        http_server_start(child.base, settings, on_request, &child, &error);
    if (child.server == NULL)
        fatal("%s", error);
    child.control = event_new(child.base, control, EV_READ | EV_PERSIST,
                              on_control, &child);
    child.tick = event_new(child.base, -1, EV_PERSIST, on_tick, &child);
    event_add(child.control, NULL);
    event_add(child.tick, &tick);
    port = http_server_port(child.server);
    if (write(port_pipe, &port, sizeof port) != sizeof port)
        fatal("no one waits for the port");
    event_base_dispatch(child.base);
    http_server_free(child.server);
    event_free(child.control);
    event_free(child.tick);
    loop_free(child.loop);
    getrusage(RUSAGE_SELF, &usage);
    report->cpu_ms = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
                     (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
    memset(&child, 0, sizeof child);
    if (__lsan_do_recoverable_leak_check != NULL &&
        __lsan_do_recoverable_leak_check() != 0)
        _exit(LEAK_STATUS);
    _exit(EXIT_SUCCESS);
}

static void on_request(struct http_request *request, void *context)
{
    struct child *child = context;
    struct http_child_report *report = child->report;
    const struct text path = http_path(request);
    const struct text query = http_query(request);
    const size_t used = strlen(report->order);

    observe(child);
    report->requests++;
    snprintf(report->last_path, sizeof report->last_path, "%.*s",
             TEXT_ARGUMENTS(path));
    if (!text_is_absent(query))
        snprintf(report->order + used, sizeof report->order - used, "%.*s ",
                 TEXT_ARGUMENTS(query));
    if (text_equal_string(path, "/body"))
        http_reply(request, &(struct http_reply){.status = 200,
                                                 .body = http_body(request)});
    else if (text_equal_string(path, "/big"))
        reply_bytes(request, 1024 * 1024);
    else if (text_equal_string(path, "/large"))
        reply_bytes(request, (size_t)8 * 1024 * 1024);
    else if (text_equal_string(path, "/late"))
        reply_later(child, request);
    else if (text_equal_string(path, "/hold") && child->held_count < MOST_HELD)
        child->held[child->held_count++] = request;
    else if (!http_streams_take(child->base, request, &report->streams))
        reply_echo(request);
}

static void reply_echo(struct http_request *request)
{
    const struct http_reply_field fields[] = {{"X-Test", "yes"}};
    struct buffer body = {0};

    buffer_printf(&body, "%s %.*s ?%.*s %zu from %s", http_method_name(request),
                  TEXT_ARGUMENTS(http_path(request)),
                  TEXT_ARGUMENTS(http_query(request)), http_body(request).size,
                  http_peer(request));
    http_reply(request,
               &(struct http_reply){
                   .status = 200,
                   .fields = fields,
                   .field_count = 1,
                   .body = buffer_text(&body),
                   .close = text_equal_string(http_path(request), "/close"),
               });
    buffer_free(&body);
}

static void reply_bytes(struct http_request *request, size_t size)
{
    char *bytes = xmalloc(size);

    memset(bytes, 'x', size);
    http_reply(request, &(struct http_reply){
                            .status = 200,
                            .content_type = "text/plain",
                            .body = {bytes, size},
                        });
    free(bytes);
}

static void reply_later(struct child *child, struct http_request *request)
{
    const struct timeval delay = {.tv_usec = 50 * 1000};
    struct late *late = xcalloc(1, sizeof *late);

    late->request = request;
    late->timer = event_new(child->base, -1, 0, on_late, late);
    event_add(late->timer, &delay);
}

static void on_late(evutil_socket_t descriptor, short what, void *context)
{
    struct late *late = context;

    (void)descriptor;
    (void)what;
    reply_echo(late->request);
    event_free(late->timer);
    free(late);
}

static void on_control(evutil_socket_t descriptor, short what, void *context)
{
    struct child *child = context;
    char command = 'q';

    (void)what;
    if (read(descriptor, &command, 1) != 1) {
        event_del(child->control);
        child->ending = true;
    }
    if (command == 's')
        http_server_stop_accepting(child->server);
    else if (command == 'e')
        starve(child);
    else
        release(child);
}

static void starve(struct child *child)
{
    while (child->eaten_count < MOST_EATEN) {
        const int descriptor = dup(STDERR_FILENO);

        if (descriptor < 0)
            break;
        child->eaten[child->eaten_count++] = descriptor;
    }
    child->report->starved = true;
}

static void release(struct child *child)
{
    while (child->held_count > 0)
        reply_echo(child->held[--child->held_count]);
    while (child->eaten_count > 0)
        close(child->eaten[--child->eaten_count]);
}

static void on_tick(evutil_socket_t descriptor, short what, void *context)
{
    struct child *child = context;

    (void)descriptor;
    (void)what;
    observe(child);
    if (child->ending && child->report->in_flight == 0)
        event_base_loopbreak(child->base);
}

static void observe(struct child *child)
{
    struct http_child_report *report = child->report;
    size_t unwritten;

    report->in_flight = http_server_in_flight(child->server);
    report->connections = http_server_connections(child->server);
    report->body_memory = child->server->memory.held;
    if (report->connections > report->most_connections)
        report->most_connections = report->connections;
    if (report->body_memory > report->most_body_memory)
        report->most_body_memory = report->body_memory;
    unwritten = unwritten_of(child->server);
    if (unwritten > report->most_unwritten)
        report->most_unwritten = unwritten;
}

static size_t unwritten_of(const struct http_server *server)
{
    const struct http_connection *connection;
    size_t size = 0;

    TAILQ_FOREACH(connection, &server->connections, siblings)
    {
        if (connection->bufferevent != NULL)
            size += evbuffer_get_length(
                bufferevent_get_output(connection->bufferevent));
    }
    return size;
}
