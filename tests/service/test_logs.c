/*
 * The log: one line for each request, nothing of what students, graders and
 * users have said.
 */
#include "server/base/json.h"
#include "tests/support/program.h"
#include "tests/support/service_story.h"
#include "tests/support/sink.h"

#include <regex.h>
#include <signal.h>
#include <string.h>

#define CANARY "Kanarienvogel"
#define TIME                                                                   \
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}Z "

static const struct service_settings settings = {
    .queues = "{test-pull: null, 'a b=é': null}",
    .more = "LOCAL_LOGLEVEL: DEBUG",
};

/* The last line that holds these words. */
static const char *newest_line(struct service *of, const char *words)
{
    const char *log = arena_string(scratch, service_log(of));
    const char *found = NULL;

    for (const char *line = log; *line != '\0';
         line += strcspn(line, "\n"), line += *line == '\n') {
        const char *copy =
            arena_printf(scratch, "%.*s", (int)strcspn(line, "\n"), line);

        if (strstr(copy, words) != NULL)
            found = copy;
    }
    ck_assert_msg(found != NULL, "no %s in:\n%s", words, log);
    return found;
}

static void expect_line(const char *line, const char *pattern)
{
    regex_t compiled;

    ck_assert_int_eq(regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB), 0);
    ck_assert_msg(regexec(&compiled, line, 0, NULL, 0) == 0, "%s\nis not %s",
                  line, pattern);
    regfree(&compiled);
}

static int count_lines(void)
{
    struct text log = service_log(service);
    int count = 0;

    for (size_t i = 0; i < log.size; i++)
        count += log.data[i] == '\n';
    return count;
}

START_TEST(a_line_tells_of_each_request)
{
    struct pulled pulled;
    const char *id;

    log_in(client);
    expect_line(newest_line(service, " login "),
                TIME "info login req=[0-9]+ method=POST user=lms status=200"
                     " ms=[0-9]+ result=ok$");
    expect_status(lms_submit(lms_header("test-pull", NULL), "b"), 200, NULL);
    pulled = grader_pull("test-pull");
    id = arena_printf(scratch, "%lld", (long long)pulled.id);
    expect_line(newest_line(service, " submit "),
                arena_printf(scratch,
                             TIME "info submit req=[0-9]+ method=POST"
                                  " queue=test-pull submission=%s user=lms"
                                  " status=200 ms=[0-9]+ result=ok$",
                             id));
    expect_line(newest_line(service, " get_submission "),
                arena_printf(scratch,
                             TIME "info get_submission req=[0-9]+ method=GET"
                                  " queue=test-pull submission=%s user=lms"
                                  " status=200 ms=[0-9]+ result=ok$",
                             id));
    expect_reply(grader_put_result(pulled.header, "right"), 0, "\"\"");
    expect_line(newest_line(service, " put_result "),
                arena_printf(scratch,
                             TIME "info put_result req=[0-9]+ method=POST"
                                  " submission=%s user=lms status=200"
                                  " ms=[0-9]+ result=ok$",
                             id));
}
END_TEST

START_TEST(a_line_tells_of_each_refusal)
{
    expect_status(http_get(client, "/nothing/"), 404, NULL);
    expect_line(newest_line(service, " no_route "),
                TIME "info no_route req=[0-9]+ method=GET status=404"
                     " ms=[0-9]+ result=\"Not found\"$");
    expect_status(get_queuelen("test-pull"), 302, NULL);
    expect_line(newest_line(service, " get_queuelen "),
                TIME "info get_queuelen req=[0-9]+ method=GET status=302"
                     " ms=[0-9]+ result=redirect$");
    log_in(client);
    expect_status(get_submission("test-pull"), 200, NULL);
    expect_line(newest_line(service, " get_submission "),
                "queue=test-pull user=lms status=200 ms=[0-9]+"
                " result=\"Queue 'test-pull' is empty\"$");
}
END_TEST

START_TEST(a_health_check_is_no_news)
{
    expect_reply(http_get(client, "/xqueue/status/"), 0, "\"OK\"");
    expect_line(newest_line(service, " status "),
                TIME "debug status req=[0-9]+ method=GET status=200"
                     " ms=[0-9]+ result=ok$");
    expect_status(http_get(client, "/xqueue/status"), 301, NULL);
    ck_assert_ptr_nonnull(strstr(newest_line(service, "status=301"), " info "));
}
END_TEST

START_TEST(a_request_has_one_line_and_a_number_of_its_own)
{
    int before = count_lines();

    for (int i = 0; i < 10; i++)
        expect_reply(http_get(client, "/xqueue/status/"), 0, "\"OK\"");
    ck_assert_int_ge(count_lines() - before, 10);
    ck_assert_int_le(count_lines() - before, 13); /* and what went on */
}
END_TEST

START_TEST(no_peer_can_write_a_line_of_its_own)
{
    log_in(client);
    expect_status(http_get(client, "/xqueue/get_submission/?queue_name="
                                   "x%0A2026-01-01T00:00:00.000Z%20error%20"
                                   "forged%1B%5B31m%00%22%5C%E2%80%AE"),
                  200, NULL);
    expect_line(newest_line(service, "forged"),
                "queue=\"x\\\\n2026-01-01T00:00:00.000Z error forged"
                "\\\\u001b\\[31m\\\\u0000\\\\\"\\\\\\\\.*\" user=lms");
}
END_TEST

START_TEST(a_value_with_blanks_is_quoted)
{
    log_in(client);
    expect_reply(get_queuelen("a b=é"), 0, "0");
    expect_line(newest_line(service, " get_queuelen "), " queue=\"a b=.*\" ");
}
END_TEST

START_TEST(a_name_without_end_is_cut)
{
    log_in(client);
    expect_status(
        lms_submit(lms_header(arena_printf(scratch, "%0*d", 10000, 0), NULL),
                   "b"),
        200, NULL);
    ck_assert_uint_lt(strlen(newest_line(service, " submit ")), 600);
}
END_TEST

static void expect_no_canary(struct service *of)
{
    const char *log = arena_string(scratch, service_log(of));

    ck_assert_msg(strstr(log, CANARY) == NULL, "%s", log);
}

/* At the level DEBUG, along every way that a secret can take. */
START_TEST(nothing_that_was_said_is_in_the_log)
{
    struct sink *lms = sink_start(0);
    struct pulled pulled;
    const char *header = arena_printf(
        scratch,
        "{\"lms_callback_url\": \"%s\", \"lms_key\": \"" CANARY "\","
        " \"queue_name\": \"test-pull\", \"" CANARY "\": \"" CANARY "\"}",
        sink_url(lms, "/status/500/" CANARY "?key=" CANARY));

    http_set_cookie(client, CANARY, CANARY);
    http_set_cookie(client, "sessionid", CANARY);
    expect_status(http_get(client, "/xqueue/submit/?" CANARY), 302, NULL);
    expect_status(http_get(client, "/" CANARY), 404, NULL);
    expect_status(http_post_form(client, "/xqueue/login/",
                                 HTTP_FORM({"username", CANARY, NULL},
                                           {"password", CANARY, NULL})),
                  200, NULL);
    log_in(client);
    expect_status(lms_submit(header, CANARY), 200, NULL);
    expect_status(lms_submit("{\"" CANARY "\": " CANARY, CANARY), 200, NULL);
    pulled = grader_pull("test-pull");
    expect_status(grader_put_result(pulled.header, CANARY), 200, NULL);
    expect_status(grader_put_result(CANARY, CANARY), 200, NULL);
    expect_status(
        grader_put_result("{\"submission_id\": 1, \"submission_key\": \"" CANARY
                          "\"}",
                          CANARY),
        200, NULL);
    expect_status(
        http_send(client,
                  &(struct http_message){
                      .method = "GET",
                      .path = "/xqueue/get_queuelen/?" CANARY "=" CANARY,
                      .fields = "Authorization: Basic " CANARY "\r\n"
                                "User-Agent: " CANARY "\r\n"
                                "Referer: " CANARY "\r\n"}),
        200, NULL);
    (void)sink_wait(lms, 2, 20000);
    (void)newest_line(service, " callback ");
    expect_no_canary(service);
    ck_assert_ptr_null(strstr(newest_line(service, " callback "), pulled.key));
    ck_assert_ptr_null(strstr(arena_string(scratch, service_log(service)),
                              http_cookie(client, "sessionid")));
    sink_stop(lms);
}
END_TEST

START_TEST(a_mistake_in_the_configuration_tells_no_password)
{
    service_set_more(service, "LOCAL_LOGLEVEL: DEBUG\n"
                              "DB_PASSWORD: [" CANARY "]\n"
                              "REQUESTS_BASIC_AUTH: " CANARY "\n");
    service_signal(service, SIGHUP, "the old configuration stays");
    service_set_more(service, settings.more);
    expect_no_canary(service);
}
END_TEST

START_TEST(a_log_in_json_has_an_object_on_each_line)
{
    struct service *second = service_new(&(struct service_settings){
        .database = story_database(), .more = "LOG_FORMAT: json"});
    struct program *program;
    size_t position = 0;
    struct text line;
    const struct json_value *object;

    program = program_start(
        (const char *const[]){BINARY_DIR "/xqueue", "serve", "--listen",
                              "127.0.0.1:0", NULL},
        (const char *const[]){
            arena_printf(scratch, "XQUEUE_CFG=%s", service_config(second)),
            NULL});
    line = program_wait_for_line(program, scratch, "\"listening\"", &position,
                                 60000);
    ck_assert_msg(json_parse_object(scratch, line, &object), "%.*s",
                  TEXT_ARGUMENTS(line));
    expect_text(json_text(json_get(object, "event")), "listening");
    expect_text(json_text(json_get(object, "level")), "info");
    expect_text(json_text(json_get(object, "address")), "127.0.0.1");
    ck_assert_int_eq(json_kind(json_get(object, "port")), JSON_INTEGER);
    program_signal(program, SIGTERM);
    ck_assert_int_eq(program_wait_for_exit(program, 60000), 0);
    program_free(program);
    service_stop(second);
}
END_TEST

START_TEST(below_the_level_nothing_is_written)
{
    struct text output;

    ck_assert_int_eq(service_command(service, &output, "serve", "--listen",
                                     arena_printf(scratch, "127.0.0.1:%u",
                                                  service_port(service)),
                                     "--set", "LOCAL_LOGLEVEL=ERROR", NULL),
                     1);
    output.size = strcspn(arena_string(scratch, output), "\n");
    expect_line(arena_string(scratch, output),
                TIME "error start address=127.0.0.1:[0-9]+"
                     " reason=\"[^\n]*in use\"$");
}
END_TEST

SERVICE_STORY("logs", &settings, TELL(a_line_tells_of_each_request),
              TELL(a_line_tells_of_each_refusal),
              TELL(a_health_check_is_no_news),
              TELL(a_request_has_one_line_and_a_number_of_its_own),
              TELL(no_peer_can_write_a_line_of_its_own),
              TELL(a_value_with_blanks_is_quoted),
              TELL(a_name_without_end_is_cut),
              TELL(nothing_that_was_said_is_in_the_log),
              TELL(a_mistake_in_the_configuration_tells_no_password),
              TELL(a_log_in_json_has_an_object_on_each_line),
              TELL(below_the_level_nothing_is_written))
