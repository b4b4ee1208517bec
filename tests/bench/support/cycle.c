/*
 * Whole cycles as a load: all clients on the one loop of http_load. The last
 * client sends nothing; it stays until the LMS has been told everything.
 *
 * Every write transaction of the server leaves a row in xqueue_commit: that is
 * how commits are counted.
 */
#include "tests/bench/support/cycle.h"

#include "server/base/clock.h"
#include "tests/bench/support/report.h"
#include "tests/support/mariadb.h"

#include <stdlib.h>

enum { STALL_MS = 20000 };

/* Of a poller. */
enum step { STEP_PULL, STEP_RESULT, STEP_EMPTY };

struct cycle {
    const struct cycle_settings *settings;
    int64_t first; /* number */
    int64_t until_us;
    int64_t submitted; /* asked for, answered with success, and results: */
    int64_t taken;
    int64_t results;
    int64_t callbacks_before;
    int64_t called_back;
    int64_t moved_ms; /* when that moved last */
};

static enum http_load_go next(struct http_load_client *client,
                              struct buffer *request, void *context);
static enum http_load_go next_submit(struct cycle *cycle,
                                     struct buffer *request);
static enum http_load_go next_poll(struct cycle *cycle,
                                   struct http_load_client *client,
                                   struct buffer *request);
static enum http_load_go watch(struct cycle *cycle);
static bool submits_end(const struct cycle *cycle);
static bool answered(struct http_load_client *client,
                     const struct http_load_reply *reply, void *context);
static bool take_poll(struct cycle *cycle, struct http_load_client *client,
                      const struct http_load_reply *reply);
static int64_t commits(void);
static void verify(const struct cycle *cycle,
                   const struct http_load_result *load);
static void expect_rows(const char *what, int64_t expected, const char *sql);

struct cycle_result cycle_run(const struct cycle_settings *settings)
{
    int64_t begin_us = clock_monotonic_us();
    int64_t commits_before = commits();
    struct cycle cycle = {
        .settings = settings,
        .first = *settings->next_number,
        .until_us = begin_us + (int64_t)(settings->seconds * 1e6),
        .callbacks_before = fast_lms_callbacks(settings->lms),
        .moved_ms = clock_monotonic_ms(),
    };
    struct http_load_result load = http_load_run(&(struct http_load_settings){
        .port = settings->port,
        .clients = settings->submitters + settings->pollers + 1,
        .next = next,
        .answered = answered,
        .context = &cycle,
    });
    double seconds = (double)(clock_monotonic_us() - begin_us) / 1e6;
    struct cycle_result result = {
        .cycles = cycle.called_back,
        .per_second = (double)cycle.called_back / seconds,
    };

    *settings->next_number += cycle.submitted;
    verify(&cycle, &load);
    result.commits =
        (double)(commits() - commits_before) / (double)cycle.called_back;
    return result;
}

static enum http_load_go next(struct http_load_client *client,
                              struct buffer *request, void *context)
{
    struct cycle *cycle = context;
    const struct cycle_settings *settings = cycle->settings;

    if (client->number < settings->submitters)
        return next_submit(cycle, request);
    if (client->number < settings->submitters + settings->pollers)
        return next_poll(cycle, client, request);
    return watch(cycle);
}

static enum http_load_go next_submit(struct cycle *cycle,
                                     struct buffer *request)
{
    if (submits_end(cycle))
        return HTTP_LOAD_END;
    if (cycle->submitted - cycle->called_back >= cycle->settings->most_open)
        return HTTP_LOAD_REST;
    cycle_write_submit(cycle->settings->words, request,
                       cycle->first + cycle->submitted++);
    return HTTP_LOAD_GO;
}

static enum http_load_go next_poll(struct cycle *cycle,
                                   struct http_load_client *client,
                                   struct buffer *request)
{
    if (client->step == STEP_RESULT) {
        cycle_write_result(cycle->settings->words, request, client->text);
        return HTTP_LOAD_GO;
    }
    if (submits_end(cycle) && cycle->results >= cycle->submitted)
        return HTTP_LOAD_END;
    if (client->step == STEP_EMPTY) {
        client->step = STEP_PULL;
        return HTTP_LOAD_REST;
    }
    cycle_write_pull(cycle->settings->words, request);
    return HTTP_LOAD_GO;
}

static enum http_load_go watch(struct cycle *cycle)
{
    int64_t called_back =
        fast_lms_callbacks(cycle->settings->lms) - cycle->callbacks_before;

    if (called_back != cycle->called_back)
        cycle->moved_ms = clock_monotonic_ms();
    cycle->called_back = called_back;
    if (clock_monotonic_ms() - cycle->moved_ms > STALL_MS ||
        (submits_end(cycle) && called_back >= cycle->submitted))
        return HTTP_LOAD_END;
    return HTTP_LOAD_REST;
}

static bool submits_end(const struct cycle *cycle)
{
    return clock_monotonic_us() >= cycle->until_us;
}

static bool answered(struct http_load_client *client,
                     const struct http_load_reply *reply, void *context)
{
    struct cycle *cycle = context;
    bool is_good = cycle_is_good(reply);

    if (client->number >= cycle->settings->submitters)
        return take_poll(cycle, client, reply);
    cycle->taken += is_good;
    return is_good;
}

/* An empty queue is a right answer, too. */
static bool take_poll(struct cycle *cycle, struct http_load_client *client,
                      const struct http_load_reply *reply)
{
    bool is_good = cycle_is_good(reply);

    if (client->step == STEP_RESULT) {
        cycle->results += is_good;
        client->step = STEP_PULL;
        return is_good;
    }
    client->step = STEP_EMPTY;
    if (!is_good)
        return reply->status == 200;
    if (!cycle_read_pulled(reply->body, client->text, sizeof client->text))
        return false;
    client->step = STEP_RESULT;
    return true;
}

static int64_t commits(void)
{
    return strtoll(mariadb_value("SELECT COUNT(*) FROM xqueue_commit"), NULL,
                   10);
}

/* The LMS has an answer out before the server has recorded it: wait for it. */
static void verify(const struct cycle *cycle,
                   const struct http_load_result *load)
{
    const struct fast_lms *lms = cycle->settings->lms;
    int64_t told = cycle->first + cycle->submitted;

    report_check(load->failed == 0, "%lld requests failed",
                 (long long)load->failed);
    report_check(cycle->taken == cycle->submitted,
                 "%lld of %lld submissions were taken", (long long)cycle->taken,
                 (long long)cycle->submitted);
    report_check(fast_lms_callbacks(lms) == told &&
                     fast_lms_distinct(lms) == told &&
                     fast_lms_strange(lms) == 0,
                 "of %lld submissions the LMS was told %lld times, of %lld",
                 (long long)told, (long long)fast_lms_callbacks(lms),
                 (long long)fast_lms_distinct(lms));
    mariadb_wait_for_value("0", "SELECT COUNT(*) FROM xqueue_live");
    expect_rows("callbacks left", 0, "SELECT COUNT(*) FROM xqueue_outbox");
    expect_rows("submissions waiting", 0, "SELECT COUNT(*) FROM xqueue_ready");
    expect_rows("submissions that are done", told,
                "SELECT COUNT(*) FROM queue_submission WHERE retired = 1 AND"
                " lms_ack = 1 AND num_failures = 0 AND grader_reply <> ''");
    expect_rows("submissions", told, "SELECT COUNT(*) FROM queue_submission");
}

static void expect_rows(const char *what, int64_t expected, const char *sql)
{
    int64_t found = strtoll(mariadb_value("%s", sql), NULL, 10);

    report_check(found == expected, "%s: %lld rows and not %lld", what,
                 (long long)found, (long long)expected);
}
