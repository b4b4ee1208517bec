/*
 * Sessions: R3, R5, R48, R57. They live in the database, so that every process
 * knows them; what a process remembers of them it forgets in time.
 */
#include "server/base/clock.h"
#include "tests/support/service_story.h"

#include <poll.h>
#include <string.h>

#define OTHER_HASH                                                             \
    "pbkdf2_sha256$1$salt$Werb6h3Z68EkEBbJw5+eBe/zlHeFdzMPlqBxXQM1OBU="

enum { DEADLINE_MS = 2500 }; /* two seconds, and what a busy machine needs */

static const struct service_settings settings = {.owns_database = true};

/* Another process on the same database. */
static struct service *start_second(void)
{
    struct service *second =
        service_new(&(struct service_settings){.database = story_database()});

    service_serve(second);
    return second;
}

/* A client of another process, with the cookie of `client`. */
static struct http_client *same_session(const struct service *at)
{
    struct http_client *other = http_client_new(service_port(at));

    http_set_cookie(other, "sessionid", http_cookie(client, "sessionid"));
    return other;
}

static bool is_known(struct http_client *speaker)
{
    const struct reply *reply =
        http_get(speaker, "/xqueue/get_queuelen/?queue_name=test-pull");

    if (reply->status != 302)
        expect_reply(reply, 0, "0");
    return reply->status == 200;
}

static void wait_until_unknown(struct http_client *speaker)
{
    int64_t deadline_ms = clock_monotonic_ms() + DEADLINE_MS;

    while (is_known(speaker)) {
        ck_assert_int_lt(clock_monotonic_ms(), deadline_ms);
        poll(NULL, 0, 20);
    }
}

START_TEST(a_session_is_valid_on_every_process)
{
    struct service *second = start_second();
    struct http_client *other;

    log_in(client);
    other = same_session(second);
    ck_assert(is_known(client));
    ck_assert(is_known(other));
    http_client_free(other);
    service_stop(second);
}
END_TEST

START_TEST(a_session_survives_the_end_of_its_process)
{
    struct service *second = start_second();

    http_client_set_port(client, service_port(second));
    log_in(client);
    service_kill(second);
    service_serve(second);
    http_client_set_port(client, service_port(second));
    ck_assert(is_known(client));
    service_stop(second);
}
END_TEST

START_TEST(a_logout_ends_the_session_on_every_process)
{
    struct service *second = start_second();
    struct http_client *here;
    struct http_client *there;

    log_in(client);
    here = same_session(service);
    there = same_session(second);
    ck_assert(is_known(there));
    expect_reply(http_get(client, "/xqueue/logout/"), 0, "\"Goodbye\"");
    ck_assert_ptr_null(http_cookie(client, "sessionid"));
    ck_assert(!is_known(client));
    ck_assert(!is_known(here));
    wait_until_unknown(there);
    http_client_free(here);
    http_client_free(there);
    service_stop(second);
}
END_TEST

START_TEST(a_logout_ends_no_session_but_its_own)
{
    struct http_client *other = http_client_new(service_port(service));

    log_in(client);
    log_in(other);
    ck_assert(is_known(client));
    expect_reply(
        http_send(other, &(struct http_message){.method = "POST",
                                                .path = "/xqueue/logout/",
                                                .body = text_of("")}),
        0, "\"Goodbye\"");
    ck_assert(!is_known(other));
    ck_assert(is_known(client));
    http_client_free(other);
}
END_TEST

START_TEST(whoever_is_not_logged_in_may_log_out)
{
    const struct reply *reply = http_get(client, "/xqueue/logout/");

    expect_reply(reply, 0, "\"Goodbye\"");
    expect_field(reply, "Set-Cookie",
                 "sessionid=\"\"; expires=Thu, 01 Jan 1970 00:00:00 GMT;"
                 " HttpOnly; Max-Age=0; Path=/; SameSite=Lax");
    http_set_cookie(client, "sessionid", "junk");
    expect_reply(http_get(client, "/xqueue/logout/"), 0, "\"Goodbye\"");
}
END_TEST

START_TEST(another_password_ends_the_sessions_of_the_old_one)
{
    struct service *second = service_new(&(struct service_settings){
        .database = story_database(), .users = "{changed: new}"});
    struct http_client *bystander = http_client_new(service_port(service));

    add_user("changed");
    log_in(bystander);
    expect_reply(http_post_form(client, "/xqueue/login/",
                                HTTP_FORM({"username", "changed", NULL},
                                          {"password", "password", NULL})),
                 0, "\"Logged in\"");
    ck_assert(is_known(client));
    ck_assert_int_eq(service_command(second, NULL, "update_users", NULL), 0);
    wait_until_unknown(client);
    ck_assert(is_known(bystander));
    expect_reply(http_post_form(client, "/xqueue/login/",
                                HTTP_FORM({"username", "changed", NULL},
                                          {"password", "new", NULL})),
                 0, "\"Logged in\"");
    ck_assert(is_known(client));
    http_client_free(bystander);
    service_stop(second);
}
END_TEST

/* As somebody who does it with SQL: no process is told. */
START_TEST(a_password_changed_in_the_table_ends_them_too)
{
    struct service *second = start_second();
    struct http_client *other;

    add_user("edited");
    expect_reply(http_post_form(client, "/xqueue/login/",
                                HTTP_FORM({"username", "edited", NULL},
                                          {"password", "password", NULL})),
                 0, "\"Logged in\"");
    mariadb_run("UPDATE auth_user SET password = '" OTHER_HASH "'"
                " WHERE username = 'edited'");
    other = same_session(second);
    ck_assert(!is_known(other));
    expect_reply(http_post_form(client, "/xqueue/login/",
                                HTTP_FORM({"username", "edited", NULL},
                                          {"password", "other", NULL})),
                 0, "\"Logged in\"");
    http_client_free(other);
    service_stop(second);
}
END_TEST

START_TEST(a_session_lasts_fourteen_days)
{
    struct service *second = start_second();
    struct http_client *other;

    mariadb_run("DELETE FROM xqueue_session");
    log_in(client);
    ck_assert_value("336",
                    "SELECT ROUND((expires_us / 1000000 -"
                    " UNIX_TIMESTAMP(NOW(6))) / 3600) FROM xqueue_session");
    mariadb_run("UPDATE xqueue_session SET expires_us ="
                " UNIX_TIMESTAMP(NOW(6)) * 1000000 - 1");
    other = same_session(second);
    ck_assert(!is_known(other));
    http_client_free(other);
    service_stop(second);
}
END_TEST

START_TEST(a_user_who_is_switched_off_is_nobody)
{
    struct service *second = start_second();
    struct http_client *other;

    add_user("tired");
    expect_reply(http_post_form(client, "/xqueue/login/",
                                HTTP_FORM({"username", "tired", NULL},
                                          {"password", "password", NULL})),
                 0, "\"Logged in\"");
    mariadb_run("UPDATE auth_user SET is_active = 0 WHERE username = 'tired'");
    other = same_session(second);
    ck_assert(!is_known(other));
    http_client_free(other);
    service_stop(second);
}
END_TEST

START_TEST(junk_in_the_cookie_is_nobody)
{
    char long_cookie[4096];
    const char *const fields[] = {
        "Cookie: sessionid=\r\n",
        "Cookie: sessionid=\"\"\r\n",
        "Cookie: sessionid\r\n",
        "Cookie: \r\n",
        "Cookie: ;;;=;\r\n",
        "Cookie: sessionid=../../etc/passwd\r\n",
        "Cookie: sessionid=' OR 1=1 -- \r\n",
        "Cookie: sessionid=\x80\x81\xff\r\n",
        "Cookie: sessionid=0123456789012345678901234567890123456789012\r\n",
        "Cookie: sessionid=a; sessionid=b; sessionid=c; sessionid=d\r\n",
        "Cookie: SESSIONID=0123456789012345678901234567890123456789012\r\n",
        long_cookie,
    };

    memset(long_cookie, 'x', sizeof long_cookie);
    memcpy(long_cookie, "Cookie: sessionid=", sizeof "Cookie: sessionid=" - 1);
    memcpy(long_cookie + sizeof long_cookie - 3, "\r\n", 3);
    for (size_t i = 0; i < ARRAY_LENGTH(fields); i++) {
        const struct reply *reply = http_send(
            client, &(struct http_message){.method = "GET",
                                           .path = "/xqueue/get_submission/"
                                                   "?queue_name=test-pull",
                                           .fields = fields[i]});

        expect_status(reply, 302, "");
    }
}
END_TEST

START_TEST(other_cookies_beside_it_do_not_matter)
{
    const char *cookie;

    log_in(client);
    cookie = arena_strdup(scratch, http_cookie(client, "sessionid"));
    http_clear_cookies(client);
    expect_reply(
        http_send(client,
                  &(struct http_message){
                      .method = "GET",
                      .path = "/xqueue/get_queuelen/?queue_name=test-pull",
                      .fields = arena_printf(scratch,
                                             "Cookie: a=b; csrftoken=\"x;y\";"
                                             " sessionid=%s; z\r\n",
                                             cookie)}),
        0, "0");
}
END_TEST

/* "You are nobody" would make a grader log in again and again. */
START_TEST(without_the_database_nobody_is_called_unknown)
{
    struct http_client *stranger = http_client_new(service_port(service));

    log_in(client);
    http_set_cookie(stranger, "sessionid",
                    "0123456789012345678901234567890123456789012");
    mariadb_shut_down();
    expect_status(http_get(client, "/xqueue/status/"), 200, NULL);
    for (int i = 0; i < 3; i++) {
        const struct reply *reply =
            http_get(stranger, "/xqueue/get_submission/?queue_name=test-pull");

        expect_status(reply, 503, NULL);
        expect_field(reply, "Retry-After", "2");
    }
    /* That it is empty was known a moment ago, and counts as long. */
    while (get_queuelen("test-pull")->status == 200)
        poll(NULL, 0, 20);
    expect_status(get_queuelen("test-pull"), 503, NULL);
    expect_status(http_post_form(stranger, "/xqueue/login/",
                                 HTTP_FORM({"username", "lms", NULL},
                                           {"password", "password", NULL})),
                  503, NULL);
    expect_status(http_get(client, "/xqueue/logout/"), 503, NULL);
    mariadb_restart();
    while (get_queuelen("test-pull")->status == 503)
        poll(NULL, 0, 20);
    for (int i = 0; i < 20; i++)
        ck_assert(is_known(client));
    ck_assert(!is_known(stranger));
    http_client_free(stranger);
}
END_TEST

SERVICE_STORY("sessions", &settings, TELL(a_session_is_valid_on_every_process),
              TELL(a_session_survives_the_end_of_its_process),
              TELL(a_logout_ends_the_session_on_every_process),
              TELL(a_logout_ends_no_session_but_its_own),
              TELL(whoever_is_not_logged_in_may_log_out),
              TELL(another_password_ends_the_sessions_of_the_old_one),
              TELL(a_password_changed_in_the_table_ends_them_too),
              TELL(a_session_lasts_fourteen_days),
              TELL(a_user_who_is_switched_off_is_nobody),
              TELL(junk_in_the_cookie_is_nobody),
              TELL(other_cookies_beside_it_do_not_matter),
              TELL(without_the_database_nobody_is_called_unknown))
