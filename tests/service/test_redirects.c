/*
 * Who is sent where, and what is refused: R1, R3, R30, R31, R32, R37, R59,
 * R60, and the media type of all of it, R24.
 */
#include "tests/support/service_story.h"

#include <string.h>

static const struct service_settings settings = {
    .queues = "{test-pull: null, old: null}",
};

static const char *const needing_login[] = {
    "/xqueue/submit/", "/xqueue/get_queuelen/", "/xqueue/get_submission/",
    "/xqueue/put_result/"};

static const char *const all_paths[] = {
    "/xqueue/status/",     "/xqueue/login/",        "/xqueue/logout/",
    "/xqueue/submit/",     "/xqueue/get_queuelen/", "/xqueue/get_submission/",
    "/xqueue/put_result/",
};

static const struct reply *send_method(const char *method, const char *path)
{
    return http_send(client, &(struct http_message){.method = method,
                                                    .path = path,
                                                    .body = text_of("")});
}

static void expect_redirect(const struct reply *reply, int status,
                            const char *location)
{
    expect_status(reply, status, "");
    expect_field(reply, "Location", location);
    expect_field(reply, "Content-Type", "text/html; charset=utf-8");
    expect_field(reply, "Content-Length", "0");
}

START_TEST(without_a_session_the_way_leads_to_the_login)
{
    expect_redirect(http_get(client, "/xqueue/get_submission/"
                                     "?queue_name=test-pull"),
                    302,
                    "/xqueue/login/?next=/xqueue/get_submission/"
                    "%3Fqueue_name%3Dtest-pull");
    expect_redirect(http_get(client, "/xqueue/get_queuelen/"), 302,
                    "/xqueue/login/?next=/xqueue/get_queuelen/");
    expect_redirect(http_get(client, "/xqueue/submit/"), 302,
                    "/xqueue/login/?next=/xqueue/submit/");
    expect_redirect(lms_submit("{}", ""), 302,
                    "/xqueue/login/?next=/xqueue/submit/");
    expect_redirect(http_get(client, "/xqueue/put_result/?queue_name=q"), 302,
                    "/xqueue/login/?next=/xqueue/put_result/"
                    "%3Fqueue_name%3Dq");
    expect_redirect(grader_put_result("{}", ""), 302,
                    "/xqueue/login/?next=/xqueue/put_result/");
    expect_redirect(http_post_multipart(client, "/xqueue/submit/",
                                        HTTP_FORM({"a", "b", "c.txt"})),
                    302, "/xqueue/login/?next=/xqueue/submit/");
}
END_TEST

START_TEST(what_was_asked_for_is_quoted_as_django_does)
{
    const char *const cases[][2] = {
        {"?", ""},
        {"??", "%3F%3F"},
        {"?a=b&c=d", "%3Fa%3Db%26c%3Dd"},
        {"?a+b%20c", "%3Fa%2Bb%2520c"},
        {"?%c3%A9", "%3F%25c3%25A9"},
        {"?_.-~/x/", "%3F_.-~/x/"},
        {"?!$'()*,;:@", "%3F%21%24%27%28%29%2A%2C%3B%3A%40"},
        {"?[]", "%3F%5B%5D"},
        {"?\"<>\\^`{|}", "%3F%2522%253C%253E%255C%255E%2560%257B%257C%257D"},
        {"?next=http://evil/", "%3Fnext%3Dhttp%3A//evil/"},
        {"?%0d%0aSet-Cookie:x", "%3F%250d%250aSet-Cookie%3Ax"},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        expect_redirect(
            http_get(client, arena_printf(scratch, "/xqueue/get_submission/%s",
                                          cases[i][0])),
            302,
            arena_printf(scratch,
                         "/xqueue/login/?next=/xqueue/get_submission/%s",
                         cases[i][1]));
}
END_TEST

/* A grader would take that for an empty queue, for ever. */
START_TEST(without_a_session_nothing_answers_with_200)
{
    const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "DELETE"};

    for (size_t i = 0; i < ARRAY_LENGTH(needing_login); i++)
        for (size_t k = 0; k < ARRAY_LENGTH(methods); k++) {
            const struct reply *reply =
                k < 2 ? http_send(
                            client,
                            &(struct http_message){.method = methods[k],
                                                   .path = needing_login[i]})
                      : send_method(methods[k], needing_login[i]);

            ck_assert_int_ge(reply->status, 300);
            ck_assert_int_lt(reply->status, 500);
        }
}
END_TEST

START_TEST(the_connection_goes_on_after_a_redirect)
{
    const char *body = arena_printf(scratch, "%0*d", 1000000, 7);

    expect_redirect(lms_submit("{}", body), 302,
                    "/xqueue/login/?next=/xqueue/submit/");
    http_client_set_timeout_ms(client, 10000);
    expect_reply(http_get(client, "/xqueue/status/"), 0, "\"OK\"");
}
END_TEST

START_TEST(the_status_page_needs_no_login)
{
    expect_reply(http_get(client, "/xqueue/status/"), 0, "\"OK\"");
    expect_redirect(http_get(client, "/xqueue/status"), 301, "/xqueue/status/");
    expect_reply(http_get(client, "/xqueue/status/?check=1"), 0, "\"OK\"");
}
END_TEST

START_TEST(a_path_without_its_slash_is_sent_to_the_one_with_it)
{
    for (size_t i = 0; i < ARRAY_LENGTH(all_paths); i++) {
        const char *slash = all_paths[i];
        const char *bare =
            arena_printf(scratch, "%.*s", (int)strlen(slash) - 1, slash);

        expect_redirect(http_get(client, bare), 301, slash);
        expect_redirect(send_method("POST", bare), 301, slash);
        expect_redirect(
            http_get(client, arena_printf(scratch, "%s?a=b&c=%%zz+/?", bare)),
            301, arena_printf(scratch, "%s?a=b&c=%%zz+/?", slash));
    }
}
END_TEST

/* Graders follow no redirects: only the login's 302 means something. */
START_TEST(a_path_with_its_slash_is_never_sent_elsewhere)
{
    log_in(client);
    for (size_t i = 0; i < ARRAY_LENGTH(all_paths); i++) {
        ck_assert_int_eq(http_get(client, all_paths[i])->status, 200);
        if (i == 2) /* that was the logout */
            log_in(client);
    }
}
END_TEST

START_TEST(an_unknown_path_is_not_found)
{
    const char *const paths[] = {
        "/",
        "/xqueue",
        "/xqueue/",
        "/xqueue/nothing/",
        "/xqueue/status/more/",
        "/xqueue/STATUS/",
        "//xqueue/status/",
        "/xqueue//status/",
        "/xqueue/./status/",
        "/x/../xqueue/status/",
        "/xqueue/%73tatus/",
        "/xqueue/status%2F",
        "/xqueue\\status\\",
        "/api/v1/",
        "/favicon.ico",
    };

    for (size_t i = 0; i < ARRAY_LENGTH(paths); i++) {
        const struct reply *reply = http_get(client, paths[i]);

        expect_status(reply, 404,
                      "{\"return_code\": 1, \"content\": \"Not found\"}");
        expect_field(reply, "Content-Type", "text/html; charset=utf-8");
    }
}
END_TEST

START_TEST(a_post_where_only_a_get_makes_sense_is_forbidden)
{
    const char *const paths[] = {"/xqueue/status/", "/xqueue/get_queuelen/",
                                 "/xqueue/get_submission/"};

    log_in(client);
    for (size_t i = 0; i < ARRAY_LENGTH(paths); i++) {
        const struct reply *reply = send_method("POST", paths[i]);

        expect_status(reply, 403,
                      "{\"return_code\": 1, \"content\": \"Forbidden\"}");
        expect_field(reply, "Content-Type", "text/html; charset=utf-8");
    }
}
END_TEST

START_TEST(other_methods_are_not_allowed)
{
    const char *const methods[] = {"PUT", "DELETE", "PATCH", "OPTIONS"};

    for (size_t i = 0; i < ARRAY_LENGTH(all_paths); i++)
        for (size_t k = 0; k < ARRAY_LENGTH(methods); k++) {
            const struct reply *reply = send_method(methods[k], all_paths[i]);

            expect_status(reply, 405,
                          "{\"return_code\": 1, \"content\":"
                          " \"Method not allowed\"}");
            ck_assert(!text_is_absent(reply_field(reply, "Allow")));
            expect_field(reply, "Content-Type", "text/html; charset=utf-8");
        }
    expect_field(send_method("PUT", "/xqueue/submit/"), "Allow",
                 "GET, HEAD, POST");
    expect_field(send_method("PUT", "/xqueue/status/"), "Allow", "GET, HEAD");
}
END_TEST

START_TEST(a_head_has_the_length_and_no_body)
{
    const struct reply *reply = http_head(client, "/xqueue/status/");

    expect_status(reply, 200, "");
    expect_field(reply, "Content-Length", "35");
    expect_field(reply, "Content-Type", "text/html; charset=utf-8");
    expect_reply(http_get(client, "/xqueue/status/"), 0, "\"OK\"");
    expect_status(http_head(client, "/xqueue/nothing/"), 404, "");
    expect_redirect(http_head(client, "/xqueue/login"), 301, "/xqueue/login/");
}
END_TEST

START_TEST(a_head_takes_no_submission)
{
    const struct reply *reply;

    log_in(client);
    expect_reply(lms_submit(lms_header("test-pull", NULL), "b"), 0, "\"1\"");
    reply = http_head(client, "/xqueue/get_submission/?queue_name=test-pull");
    expect_status(reply, 405, "");
    expect_field(reply, "Allow", "GET");
    expect_reply(get_queuelen("test-pull"), 0, "1");
}
END_TEST

START_TEST(an_old_proxy_gets_a_plain_reply)
{
    const struct reply *reply = http_send_raw(
        client, text_of("GET /xqueue/status/ HTTP/1.0\r\n"
                        "Host: localhost\r\nConnection: close\r\n\r\n"));

    expect_reply(reply, 0, "\"OK\"");
    expect_field(reply, "Content-Length", "35");
    expect_field(reply, "Transfer-Encoding", NULL);
    ck_assert(http_is_hung_up(client));
}
END_TEST

/* nginx speaks HTTP/1.0 to the server behind it, unless it is told not to. */
START_TEST(an_old_proxy_may_bring_a_form_and_take_a_long_reply)
{
    const char *body = arena_printf(scratch, "%0*d", 1000000, 7);
    const struct reply *reply;
    const char *form;
    const char *session;

    log_in(client);
    session = http_cookie(client, "sessionid");
    form = arena_printf(scratch, "xqueue_header=%s&xqueue_body=%s",
                        encoded(lms_header("old", NULL)), body);
    reply = http_send_raw(
        client, text_of(arena_printf(
                    scratch,
                    "POST /xqueue/submit/ HTTP/1.0\r\nHost: queue\r\n"
                    "X-Real-IP: 10.0.0.7\r\nConnection: close\r\n"
                    "Content-Type: application/x-www-form-urlencoded\r\n"
                    "Cookie: sessionid=%s\r\nContent-Length: %zu\r\n\r\n%s",
                    session, strlen(form), form)));
    expect_reply(reply, 0, "\"1\"");
    ck_assert(http_is_hung_up(client));
    http_client_close(client);
    reply = http_send_raw(
        client, text_of(arena_printf(
                    scratch,
                    "GET /xqueue/get_submission/?queue_name=old HTTP/1.0\r\n"
                    "Host: queue\r\nConnection: close\r\n"
                    "Cookie: sessionid=%s\r\n\r\n",
                    session)));
    expect_text(read_pulled(reply).body, body);
    expect_field(reply, "Transfer-Encoding", NULL);
    expect_field(reply, "Content-Length",
                 arena_printf(scratch, "%zu", reply->body.size));
    ck_assert(http_is_hung_up(client));
}
END_TEST

/* Somebody has damaged the tables: a grader must not believe in 200. */
START_TEST(what_goes_wrong_inside_is_never_answered_with_200)
{
    struct service *damaged = service_new(&(struct service_settings){0});
    const char *paths[] = {"/xqueue/get_submission/?queue_name=test-pull",
                           "/xqueue/get_queuelen/?queue_name=test-pull"};

    add_user("lms");
    service_serve(damaged);
    http_client_set_port(client, service_port(damaged));
    log_in(client);
    mariadb_run("DROP TABLE xqueue_ready");
    mariadb_run("DROP TABLE xqueue_depth");
    for (size_t i = 0; i < ARRAY_LENGTH(paths); i++) {
        const struct reply *reply = http_get(client, paths[i]);

        ck_assert_int_ge(reply->status, 500);
        expect_field(reply, "Content-Type", "text/html; charset=utf-8");
    }
    ck_assert_int_ge(lms_submit(lms_header("test-pull", NULL), "b")->status,
                     500);
    service_stop(damaged);
}
END_TEST

SERVICE_STORY("redirects", &settings,
              TELL(without_a_session_the_way_leads_to_the_login),
              TELL(what_was_asked_for_is_quoted_as_django_does),
              TELL(without_a_session_nothing_answers_with_200),
              TELL(the_connection_goes_on_after_a_redirect),
              TELL(the_status_page_needs_no_login),
              TELL(a_path_without_its_slash_is_sent_to_the_one_with_it),
              TELL(a_path_with_its_slash_is_never_sent_elsewhere),
              TELL(an_unknown_path_is_not_found),
              TELL(a_post_where_only_a_get_makes_sense_is_forbidden),
              TELL(other_methods_are_not_allowed),
              TELL(a_head_has_the_length_and_no_body),
              TELL(a_head_takes_no_submission),
              TELL(an_old_proxy_gets_a_plain_reply),
              TELL(an_old_proxy_may_bring_a_form_and_take_a_long_reply),
              TELL(what_goes_wrong_inside_is_never_answered_with_200))
