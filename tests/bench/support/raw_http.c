/*
 * R4: the child is one event loop with one evhttp.
 */
#include "tests/bench/support/raw_http.h"

#include "server/base/buffer.h"
#include "server/base/memory.h"
#include "tests/bench/support/listening.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LARGEST_BODY = 64 * 1024 * 1024, MOST_FIELDS = 16 };

struct raw_http {
    pid_t pid;
    uint16_t port;
};

/* An answer with its header fields taken apart, which is done once. */
struct answer {
    struct raw_answer raw;
    struct {
        char *name;
        char *value;
    } fields[MOST_FIELDS];
    size_t field_count;
};

struct answers {
    struct answer *list;
    size_t count;
};

NORETURN static void serve(int listener, const struct answers *answers,
                           pid_t parent);
static void allow_files(void);
static struct answers prepare(const struct raw_answer *list, size_t count);
static void take_apart(struct answer *answer, const char *headers);
static void on_request(struct evhttp_request *request, void *context);
static bool fits(const struct raw_answer *answer,
                 struct evhttp_request *request);
static void reply(struct evhttp_request *request, const struct answer *answer);

struct raw_answer raw_answer_like(struct arena *arena,
                                  const struct reply *reply, const char *path)
{
    struct buffer fields = {NULL, 0, 0};
    struct raw_answer answer = {
        .path = arena_strdup(arena, path),
        .status = reply->status,
        .body = arena_string(arena, reply->body),
    };
    const char *line = strchr(arena_string(arena, reply->head), '\n');

    /* evhttp writes the date itself. */
    while (line != NULL && line[1] != '\r' && line[1] != '\0') {
        const char *end = strchr(++line, '\n');

        if (end == NULL)
            break;
        if (strncmp(line, "Date:", 5) != 0)
            buffer_append(&fields, line, (size_t)(end - line) + 1);
        line = end;
    }
    answer.headers = arena_string(arena, buffer_text(&fields));
    buffer_free(&fields);
    return answer;
}

struct raw_http *raw_http_start(const struct raw_answer *answers, size_t count)
{
    struct raw_http *raw = xcalloc(1, sizeof *raw);
    pid_t parent = getpid();
    int listener = bench_listen(&raw->port);

    raw->pid = fork();
    if (raw->pid < 0)
        fatal("fork: %s", strerror(errno));
    if (raw->pid == 0) {
        const struct answers prepared = prepare(answers, count);

        serve(listener, &prepared, parent);
    }
    close(listener);
    return raw;
}

uint16_t raw_http_port(const struct raw_http *raw)
{
    return raw->port;
}

pid_t raw_http_pid(const struct raw_http *raw)
{
    return raw->pid;
}

void raw_http_stop(struct raw_http *raw)
{
    kill(raw->pid, SIGKILL);
    (void)waitpid(raw->pid, NULL, 0);
    free(raw);
}

static void serve(int listener, const struct answers *answers, pid_t parent)
{
    struct event_base *base = event_base_new();
    struct evhttp *http = evhttp_new(base);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(0);
    if (http == NULL || evhttp_accept_socket(http, listener) != 0)
        fatal("the bare server cannot listen");
    allow_files();
    evhttp_set_allowed_methods(http, EVHTTP_REQ_GET | EVHTTP_REQ_POST);
    evhttp_set_max_body_size(http, LARGEST_BODY);
    evhttp_set_gencb(http, on_request, (void *)(uintptr_t)answers);
    event_base_dispatch(base);
    _exit(0);
}

/* As many clients as the system lets it have. */
static void allow_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        fatal("getrlimit: %s", strerror(errno));
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static struct answers prepare(const struct raw_answer *list, size_t count)
{
    struct answers answers = {xcalloc(count, sizeof *answers.list), count};

    for (size_t i = 0; i < count; i++) {
        answers.list[i].raw = list[i];
        if (list[i].headers != NULL)
            take_apart(&answers.list[i], list[i].headers);
    }
    return answers;
}

static void take_apart(struct answer *answer, const char *headers)
{
    char *rest = xstrdup(headers);

    while (*rest != '\0') {
        char *value = strstr(rest, ": ");
        char *end = strstr(rest, "\r\n");

        if (value == NULL || end == NULL || end < value ||
            answer->field_count == MOST_FIELDS)
            fatal("no header fields: %s", headers);
        *value = '\0';
        *end = '\0';
        answer->fields[answer->field_count].name = rest;
        answer->fields[answer->field_count++].value = value + strlen(": ");
        rest = end + strlen("\r\n");
    }
}

static void on_request(struct evhttp_request *request, void *context)
{
    const struct answers *answers = context;

    for (size_t i = 0; i < answers->count; i++) {
        if (fits(&answers->list[i].raw, request)) {
            reply(request, &answers->list[i]);
            return;
        }
    }
    evhttp_send_error(request, 404, NULL);
}

static bool fits(const struct raw_answer *answer,
                 struct evhttp_request *request)
{
    if (strncmp(evhttp_request_get_uri(request), answer->path,
                strlen(answer->path)) != 0)
        return false;
    return !answer->with_cookie ||
           evhttp_find_header(evhttp_request_get_input_headers(request),
                              "Cookie") != NULL;
}

static void reply(struct evhttp_request *request, const struct answer *answer)
{
    struct evkeyvalq *fields = evhttp_request_get_output_headers(request);
    struct evbuffer *body = evbuffer_new();

    for (size_t i = 0; i < answer->field_count; i++)
        evhttp_add_header(fields, answer->fields[i].name,
                          answer->fields[i].value);
    if (answer->raw.body != NULL)
        evbuffer_add_reference(body, answer->raw.body, strlen(answer->raw.body),
                               NULL, NULL);
    evhttp_send_reply(request, answer->raw.status, "Answer", body);
    evbuffer_free(body);
}
