/*
 * Submissions with a session, 1 KB each, by clients that keep their
 * connections. The baseline inserts the same rows over as many connections to
 * the database as the server has.
 */
#include "tests/bench/support/bench.h"
#include "tests/bench/support/http_load.h"
#include "tests/bench/support/raw_steps.h"
#include "tests/bench/support/requests.h"
#include "tests/support/service_story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECTIONS = 8, BODY_BYTES = 1024, MANY_ROWS = 256 };

struct load {
    const struct db_settings *database;
    size_t clients;
    size_t rows; /* of the baseline, in a transaction */
    char cookie[64];
    char body[BODY_BYTES];
    int64_t number; /* of the next submission */
    int64_t acknowledged;
};

static const size_t clients[] = {1, 8, 32, 256};
static const double targets[] = {0, 0, 0.6, 1}; /* 0: none */

static enum http_load_go next(struct http_load_client *speaker,
                              struct buffer *request, void *context)
{
    struct load *load = context;

    (void)speaker;
    write_submit(request, load->cookie,
                 &(struct submission){
                     .queue = "q",
                     .origin = "http://127.0.0.1:1",
                     .number = load->number++,
                     .body = {load->body, sizeof load->body},
                 });
    return HTTP_LOAD_GO;
}

static bool answered(struct http_load_client *speaker,
                     const struct http_load_reply *reply, void *context)
{
    struct load *load = context;
    bool is_taken = reply->status == 200 &&
                    text_starts_with(reply->body, "{\"return_code\": 0,");

    (void)speaker;
    load->acknowledged += is_taken;
    return is_taken;
}

static double ours(void *context)
{
    struct load *load = context;
    struct http_load_result result = http_load_run(&(struct http_load_settings){
        .port = service_port(service),
        .clients = load->clients,
        .seconds = bench_seconds(),
        .next = next,
        .answered = answered,
        .context = load,
    });

    report_check(result.failed == 0, "%lld submissions failed",
                 (long long)result.failed);
    return (double)result.answered / result.seconds;
}

static double raw(void *context)
{
    const struct load *load = context;

    return raw_steps_run(&(struct raw_steps_settings){
        .database = load->database,
        .step = RAW_SUBMIT,
        .connections = CONNECTIONS,
        .rows = load->rows,
        .body_bytes = BODY_BYTES,
        .seconds = bench_seconds(),
    });
}

/* Each acknowledged submission is there, once. */
static void verify(const struct load *load)
{
    long long rows = strtoll(
        mariadb_value("SELECT COUNT(*) FROM queue_submission"), NULL, 10);
    long long callbacks =
        strtoll(mariadb_value("SELECT COUNT(DISTINCT lms_callback_url)"
                              " FROM queue_submission WHERE retired = 0 AND"
                              " LENGTH(xqueue_body) = %d",
                              BODY_BYTES),
                NULL, 10);

    report_check(rows == load->acknowledged,
                 "%lld rows of %lld acknowledged submissions", rows,
                 (long long)load->acknowledged);
    report_check(callbacks == rows, "%lld of %lld rows are as they were sent",
                 callbacks, rows);
}

static void measure(struct load *load, struct target target)
{
    struct series submits = {.count = 0};
    struct series rows = {.count = 0};
    const char *name = arena_printf(scratch, "%zu client%s", load->clients,
                                    load->clients == 1 ? "" : "s");

    report_progress("%s", name);
    load->rows = 1;
    bench_rounds(ours, raw, load, &submits, &rows);
    report_ratio(name, "/s", &submits, &rows, "R1, 8 connections", target);
    report_point("submit", "clients", (double)load->clients, "/s", &submits);
    verify(load);
}

static void measure_many_rows(struct load *load)
{
    struct series submits = {.count = 0};
    struct series rows = {.count = 0};

    report_progress("beside 256 rows in a transaction");
    load->rows = MANY_ROWS;
    bench_rounds(ours, raw, load, &submits, &rows);
    report_ratio("256 clients", "/s", &submits, &rows, "R2, 8 connections",
                 NO_TARGET);
    verify(load);
}

static void run(void)
{
    struct load load = {.database = mariadb_database()};

    own_service_begin(&(struct service_settings){
        .database = load.database,
        .queues = "{q: null}",
        .more = "DB_CONNECTIONS: 8\n",
    });
    snprintf(load.cookie, sizeof load.cookie, "%s",
             http_cookie(client, "sessionid"));
    memset(load.body, 'x', sizeof load.body);
    for (size_t i = 0; i < ARRAY_LENGTH(clients); i++) {
        load.clients = clients[i];
        measure(&load, targets[i] > 0 ? AT_LEAST(targets[i]) : NO_TARGET);
    }
    measure_many_rows(&load);
    own_service_end();
}

BENCH("submit", "submissions with a session, 1 KB", run)
