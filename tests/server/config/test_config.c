/*
 * server/config/config.c, apply.c: single settings from a text
 */
#include "tests/support/config_story.h"
#include "tests/support/story.h"

#include <stdlib.h>

/* R46: the port. */
START_TEST(defaults_stand_where_nothing_is_said)
{
    load(QUEUE);
    ck_assert_str_eq(config->listen, "127.0.0.1:18040");
    ck_assert_str_eq(config->database.host, "127.0.0.1");
    ck_assert_int_eq(config->database.port, 3306);
    ck_assert_str_eq(config->database.name, "xqueue");
    ck_assert_str_eq(config->database.user, "xqueue001");
    ck_assert_ptr_null(config->database.password);
    ck_assert_ptr_null(config->database.unix_socket);
    ck_assert_int_eq(config->database.tls, CONFIG_TLS_OFF);
    ck_assert_ptr_null(config->basic_auth_user);
    ck_assert_double_eq(config->requests_timeout_s, 5);
    ck_assert_double_eq(config->grading_timeout_s, 30);
    ck_assert_double_eq(config->processing_delay_min, 1);
    ck_assert_int_eq(config->max_number_of_failures, 3);
    ck_assert_int_eq(config->max_attempts, 5);
    ck_assert_double_eq(config->callback_delay_s, 2);
    ck_assert_double_eq(config->callback_retry_days, 3);
    ck_assert_int_eq(config->callback_concurrency, 16);
    ck_assert_uint_eq(config->callback_allowed_hosts.count, 0);
    ck_assert(config->verify_tls);
    ck_assert(!config->session_cookie_secure);
    ck_assert_str_eq(config->session_cookie_name, "sessionid");
    ck_assert_str_eq(config->session_cookie_samesite, "Lax");
    ck_assert_int_eq(config->session_cookie_age_s, 1209600);
    ck_assert_double_eq(config->push_retry_s, 60);
    ck_assert_int_eq(config->grader_reply_bytes, 5242880);
    ck_assert_double_eq(config->stop_timeout_s, 7);
    ck_assert_int_eq(config->db_connections, 8);
    ck_assert_int_eq(config->db_queue, 1024);
    ck_assert_int_eq(config->max_connections, 2000);
    ck_assert_int_eq(config->request_max_bytes, 83886080);
    ck_assert_int_eq(config->submission_max_bytes, 20971520);
    ck_assert_int_eq(config->body_memory_bytes, 268435456);
    ck_assert_int_eq(config->password_threads, 1);
    ck_assert_int_eq(config->log_level, LOG_INFO);
    ck_assert_int_eq(config->log_format, LOG_LOGFMT);
}
END_TEST

START_TEST(without_a_file_there_are_only_defaults)
{
    config = config_load(NULL, NULL, 0, &messages);
    ck_assert_ptr_nonnull(config);
    ck_assert_str_eq(config->listen, "127.0.0.1:18040");
    ck_assert_str_eq(messages.data, "XQUEUES: no queues\n");
}
END_TEST

START_TEST(null_at_the_top_means_the_default)
{
    load(QUEUE "LISTEN: null\nUSERS:\nDATABASES: ~\nMAX_ATTEMPTS: null\n");
    ck_assert_str_eq(config->listen, "127.0.0.1:18040");
    ck_assert_int_eq(config->max_attempts, 5);
    ck_assert_uint_eq(config->user_count, 0);
}
END_TEST

START_TEST(every_type_is_read_from_the_file)
{
    load(QUEUE "LISTEN: '[::1]:0'\n"
               "DB_CONNECTIONS: 0x10\n"
               "REQUESTS_TIMEOUT: 2.5\n"
               "GRADING_TIMEOUT: 60\n"
               "REQUEST_MAX_BYTES: 1_000_000\n"
               "SUBMISSION_MAX_BYTES: 64 KB\n"
               "BODY_MEMORY: '64MiB'\n"
               "VERIFY_TLS: off\n"
               "LOCAL_LOGLEVEL: critical\n"
               "LOG_FORMAT: JSON\n"
               "SESSION_COOKIE_SAMESITE: none\n"
               "SESSION_COOKIE_NAME: 123\n"
               "CALLBACK_ALLOWED_HOSTS: [lms.example.org, 10]\n"
               "REQUESTS_BASIC_AUTH: [edx, 42]\n"
               "TLS_CA_FILE: /ca.pem\n");
    ck_assert_str_eq(config->listen, "[::1]:0");
    ck_assert_int_eq(config->db_connections, 16);
    ck_assert_double_eq(config->requests_timeout_s, 2.5);
    ck_assert_double_eq(config->grading_timeout_s, 60);
    ck_assert_int_eq(config->request_max_bytes, 1000000);
    ck_assert_int_eq(config->submission_max_bytes, 65536);
    ck_assert_int_eq(config->body_memory_bytes, 67108864);
    ck_assert(!config->verify_tls);
    ck_assert_int_eq(config->log_level, LOG_ERROR);
    ck_assert_int_eq(config->log_format, LOG_JSON);
    ck_assert_str_eq(config->session_cookie_samesite, "None");
    ck_assert_str_eq(config->session_cookie_name, "123");
    ck_assert_uint_eq(config->callback_allowed_hosts.count, 2);
    ck_assert_str_eq(config->callback_allowed_hosts.items[0],
                     "lms.example.org");
    ck_assert_str_eq(config->callback_allowed_hosts.items[1], "10");
    ck_assert_str_eq(config->basic_auth_user, "edx");
    ck_assert_str_eq(config->basic_auth_password, "42");
    ck_assert_str_eq(config->tls_ca_file, "/ca.pem");
}
END_TEST

START_TEST(false_leaves_the_samesite_attribute_out)
{
    load(QUEUE "SESSION_COOKIE_SAMESITE: False\n");
    ck_assert_ptr_null(config->session_cookie_samesite);
}
END_TEST

START_TEST(all_errors_are_told_at_once)
{
    expect_refusal(
        "DB_CONNECTIONS: abc\nDB_QUEUE: 15\nPASSWORD_THREADS: '2'\n"
        "LISTEN: 127.0.0.1\nREQUESTS_TIMEOUT: .nan\n"
        "SUBMISSION_PROCESSING_DELAY: 0\nREQUEST_MAX_BYTES: 80 XB\n"
        "VERIFY_TLS: 1\nLOCAL_LOGLEVEL: loud\nREQUESTS_BASIC_AUTH: canary\n"
        "CALLBACK_ALLOWED_HOSTS: {a: b}\nTLS_CA_FILE: off\n",
        "f:1:17: DB_CONNECTIONS: expected a whole number from 1 to 64, found "
        "\"abc\"\n"
        "f:2:11: DB_QUEUE: expected a whole number from 16 to 65536, found "
        "15\n"
        "f:3:19: PASSWORD_THREADS: expected a whole number from 1 to 16, "
        "found \"2\" in quotes\n"
        "f:4:9: LISTEN: expected an address and a port such as "
        "127.0.0.1:18040 or [::1]:18040, found \"127.0.0.1\"\n"
        "f:5:19: REQUESTS_TIMEOUT: expected a number of seconds above 0, at "
        "most "
        "600, found .nan\n"
        "f:6:30: SUBMISSION_PROCESSING_DELAY: expected a number of minutes "
        "above 0, at most 100000, found 0\n"
        "f:7:20: REQUEST_MAX_BYTES: expected a size such as 256 MB from 1 KB "
        "to 1 GB, found \"80 XB\"\n"
        "f:8:13: VERIFY_TLS: expected true or false, found 1\n"
        "f:9:17: LOCAL_LOGLEVEL: expected one of DEBUG, INFO, WARNING, ERROR, "
        "CRITICAL, found \"loud\"\n"
        "f:10:22: REQUESTS_BASIC_AUTH: expected user and password as [user, "
        "password], found a text\n"
        "f:11:25: CALLBACK_ALLOWED_HOSTS: expected a list of texts, found a "
        "map\n"
        "f:12:14: TLS_CA_FILE: expected a text, found off\n");
}
END_TEST

START_TEST(a_body_that_never_fits_is_refused)
{
    expect_refusal(QUEUE "BODY_MEMORY: 79 MB\n",
                   "BODY_MEMORY: expected at least REQUEST_MAX_BYTES, found "
                   "less\n");
}
END_TEST

START_TEST(other_keys_are_one_warning_each)
{
    expect_warning(QUEUE "AWS_QUERYSTRING_AUTH: canary\nLOGGING: {}\n"
                         "LISTNE: x\nDB_HOST: h\n\"a\\nb\": 1\n",
                   "f:2: AWS_QUERYSTRING_AUTH: not used by this server\n"
                   "f:3: LOGGING: not used by this server\n"
                   "f:4: LISTNE: not known, ignored\n"
                   "f:5: DB_HOST: ignored: it belongs in DATABASES\n"
                   "f:6: a\\x0ab: not known, ignored\n");
}
END_TEST

static void expect_listen(const char *value, bool good)
{
    struct config_override option = {"LISTEN", value};

    load_with(QUEUE, &option, 1);
    ck_assert_msg((config != NULL) == good, "%s", value);
}

START_TEST(listen_is_an_address_and_a_port)
{
    expect_listen("127.0.0.1:0", true);
    expect_listen("0.0.0.0:65535", true);
    expect_listen("localhost:8000", true);
    expect_listen("[::]:18040", true);
    expect_listen("18040", false);
    expect_listen(":18040", false);
    expect_listen("::1:18040", false);
    expect_listen("[]:1", false);
    expect_listen("[:1", false);
    expect_listen("[127.0.0.1]:1", false);
    expect_listen("127.0.0.1:65536", false);
    expect_listen("127.0.0.1:-1", false);
    expect_listen("127.0.0.1:", false);
    expect_listen("256.0.0.1:1", false);
    expect_listen("127.0.1:1", false);
    expect_listen("a b:1", false);
}
END_TEST

static void expect_size(const char *value, int64_t bytes)
{
    struct config_override option = {"BODY_MEMORY", value};

    load_with(QUEUE, &option, 1);
    ck_assert_msg((config != NULL) == (bytes > 0), "%s", value);
    if (config != NULL)
        ck_assert_int_eq(config->body_memory_bytes, bytes);
}

START_TEST(sizes_have_units_of_1024)
{
    expect_size("100000000", 100000000);
    expect_size("100000000B", 100000000);
    expect_size("204800 KB", 209715200);
    expect_size("200MB", 209715200);
    expect_size("200 MiB", 209715200);
    expect_size("1g", 1073741824);
    expect_size("1.5 GB", 0);
    expect_size("-1 GB", 0);
    expect_size("MB", 0);
    expect_size("1 MB x", 0);
    expect_size("9223372036854775807 GB", 0);
}
END_TEST

START_TEST(the_path_is_in_the_environment)
{
    ck_assert_ptr_null(config_default_path());
    setenv("XQUEUE_CFG", "", 1);
    ck_assert_ptr_null(config_default_path());
    setenv("XQUEUE_CFG", "/edx/etc/xqueue.yml", 1);
    ck_assert_str_eq(config_default_path(), "/edx/etc/xqueue.yml");
}
END_TEST

int main(void)
{
    static const struct story_test tests[] = {
        TELL(defaults_stand_where_nothing_is_said),
        TELL(without_a_file_there_are_only_defaults),
        TELL(null_at_the_top_means_the_default),
        TELL(every_type_is_read_from_the_file),
        TELL(false_leaves_the_samesite_attribute_out),
        TELL(all_errors_are_told_at_once),
        TELL(a_body_that_never_fits_is_refused),
        TELL(other_keys_are_one_warning_each),
        TELL(listen_is_an_address_and_a_port),
        TELL(sizes_have_units_of_1024),
        TELL(the_path_is_in_the_environment),
    };
    static const struct story story = {
        .name = "config",
        .tests = tests,
        .count = sizeof tests / sizeof tests[0],
        .before_each = config_story_begin,
        .after_each = config_story_end,
    };

    return story_run(&story);
}
