/*
 * What an LMS does for each submission of a learner: it opens a connection,
 * submits, is sent to the login, is told to log in, logs in, and submits
 * again. It keeps no session between two submissions.
 *
 * The baseline is a bare evhttp that gives the same four answers to the same
 * four requests on connections of their own.
 */
#include "tests/bench/support/bench.h"
#include "tests/bench/support/cost.h"
#include "tests/bench/support/http_load.h"
#include "tests/bench/support/raw_http.h"
#include "tests/bench/support/requests.h"
#include "tests/support/http_write.h"
#include "tests/support/service_story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CLIENTS = 64, BODY_BYTES = 1024, REQUESTS = 4 };

#define SUBMIT "/xqueue/submit/"
#define LOGIN  "/xqueue/login/"
#define NEXT   "/xqueue/login/?next=/xqueue/submit/"
#define USER   "username=learner&password=a-password"

enum step { SUBMIT_UNKNOWN, ASK_FOR_LOGIN, LOG_IN, SUBMIT_KNOWN };

struct load {
    uint16_t port;
    pid_t pid;
    size_t clients;
    char body[BODY_BYTES];
    int64_t number; /* of the next submission */
    int64_t numbers[MOST_CLIENTS];
    int64_t acknowledged;
    struct series cpu_ms; /* of an exchange, in each round */
    struct series p99_ms; /* of a request */
};

struct both {
    struct load ours;
    struct load raw;
};

static const size_t clients[] = {1, 8, MOST_CLIENTS};
static const double targets[] = {0, 0, 0.4}; /* 0: none */

static void write_submission(struct buffer *request, const char *cookie,
                             const struct load *load, size_t speaker)
{
    write_submit(request, cookie,
                 &(struct submission){
                     .queue = "q",
                     .origin = "http://127.0.0.1:1",
                     .number = load->numbers[speaker],
                     .body = {load->body, sizeof load->body},
                 });
}

static enum http_load_go next(struct http_load_client *speaker,
                              struct buffer *request, void *context)
{
    struct load *load = context;

    switch ((enum step)speaker->step) {
    case SUBMIT_UNKNOWN:
        load->numbers[speaker->number] = load->number++;
        write_submission(request, NULL, load, speaker->number);
        return HTTP_LOAD_GO_FRESH;
    case ASK_FOR_LOGIN:
        write_get(request, NEXT, NULL);
        return HTTP_LOAD_GO;
    case LOG_IN:
        write_post(request, LOGIN, NULL, text_of(USER));
        return HTTP_LOAD_GO;
    case SUBMIT_KNOWN:
        write_submission(request, speaker->cookie, load, speaker->number);
        return HTTP_LOAD_GO;
    }
    return HTTP_LOAD_END;
}

static bool take_cookie(struct http_load_client *speaker, struct text head)
{
    static const char name[] = "sessionid=";
    struct text cookie = http_field_of(head, "Set-Cookie");
    const char *end;

    if (!text_starts_with(cookie, name))
        return false;
    end = memchr(cookie.data, ';', cookie.size);
    if (end == NULL)
        return false;
    snprintf(speaker->cookie, sizeof speaker->cookie, "%.*s",
             (int)(end - cookie.data - (long)strlen(name)),
             cookie.data + strlen(name));
    return true;
}

static bool is_right(struct http_load_client *speaker,
                     const struct http_load_reply *reply)
{
    switch ((enum step)speaker->step) {
    case SUBMIT_UNKNOWN:
        return reply->status == 302 &&
               text_equal_string(http_field_of(reply->head, "Location"), NEXT);
    case ASK_FOR_LOGIN:
        return reply->status == 200 &&
               strstr(reply->body.data, "\"login_required\"") != NULL;
    case LOG_IN:
        return reply->status == 200 &&
               strstr(reply->body.data, "\"Logged in\"") != NULL &&
               take_cookie(speaker, reply->head);
    case SUBMIT_KNOWN:
        return reply->status == 200 &&
               text_starts_with(reply->body, "{\"return_code\": 0,");
    }
    return false;
}

static bool answered(struct http_load_client *speaker,
                     const struct http_load_reply *reply, void *context)
{
    struct load *load = context;

    if (!is_right(speaker, reply)) {
        speaker->step = SUBMIT_UNKNOWN;
        return false;
    }
    load->acknowledged += speaker->step == SUBMIT_KNOWN;
    speaker->step = (speaker->step + 1) % REQUESTS;
    return true;
}

/* Exchanges a second. */
static double run_load(struct load *load)
{
    double cpu_before = process_cpu_seconds(load->pid);
    struct http_load_result result = http_load_run(&(struct http_load_settings){
        .port = load->port,
        .clients = load->clients,
        .seconds = bench_seconds(),
        .next = next,
        .answered = answered,
        .context = load,
    });
    double exchanges = (double)result.answered / REQUESTS;
    double cpu_seconds = process_cpu_seconds(load->pid) - cpu_before;

    report_check(result.failed == 0, "%lld requests failed",
                 (long long)result.failed);
    series_add(&load->cpu_ms, cpu_seconds * 1e3 / exchanges);
    series_add(&load->p99_ms, result.p99_ms);
    return exchanges / result.seconds;
}

static double ours(void *context)
{
    struct both *both = context;

    return run_load(&both->ours);
}

static double raw(void *context)
{
    struct both *both = context;

    return run_load(&both->raw);
}

/* Each acknowledged submission is there, once. */
static void verify(const struct load *load)
{
    report_check(strtoll(mariadb_value("SELECT COUNT(*) FROM queue_submission"),
                         NULL, 10) == load->acknowledged,
                 "%s rows of %lld acknowledged submissions",
                 mariadb_value("SELECT COUNT(*) FROM queue_submission"),
                 (long long)load->acknowledged);
    report_check(strtoll(mariadb_value("SELECT COUNT(DISTINCT lms_callback_url)"
                                       " FROM queue_submission"
                                       " WHERE retired = 0"),
                         NULL, 10) == load->acknowledged,
                 "a submission is there twice, or is not open");
}

static void measure(struct both *both, size_t count, double target)
{
    struct series exchanges = {.count = 0};
    struct series baseline = {.count = 0};
    const char *name =
        arena_printf(scratch, "%zu client%s", count, count == 1 ? "" : "s");

    report_progress("%s", name);
    both->ours.clients = both->raw.clients = count;
    both->ours.cpu_ms.count = both->raw.cpu_ms.count = 0;
    both->ours.p99_ms.count = both->raw.p99_ms.count = 0;
    bench_rounds(ours, raw, both, &exchanges, &baseline);
    report_ratio(name, "/s", &exchanges, &baseline, "R4, 4 requests",
                 target > 0 ? AT_LEAST(target) : NO_TARGET);
    report_point("exchange", "clients", (double)count, "/s", &exchanges);
    verify(&both->ours);
}

/* The four answers of the real server. */
static struct raw_http *start_raw(uint16_t port)
{
    struct http_client *speaker = http_client_new(port);
    const struct http_form form =
        HTTP_FORM({"xqueue_header", lms_header("q", NULL), NULL},
                  {"xqueue_body", "body", NULL});
    struct raw_answer answers[REQUESTS];
    struct raw_http *raw_http;

    answers[3] =
        raw_answer_like(scratch, http_post_form(speaker, SUBMIT, form), SUBMIT);
    answers[0] = raw_answer_like(scratch, http_get(speaker, NEXT), NEXT);
    answers[1] = raw_answer_like(
        scratch,
        http_post_form(speaker, LOGIN,
                       HTTP_FORM({"username", "learner", NULL},
                                 {"password", "a-password", NULL})),
        LOGIN);
    answers[2] =
        raw_answer_like(scratch, http_post_form(speaker, SUBMIT, form), SUBMIT);
    answers[2].with_cookie = true;
    raw_http = raw_http_start(answers, REQUESTS);
    http_client_free(speaker);
    return raw_http;
}

static void run(void)
{
    struct both *both;
    struct raw_http *raw_http;

    own_service_begin(&(struct service_settings){
        .queues = "{q: null}",
        .users = "{learner: a-password}",
    });
    /* A password hash as costly as those in use. */
    ck_assert_int_eq(service_command(service, NULL, "update_users", NULL), 0);
    both = arena_zalloc(scratch, sizeof *both);
    raw_http = start_raw(service_port(service));
    memset(both->ours.body, 'x', sizeof both->ours.body);
    both->ours.port = service_port(service);
    both->ours.pid = service_pid(service);
    both->ours.number = both->ours.acknowledged = 1; /* start_raw() */
    both->raw = both->ours;
    both->raw.port = raw_http_port(raw_http);
    both->raw.pid = raw_http_pid(raw_http);
    for (size_t i = 0; i < ARRAY_LENGTH(clients); i++)
        measure(both, clients[i], targets[i]);
    report_ratio("CPU of an exchange", "ms", &both->ours.cpu_ms,
                 &both->raw.cpu_ms, "R4, 4 requests", NO_TARGET);
    report_value("slowest of 100 requests", "ms", &both->ours.p99_ms,
                 NO_TARGET);
    raw_http_stop(raw_http);
    own_service_end();
}

BENCH("exchange", "an LMS's four requests for a submission, 1 KB", run)
