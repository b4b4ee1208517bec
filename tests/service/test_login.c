/*
 * Logging in: R2, R4, R5, R17, R29, R38, R40.
 */
#include "server/base/clock.h"
#include "tests/support/service_story.h"

#include <regex.h>
#include <signal.h>
#include <string.h>

/* 260,000 iterations was Django 3.2's; fewer here, so that it is quick. */
#define HASH_OF_ANOTHER_DJANGO                                                 \
    "pbkdf2_sha256$1000$zcJ0Ahf1lp8Y$"                                         \
    "NEWVxgB7OfkOTqQG8O3PkRU6O5HLB2B4G2ArzjweJg4="
#define HASH_OF_ODD_PASSWORD                                                   \
    "pbkdf2_sha256$1$salt$cgAwW80VOTyOhBI4BdLjOY0GtvGQ6F/9Sn03avjcSQo="

#define LOGGED_IN    "\"Logged in\""
#define INCORRECT    "\"Incorrect login credentials\""
#define INSUFFICIENT "\"Insufficient login info\""

static const struct service_settings settings = {
    .more = "PASSWORD_THREADS: 2",
};

static const struct reply *try_login(struct http_client *speaker,
                                     const char *username, const char *password)
{
    return http_post_form(
        speaker, "/xqueue/login/",
        HTTP_FORM({"username", username, NULL}, {"password", password, NULL}));
}

/* Send it, and let the answer wait. */
static struct http_client *begin_login(struct service *at, const char *username,
                                       const char *password)
{
    struct http_client *speaker = http_client_new(service_port(at));
    const char *body = arena_printf(scratch, "username=%s&password=%s",
                                    encoded(username), encoded(password));

    ck_assert(http_send_bytes(
        speaker, text_of(arena_printf(
                     scratch,
                     "POST /xqueue/login/ HTTP/1.1\r\nHost: x\r\n"
                     "Content-Type: application/x-www-form-urlencoded\r\n"
                     "Content-Length: %zu\r\n\r\n%s",
                     strlen(body), body))));
    return speaker;
}

/* Together, because the server hashes a password that comes twice once. */
static void guess_five_times(const char *username)
{
    struct http_client *guessers[5];

    for (size_t i = 0; i < ARRAY_LENGTH(guessers); i++)
        guessers[i] = begin_login(service, username, "guess");
    for (size_t i = 0; i < ARRAY_LENGTH(guessers); i++) {
        expect_reply(http_read_reply(guessers[i]), 1, INCORRECT);
        http_client_free(guessers[i]);
    }
}

static void expect_match(struct text text, const char *pattern)
{
    const char *string = arena_string(scratch, text);
    regex_t compiled;

    ck_assert_int_eq(regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB), 0);
    ck_assert_msg(regexec(&compiled, string, 0, NULL, 0) == 0, "%s\nis not %s",
                  string, pattern);
    regfree(&compiled);
}

START_TEST(a_get_says_that_a_login_is_required)
{
    expect_reply(http_get(client, "/xqueue/login/"), 1, "\"login_required\"");
    expect_reply(http_get(client, "/xqueue/login/?next=/xqueue/submit/"), 1,
                 "\"login_required\"");
    expect_reply(http_get(client, "/xqueue/login/?next=http://evil/%00&%zz"), 1,
                 "\"login_required\"");
    expect_status(http_head(client, "/xqueue/login/"), 200, "");
}
END_TEST

START_TEST(a_get_says_so_even_to_somebody_who_is_logged_in)
{
    log_in(client);
    expect_reply(http_get(client, "/xqueue/login/"), 1, "\"login_required\"");
}
END_TEST

START_TEST(a_right_password_logs_in_and_sets_a_cookie)
{
    const struct reply *reply = try_login(client, "lms", "password");

    expect_reply(reply, 0, LOGGED_IN);
    expect_match(reply_field(reply, "Set-Cookie"),
                 "^sessionid=[A-Za-z0-9_-]{43};"
                 " expires=[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4}"
                 " [0-9:]{8} GMT; HttpOnly; Max-Age=1209600; Path=/;"
                 " SameSite=Lax$");
    expect_reply(get_queuelen("test-pull"), 0, "0");
}
END_TEST

START_TEST(a_multipart_login_is_as_good)
{
    expect_reply(http_post_multipart(client, "/xqueue/login/",
                                     HTTP_FORM({"username", "lms", NULL},
                                               {"password", "password", NULL})),
                 0, LOGGED_IN);
    expect_reply(get_queuelen("test-pull"), 0, "0");
}
END_TEST

/* More of them in test_foreign_fields.c (R16). */
START_TEST(fields_of_csrf_and_basic_auth_are_ignored)
{
    expect_reply(
        http_send(client,
                  &(struct http_message){
                      .method = "POST",
                      .path = "/xqueue/login/?next=/xqueue/submit/",
                      .fields =
                          "Content-Type: application/x-www-form-urlencoded\r\n"
                          "Authorization: Basic ZWR4OmVkeA==\r\n"
                          "Referer: http://elsewhere/\r\n"
                          "Origin: http://elsewhere\r\n"
                          "X-CSRFToken: of somebody\r\n",
                      .body = text_of("username=lms&password=password")}),
        0, LOGGED_IN);
}
END_TEST

START_TEST(whatever_is_wrong_with_a_login_the_answer_is_the_same)
{
    const char *const pairs[][2] = {
        {"lms", "wrong"},         {"nobody", "password"},
        {"LMS", "password"},      {"", ""},
        {"sleeping", "password"}, {"' OR 1=1 --", "password"},
        {"unusable", "password"}};
    struct http_client *speakers[ARRAY_LENGTH(pairs)];

    add_user("sleeping");
    mariadb_run("UPDATE auth_user SET is_active = 0"
                " WHERE username = 'sleeping'");
    add_user("unusable");
    mariadb_run("UPDATE auth_user SET password = '!nothing'"
                " WHERE username = 'unusable'");
    for (size_t i = 0; i < ARRAY_LENGTH(pairs); i++)
        speakers[i] = begin_login(service, pairs[i][0], pairs[i][1]);
    for (size_t i = 0; i < ARRAY_LENGTH(pairs); i++) {
        const struct reply *reply = http_read_reply(speakers[i]);

        expect_reply(reply, 1, INCORRECT);
        expect_field(reply, "Set-Cookie", NULL);
        http_client_free(speakers[i]);
    }
}
END_TEST

START_TEST(without_both_fields_it_is_insufficient)
{
    expect_reply(http_post_form(client, "/xqueue/login/",
                                HTTP_FORM({"username", "lms", NULL})),
                 1, INSUFFICIENT);
    expect_reply(http_post_form(client, "/xqueue/login/",
                                HTTP_FORM({"password", "password", NULL})),
                 1, INSUFFICIENT);
    expect_reply(
        http_send(client, &(struct http_message){.method = "POST",
                                                 .path = "/xqueue/login/",
                                                 .body = text_of("")}),
        1, INSUFFICIENT);
}
END_TEST

START_TEST(a_form_without_a_content_type_is_no_form)
{
    expect_reply(
        http_send(client,
                  &(struct http_message){
                      .method = "POST",
                      .path = "/xqueue/login/",
                      .body = text_of("username=lms&password=password")}),
        1, INSUFFICIENT);
    expect_reply(
        http_send(client,
                  &(struct http_message){
                      .method = "POST",
                      .path = "/xqueue/login/",
                      .fields = "Content-Type: application/json\r\n",
                      .body = text_of("{\"username\": \"lms\","
                                      " \"password\": \"password\"}")}),
        1, INSUFFICIENT);
}
END_TEST

START_TEST(names_and_passwords_are_taken_byte_for_byte)
{
    add_user("é ü+&");
    mariadb_run("UPDATE auth_user SET password = '" HASH_OF_ODD_PASSWORD "'"
                " WHERE username = 'é ü+&'");
    expect_reply(try_login(client, "é ü+&", " pä ss wörd "), 0, LOGGED_IN);
}
END_TEST

START_TEST(a_hash_of_another_django_is_good)
{
    add_user("older");
    mariadb_run("UPDATE auth_user SET password = '" HASH_OF_ANOTHER_DJANGO "'"
                " WHERE username = 'older'");
    expect_reply(try_login(client, "older", "password"), 0, LOGGED_IN);
    ck_assert_value(HASH_OF_ANOTHER_DJANGO,
                    "SELECT password FROM auth_user WHERE username = 'older'");
}
END_TEST

START_TEST(an_endless_password_is_refused_unseen)
{
    char password[4097 + 1];

    memset(password, 'x', sizeof password - 1);
    password[sizeof password - 1] = '\0';
    expect_reply(try_login(client, "lms", password), 1, INCORRECT);
}
END_TEST

START_TEST(a_login_is_written_down)
{
    add_user("seen");
    expect_reply(try_login(client, "seen", "password"), 0, LOGGED_IN);
    ck_assert_value("1", "SELECT last_login > UTC_TIMESTAMP(6) - INTERVAL 60"
                         " SECOND FROM auth_user WHERE username = 'seen'");
}
END_TEST

/* The LMS, with one client for each submission. */
START_TEST(an_lms_submits_in_four_requests)
{
    const char *header = lms_header("test-pull", NULL);
    const struct reply *reply = lms_submit(header, "first");

    expect_status(reply, 302, "");
    expect_field(reply, "Location", "/xqueue/login/?next=/xqueue/submit/");
    expect_reply(http_get(client, "/xqueue/login/?next=/xqueue/submit/"), 1,
                 "\"login_required\"");
    expect_reply(try_login(client, "lms", "password"), 0, LOGGED_IN);
    expect_reply(lms_submit(header, "second"), 0, "\"1\"");
    expect_text(grader_pull("test-pull").body, "second");
}
END_TEST

/* A watcher that is sent to the login again without end never sleeps (R5). */
START_TEST(a_grader_that_was_redirected_logs_in_once_and_goes_on)
{
    const char *path = "/xqueue/get_submission/?queue_name=test-pull";

    http_set_cookie(client, "sessionid",
                    "0123456789012345678901234567890123456789012");
    expect_status(http_get(client, path), 302, "");
    expect_reply(try_login(client, "lms", "password"), 0, LOGGED_IN);
    for (int i = 0; i < 50; i++)
        expect_reply(http_get(client, path), 1,
                     "\"Queue 'test-pull' is empty\"");
    expect_reply(get_queuelen("test-pull"), 0, "0");
    expect_reply(grader_put_result("{}", ""), 1, "\"Incorrect reply format\"");
}
END_TEST

/* A hash as Django makes them now costs a good part of a second. */
START_TEST(a_password_that_was_verified_costs_nothing_again)
{
    int64_t before_ms = clock_monotonic_ms();

    for (int i = 0; i < 200; i++)
        log_in(client);
    ck_assert_int_lt(clock_monotonic_ms() - before_ms, 20000);
}
END_TEST

static void set_column(const char *column, const char *value)
{
    mariadb_run("UPDATE auth_user SET %s = %s WHERE username = 'changing'",
                column, value);
}

static void expect_login(const char *password, bool succeeds)
{
    expect_reply(try_login(client, "changing", password), succeeds ? 0 : 1,
                 succeeds ? LOGGED_IN : INCORRECT);
}

/* At once, whatever is remembered. */
START_TEST(a_verified_password_counts_for_as_long_as_the_user_has_it)
{
    add_user("changing");
    expect_login("password", true);
    set_column("password", "'" HASH_OF_ANOTHER_DJANGO "'");
    expect_login("password", true);
    set_column("password", "'" HASH_OF_ODD_PASSWORD "'");
    expect_login("password", false);
    expect_login(" pä ss wörd ", true);
    expect_login(" pä ss wörd ", true);
    set_column("is_active", "0");
    expect_login(" pä ss wörd ", false);
    set_column("is_active", "1");
    expect_login(" pä ss wörd ", true);
    set_column("username", "'changed'");
    expect_login(" pä ss wörd ", false);
}
END_TEST

START_TEST(an_id_that_was_brought_along_is_never_kept)
{
    const char *brought = "0123456789012345678901234567890123456789012";

    http_set_cookie(client, "sessionid", brought);
    log_in(client);
    ck_assert_str_ne(http_cookie(client, "sessionid"), brought);
    http_set_cookie(client, "sessionid", brought);
    expect_status(get_queuelen("test-pull"), 302, "");
}
END_TEST

START_TEST(guessing_slows_down_whoever_guesses_but_not_the_lms)
{
    struct http_client *guesser;
    int64_t before_ms;

    add_user("attacked");
    expect_reply(try_login(client, "attacked", "password"), 0, LOGGED_IN);
    guess_five_times("attacked");
    before_ms = clock_monotonic_ms();
    guesser = begin_login(service, "attacked", "guess");
    for (int i = 0; i < 10; i++)
        expect_reply(try_login(client, "attacked", "password"), 0, LOGGED_IN);
    ck_assert(!http_has_input(guesser));
    expect_reply(http_read_reply(guesser), 1, INCORRECT);
    ck_assert_int_ge(clock_monotonic_ms() - before_ms, 900);
    http_client_free(guesser);
}
END_TEST

START_TEST(the_cookie_is_as_configured)
{
    service_set_more(service, "SESSION_COOKIE_SECURE: true\n"
                              "SESSION_COOKIE_SAMESITE: None\n"
                              "SESSION_COOKIE_AGE: 60\n");
    service_signal(service, SIGHUP, "result=ok");
    expect_match(
        reply_field(try_login(client, "lms", "password"), "Set-Cookie"),
        "; Max-Age=60; Path=/; SameSite=None; Secure$");
    service_set_more(service, "SESSION_COOKIE_SAMESITE: false\n");
    service_signal(service, SIGHUP, "result=ok");
    expect_match(
        reply_field(try_login(client, "lms", "password"), "Set-Cookie"),
        "; HttpOnly; Max-Age=1209600; Path=/$");
}
END_TEST

static bool is_turned_away(struct http_client *guesser)
{
    const struct reply *reply = http_read_reply(guesser);

    if (reply->status == 503)
        expect_field(reply, "Retry-After", "2");
    return reply->status == 503;
}

START_TEST(a_flood_of_passwords_is_turned_away_and_others_are_served)
{
    enum { FLOOD = 60 };
    struct service *flooded = service_new(&(struct service_settings){0});
    struct http_client *flood[FLOOD];
    int64_t deadline_ms;
    int turned_away = 0;

    add_user("lms");
    service_serve(flooded);
    http_client_set_port(client, service_port(flooded));
    log_in(client);
    for (int i = 0; i < FLOOD; i++)
        flood[i] = begin_login(flooded, arena_printf(scratch, "user%d", i),
                               arena_printf(scratch, "guess%d", i));
    expect_reply(http_get(client, "/xqueue/status/"), 0, "\"OK\"");
    expect_reply(get_queuelen("test-pull"), 0, "0");
    log_in(client);
    deadline_ms = clock_monotonic_ms() + 10000;
    for (int i = 0; turned_away < 10; i = (i + 1) % FLOOD) {
        ck_assert_int_lt(clock_monotonic_ms(), deadline_ms);
        if (flood[i] == NULL || !http_has_input(flood[i]))
            continue;
        if (is_turned_away(flood[i]))
            turned_away++;
        http_client_free(flood[i]);
        flood[i] = NULL;
    }
    service_kill(flooded);
    service_stop(flooded);
    for (int i = 0; i < FLOOD; i++)
        http_client_free(flood[i]);
}
END_TEST

SERVICE_STORY("login", &settings, TELL(a_get_says_that_a_login_is_required),
              TELL(a_get_says_so_even_to_somebody_who_is_logged_in),
              TELL(a_right_password_logs_in_and_sets_a_cookie),
              TELL(a_multipart_login_is_as_good),
              TELL(fields_of_csrf_and_basic_auth_are_ignored),
              TELL(whatever_is_wrong_with_a_login_the_answer_is_the_same),
              TELL(without_both_fields_it_is_insufficient),
              TELL(a_form_without_a_content_type_is_no_form),
              TELL(names_and_passwords_are_taken_byte_for_byte),
              TELL(a_hash_of_another_django_is_good),
              TELL(an_endless_password_is_refused_unseen),
              TELL(a_login_is_written_down),
              TELL(an_lms_submits_in_four_requests),
              TELL(a_grader_that_was_redirected_logs_in_once_and_goes_on),
              TELL(a_password_that_was_verified_costs_nothing_again),
              TELL(a_verified_password_counts_for_as_long_as_the_user_has_it),
              TELL(an_id_that_was_brought_along_is_never_kept),
              TELL(guessing_slows_down_whoever_guesses_but_not_the_lms),
              TELL(the_cookie_is_as_configured),
              TELL(a_flood_of_passwords_is_turned_away_and_others_are_served))
