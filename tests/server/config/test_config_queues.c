/*
 * server/config/queues.c, queue_keys.c: a queue as a map
 */
#include "tests/support/config_story.h"
#include "tests/support/story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct config_queue *queue_of(const char *name)
{
    const struct config_queue *queue = config_find_queue(config, text_of(name));

    ck_assert_ptr_nonnull(queue);
    return queue;
}

/* One queue called q, with this. */
static void load_queue(const char *value)
{
    char source[400];

    snprintf(source, sizeof source, "XQUEUES: {q: %s}\n", value);
    load(source);
}

/* The message for `value`, which begins in column 14. */
static void expect_refused(const char *value, const char *message)
{
    char source[400];
    char expected[400];

    snprintf(source, sizeof source, "XQUEUES: {q: %s}\n", value);
    snprintf(expected, sizeof expected, "f:1:%s\n", message);
    expect_refusal(source, expected);
}

START_TEST(a_map_says_all_of_a_queue)
{
    const struct config_queue *queue;

    load_queue("{url: 'http://h:1/p', concurrency: 256, timeout: 0.5,"
               " processing_delay: 2.5, max_attempts: 1000,"
               " basic_auth: [u, 'p:w'], verify_tls: true, ca_file: /c.pem}");
    queue = queue_of("q");
    ck_assert_str_eq(queue->grader_url, "http://h:1/p");
    ck_assert_int_eq(queue->concurrency, 256);
    ck_assert_double_eq(queue->timeout_s, 0.5);
    ck_assert_double_eq(queue->processing_delay_min, 2.5);
    ck_assert_int_eq(queue->max_attempts, 1000);
    ck_assert_str_eq(queue->basic_auth_user, "u");
    ck_assert_str_eq(queue->basic_auth_password, "p:w");
    ck_assert(queue->verify_tls);
    ck_assert_str_eq(queue->tls_ca_file, "/c.pem");
}
END_TEST

START_TEST(a_map_without_a_url_is_a_pull_queue)
{
    load_queue("{processing_delay: 5, max_attempts: 1}");
    ck_assert_ptr_null(queue_of("q")->grader_url);
    ck_assert_double_eq(queue_of("q")->processing_delay_min, 5);
    ck_assert_int_eq(queue_of("q")->max_attempts, 1);
    load_queue("{}");
    ck_assert_ptr_null(queue_of("q")->grader_url);
    load_queue("{url: null, concurrency: null, timeout: ~}");
    ck_assert_ptr_null(queue_of("q")->grader_url);
    ck_assert_int_eq(queue_of("q")->concurrency, 1);
    ck_assert_double_eq(queue_of("q")->timeout_s, 30);
}
END_TEST

static void expect_globals(const char *name)
{
    const struct config_queue *queue = queue_of(name);

    ck_assert_int_eq(queue->concurrency, 1);
    ck_assert_double_eq(queue->timeout_s, 11);
    ck_assert_double_eq(queue->processing_delay_min, 12);
    ck_assert_int_eq(queue->max_attempts, 13);
    ck_assert_str_eq(queue->basic_auth_user, "me");
    ck_assert_str_eq(queue->basic_auth_password, "secret");
    ck_assert(!queue->verify_tls);
    ck_assert_str_eq(queue->tls_ca_file, "/ca.pem");
}

START_TEST(what_is_not_said_is_as_the_settings_say_wherever_they_stand)
{
    static const struct config_override options[] = {
        {"TLS_CA_FILE", "/ca.pem"},
    };

    setenv("XQUEUE_MAX_ATTEMPTS", "13", 1);
    setenv("XQUEUE_VERIFY_TLS", "false", 1);
    load_with("SUBMISSION_PROCESSING_DELAY: 12\nMAX_ATTEMPTS: 6\n"
              "TLS_CA_FILE: /other.pem\n"
              "XQUEUES: {a: null, b: 'http://h/', c: {url: 'http://h/'},"
              " d: {url: 'http://h/', timeout: null, basic_auth: null,"
              " verify_tls: null, ca_file: null, max_attempts: null}}\n"
              "REQUESTS_BASIC_AUTH: [me, secret]\nGRADING_TIMEOUT: 11\n",
              options, 1);
    ck_assert_msg(config != NULL, "%s", messages.data);
    ck_assert_uint_eq(messages.size, 0);
    expect_globals("a");
    expect_globals("b");
    expect_globals("c");
    expect_globals("d");
}
END_TEST

START_TEST(a_queue_can_do_without_what_the_settings_say)
{
    load("REQUESTS_BASIC_AUTH: [me, secret]\nVERIFY_TLS: false\n"
         "XQUEUES: {q: {url: 'http://h/', basic_auth: false,"
         " verify_tls: true}}\n");
    ck_assert_ptr_null(queue_of("q")->basic_auth_user);
    ck_assert_ptr_null(queue_of("q")->basic_auth_password);
    ck_assert(queue_of("q")->verify_tls);
    ck_assert_str_eq(config->basic_auth_user, "me");
}
END_TEST

START_TEST(maps_can_be_put_together_with_anchors_and_merge_keys)
{
    load_fixture("queues.yml");
    ck_assert_msg(config != NULL, "%s", messages.data);
    ck_assert_double_eq(queue_of("pulled")->processing_delay_min, 0.5);
    ck_assert_int_eq(queue_of("pulled")->max_attempts, 7);
    ck_assert_double_eq(queue_of("plain")->timeout_s, 40);
    ck_assert_int_eq(queue_of("plain")->max_attempts, 4);
    ck_assert_str_eq(queue_of("first")->grader_url,
                     "https://python.example.org/run");
    ck_assert_int_eq(queue_of("first")->concurrency, 8);
    ck_assert_str_eq(queue_of("first")->basic_auth_user, "grader");
    ck_assert_str_eq(queue_of("second")->grader_url,
                     "https://second.example.org/run");
    ck_assert_int_eq(queue_of("second")->concurrency, 1);
    ck_assert_double_eq(queue_of("second")->timeout_s, 12.5);
    ck_assert_int_eq(queue_of("second")->max_attempts, 2);
    ck_assert_ptr_null(queue_of("second")->basic_auth_user);
    ck_assert_str_eq(queue_of("second")->tls_ca_file, "/etc/ssl/grader.pem");
}
END_TEST

START_TEST(a_certificate_that_is_not_checked_is_a_warning)
{
    expect_warning(
        "XQUEUES:\n  q:\n    url: https://h/\n    verify_tls: false\n",
        "f:4: XQUEUES.q.verify_tls: any certificate will do\n");
    ck_assert(!queue_of("q")->verify_tls);
}
END_TEST

START_TEST(each_wrong_value_is_refused)
{
    static const struct {
        const char *key;
        const char *value;
        const char *message;
    } cases[] = {
        {"concurrency", "0", "a whole number from 1 to 256, found 0"},
        {"concurrency", "257", "a whole number from 1 to 256, found 257"},
        {"concurrency", "1.5", "a whole number from 1 to 256, found 1.5"},
        {"concurrency", "'2'",
         "a whole number from 1 to 256, found \"2\" in quotes"},
        {"timeout", "0", "a number of seconds above 0, at most 3600, found 0"},
        {"timeout", "3601",
         "a number of seconds above 0, at most 3600, found 3601"},
        {"timeout", "soon",
         "a number of seconds above 0, at most 3600, found \"soon\""},
        {"processing_delay", "0",
         "a number of minutes above 0, at most 100000, found 0"},
        {"processing_delay", "[1]",
         "a number of minutes above 0, at most 100000, found a list"},
        {"max_attempts", "0", "a whole number from 1 to 1000, found 0"},
        {"max_attempts", "1001", "a whole number from 1 to 1000, found 1001"},
        {"basic_auth", "true",
         "false or user and password as [user, password], found a truth"
         " value"},
        {"basic_auth", "'me:canary'",
         "false or user and password as [user, password], found a text"},
        {"basic_auth", "[canary]",
         "false or user and password as [user, password], found a list"},
        {"basic_auth", "[me, canary, x]",
         "false or user and password as [user, password], found a list"},
        {"verify_tls", "1", "true or false, found 1"},
        {"ca_file", "off", "a text, found off"},
        {"keep_alive", "1", "true or false, found 1"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char source[200];
        char message[200];

        snprintf(source, sizeof source,
                 "XQUEUES:\n q:\n  url: http://h\n"
                 "  %s: %s\n",
                 cases[i].key, cases[i].value);
        snprintf(message, sizeof message, "f:4:%d: XQUEUES.q.%s: expected %s\n",
                 (int)strlen(cases[i].key) + 5, cases[i].key, cases[i].message);
        expect_refusal(source, message);
    }
}
END_TEST

START_TEST(what_only_a_pushed_queue_has_is_refused_of_others)
{
    expect_refusal("XQUEUES:\n"
                   "  q:\n"
                   "    concurrency: 2\n"
                   "    timeout: 5\n"
                   "    basic_auth: [me, canary]\n"
                   "    verify_tls: true\n"
                   "    ca_file: /c\n"
                   "    keep_alive: true\n"
                   "    url: null\n",
                   "f:3:18: XQUEUES.q.concurrency: only for a queue with a "
                   "`url`\n"
                   "f:4:14: XQUEUES.q.timeout: only for a queue with a `url`\n"
                   "f:5:17: XQUEUES.q.basic_auth: only for a queue with a "
                   "`url`\n"
                   "f:6:17: XQUEUES.q.verify_tls: only for a queue with a "
                   "`url`\n"
                   "f:7:14: XQUEUES.q.ca_file: only for a queue with a "
                   "`url`\n"
                   "f:8:17: XQUEUES.q.keep_alive: only for a queue with a "
                   "`url`\n");
}
END_TEST

START_TEST(other_keys_are_refused)
{
    expect_refused("{URL: 'http://h', on: 1}",
                   "15: XQUEUES.q: expected one of url, concurrency, timeout, "
                   "keep_alive, processing_delay, max_attempts, basic_auth, "
                   "verify_tls, ca_file, found \"URL\"\n"
                   "f:1:32: XQUEUES.q: expected one of url, concurrency, "
                   "timeout, keep_alive, processing_delay, max_attempts, "
                   "basic_auth, verify_tls, ca_file, found on");
    expect_refused("{timeout: 1, timeout: 2}",
                   "27: timeout: given twice, first on line 1");
}
END_TEST

START_TEST(what_is_neither_address_nor_map_is_refused)
{
    expect_refused("['http://h/']",
                   "14: XQUEUES.q: expected null, an address that starts with "
                   "http:// or https://, or a map, found a list");
    expect_refused("{url: {}}",
                   "20: XQUEUES.q.url: expected null or an address that "
                   "starts with http:// or https://, found a map");
    expect_refused("{url: ''}",
                   "20: XQUEUES.q.url: expected null or an address that "
                   "starts with http:// or https://, found \"\"");
    expect_refused("{url: 'ftp://h/', timeout: 5}",
                   "20: XQUEUES.q.url: expected null or an address that "
                   "starts with http:// or https://, found \"ftp://h/\"");
}
END_TEST

static void expect_auth(const char *user, const char *password)
{
    const struct config_queue *queue = queue_of("q");

    ck_assert_str_eq(queue->grader_url, "http://h:1/p?a@b");
    ck_assert_pstr_eq(queue->basic_auth_user, user);
    ck_assert_pstr_eq(queue->basic_auth_password, password);
}

START_TEST(an_address_may_hold_the_user_and_password)
{
    load_queue("'http://me:secret@h:1/p?a@b'");
    expect_auth("me", "secret");
    load_queue("{url: 'http://me:secret@h:1/p?a@b'}");
    expect_auth("me", "secret");
    load_queue("{basic_auth: null, url: 'http://me:secret@h:1/p?a@b'}");
    expect_auth("me", "secret");
    load_queue("'http://h:1/p?a@b'");
    expect_auth(NULL, NULL);
}
END_TEST

START_TEST(user_and_password_of_an_address_are_read_as_requests_does)
{
    static const struct {
        const char *written;
        const char *user;
        const char *password;
    } cases[] = {
        {"m%65:p%40w%3a%2F", "me", "p@w:/"},
        {"a%3Ab:c:d", "a:b", "c:d"},
        {"m@e:p w", "m@e", "p w"},
        {"me:50%:+", "me", "50%:+"},
        {"m%C3%A9:%FF", "m\xC3\xA9", "\xEF\xBF\xBD"},
        {"me:", "me", ""},
        {":secret", "", "secret"},
        {"me", NULL, NULL},
        {":", NULL, NULL},
        {"", NULL, NULL},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char value[100];

        snprintf(value, sizeof value, "'http://%s@h:1/p?a@b'",
                 cases[i].written);
        load_queue(value);
        expect_auth(cases[i].user, cases[i].password);
    }
}
END_TEST

START_TEST(what_is_said_elsewhere_wins_over_the_password_in_an_address)
{
    load_queue("{basic_auth: [you, other],"
               " url: 'http://me:secret@h:1/p?a@b'}");
    expect_auth("you", "other");
    load_queue("{basic_auth: false, url: 'http://me:secret@h:1/p?a@b'}");
    expect_auth(NULL, NULL);
    load("XQUEUES: {q: 'http://me:secret@h:1/p?a@b'}\n"
         "REQUESTS_BASIC_AUTH: [you, other]\n");
    expect_auth("you", "other");
    load("XQUEUES: {q: {url: 'http://me:secret@h:1/p?a@b',"
         " basic_auth: false}}\n"
         "REQUESTS_BASIC_AUTH: [you, other]\n");
    expect_auth(NULL, NULL);
}
END_TEST

START_TEST(a_bad_address_that_may_hold_a_password_is_not_shown)
{
    static const char *const addresses[] = {
        "ftp://me:canary@h/",
        "http:/me:canary@h/",
        "me:canary@h",
        "https://me:can/ary@h/",
        "http://me:canary@h:x/",
        "http://me:canary@/",
        "http:/x//me:canary@h/",
        "http://me:canary%00@h/",
        "http://me%0A:canary@h/",
    };

    for (size_t i = 0; i < ARRAY_LENGTH(addresses); i++) {
        char value[100];

        snprintf(value, sizeof value, "'%s'", addresses[i]);
        expect_refused(value,
                       "14: XQUEUES.q: expected null, an address that starts "
                       "with http:// or https://, or a map, found a text");
        snprintf(value, sizeof value, "{url: '%s'}", addresses[i]);
        expect_refused(value, "20: XQUEUES.q.url: expected null or an address "
                              "that starts with http:// or https://, found a "
                              "text");
    }
}
END_TEST

START_TEST(an_at_after_the_host_is_no_password)
{
    load_queue("'http://h/me@h?a@b'");
    ck_assert_str_eq(queue_of("q")->grader_url, "http://h/me@h?a@b");
    load_queue("'http://h?me:secret@h'");
    ck_assert_str_eq(queue_of("q")->grader_url, "http://h?me:secret@h");
    ck_assert_ptr_null(queue_of("q")->basic_auth_user);
}
END_TEST

START_TEST(connections_are_kept_only_when_a_queue_says_so)
{
    load_queue("{url: 'http://h/', keep_alive: true}");
    ck_assert(queue_of("q")->keep_alive);
    ck_assert_uint_eq(messages.size, 0);
    load_queue("{url: 'http://h/', keep_alive: false}");
    ck_assert(!queue_of("q")->keep_alive);
    ck_assert_uint_eq(messages.size, 0);
    load_queue("{url: 'http://h/', keep_alive: null}");
    ck_assert(!queue_of("q")->keep_alive);
    load_queue("'http://h/'");
    ck_assert(!queue_of("q")->keep_alive);
}
END_TEST

static void expect_address(const char *address, bool good)
{
    char source[100];

    snprintf(source, sizeof source, "XQUEUES: {q: '%s'}\n", address);
    load_with(source, NULL, 0);
    ck_assert_msg((config != NULL) == good, "%s", address);
}

START_TEST(an_address_has_a_host_and_maybe_a_port)
{
    expect_address("http://grader", true);
    expect_address("HTTPS://a_b.example.org:65535/x?y#z", true);
    expect_address("http://127.0.0.1:80?x", true);
    expect_address("http://[::1]:8000/", true);
    expect_address("http://[::1]", true);
    expect_address("http:/h/", false);
    expect_address("http:///x", false);
    expect_address("http://:80/", false);
    expect_address("http://h:port/", false);
    expect_address("http://h:65536/", false);
    expect_address("http://[h]/", false);
    expect_address("http://[]/", false);
    expect_address("http://a]b:80/", false);
    expect_address("http://a%41/", false);
    expect_address("http://a\\b/", false);
    expect_address("http://h/a b", false);
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(a_map_says_all_of_a_queue),
        TELL(a_map_without_a_url_is_a_pull_queue),
        TELL(what_is_not_said_is_as_the_settings_say_wherever_they_stand),
        TELL(a_queue_can_do_without_what_the_settings_say),
        TELL(maps_can_be_put_together_with_anchors_and_merge_keys),
        TELL(a_certificate_that_is_not_checked_is_a_warning),
        TELL(each_wrong_value_is_refused),
        TELL(what_only_a_pushed_queue_has_is_refused_of_others),
        TELL(other_keys_are_refused),
        TELL(what_is_neither_address_nor_map_is_refused),
        TELL(an_address_may_hold_the_user_and_password),
        TELL(user_and_password_of_an_address_are_read_as_requests_does),
        TELL(what_is_said_elsewhere_wins_over_the_password_in_an_address),
        TELL(a_bad_address_that_may_hold_a_password_is_not_shown),
        TELL(an_at_after_the_host_is_no_password),
        TELL(connections_are_kept_only_when_a_queue_says_so),
        TELL(an_address_has_a_host_and_maybe_a_port),
    };
    static const struct story story = {
        .name = "config queues",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_each = config_story_begin,
        .after_each = config_story_end,
    };

    return story_run(&story);
}
