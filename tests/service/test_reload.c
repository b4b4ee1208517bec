/*
 * SIGHUP: the configuration file is read again, while the server serves.
 */
#include "tests/support/service_story.h"

#include "server/base/buffer.h"
#include "tests/support/sink.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static void begin(const char *more)
{
    own_service_begin(&(struct service_settings){
        .queues = "{test-pull: null, old: null}",
        .more = more,
    });
}

static char *read_config(void)
{
    struct buffer text = {NULL, 0, 0};
    FILE *file = fopen(service_config(service), "r");
    char *copy;
    int byte;

    ck_assert_ptr_nonnull(file);
    while ((byte = fgetc(file)) != EOF)
        buffer_append_char(&text, (char)byte);
    fclose(file);
    copy = arena_strdup(scratch, text.data);
    buffer_free(&text);
    return copy;
}

/* In the configuration file: the line that begins so becomes this one. */
static void change_line(const char *start, const char *line)
{
    char *text = read_config();
    char *place = strstr(text, start);
    const char *rest;
    FILE *file;

    ck_assert_msg(place != NULL, "no %s in:\n%s", start, text);
    rest = strchr(place, '\n');
    *place = '\0';
    file = fopen(service_config(service), "w");
    ck_assert_ptr_nonnull(file);
    fprintf(file, "%s%s%s", text, line, rest);
    fclose(file);
}

static void reload(void)
{
    service_signal(service, SIGHUP, "result=ok");
}

START_TEST(queues_come_and_go)
{
    begin("");
    expect_status(lms_submit(lms_header("old", NULL), "kept"), 200, NULL);
    expect_reply(get_submission("new"), 1, "\"Queue 'new' not found\"");
    change_line("XQUEUES:", "XQUEUES: {new: null, test-pull: null}");
    reload();
    expect_reply(get_submission("new"), 1, "\"Queue 'new' is empty\"");
    expect_reply(lms_submit(lms_header("new", NULL), "body"), 0, "\"1\"");
    expect_text(grader_pull("new").body, "body");
    expect_reply(lms_submit(lms_header("old", NULL), "body"), 1,
                 "\"Queue 'old' not found\"");
    expect_reply(get_queuelen("old"), 1,
                 "\"Valid queue names are: new, test-pull\"");

    /* What a queue held is still there when it comes back. */
    change_line("XQUEUES:", "XQUEUES: {old: null}");
    reload();
    expect_text(grader_pull("old").body, "kept");
    own_service_end();
}
END_TEST

START_TEST(the_level_of_the_log_follows)
{
    begin("LOCAL_LOGLEVEL: INFO\n");
    expect_status(http_get(client, "/nothing/"), 404, NULL);
    service_wait_for_log(service, "no_route req=");
    change_line("LOCAL_LOGLEVEL:", "LOCAL_LOGLEVEL: ERROR");
    reload();
    expect_status(http_get(client, "/nothing/?quiet"), 404, NULL);
    change_line("LOCAL_LOGLEVEL:", "LOCAL_LOGLEVEL: INFO");
    service_signal(service, SIGHUP, "result=ok");
    ck_assert_ptr_null(strstr(
        strstr(arena_string(scratch, service_log(service)), "reload queues="),
        "no_route req="));
    expect_status(http_get(client, "/nothing/"), 404, NULL);
    service_wait_for_log(service, "no_route req=");
    own_service_end();
}
END_TEST

static void log_in_as(struct http_client *speaker, const char *name,
                      const char *password)
{
    expect_reply(http_post_form(speaker, "/xqueue/login/",
                                HTTP_FORM({"username", name, NULL},
                                          {"password", password, NULL})),
                 0, "\"Logged in\"");
}

/* The open ones, as with Django; nobody else's. */
START_TEST(a_changed_password_ends_the_users_sessions)
{
    static const char path[] = "/xqueue/get_queuelen/?queue_name=test-pull";
    struct http_client *other;
    int status;

    begin("");
    add_user("other");
    other = http_client_new(service_port(service));
    log_in_as(other, "other", "password");
    change_line("USERS:", "USERS: {lms: changed, other: password}");
    service_signal(service, SIGHUP, "users_changed=1");
    do {
        status = http_get(client, path)->status;
        if (status == 200)
            service_wait_for_log(service, "get_queuelen req=");
    } while (status == 200);
    ck_assert_int_eq(status, 302);
    expect_reply(http_get(other, path), 0, "0");
    log_in_as(client, "lms", "changed");
    expect_reply(http_get(client, path), 0, "0");
    http_client_free(other);
    own_service_end();
}
END_TEST

START_TEST(a_wrong_file_changes_nothing_and_is_told)
{
    static const char *const wrong[] = {
        "XQUEUES: [", "XQUEUES: {new: 5}",
        "XQUEUES: {new: null}\nMAX_ATTEMPTS: many"};
    struct text line;

    begin("");
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        char *before = read_config();
        FILE *file;

        change_line("XQUEUES:", wrong[i]);
        service_signal(service, SIGHUP, "configuration text=");
        line = service_wait_for_log(service, "reload ");
        ck_assert_ptr_nonnull(strstr(arena_string(scratch, line),
                                     "result=\"the old configuration stays\""));
        expect_reply(get_queuelen("test-pull"), 0, "0");
        expect_reply(get_submission("new"), 1, "\"Queue 'new' not found\"");
        file = fopen(service_config(service), "w");
        fputs(before, file);
        fclose(file);
    }
    line = service_log(service);
    ck_assert_ptr_nonnull(strstr(arena_string(scratch, line), "MAX_ATTEMPTS"));
    reload();
    own_service_end();
}
END_TEST

START_TEST(a_file_that_is_gone_changes_nothing_either)
{
    begin("");
    ck_assert_int_eq(remove(service_config(service)), 0);
    service_signal(service, SIGHUP, "the old configuration stays");
    expect_reply(get_queuelen("test-pull"), 0, "0");
    own_service_end();
}
END_TEST

/* Submit, pull and put, to be told to `url`. */
static void answer(const char *url)
{
    struct pulled pulled;

    expect_status(lms_submit(lms_header("test-pull", url), "body"), 200, NULL);
    pulled = grader_pull("test-pull");
    expect_reply(grader_put_result(pulled.header, "right"), 0, "\"\"");
}

START_TEST(the_hosts_that_may_be_called_follow)
{
    struct sink *lms = sink_start(0);

    begin("CALLBACK_ALLOWED_HOSTS: [127.0.0.1]\n");
    answer(sink_url(lms, "/1"));
    sink_wait(lms, 1, 10000);
    change_line("CALLBACK_ALLOWED_HOSTS:",
                "CALLBACK_ALLOWED_HOSTS: [lms.example.org]");
    reload();
    answer(sink_url(lms, "/2"));
    service_wait_for_log(service, "reason=\"the host is not allowed\"");
    change_line("CALLBACK_ALLOWED_HOSTS:",
                "CALLBACK_ALLOWED_HOSTS: [127.0.0.1]");
    reload();
    expect_text(sink_wait(lms, 2, 20000).items[1].path, "/2");
    own_service_end();
    sink_stop(lms);
}
END_TEST

START_TEST(a_callback_under_way_ends_as_it_began)
{
    struct sink *lms = sink_start(0);

    begin("CALLBACK_ALLOWED_HOSTS: [127.0.0.1]\n");
    answer(sink_url(lms, "/slow/1000/x"));
    sink_wait(lms, 1, 10000);
    change_line("CALLBACK_ALLOWED_HOSTS:",
                "CALLBACK_ALLOWED_HOSTS: [lms.example.org]");
    reload();
    service_wait_for_log(service, "result=delivered");
    own_service_end();
    sink_stop(lms);
}
END_TEST

START_TEST(without_the_database_the_old_configuration_stays)
{
    begin("");
    mariadb_kill();
    change_line("XQUEUES:", "XQUEUES: {new: null}");
    service_signal(service, SIGHUP, "the old configuration stays");
    mariadb_restart();
    while (get_queuelen("test-pull")->status == 503)
        service_wait_for_log(service, "get_queuelen req=");
    expect_reply(get_queuelen("test-pull"), 0, "0");
    reload();
    expect_reply(get_queuelen("new"), 0, "0");
    own_service_end();
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(queues_come_and_go),
        TELL(the_level_of_the_log_follows),
        TELL(a_changed_password_ends_the_users_sessions),
        TELL(a_wrong_file_changes_nothing_and_is_told),
        TELL(a_file_that_is_gone_changes_nothing_either),
        TELL(the_hosts_that_may_be_called_follow),
        TELL(a_callback_under_way_ends_as_it_began),
        TELL(without_the_database_the_old_configuration_stays),
    };
    static const struct story story = {
        .name = "reload",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_all = mariadb_start_own,
        .after_all = mariadb_stop,
        .timeout_s = 120,
    };

    return story_run(&story);
}
