/*
 * How long clients have to wait while others are busy: R17, R18. The user's
 * password is hashed as the Django server hashes it now, with a million
 * iterations.
 */
#include "tests/support/load.h"
#include "tests/support/service_story.h"

#include <string.h>

/*
 * An xqueue-watcher waits a second, the LMS ten. The machine of a test may be
 * slow and shared: what is shown here is that nobody waits for others' work.
 */
enum {
    GRADER_PATIENCE_MS = 8000,
    LMS_PATIENCE_MS = 20000,
    VISITS = 10,
    SUBMITTERS = 8,
    POLLERS = 8
};

static struct history *history;
static struct sink *lms;
static struct load *load;
static uint16_t port; /* the load looks at it to the end */

/* A course or two, whose learners submit without a pause. */
static void begin_load(void)
{
    service = service_start(&(struct service_settings){
        .queues = "{test-pull: null, other: null}",
        .more = "SUBMISSION_PROCESSING_DELAY: 10\nLOCAL_LOGLEVEL: DEBUG\n",
    });
    (void)service_wait_for_log(service, "warm_up user=lms result=verified");
    scratch = arena_new();
    client = http_client_new(service_port(service));
    history = history_new("test-pull");
    lms = sink_start(0);
    log_in(client);
    port = service_port(service);
    load = load_start(&(struct load_settings){
        .history = history,
        .cookie = http_cookie(client, "sessionid"),
        .origin = sink_url(lms, ""),
        .ports = &port,
        .port_count = 1,
        .submitters = SUBMITTERS,
        .pollers = POLLERS,
    });
    load_wait_for_submits(load, 50);
}

static void end_load(void)
{
    load_end_submits(load);
    load_wait_for_results(load,
                          history_count(history, EVENT_SUBMIT, OUTCOME_OK));
    load_end(load);
    history_free(history);
    http_client_free(client);
    service_stop(service);
    sink_stop(lms);
    arena_free(scratch);
}

/* As somebody who has just started, and waits so long for each reply. */
static void begin_visit(int patience_ms)
{
    http_client_free(client);
    client = http_client_new(service_port(service));
    http_client_set_timeout_ms(client, patience_ms);
}

START_TEST(a_grader_with_little_patience_is_served_under_load)
{
    begin_load();
    for (int i = 0; i < VISITS; i++) {
        struct pulled pulled;

        begin_visit(GRADER_PATIENCE_MS);
        log_in(client);
        expect_reply(get_submission("other"), 1, "\"Queue 'other' is empty\"");
        expect_reply(lms_submit(lms_header("other", NULL), "b"), 0, "\"1\"");
        pulled = grader_pull("other");
        expect_reply(grader_put_result(pulled.header, "right"), 0, "\"\"");
    }
    end_load();
}
END_TEST

START_TEST(an_lms_is_served_under_load)
{
    begin_load();
    for (int i = 0; i < VISITS; i++) {
        const char *header = lms_header("other", NULL);

        begin_visit(LMS_PATIENCE_MS);
        expect_status(lms_submit(header, "b"), 302, "");
        expect_reply(http_get(client, "/xqueue/login/?next=/xqueue/submit/"), 1,
                     "\"login_required\"");
        log_in(client);
        expect_reply(lms_submit(header, "b"), 0,
                     arena_printf(scratch, "\"%d\"", i + 1));
    }
    end_load();
}
END_TEST

/* Each of these passwords costs a hash of half a second. */
START_TEST(who_has_been_here_does_not_wait_for_those_who_guess)
{
    enum { GUESSERS = 6 };
    struct http_client *guessers[GUESSERS];
    int waiting = 0;

    begin_load();
    for (int i = 0; i < GUESSERS; i++) {
        const char *body =
            arena_printf(scratch, "username=nobody%d&password=guess", i);

        guessers[i] = http_client_new(service_port(service));
        ck_assert(http_send_bytes(
            guessers[i],
            text_of(arena_printf(
                scratch,
                "POST /xqueue/login/ HTTP/1.1\r\nHost: x\r\n"
                "Content-Type: application/x-www-form-urlencoded\r\n"
                "Content-Length: %zu\r\n\r\n%s",
                strlen(body), body))));
    }
    begin_visit(GRADER_PATIENCE_MS);
    log_in(client);
    expect_reply(get_submission("other"), 1, "\"Queue 'other' is empty\"");
    for (int i = 0; i < GUESSERS; i++) {
        waiting += !http_has_input(guessers[i]);
        http_client_free(guessers[i]);
    }
    ck_assert_int_ge(waiting, 1);
    end_load();
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(a_grader_with_little_patience_is_served_under_load),
        TELL(an_lms_is_served_under_load),
        TELL(who_has_been_here_does_not_wait_for_those_who_guess),
    };
    static const struct story story = {
        .name = "answer times",
        .tests = tests,
        .count = ARRAY_LENGTH(tests),
        .before_all = mariadb_start,
        .after_all = mariadb_stop,
        .before_each = db_library_start,
        .after_each = db_library_stop,
        .timeout_s = 120,
    };

    return story_run(&story);
}
