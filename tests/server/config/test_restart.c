/*
 * server/config/restart.c
 */
#include "server/config/config.h"
#include "tests/support/story.h"

#include <stdlib.h>

static struct config *load(const char *source)
{
    struct buffer messages = {NULL, 0, 0};
    struct config *config =
        config_load_text(text_of(source), "test.yml", NULL, 0, &messages);

    ck_assert_msg(config != NULL, "%s", messages.data);
    buffer_free(&messages);
    return config;
}

/* What a server running with one has to restart for, given the other. */
static void expect_restart_for(const char *running, const char *loaded,
                               const char *expected)
{
    struct config *one = load(running);
    struct config *other = load(loaded);
    struct buffer names = {NULL, 0, 0};

    config_needs_restart(one, other, &names);
    ck_assert_msg(text_equal_string(buffer_text(&names), expected), "%s",
                  names.data);
    buffer_free(&names);
    config_free(one);
    config_free(other);
}

START_TEST(the_same_file_needs_no_restart)
{
    expect_restart_for("LISTEN: 0.0.0.0:80", "LISTEN: 0.0.0.0:80", "");
}
END_TEST

START_TEST(what_a_reload_applies_needs_no_restart)
{
    expect_restart_for("XQUEUES: {a: null}\nLOCAL_LOGLEVEL: INFO",
                       "XQUEUES: {b: null}\nLOCAL_LOGLEVEL: DEBUG", "");
    expect_restart_for("XQUEUES: {a: 'http://h/'}",
                       "XQUEUES: {a: {url: 'https://h/', concurrency: 4,"
                       " basic_auth: [u, p]}}\n"
                       "PUSH_RETRY_SECONDS: 0\nGRADER_REPLY_LIMIT: 1 MB\n"
                       "STOP_TIMEOUT: 0\nTLS_CA_FILE: /c",
                       "");
}
END_TEST

START_TEST(every_changed_setting_that_is_read_at_the_start_is_named)
{
    expect_restart_for("LISTEN: 0.0.0.0:80\nDB_CONNECTIONS: 2",
                       "LISTEN: 0.0.0.0:81\nDB_CONNECTIONS: 3\n"
                       "REQUEST_MAX_BYTES: 64 MB\n"
                       "DATABASES: {default: {HOST: db.example.org}}",
                       "DB_HOST, LISTEN, REQUEST_MAX_BYTES, DB_CONNECTIONS");
}
END_TEST

STORY("restart", TELL(the_same_file_needs_no_restart),
      TELL(what_a_reload_applies_needs_no_restart),
      TELL(every_changed_setting_that_is_read_at_the_start_is_named))
